"""Pages of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from mindloom.web.http import render_page
from runs.models import RunArtifact
from runs.stream import lines_of, read_after
from runs.stream.downloads import attachment, log_download
from runs.views.common import context_of, visible

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse, StreamingHttpResponse

    from accounts.middleware import Request

FIRST_LINES = 2000
"""Events whose lines are already in the page; the socket brings the rest."""


@login_required
@require_safe
def detail(request: Request, uuid: UUID) -> HttpResponse:
    run = visible(request, uuid)
    rows = read_after(run, 0, FIRST_LINES)
    last = rows[-1].seq if rows else 0
    context = context_of(request, run, "live") | {
        "lines": lines_of(rows),
        "last": last,
        "follows": not run.is_terminal or last < run.last_seq,
    }
    return render_page(request, "runs/detail.html", context, partials={"run-top": "top", "run-rail": "rail"})


@login_required
@require_safe
def output(request: Request, uuid: UUID) -> HttpResponse:
    return render_page(request, "runs/output.html", context_of(request, visible(request, uuid), "output"))


@login_required
@require_safe
def artifacts(request: Request, uuid: UUID) -> HttpResponse:
    return render_page(request, "runs/artifacts.html", context_of(request, visible(request, uuid), "artifacts"))


@login_required
@require_safe
def inputs(request: Request, uuid: UUID) -> HttpResponse:
    run = visible(request, uuid)
    labels = {}
    if run.agent_version is not None:
        labels = {
            one["name"]: one.get("label") or one["name"] for one in run.agent_version.definition.get("variables", [])
        }
    values = [(labels.get(name, name), value) for name, value in run.variables.items()]
    return render_page(request, "runs/inputs.html", context_of(request, run, "inputs") | {"values": values})


@login_required
@require_safe
def result(request: Request, uuid: UUID) -> HttpResponse:
    """What came out, for panels of other pages."""
    return render_page(
        request,
        "runs/result.html",
        context_of(request, visible(request, uuid), "output"),
        partials={"run-result": "result"},
    )


@login_required
@require_safe
def log_text_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    return log_download(visible(request, uuid), "txt")


@login_required
@require_safe
def log_lines_file(request: Request, uuid: UUID) -> StreamingHttpResponse:
    return log_download(visible(request, uuid), "jsonl")


@login_required
@require_safe
def artifact(request: Request, uuid: UUID, artifact_uuid: UUID) -> HttpResponse:
    found = RunArtifact.objects.visible_to(request.user).filter(run__uuid=uuid)
    return attachment(get_object_or_404(found, uuid=artifact_uuid))
