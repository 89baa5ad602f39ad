"""Pages of a run's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from mindloom.web.errors import Unavailable
from mindloom.web.http import render_page
from runs import services
from runs.models import RunArtifact
from runs.stream.files import archive, attachment
from runs.stream.files import picture as picture_of
from runs.stream.previews import Preview, preview_of
from runs.views.common import PARTS, context_of, visible

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse, StreamingHttpResponse

    from accounts.middleware import Request


@login_required
@require_safe
def artifact_list(request: Request, uuid: UUID) -> HttpResponse:
    """The run's files, each in its latest version."""
    context = context_of(request, visible(request, uuid), "artifacts")
    context["total_bytes"] = sum(one.size_bytes for one in context["artifacts"])
    return render_page(request, "runs/artifacts.html", context, partials=PARTS | {"run-files": "files"})


@login_required
@require_safe
def preview(request: Request, uuid: UUID, artifact_uuid: UUID) -> HttpResponse:
    """One file, shown where it can be shown, with its other versions."""
    run = visible(request, uuid)
    found = _artifact(request, uuid, artifact_uuid)
    try:
        shown = preview_of(found)
    except Unavailable as error:
        shown = Preview(kind="none", note=error.message)
    context = context_of(request, run, "artifacts") | {
        "artifact": found,
        "preview": shown,
        "versions": list(
            RunArtifact.objects.visible_to(request.user).filter(run=run, name=found.name).order_by("-version")
        ),
    }
    return render_page(request, "runs/artifact.html", context, partials=PARTS)


@login_required
@require_safe
def picture(request: Request, uuid: UUID, artifact_uuid: UUID) -> StreamingHttpResponse:
    """A picture, for the preview; 404 for all that is none."""
    answer = picture_of(_artifact(request, uuid, artifact_uuid))
    if answer is None:
        raise Http404
    return answer


@login_required
@require_safe
def artifact(request: Request, uuid: UUID, artifact_uuid: UUID) -> StreamingHttpResponse:
    """One file, as it was saved."""
    found = _artifact(request, uuid, artifact_uuid)
    answer = attachment(found)
    services.note_download(actor=request.user, run=found.run, what=found.name)
    return answer


@login_required
@require_safe
def artifacts_zip(request: Request, uuid: UUID) -> StreamingHttpResponse:
    """All files in an archive: the latest versions, or with `all` every version."""
    run = visible(request, uuid)
    of_run = RunArtifact.objects.visible_to(request.user).filter(run=run)
    found = list(of_run.order_by("id") if request.GET.get("all") else of_run.newest())
    if not found:
        raise Http404
    services.note_download(actor=request.user, run=run, what=f"{len(found)} files")
    return archive(run, found)


def _artifact(request: Request, uuid: UUID, artifact_uuid: UUID) -> RunArtifact:
    found = RunArtifact.objects.visible_to(request.user).filter(run__uuid=uuid).select_related("run")
    return get_object_or_404(found, uuid=artifact_uuid)
