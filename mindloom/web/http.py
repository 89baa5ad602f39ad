"""Answering with pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.http import content_disposition_header

if TYPE_CHECKING:
    from collections.abc import Mapping


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    partials: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render `template`, or only the partial that htmx asked for.

    `partials` maps the id of the element that htmx fills to the name of a partial in the template. Boosted and
    history-restore requests always get the whole page.
    """
    part = (partials or {}).get(wanted(request))
    response = TemplateResponse(request, f"{template}#{part}" if part else template, dict(context or {}), status=status)
    patch_vary_headers(response, ("HX-Request", "HX-Request-Type", "HX-Target"))
    return response


def wanted(request: HttpRequest) -> str:
    """The id of the element that htmx wants to fill; empty when the whole page is asked for."""
    htmx = request.htmx  # type: ignore[attr-defined]
    if not (htmx and htmx.request_type == "partial" and htmx.target):
        return ""
    # htmx 4 sends the target as "tag#id".
    return str(htmx.target.rpartition("#")[2])


def yaml_download(name: str, text: str) -> HttpResponse:
    """A YAML file to take away, called after a thing."""
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.yaml") or "attachment"
    return response
