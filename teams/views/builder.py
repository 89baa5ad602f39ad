"""The builder: the draft as a form, kept while it is written, and its publication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from agents.definition.parts import read_uuid
from agents.definition.reading import Findings
from agents.queries import bucket_rows
from agents.views.doors import reverse_or_none
from integrations.models import Model
from mindloom.web.errors import Conflict, Invalid, MindloomError
from mindloom.web.http import render_page
from teams import services
from teams.definition import draw, problems, said
from teams.definition.checking import check
from teams.forms import Builder, Chooser, by_input, read, rearranged, section_of, write
from teams.queries import difference, members_to_choose, next_number, version_numbers
from teams.specs import members_of, obstacles
from teams.views.common import GONE, drawn_types, editable, has_changes, plain, rights

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import QueryDict

    from accounts.middleware import Request
    from teams.models import Team

CHOICES = 50
SECTIONS = (
    ("identity", "Identity"),
    ("type", "Type"),
    ("members", "Members"),
    ("instructions", "Instructions"),
    ("variables", "Variables"),
    ("model", "Model"),
    ("knowledge", "Knowledge"),
    ("memory", "Memory"),
    ("answer", "Answer"),
    ("limits", "Limits"),
    ("sharing", "Sharing"),
)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, uuid: UUID) -> HttpResponse:
    """The builder. Posted, it keeps the draft, or only adds and moves rows; whatever was written comes back when it is refused."""
    team = editable(request, uuid)
    if team.archived_at is not None:
        return redirect("teams:detail", team.uuid)
    if request.method != "POST":
        return _builder(request, team, write(team))
    action = request.POST.get("action", "save")
    if action not in {"save", "review"}:
        return _builder(request, team, rearranged(request.POST, action, settings.TEAM_MAX_MEMBERS))
    try:
        team = _keep(request, team)
    except Invalid as error:
        return _builder(request, team, request.POST, by_input(error.fields, request.POST), error.message, status=422)
    except Conflict as error:
        return _builder(request, team, request.POST, general=error.message, status=409)
    if action == "save":
        messages.success(request, "The draft is saved.")
    return redirect("teams:publish" if action == "review" else "teams:edit", team.uuid)


@login_required
@require_POST
def autosave(request: Request, uuid: UUID) -> HttpResponse:
    """Keep the draft while it is being written; answers JSON: digest and time, or sentences by input."""
    try:
        team = _keep(request, editable(request, uuid))
    except Invalid as error:
        return JsonResponse(
            {"message": "Not saved yet: some fields are not right.", "errors": by_input(error.fields, request.POST)},
            status=422,
        )
    except MindloomError as error:
        return JsonResponse({"message": error.message, "code": error.code, "errors": {}}, status=error.status)
    saved = timezone.localtime().strftime("%H:%M")
    notes = _notes(request, team, request.POST)
    return JsonResponse({"digest": team.draft_digest, "saved": saved, "notes": notes, "changed": has_changes(team)})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: Request, uuid: UUID) -> HttpResponse:
    """What the draft changes, with a field for what is new; posted, the draft becomes the version that people run."""
    team = editable(request, uuid)
    if request.method != "POST":
        return _review(request, team)
    try:
        made = services.publish_team(actor=request.user, team=team, note=request.POST.get("note", ""))
    except Invalid as error:
        team.refresh_from_db()
        data = write(team)
        return _builder(
            request, team, data, by_input(error.fields, data), "This is not ready to be published.", status=422
        )
    except Conflict as error:
        messages.warning(request, error.message)
        return redirect("teams:edit", team.uuid)
    messages.success(request, f"{made} of “{team.name}” is published. Runs use it from now on.")
    return redirect("teams:detail", team.uuid)


def _review(request: Request, team: Team) -> HttpResponse:
    notes = _notes(request, team, write(team))
    changed = difference(request.user, team.published.definition if team.published else team.draft, team.draft)
    context = {
        "team": team,
        "next_number": next_number(team),
        "sections": [(key, label, notes[key]) for key, label in SECTIONS if key in notes],
        "before": team.published,
        "changes": changed.changes,
        "lines": changed.lines,
    }
    return render_page(request, "teams/publish.html", context, partials={"difference": "difference"})


def _keep(request: Request, team: Team) -> Team:
    identity, definition, wrong = read(request.POST)
    if wrong:
        try:
            check(definition, complete=False)
        except Invalid as error:
            raise Invalid(fields={**wrong, **error.fields}) from None
        raise Invalid(fields=wrong)
    return services.update_draft(
        actor=request.user,
        team=team,
        definition=definition,
        draft_digest=request.POST.get("draft_digest", ""),
        **identity,
    )


def _builder(
    request: Request,
    team: Team,
    data: QueryDict,
    sentences: dict[str, list[str]] | None = None,
    general: str = "",
    status: int = 200,
) -> HttpResponse:
    notes = _notes(request, team, data)
    _, shown, _ = read(data)
    found = members_of({"members": [_plain_member(row) for row in shown["members"]]}, request.user)
    versions = version_numbers(member.agent for member in found if member is not None)
    chooser = _chooser(request, data, shown)
    builder = Builder(data, list(Model.objects.usable().allowed_in(team.department)), found, versions, sentences)
    kind = shown["type"] if shown["type"] in {"route", "coordinate", "collaborate"} else "coordinate"
    context: dict[str, Any] = {
        "team": team,
        "builder": builder,
        "bucket_rows": bucket_rows(request.user, team.department_id, builder.buckets),
        "chooser": chooser,
        "type_choices": drawn_types(),
        "most_members": settings.TEAM_MAX_MEMBERS,
        "sentence": said(kind, [member.agent.name if member else GONE for member in found]),
        "diagram": draw(kind, len(found)),
        "general": [general, *builder.general] if general else builder.general,
        "digest": data.get("draft_digest") or team.draft_digest,
        "sections": [{"key": key, "label": label, "notes": notes.get(key, [])} for key, label in SECTIONS],
        "notes": notes,
        "has_changes": has_changes(team),
        "next_number": next_number(team),
        "test_url": reverse_or_none("runs:test_team", team.uuid),
        **rights(request, team),
    }
    page, parts = "teams/edit.html", {"member-part": "members", "new-member": "chooser"}
    if request.htmx and (request.htmx.target or "").rpartition("#")[2] in parts:
        page = "teams/_members.html"
        context["is_part"] = True
    return render_page(request, page, context, partials=parts, status=status)


def _plain_member(row: dict[str, Any]) -> dict[str, Any]:
    """A posted member as far as it can be looked up: a uuid, and a number or None."""
    nowhere = Findings()
    return {
        "agent": read_uuid("agent", row["agent"], nowhere, ""),
        "version": nowhere.number("version", row["version"], 1, 2**31 - 1, whole=True),
    }


def _chooser(request: Request, data: QueryDict, shown: dict[str, Any]) -> Chooser:
    text = plain(data.get("member_search", ""))[:100]
    taken = [uuid for row in shown["members"] if (uuid := _plain_member(row)["agent"])]
    agents = list(members_to_choose(request.user, text, taken)[: CHOICES + 1])
    return Chooser(text, agents[:CHOICES], len(agents) > CHOICES)


def _notes(request: Request, team: Team, data: QueryDict) -> dict[str, list[str]]:
    """What keeps the stored draft from being published, by section."""
    fields = {path: list(said) for path, said in problems(team.draft).items()}
    normal = check(team.draft, complete=False)
    for path, more in obstacles(normal, team.department_id, request.user, team.visibility).items():
        known = fields.setdefault(path, [])
        known.extend(one for one in more if one not in known)
    found: dict[str, list[str]] = {}
    for name, about in by_input(fields, data).items():
        found.setdefault(section_of(name), []).extend(about)
    return found
