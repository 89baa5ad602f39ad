"""Pages of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.queries import may
from integrations import services, tools
from integrations.forms import ConnectionForm, add_errors
from integrations.models import Connection
from integrations.queries import ConnectionFilters, listed_connections
from integrations.tools.connections import KINDS
from integrations.views.doors import plain, reverse_or_none
from mindloom.web.errors import Invalid, MindloomError, NotAllowed
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.middleware import Request

PAGE = 50


@login_required
@require_safe
def connection_list(request: Request) -> HttpResponse:
    kind = request.GET.get("kind", "")
    filters = ConnectionFilters(text=plain(request.GET.get("q", "")), kind=kind if kind in KINDS else "")
    page = Paginator(listed_connections(request.user, filters), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [{"connection": one, "kind": KINDS.get(one.kind)} for one in page.object_list],
        "filters": filters,
        "kinds": [KINDS[one] for one in _kinds_in_use(request)],
        "may_create": _may_create(request),
    }
    return render_page(request, "integrations/connections.html", context, partials={"connections": "results"})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def connection_create(request: Request) -> HttpResponse:
    """First the kind, as a link, then the fields of that kind."""
    if request.department is None or not _may_create(request):
        raise PermissionDenied("You may not make connections here. Ask a manager of your department.")
    kind = KINDS.get(request.POST.get("kind") or request.GET.get("kind", ""))
    if kind is None:
        known = tools.catalogue()
        rows = [{"kind": one, "tools": _tools_with(one.key, known)} for one in KINDS.values()]
        return render_page(request, "integrations/connection_new.html", {"kinds": rows})
    form = ConnectionForm(request.POST if request.method == "POST" else None, kind)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_connection(
                actor=request.user,
                department_id=request.department.pk,
                kind=kind.key,
                name=form.cleaned_data["name"],
                visibility=form.cleaned_data["visibility"],
                values=form.values(),
            )
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{made.name}” is set up. Test it, then choose it in an agent’s tools.")
            return redirect("integrations:connection", made.uuid)
    context = {"kind": kind, "form": form}
    return render_page(request, "integrations/connection_new.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def connection(request: Request, uuid: UUID) -> HttpResponse:
    """What is set, as a form for those who may change it."""
    found = _visible(request, uuid)
    name, kind = found.name, KINDS.get(found.kind)
    may_edit = _may_edit(request, found)
    if request.method == "POST" and (not may_edit or kind is None):
        raise PermissionDenied("Only its owner and the department’s managers may change this connection.")
    form = None
    if may_edit and kind is not None:
        form = ConnectionForm(request.POST if request.method == "POST" else None, kind, found)
    if form is not None and request.method == "POST" and form.is_valid():
        try:
            services.update_connection(
                actor=request.user,
                connection=found,
                name=form.cleaned_data["name"],
                visibility=form.cleaned_data["visibility"],
                values=form.values(),
            )
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{form.cleaned_data['name']}” is saved.")
            return redirect("integrations:connection", found.uuid)
    return _page(request, found, form, title=name)


def _page(request: Request, found: Connection, form: ConnectionForm | None, title: str) -> HttpResponse:
    kind = KINDS.get(found.kind)
    context = {
        "connection": found,
        "title": title,
        "kind": kind,
        "form": form,
        "may_edit": _may_edit(request, found),
        "may_test": may(request.user, Role.MEMBER, found.department_id) and kind is not None,
        "rows": _rows(found),
        "tools": _tools_with(found.kind, tools.catalogue()),
        "using_url": reverse_or_none("agents:using_connection", found.uuid),
    }
    status = 422 if form is not None and form.errors else 200
    return render_page(request, "integrations/connection.html", context, status=status)


@login_required
@require_POST
def connection_test(request: Request, uuid: UUID) -> HttpResponse:
    found = _visible(request, uuid)
    try:
        result = services.test_connection(actor=request.user, connection=found)
    except NotAllowed as error:
        raise PermissionDenied(error.message) from None
    if request.htmx:
        found.refresh_from_db()
        return render_page(request, "integrations/connection_result.html", {"result": result, "connection": found})
    (messages.success if result.ok else messages.error)(request, result.message)
    return redirect("integrations:connection", found.uuid)


@login_required
@require_POST
def connection_enable(request: Request, uuid: UUID) -> HttpResponse:
    enabled = request.POST.get("enabled") == "1"
    said = f"“{{}}” is switched {'on' if enabled else 'off'}."
    return _do(request, uuid, said, services.enable_connection, enabled=enabled)


@login_required
@require_POST
def connection_delete(request: Request, uuid: UUID) -> HttpResponse:
    return _do(request, uuid, "“{}” is deleted.", services.delete_connection, then=reverse("integrations:connections"))


def _do(request: Request, uuid: UUID, said: str, verb: Any, *, then: str = "", **values: Any) -> HttpResponse:
    found = _visible(request, uuid)
    try:
        verb(actor=request.user, connection=found, **values)
    except NotAllowed as error:
        raise PermissionDenied(error.message) from None
    except MindloomError as error:
        messages.error(request, error.message)
        then = ""
    else:
        messages.success(request, said.format(found.name))
    return redirect(then or reverse("integrations:connection", args=[found.uuid]))


def _visible(request: Request, uuid: UUID) -> Connection:
    connections = Connection.objects.visible_to(request.user).select_related("owner", "department")
    return get_object_or_404(connections, uuid=uuid)


def _may_edit(request: Request, found: Connection) -> bool:
    return Connection.objects.editable_by(request.user).filter(pk=found.pk).exists()


def _may_create(request: Request) -> bool:
    return request.department is not None and may(request.user, Role.MEMBER, request.department.pk)


def _kinds_in_use(request: Request) -> list[str]:
    found = set(Connection.objects.visible_to(request.user).values_list("kind", flat=True))
    return [key for key in KINDS if key in found]


def _tools_with(kind: str, known: list[tools.Tool]) -> list[tools.Tool]:
    return [tool for tool in known if tool.connection == kind]


def _rows(found: Connection) -> list[dict[str, str]]:
    """What is set, for those who may only look: secrets are said to be there, no more."""
    kind = KINDS.get(found.kind)
    rows = []
    for field in kind.fields if kind else ():
        if field.kind == "secret":
            kept = found.secret_hints.get(field.name)
            value = "" if kept is None else f"kept (…{kept})" if kept else "kept"
        else:
            text = str(found.settings.get(field.name, ""))
            value = dict(field.choices).get(text, text)
        rows.append({"label": field.label, "value": value or "not set"})
    return rows
