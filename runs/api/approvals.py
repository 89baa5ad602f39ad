"""The API of what runs ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from accounts.authentication import needs_scope
from accounts.models import Scope
from mindloom.web.errors import NotAllowed
from runs import services
from runs.api.runs import visible
from runs.models import Approval
from runs.serializers import ApprovalOut, Decision, RunDetail

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request


@extend_schema(operation_id="runs_approvals", responses=ApprovalOut(many=True))
@api_view(["GET"])
def approvals(request: Request, uuid: UUID) -> Response:
    """What the run asks and asked, oldest first, and what was decided."""
    found = visible(request, uuid).approvals.select_related("decided_by", "run").order_by("id")
    return Response(ApprovalOut(found, many=True).data)


@needs_scope(Scope.RUN)
@extend_schema(operation_id="approvals_decide", request=Decision, responses=RunDetail)
@api_view(["POST"])
def decide(request: Request, uuid: UUID) -> Response:
    """Approve or decline a call, or answer a question. It is about exactly the call that was asked for."""
    if not request.user.is_authenticated:
        raise NotAllowed
    approval = get_object_or_404(Approval.objects.visible_to(request.user), uuid=uuid)
    given = Decision(data=request.data)
    given.is_valid(raise_exception=True)
    run = services.decide(actor=request.user, approval=approval, **given.validated_data)
    return Response(RunDetail(visible(request, run.uuid)).data)
