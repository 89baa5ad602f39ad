"""Pages of MCP servers, for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.queries import departments_of
from integrations import services
from integrations.forms import ServerForm, add_errors
from integrations.models import McpServer
from integrations.views.catalogue import parameters
from integrations.views.doors import administrators_only, reverse_or_none
from mindloom.web.errors import Invalid
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from accounts.middleware import Request


@administrators_only
@require_safe
def server_list(request: Request) -> HttpResponse:
    names = dict(departments_of(request.user).values_list("pk", "name"))
    rows = [
        {"server": one, "departments": [names[pk] for pk in one.departments if pk in names]}
        for one in McpServer.objects.order_by("-is_enabled", "name")
    ]
    return render_page(request, "integrations/servers.html", {"rows": rows})


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def server_create(request: Request) -> HttpResponse:
    form = ServerForm(request.POST if request.method == "POST" else None, departments_of(request.user))
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_server(actor=request.user, **form.cleaned_data)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{made.name}” is added. Test it, so that people see what it offers.")
            return redirect("integrations:server", made.uuid)
    return render_page(request, "integrations/server_new.html", {"form": form}, status=422 if form.errors else 200)


@administrators_only
@require_http_methods(["GET", "HEAD", "POST"])
def server(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(McpServer, uuid=uuid)
    name = found.name
    form = ServerForm(request.POST if request.method == "POST" else None, departments_of(request.user), found)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_server(actor=request.user, server=found, **form.cleaned_data)
        except Invalid as error:
            add_errors(form, error.fields, error.message)
        else:
            messages.success(request, f"“{found.name}” is saved.")
            return redirect("integrations:server", found.uuid)
    context = {
        "server": found,
        "title": name,
        "form": form,
        "functions": shown(found.functions),
        "using_url": reverse_or_none("agents:using_tool", found.key),
    }
    return render_page(request, "integrations/server.html", context, status=422 if form.errors else 200)


@administrators_only
@require_POST
def server_test(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(McpServer, uuid=uuid)
    result = services.check_server(actor=request.user, server=found)
    if request.htmx:
        context = {"result": result, "server": found, "functions": shown(found.functions)}
        return render_page(request, "integrations/server_result.html", context)
    (messages.success if result.ok else messages.error)(request, result.message)
    return redirect("integrations:server", found.uuid)


@administrators_only
@require_POST
def server_enable(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(McpServer, uuid=uuid)
    enabled = request.POST.get("enabled") == "1"
    services.enable_server(actor=request.user, server=found, enabled=enabled)
    messages.success(request, f"“{found.name}” is switched {'on' if enabled else 'off'}.")
    return redirect("integrations:server", found.uuid)


@administrators_only
@require_POST
def server_remove_key(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(McpServer, uuid=uuid)
    services.remove_server_key(actor=request.user, server=found)
    messages.success(request, "The key is removed.")
    return redirect("integrations:server", found.uuid)


@administrators_only
@require_POST
def server_delete(request: Request, uuid: UUID) -> HttpResponse:
    found = get_object_or_404(McpServer, uuid=uuid)
    services.delete_server(actor=request.user, server=found)
    messages.success(request, f"“{found.name}” is deleted.")
    return redirect("integrations:servers")


def shown(functions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a server offers, for people."""
    return [{"info": one, "parameters": parameters(one["parameters"])} for one in functions]
