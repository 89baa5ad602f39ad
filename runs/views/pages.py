"""Pages of one run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from mindloom.web.http import render_page, wanted
from runs import services
from runs.stream import line_of
from runs.stream.citations import citations_of, unmatched
from runs.stream.downloads import csv_download, json_download, log_download, schema_of, text_download
from runs.stream.frames import part_of, text_of_step
from runs.stream.output import draft_of
from runs.stream.progress import known_of
from runs.stream.structured import pretty, shown
from runs.stream.timeline import timeline_of
from runs.views.common import PARTS, context_of, described_target, visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.http import StreamingHttpResponse

    from accounts.middleware import Request
    from runs.forms import DecisionForm
    from runs.models import Run

WHOLE_LOG = 2000
"""A log with at most so many events is in its page."""
FIRST_LINES = 600
"""Of a longer one the end is; the page fetches the rest."""

PARTIALS = PARTS | {"run-timeline": "timeline", "run-output": "answer"}


@login_required
@require_safe
def detail(request: Request, uuid: UUID) -> HttpResponse:
    """The run while it works, and its log."""
    return show_log(request, visible(request, uuid))


def show_log(
    request: Request, run: Run, forms: Mapping[UUID, DecisionForm] | None = None, *, status: int = 200
) -> HttpResponse:
    """The page of the log; `forms` are decisions that were refused."""
    step = request.GET.get("step", "")
    if wanted(request) == "run-timeline":
        return render_page(request, "runs/detail.html", {"run": run, "step": step, **_timeline(run)}, partials=PARTIALS)
    first = run.last_seq - FIRST_LINES if run.last_seq > WHOLE_LOG else 0
    context = (
        context_of(request, run, "live", forms)
        | _timeline(run)
        | {
            "part": part_of(run, first, run.last_seq),
            "first": first,
            "step": step,
            "step_text": text_of_step(run, step) if step else "",
            "began": int(run.queued_at.timestamp() * 1000),
        }
    )
    return render_page(request, "runs/detail.html", context, partials=PARTIALS, status=status)


def _timeline(run: Run) -> dict[str, Any]:
    steps = known_of(run, run.last_seq).steps
    return {"timeline": timeline_of(steps, name=run.target_name, icon=described_target(run)["icon"])}


@login_required
@require_safe
def log_part(request: Request, uuid: UUID) -> JsonResponse:
    """Some of the log's lines, for a page that has later ones: those that follow `after`, up to `upto`."""
    run = visible(request, uuid)
    after, upto = (_number(request.GET.get(name, "")) for name in ("after", "upto"))
    response = JsonResponse(part_of(run, after or 0, run.last_seq if upto is None else upto))
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_safe
def log_line(request: Request, uuid: UUID, seq: int) -> HttpResponse:
    """All that stands behind one line of the log, as text."""
    row = get_object_or_404(visible(request, uuid).events, seq=seq)  # type: ignore[attr-defined]
    line = line_of(row)
    response = HttpResponse(line.get("more") or line["text"], content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_safe
def output(request: Request, uuid: UUID) -> HttpResponse:
    """What came out, also while it is written: as text, or as a table and as JSON when it has a form."""
    run = visible(request, uuid)
    citations = citations_of(run, request.user)
    about = {
        "shape": request.GET.get("as", "table"),
        "draft": "" if run.is_terminal or run.output else draft_of(run),
        "citations": citations,
        "numbers": {one.number: one.is_doubtful for one in citations if one.number},
        "unmatched": unmatched(run, citations) if run.is_terminal else [],
    }
    if run.structured is not None:
        schema = schema_of(run)
        about |= {"fields": shown(run.structured, schema), "pretty": pretty(run.structured, schema)}
    if wanted(request) == "run-output":
        return render_page(request, "runs/output.html", {"run": run, **about}, partials=PARTIALS)
    return render_page(request, "runs/output.html", context_of(request, run, "output") | about, partials=PARTIALS)


@login_required
@require_safe
def output_md(request: Request, uuid: UUID) -> HttpResponse:
    """The answer as it was written."""
    run = visible(request, uuid)
    if not run.output:
        raise Http404
    return text_download(run, run.output, "text/markdown; charset=utf-8", "md")


@login_required
@require_safe
def output_csv(request: Request, uuid: UUID) -> HttpResponse:
    """The structured answer for a spreadsheet."""
    return csv_download(_taken(request, _with_form(visible(request, uuid)), "data as CSV"))


@login_required
@require_safe
def output_json(request: Request, uuid: UUID) -> HttpResponse:
    """The structured answer as JSON."""
    return json_download(_taken(request, _with_form(visible(request, uuid)), "data as JSON"))


@login_required
@require_safe
def inputs(request: Request, uuid: UUID) -> HttpResponse:
    """What the run was given: variables, message, instructions."""
    run = visible(request, uuid)
    declared = run.version.definition.get("variables", []) if run.version is not None else []
    labels = {one["name"]: one.get("label") or one["name"] for one in declared}
    values = [(labels.get(name, name), _told(value)) for name, value in run.variables.items()]
    context = context_of(request, run, "inputs") | {"values": values}
    return render_page(request, "runs/inputs.html", context, partials=PARTS)


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
    return log_download(_taken(request, visible(request, uuid), "log as text"), "txt")


@login_required
@require_safe
def log_lines_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    """The log, an event a line."""
    return log_download(_taken(request, visible(request, uuid), "log as events"), "jsonl")


def _taken(request: Request, run: Run, what: str) -> Run:
    return services.note_download(actor=request.user, run=run, what=what)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _with_form(run: Run) -> Run:
    if run.structured is None:
        raise Http404
    return run


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
