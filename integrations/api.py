"""The API's models and tools: what an agent can be made of. Keys and providers' addresses are never shown."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.response import Response

from integrations import tools
from integrations.models import Model
from integrations.serializers import ModelOut, ToolOut

if TYPE_CHECKING:
    from rest_framework.request import Request

_MOST = 500


@extend_schema(operation_id="models_list", responses=ModelOut(many=True))
@api_view(["GET"])
def models(request: Request) -> Response:
    """List the models that agents may use, the default first."""
    return Response(ModelOut(Model.objects.usable()[:_MOST], many=True).data)


@extend_schema(operation_id="tools_list", responses=ToolOut(many=True))
@api_view(["GET"])
def tools_list(request: Request) -> Response:
    """List the tools of the catalogue with their functions and settings."""
    return Response(ToolOut([_shown(tool) for tool in tools.catalogue()], many=True).data)


def _shown(tool: tools.Tool) -> dict[str, Any]:
    row = {field.name: getattr(tool, field.name) for field in fields(tool)}
    row["functions"] = [asdict(function.info) for function in tool.functions(tools.Setup(config={}))]
    return row
