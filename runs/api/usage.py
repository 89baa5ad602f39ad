"""The API's ledger: what a run used, call by call, and what a department used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db.models import F
from django.db.models.functions import TruncDate
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.response import Response

from mindloom.web.api import Pages, StrictSerializer
from mindloom.web.schema import paged
from runs.api.runs import visible
from runs.models import UsageRecord
from runs.models.usage import SUMS, totals_of

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from accounts.models import User

MOST_GROUPS = 1000
GROUPS: dict[str, dict[str, Any]] = {
    "agent": {"key": F("target_uuid"), "name": F("target_name")},
    "person": {"key": F("person__uuid"), "name": F("person__name")},
    "model": {"key": F("model"), "name": F("provider")},
    "day": {"key": TruncDate("at"), "name": TruncDate("at")},
}


class UsageOut(serializers.ModelSerializer[UsageRecord]):
    """One request to a model. `cost` is null when it is not known."""

    run = serializers.UUIDField(source="run_uuid")
    source = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]

    class Meta:
        """What is shown."""

        model = UsageRecord
        fields = [
            *("run", "seq", "at", "source", "provider", "model", "purpose", "failed", "duration_ms", "first_token_ms"),
            *("tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning", "cost"),
        ]
        read_only_fields = fields


class TotalsOut(serializers.Serializer[Any]):
    """Sums over requests to models. `cost` is of those whose cost is known; `unpriced_calls` are the others."""

    calls = serializers.IntegerField()
    failed_calls = serializers.IntegerField()
    tokens_in = serializers.IntegerField()
    tokens_out = serializers.IntegerField()
    tokens_cached = serializers.IntegerField(help_text="Part of tokens_in.")
    cost = serializers.DecimalField(max_digits=24, decimal_places=12)
    unpriced_calls = serializers.IntegerField()


class GroupOut(TotalsOut):
    """The sums of one agent or team, person, model or day."""

    key = serializers.CharField(allow_null=True, help_text="A uuid; of a model its name, of a day the date.")
    name = serializers.CharField(allow_null=True)


class UsageTotals(serializers.Serializer[Any]):
    """What a time cost, whole and by group."""

    currency = serializers.CharField()
    total = TotalsOut()
    groups = GroupOut(many=True)


class UsageQuery(StrictSerializer):
    """A time, from and with its first moment, to and without its last; and what to group by."""

    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    by = serializers.ChoiceField(list(GROUPS), default="agent")


class _InOrder(Pages):
    ordering = "seq"


@extend_schema(operation_id="runs_usage", responses=paged(UsageOut))
@api_view(["GET"])
def run_usage(request: Request, uuid: UUID) -> Response:
    """What each request to a model used and cost, in order. The run's totals are the sums of these."""
    pages = _InOrder()
    page = pages.paginate_queryset(visible(request, uuid).usage.all(), request)
    return pages.get_paginated_response(UsageOut(page, many=True).data)


@extend_schema(operation_id="usage", parameters=[UsageQuery], responses=UsageTotals)
@api_view(["GET"])
def usage(request: Request) -> Response:
    """What was used: for managers by the departments they manage, for others by themselves. Deleted runs count, too."""
    asked = UsageQuery(data=request.query_params.dict())
    asked.is_valid(raise_exception=True)
    values = asked.validated_data
    found: Any = UsageRecord.objects.visible_to(cast("User", request.user))
    if "since" in values:
        found = found.filter(at__gte=values["since"])
    if "until" in values:
        found = found.filter(at__lt=values["until"])
    groups = found.values(**GROUPS[values["by"]]).annotate(**SUMS).order_by("-sum_cost", "-sum_calls")[:MOST_GROUPS]
    shown = {
        "currency": settings.CURRENCY,
        "total": found.totals(),
        "groups": [vars(totals_of(row)) | {"key": row["key"], "name": row["name"]} for row in groups],
    }
    return Response(UsageTotals(shown).data)
