"""Pages of one run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.views.decorators.http import require_safe

from mindloom.web.http import render_page
from runs.stream import lines_of, read_after
from runs.stream.downloads import csv_download, json_download, log_download, schema_of
from runs.stream.structured import pretty, shown
from runs.views.common import context_of, visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.http import HttpResponse, StreamingHttpResponse

    from accounts.middleware import Request
    from runs.forms import DecisionForm
    from runs.models import Run

FIRST_LINES = 2000
"""Events whose lines are already in the page; the socket brings the rest."""


@login_required
@require_safe
def detail(request: Request, uuid: UUID) -> HttpResponse:
    """The run while it works, and its log."""
    return show_log(request, visible(request, uuid))


def show_log(
    request: Request, run: Run, forms: Mapping[UUID, DecisionForm] | None = None, *, status: int = 200
) -> HttpResponse:
    """The page of the log; `forms` are decisions that were refused."""
    rows = read_after(run, 0, FIRST_LINES)
    last = rows[-1].seq if rows else 0
    context = context_of(request, run, "live", forms) | {
        "lines": lines_of(rows),
        "last": last,
        "follows": not run.is_terminal or last < run.last_seq,
    }
    partials = {"run-top": "top", "run-rail": "rail"}
    return render_page(request, "runs/detail.html", context, partials=partials, status=status)


@login_required
@require_safe
def output(request: Request, uuid: UUID) -> HttpResponse:
    """What came out: as text, or as a table and as JSON when it has a form."""
    run = visible(request, uuid)
    context = context_of(request, run, "output") | {"shape": request.GET.get("as", "table")}
    if run.structured is not None:
        schema = schema_of(run)
        context |= {"fields": shown(run.structured, schema), "pretty": pretty(run.structured, schema)}
    return render_page(request, "runs/output.html", context)


@login_required
@require_safe
def output_csv(request: Request, uuid: UUID) -> HttpResponse:
    """The structured answer for a spreadsheet."""
    return csv_download(_with_form(visible(request, uuid)))


@login_required
@require_safe
def output_json(request: Request, uuid: UUID) -> HttpResponse:
    """The structured answer as JSON."""
    return json_download(_with_form(visible(request, uuid)))


@login_required
@require_safe
def inputs(request: Request, uuid: UUID) -> HttpResponse:
    """What the run was given: variables, message, instructions."""
    run = visible(request, uuid)
    declared = run.version.definition.get("variables", []) if run.version is not None else []
    labels = {one["name"]: one.get("label") or one["name"] for one in declared}
    values = [(labels.get(name, name), _told(value)) for name, value in run.variables.items()]
    return render_page(request, "runs/inputs.html", context_of(request, run, "inputs") | {"values": values})


@login_required
@require_safe
def result(request: Request, uuid: UUID) -> HttpResponse:
    """What came out, for panels of other pages."""
    run = visible(request, uuid)
    context = context_of(request, run, "output")
    if run.structured is not None:
        context["fields"] = shown(run.structured, schema_of(run))
    return render_page(request, "runs/result.html", context, partials={f"run-result-{run.uuid}": "result"})


@login_required
@require_safe
def log_text_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    """The log as text."""
    return log_download(visible(request, uuid), "txt")


@login_required
@require_safe
def log_lines_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    """The log, an event a line."""
    return log_download(visible(request, uuid), "jsonl")


def _with_form(run: Run) -> Run:
    if run.structured is None:
        raise Http404
    return run


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
