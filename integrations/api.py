"""The API's models, tools and connections: what an agent can be made of. Keys and secrets are never shown."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, cast

import django_filters
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.authentication import caller
from accounts.idempotency import idempotent
from accounts.models import Department, Role
from accounts.queries import departments_editable_by, departments_of, departments_where, roles_of
from integrations import services, tools
from integrations.models import Connection, Model, Purpose
from integrations.serializers import (
    AllowedIn,
    AllowedOut,
    ConnectionChanges,
    ConnectionKindOut,
    ConnectionOut,
    ConnectionTestOut,
    ModelOut,
    NewConnection,
    Nothing,
    ToolOut,
)
from integrations.tools.connections import KINDS
from mindloom.web.api import Pages, given_in, sifted
from mindloom.web.errors import Invalid, NotAllowed
from mindloom.web.schema import paged, query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from rest_framework.request import Request

    from accounts.models import User
    from integrations.tools.connections import ConnectionField

_MOST = 500
_EFFECTS = ("reads", "writes", "sends", "executes")
_BY_PURPOSE = OpenApiParameter("purpose", str, enum=Purpose.values, description="“chat” when left out")
_BY_EFFECT = OpenApiParameter("effect", str, enum=_EFFECTS, description="Only tools that do this")


@extend_schema(operation_id="models_list", parameters=[_BY_PURPOSE], responses=ModelOut(many=True))
@api_view(["GET"])
def models(request: Request) -> Response:
    """List the models that agents may use, the default first; or those that buckets may."""
    purpose = request.query_params.get("purpose", Purpose.CHAT.value)
    if purpose not in Purpose.values:
        raise ValidationError({"purpose": [f"Choose one of: {', '.join(Purpose.values)}."]})
    return Response(ModelOut(Model.objects.usable(Purpose(purpose))[:_MOST], many=True).data)


@extend_schema(operation_id="tools_list", parameters=[_BY_EFFECT], responses=ToolOut(many=True))
@api_view(["GET"])
def tools_list(request: Request) -> Response:
    """List the tools of the catalogue with their functions and settings."""
    effect = request.query_params.get("effect", "")
    if effect and effect not in _EFFECTS:
        raise ValidationError({"effect": [f"Choose one of: {', '.join(_EFFECTS)}."]})
    found = [tool for tool in tools.catalogue() if not effect or tool.effect == effect]
    return Response(ToolOut([_shown(tool) for tool in found], many=True).data)


def _shown(tool: tools.Tool) -> dict[str, Any]:
    row = {field.name: getattr(tool, field.name) for field in fields(tool)}
    row["functions"] = [asdict(info) for info in tools.infos(tool)]
    return row | {"is_remote": tools.is_remote(tool)}


@extend_schema(operation_id="connection_kinds_list", responses=ConnectionKindOut(many=True))
@api_view(["GET"])
def connection_kinds(request: Request) -> Response:
    """List the kinds of connections and what each asks for."""
    return Response(ConnectionKindOut(list(KINDS.values()), many=True).data)


class ConnectionFilter(django_filters.FilterSet):
    """Filters of the list of connections."""

    q = django_filters.CharFilter("name", "icontains", help_text="Part of the name")
    kind = django_filters.CharFilter("kind")
    department = django_filters.UUIDFilter("department__uuid")

    class Meta:
        """Only the filters above."""

        model = Connection
        fields: tuple[str, ...] = ()


@extend_schema(
    methods=["GET"],
    operation_id="connections_list",
    summary="List connections, newest first",
    parameters=query(ConnectionFilter),
    responses=paged(ConnectionOut),
)
@extend_schema(
    methods=["POST"],
    operation_id="connections_create",
    summary="Make a connection",
    request=NewConnection,
    responses={201: ConnectionOut},
)
@api_view(["GET", "POST"])
def connections(request: Request) -> Response:
    """List connections, newest first; or make one."""
    return _create(request) if request.method == "POST" else _list(request)


def _list(request: Request) -> Response:
    pages = Pages()
    page: Any = pages.paginate_queryset(sifted(ConnectionFilter, request, _connections(request)), request)
    return pages.get_paginated_response(_out(request, page, many=True))


@idempotent
def _create(request: Request) -> Response:
    given = given_in(NewConnection, request)
    department_id = _department(caller(request), given.pop("department", None))
    values = _values(given["kind"], given)
    with _in_the_callers_words(given["kind"]):
        made = services.create_connection(
            actor=caller(request),
            department_id=department_id,
            kind=given["kind"],
            name=given["name"],
            visibility=given.get("visibility", Connection.Visibility.DEPARTMENT),
            values=values,
        )
    headers = {"Location": reverse("api:connection", args=[made.uuid])}
    return Response(_out(request, _find(request, made.uuid)), status=201, headers=headers)


@extend_schema(methods=["GET"], operation_id="connections_get", summary="Show a connection", responses=ConnectionOut)
@extend_schema(
    methods=["PATCH"],
    operation_id="connections_update",
    summary="Change a connection, or switch it on or off",
    request=ConnectionChanges,
    responses=ConnectionOut,
)
@extend_schema(
    methods=["DELETE"],
    operation_id="connections_delete",
    summary="Delete a connection; agents that use it cannot run until another one is chosen",
    responses={204: OpenApiResponse(description="Deleted")},
)
@api_view(["GET", "PATCH", "DELETE"])
def connection(request: Request, uuid: UUID) -> Response:
    """Show a connection, change or delete it."""
    found = _find(request, uuid)
    if request.method == "DELETE":
        services.delete_connection(actor=caller(request), connection=found)
        return Response(status=204)
    if request.method == "PATCH":
        given = given_in(ConnectionChanges, request)
        values = _values(found.kind, given)
        with _in_the_callers_words(found.kind):
            services.update_connection(
                actor=caller(request),
                connection=found,
                name=given.get("name"),
                visibility=given.get("visibility"),
                values=values,
            )
        if (enabled := given.get("is_enabled")) is not None:
            services.enable_connection(actor=caller(request), connection=found, enabled=enabled)
    return Response(_out(request, _find(request, uuid)))


@extend_schema(operation_id="connections_test", request=None, responses=ConnectionTestOut)
@api_view(["POST"])
def connection_test(request: Request, uuid: UUID) -> Response:
    """Try a connection for real and say how it went."""
    given_in(Nothing, request)
    result = services.test_connection(actor=caller(request), connection=_find(request, uuid))
    return Response(ConnectionTestOut(result).data)


def _values(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Settings and secrets together. Raises `Invalid` for a secret among the settings, where it would be shown, and vice versa."""
    settings, secrets = given.get("settings", {}), given.get("secrets", {})
    names = {field.name for field in _fields(kind) if field.kind == "secret"}
    wrong = {f"settings.{name}": ["This is a secret. Send it in secrets."] for name in settings if name in names}
    wrong |= {f"secrets.{name[:80]}": ["There is no such secret."] for name in secrets if name not in names}
    if wrong and kind in KINDS:
        raise Invalid(fields=wrong)
    return {**settings, **secrets}


@contextmanager
def _in_the_callers_words(kind: str) -> Iterator[None]:
    """A refusal names the inputs as they were sent: `settings.host`, `secrets.password`."""
    try:
        yield
    except Invalid as error:
        named = {field.name: "secrets" if field.kind == "secret" else "settings" for field in _fields(kind)}
        error.fields = {f"{named[name]}.{name}" if name in named else name: told for name, told in error.fields.items()}
        raise


def _fields(kind: str) -> tuple[ConnectionField, ...]:
    return KINDS[kind].fields if kind in KINDS else ()


def _connections(request: Request) -> Any:
    return Connection.objects.visible_to(caller(request)).select_related("department", "owner")


def _find(request: Request, uuid: UUID) -> Connection:
    return cast("Connection", get_object_or_404(_connections(request), uuid=uuid))


def _out(request: Request, rows: Any, *, many: bool = False) -> Any:
    pks = [row.pk for row in (rows if many else [rows])]
    editable = set(Connection.objects.editable_by(caller(request)).filter(pk__in=pks).values_list("pk", flat=True))
    return ConnectionOut(rows, many=many, context={"editable": editable}).data


def _department(user: User, wanted: UUID | None) -> int:
    """The id of the department that was named, or of the first, by name, where the person is a member."""
    if wanted is None:
        found = Department.objects.filter(pk__in=departments_where(user, Role.MEMBER)).order_by("name").first()
        if found is None:
            raise NotAllowed(
                "You are not a member of a department, so you cannot make connections. Ask a manager to accept you."
            )
        return found.pk
    found = Department.objects.filter(pk__in=list(roles_of(user)), uuid=wanted).first()
    if found is None:
        raise Invalid(
            "There is no such department, or not for you.", fields={"department": ["Choose one of your departments."]}
        )
    return found.pk


@extend_schema(
    methods=["GET"],
    operation_id="department_allowed_get",
    summary="Show which models and tools a department may use",
    responses=AllowedOut,
)
@extend_schema(
    methods=["PATCH"],
    operation_id="department_allowed_update",
    summary="Choose which models and tools a department may use",
    request=AllowedIn,
    responses=AllowedOut,
)
@api_view(["GET", "PATCH"])
def allowed(request: Request, uuid: UUID) -> Response:
    """For administrators; members see it of their own departments."""
    user = cast("User", request.user)
    department = get_object_or_404(departments_of(user) | departments_editable_by(user), uuid=uuid)
    if request.method == "PATCH":
        given = AllowedIn(data=request.data)
        given.is_valid(raise_exception=True)
        models = given.validated_data.get("models", department.allowed_models)
        keys = given.validated_data.get("tools", department.allowed_tools)
        department = services.set_allowed(actor=user, department=department, models=models, tool_keys=keys)
    return Response(AllowedOut(department).data)
