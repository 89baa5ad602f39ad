"""Pages of schedules: the list, a week, one with its ledger, and the form."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.queries import may
from agents.models import Agent
from mindloom.web.addresses import uuid_or_none
from mindloom.web.errors import Conflict, Invalid, MindloomError, NotAllowed, NotFound
from mindloom.web.http import render_page
from runs.services import kind_of
from schedules import services
from schedules.definition import check_rule, check_zone
from schedules.forms import RuleForm, ScheduleForm
from schedules.models import Schedule
from schedules.queries import coming, preview, week, with_last, with_looks
from teams.models import Team

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet
    from django.http import HttpResponse

    from accounts.middleware import Request

PAGE = 25
MOST_LISTED = 10
REFUSAL = "Only members of the department make schedules. Ask a manager for the role “Member”."
ACTIONS = {
    "pause": (services.pause_schedule, "is paused. Its times pass without a run."),
    "resume": (services.resume_schedule, "goes on with its next time."),
    "take-over": (services.take_over_schedule, "is yours now, and starts runs with your rights."),
}


@login_required
@require_safe
def schedule_list(request: Request) -> HttpResponse:
    """What starts by itself in the department, with the next time and the last ones."""
    page = Paginator(_visible(request).order_by("name"), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "schedules": with_last(page.object_list), "may_create": _may_create(request)}
    return render_page(request, "schedules/list.html", context, partials={"schedules": "list"})


@login_required
@require_safe
def calendar(request: Request) -> HttpResponse:
    """A week, from Monday, by the reader's clock."""
    zone = timezone.get_current_timezone()
    today = timezone.localdate()
    try:
        asked = date.fromisoformat(request.GET.get("from", ""))
        first = asked - timedelta(days=asked.weekday())
        before, after = first - timedelta(days=7), first + timedelta(days=7)
    except (ValueError, OverflowError):
        first = today - timedelta(days=today.weekday())
        before, after = first - timedelta(days=7), first + timedelta(days=7)
    department = request.department.pk if request.department else 0
    days = week(request.user, department, first, zone) if abs((first - today).days) < 3660 else []  # type: ignore[arg-type]
    context = {"days": days, "first": first, "before": before, "after": after, "today": today, "zone": str(zone)}
    return render_page(request, "schedules/week.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: Request) -> HttpResponse:
    """First what is to run, then when."""
    if not _may_create(request):
        raise PermissionDenied(REFUSAL)
    assert request.department is not None
    target = _target(request)
    if target is None:
        return render_page(request, "schedules/choose.html", _choices(request))
    form = _form(request, target)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_schedule(
                actor=request.user, target=target, department_id=request.department.pk, **form.values_for_service()
            )
        except (Invalid, Conflict, NotAllowed, NotFound) as error:
            _show(form, error)
        else:
            messages.success(request, f"“{made.name}” is made. Its first run starts at its next time.")
            return redirect("schedules:schedule", made.uuid)
    return _form_page(request, form, target)


@login_required
@require_safe
def schedule(request: Request, uuid: UUID) -> HttpResponse:
    """When it comes next, and what became of every time before."""
    found = _one(request, uuid)
    rows = found.occurrences.select_related("run").order_by("-planned_at")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "schedule": found,
        "page": page,
        "rows": with_looks(page.object_list),
        "coming": coming(found),
        "may_edit": Schedule.objects.editable_by(request.user).filter(pk=found.pk).exists(),
        "preview": preview(found.rule, found.time_zone),
    }
    return render_page(request, "schedules/schedule.html", context, partials={"ledger": "ledger"})


@login_required
@require_safe
def of_agent(request: Request, uuid: UUID) -> HttpResponse:
    """The schedules of an agent, for its page."""
    found = get_object_or_404(Agent.objects.visible_to(request.user), uuid=uuid)
    return _of(request, _visible(request).filter(agent=found), found)


@login_required
@require_safe
def of_team(request: Request, uuid: UUID) -> HttpResponse:
    """The schedules of a team, for its page."""
    found = get_object_or_404(Team.objects.visible_to(request.user), uuid=uuid)
    return _of(request, _visible(request).filter(team=found), found)


@login_required
@require_safe
def of_run(request: Request, uuid: UUID) -> HttpResponse:
    """On to the schedule that started a run, unless it has been deleted since."""
    found = get_object_or_404(_visible(request).filter(occurrences__run_uuid=uuid).distinct())
    return redirect("schedules:schedule", found.uuid)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, uuid: UUID) -> HttpResponse:
    """Change it. Times that have passed keep their rows."""
    found = _editable(request, uuid)
    target = _in_sight(request, found)
    form = _form(request, target, found)
    if request.method == "POST" and form.is_valid():
        try:
            values = form.values_for_service()
            if target is None:
                del values["variables"]  # the form could not ask for what is no longer in sight
            services.update_schedule(actor=request.user, schedule=found, values=values)
        except (Invalid, Conflict, NotAllowed, NotFound) as error:
            _show(form, error)
        else:
            messages.success(request, f"“{form.cleaned_data['name']}” is saved.")
            return redirect("schedules:schedule", found.uuid)
    return _form_page(request, form, target, found)


@login_required
@require_POST
def act(request: Request, uuid: UUID, action: str) -> HttpResponse:
    """Pause, resume, or take over."""
    found = _editable(request, uuid)
    service, said = ACTIONS[action]
    try:
        service(actor=request.user, schedule=found)
    except (Conflict, Invalid, NotAllowed, NotFound) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"“{found.name}” {said}")
    return redirect("schedules:schedule", found.uuid)


@login_required
@require_POST
def run(request: Request, uuid: UUID) -> HttpResponse:
    """Start a run now."""
    found = _editable(request, uuid)
    try:
        made = services.run_schedule(actor=request.user, schedule=found)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("schedules:schedule", found.uuid)
    assert made.run is not None
    return redirect("runs:detail", made.run.uuid)


@login_required
@require_POST
def delete(request: Request, uuid: UUID) -> HttpResponse:
    found = _editable(request, uuid)
    services.delete_schedule(actor=request.user, schedule=found)
    messages.success(request, f"“{found.name}” is deleted. Its runs stay.")
    return redirect("schedules:list")


@login_required
@require_POST
def next_times(request: Request) -> HttpResponse:
    """What the form's rule would mean, while it is filled in."""
    form = RuleForm(request.POST)
    context: dict[str, Any] = {"wrong": ""}
    if form.is_valid():
        try:
            rule, zone = check_rule(form.rule()), check_zone(form.cleaned_data["time_zone"])
            moments = form.moments()
            context["preview"] = preview(rule, zone, moments.get("starts_at"), moments["ends_at"])
        except Invalid as error:
            context["wrong"] = " ".join(sentence for texts in error.fields.values() for sentence in texts)
    else:
        context["wrong"] = " ".join(str(text) for texts in form.errors.values() for text in texts)
    return render_page(request, "schedules/_preview.html", context)


def _of(request: Request, rows: QuerySet[Schedule], target: Agent | Team) -> HttpResponse:
    listed = with_last(rows.order_by("name")[: MOST_LISTED + 1])
    context = {
        "schedules": listed[:MOST_LISTED],
        "more": len(listed) > MOST_LISTED,
        "target": target,
        "kind": kind_of(target),
        "may_create": _may_create(request) and target.published_id is not None and target.archived_at is None,
    }
    page = "schedules/of.html#of" if request.htmx else "schedules/of.html"
    return render_page(request, page, context)


def _may_create(request: Request) -> bool:
    return request.department is not None and may(request.user, Role.MEMBER, request.department.pk)


def _visible(request: Request) -> QuerySet[Schedule]:
    return Schedule.objects.visible_to(request.user).select_related("agent", "team", "owner", "department")


def _one(request: Request, uuid: UUID) -> Schedule:
    return get_object_or_404(_visible(request), uuid=uuid)


def _editable(request: Request, uuid: UUID) -> Schedule:
    found = _one(request, uuid)
    if not Schedule.objects.editable_by(request.user).filter(pk=found.pk).exists():
        raise PermissionDenied(services.REFUSAL)
    return found


def _in_sight(request: Request, schedule: Schedule) -> Agent | Team | None:
    """What it runs; None when the person may not look at that any more, in their own department or another one."""
    target = schedule.target
    rows = Team.objects.visible_to(request.user) if schedule.team_id else Agent.objects.visible_to(request.user)
    return target if target is not None and rows.filter(pk=target.pk).exists() else None


def _target(request: Request) -> Agent | Team | None:
    """What the address names. 404 when that is not there for the person."""
    if uuid := uuid_or_none(request.GET.get("team", "")):
        return get_object_or_404(Team.objects.visible_to(request.user).active(), uuid=uuid)
    if uuid := uuid_or_none(request.GET.get("agent", "")):
        return get_object_or_404(Agent.objects.visible_to(request.user).active(), uuid=uuid)
    return None


def _choices(request: Request) -> dict[str, Any]:
    published = {"published__isnull": False}
    return {
        "agents": Agent.objects.visible_to(request.user).active().filter(**published).order_by("name")[:200],
        "teams": Team.objects.visible_to(request.user).active().filter(**published).order_by("name")[:200],
    }


def _form(request: Request, target: Agent | Team | None, row: Schedule | None = None) -> ScheduleForm:
    published = target.published if target is not None else None
    variables = published.definition.get("variables", []) if published is not None else []
    zone = str(timezone.get_current_timezone())
    kind = kind_of(target) if target is not None else "agent"
    initial = {"name": target.name if target is not None else "", "time_zone": zone}
    data = request.POST if request.method == "POST" else None
    form = ScheduleForm(variables, data, kind=kind, initial=initial, row=row)
    if target is None:
        # What it is asked stays as it is: nobody here knows what that has to be.
        del form.fields["input"]
    return form


def _form_page(
    request: Request, form: ScheduleForm, target: Agent | Team | None, row: Schedule | None = None
) -> HttpResponse:
    context = {"form": form, "target": target, "schedule": row}
    return render_page(request, "schedules/form.html", context, status=422 if form.errors else 200)


def _show(form: ScheduleForm, error: MindloomError) -> None:
    """The service's sentences beside their fields."""
    if error.fields:
        form.add_errors(error.fields)
    else:
        form.add_error(None, error.message)
