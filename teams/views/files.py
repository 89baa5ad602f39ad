"""Versions side by side, and teams as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from agents.definition.exchange import LARGEST_FILE
from mindloom.web.errors import Invalid
from mindloom.web.http import render_page, yaml_download
from teams import services
from teams.queries import definition_of, difference, exported
from teams.views.common import may_create, rights, visible

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.middleware import Request


@login_required
@require_safe
def compare(request: Request, uuid: UUID) -> HttpResponse:
    """What changed from one version, or the draft, to another."""
    team = visible(request, uuid)
    allowed = rights(request, team)
    numbers = team.versions.order_by("-number").values_list("number", flat=True)[:200]
    choices = [("draft", "Draft")] if allowed["is_inside"] else []
    choices += [(str(number), f"v{number}") for number in numbers]
    published = str(team.published.number) if team.published else "draft"
    before = request.GET.get("from") or published
    after = request.GET.get("to") or ("draft" if allowed["is_inside"] else published)
    known = dict(choices)
    old, new = (definition_of(request.user, team, which) for which in (before, after))
    if old is None or new is None or not {before, after} <= set(known):
        raise Http404
    changed = difference(request.user, old, new)
    context = {
        "team": team,
        "choices": choices,
        "before": {"key": before, "label": known[before]},
        "after": {"key": after, "label": known[after]},
        "changes": changed.changes,
        "lines": changed.lines,
        **allowed,
    }
    return render_page(request, "teams/compare.html", context)


@login_required
@require_safe
def export(request: Request, uuid: UUID) -> HttpResponse:
    """The draft, or what is published for people of other departments, as a file."""
    team = visible(request, uuid)
    usual = "draft" if rights(request, team)["is_inside"] else str(team.published.number if team.published else "")
    definition = definition_of(request.user, team, request.GET.get("version") or usual)
    if definition is None:
        raise Http404
    return yaml_download(team.name, exported(request.user, team, definition))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request: Request) -> HttpResponse:
    """Takes a file and makes a team of it, or says what is wrong with the file."""
    if request.department is None or not may_create(request):
        raise PermissionDenied("You may not make teams here. Ask a manager of your department.")
    problems: list[str] = []
    upload = request.FILES.get("file")
    if request.method == "POST" and upload is None:
        problems = ["Choose a file that was exported from Mindloom."]
    elif upload is not None:
        try:
            made = services.import_team(
                actor=request.user, department_id=request.department.pk, data=upload.read(LARGEST_FILE + 1)
            )
        except Invalid as error:
            problems = _told(error)
        else:
            messages.success(request, f"“{made.team.name}” is here as a draft. Look at it, then publish it.")
            for note in made.notes:
                messages.warning(request, note)
            return redirect("teams:edit", made.team.uuid)
    return render_page(request, "teams/import.html", {"problems": problems}, status=422 if problems else 200)


def _told(error: Invalid) -> list[str]:
    """The error's sentences; those about a place in the file name it."""
    told: list[Any] = []
    for path, sentences in error.fields.items():
        place = "" if path in {"file", "format", "format_version"} else f"{path}: "
        told += [f"{place}{sentence}" for sentence in sentences]
    return told or [error.message]
