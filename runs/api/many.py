"""The API's many runs at once: stop them, repeat them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts.authentication import needs_scope
from accounts.idempotency import idempotent
from accounts.models import Scope
from mindloom.web.api import StrictSerializer
from runs import services
from runs.models import Run, State
from runs.services import MOST_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from rest_framework.request import Request

    from accounts.models import User

NOT_THERE = "There is no such run, or you do not see it."


class ManyRuns(StrictSerializer):
    """Which runs are meant."""

    runs = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_AT_ONCE)


class RepeatMany(ManyRuns):
    """Which runs are repeated, and how."""

    version = serializers.ChoiceField(["same", "current"], default="same")


class OneOfMany(serializers.Serializer[Any]):
    """What became of one of many runs."""

    uuid = serializers.UUIDField()
    done = serializers.BooleanField()
    message = serializers.CharField(help_text="Why nothing was done; empty when it was.")
    state = serializers.ChoiceField(State.choices, allow_null=True)
    run = serializers.UUIDField(allow_null=True, help_text="The new run, when it was run again.")


class ManyOut(serializers.Serializer[Any]):
    """What became of each run, in the order in which they were given."""

    results = OneOfMany(many=True)


@needs_scope(Scope.RUN)
@extend_schema(operation_id="runs_stop_many", summary="Stop many runs", request=ManyRuns, responses={200: ManyOut})
@api_view(["POST"])
def cancel_many(request: Request) -> Response:
    """Stop each of the runs; the answer says for each what became of it."""
    given = ManyRuns(data=request.data)
    given.is_valid(raise_exception=True)
    uuids: list[UUID] = given.validated_data["runs"]
    outcomes = services.stop_runs(actor=cast("User", request.user), runs=_found(request, uuids))
    return _answer(uuids, outcomes)


@needs_scope(Scope.RUN)
@extend_schema(operation_id="runs_repeat_many", summary="Run many again", request=RepeatMany, responses={200: ManyOut})
@api_view(["POST"])
@idempotent
def retry_many(request: Request) -> Response:
    """Run each of them again, in the same version or the current one; the answer says for each what became of it."""
    given = RepeatMany(data=request.data)
    given.is_valid(raise_exception=True)
    uuids: list[UUID] = given.validated_data["runs"]
    current = given.validated_data["version"] == "current"
    outcomes = services.repeat_runs(actor=cast("User", request.user), runs=_found(request, uuids), current=current)
    return _answer(uuids, outcomes)


def _found(request: Request, uuids: Sequence[UUID]) -> list[Run]:
    found = Run.objects.visible_to(cast("User", request.user)).filter(uuid__in=uuids)
    return list(found.select_related("agent", "agent_version", "team", "team_version", "department").order_by("pk"))


def _answer(uuids: Sequence[UUID], outcomes: Sequence[services.Outcome]) -> Response:
    """One entry for each uuid, in the order in which they were given."""
    known = {outcome.run.uuid: outcome for outcome in outcomes}
    rows: list[dict[str, Any]] = []
    for uuid in dict.fromkeys(uuids):
        outcome = known.get(uuid)
        problem = outcome.problem if outcome is not None else NOT_THERE
        made = outcome.made if outcome is not None else None
        rows.append(
            {
                "uuid": uuid,
                "done": not problem,
                "message": problem,
                "state": outcome.run.state if outcome is not None else None,
                "run": made.uuid if made is not None else None,
            }
        )
    return Response(ManyOut({"results": rows}).data)
