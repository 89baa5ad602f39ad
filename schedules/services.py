"""Makes, changes, pauses and deletes schedules, and starts one by hand."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime
from datetime import time as clock
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.models import Role
from accounts.queries import may
from audit.services import difference, record
from integrations.services.checking import save_row
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from runs.services import Target, check_run, kind_of
from schedules import worker
from schedules.definition import check_moment, check_rule, check_zone, next_time
from schedules.models import Occurrence, Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User

MOST_SCHEDULES = 500
"""Of one department."""
MOST_CATCH_UP_MINUTES = 7 * 24 * 60
MOST_FAILURES = 100
REFUSAL = "Only the schedule's owner and managers of its department may do that."
_FIELDS = (
    *("name", "input", "variables", "rule", "time_zone", "starts_at", "ends_at", "overlap", "missed"),
    *("catch_up_minutes", "not_after", "pause_after"),
)
"""What can be changed of a schedule."""
_PLANNING = {"rule", "time_zone", "starts_at", "ends_at"}
"""What of it says when its times are."""


def create_schedule(
    *,
    actor: User,
    target: Target,
    department_id: int,
    name: str,
    rule: Mapping[str, Any],
    time_zone: str,
    **values: Any,
) -> Schedule:
    """Add a schedule that starts runs of the target in the department, with the rights of `actor`.

    `values` are further fields: `input`, `variables`, `starts_at`, `ends_at`, `overlap`, `missed`, `catch_up_minutes`, `not_after`,
    `pause_after`. Raises `NotAllowed`, `NotFound` and `Conflict` when the actor cannot run the target there, `Invalid` with the
    fields at fault.
    """
    if not may(actor, Role.MEMBER, department_id):
        raise NotAllowed("You may look at this department's schedules but not add to them. Ask a manager.")
    if Schedule.objects.filter(department=department_id).count() >= MOST_SCHEDULES:
        raise Invalid(f"The department has {MOST_SCHEDULES} schedules, which is as many as it may. Delete one first.")
    schedule = Schedule(department_id=department_id, owner=actor, **{kind_of(target): target})
    schedule.starts_at = datetime.now(UTC).replace(second=0, microsecond=0)
    _set(schedule, {"name": name, "rule": rule, "time_zone": time_zone, **values})
    schedule.variables = check_run(
        actor=actor,
        target=target,
        text=schedule.input,
        variables=schedule.variables,
        department_id=department_id,
    )
    _plan(schedule)
    with transaction.atomic():
        save_row(schedule)
        record(actor=actor, action="schedule.created", target=schedule, rule=schedule.rule)
    return schedule


def update_schedule(*, actor: User, schedule: Schedule, values: Mapping[str, Any]) -> Schedule:
    """Change what is given. A new rule counts from now; times that have passed keep their rows, or get them."""
    with transaction.atomic():
        locked = _locked(actor, schedule)
        before = {name: getattr(locked, name) for name in _FIELDS}
        wanted = copy(locked)
        _set(wanted, values)
        if any(getattr(wanted, name) != before[name] for name in _PLANNING):
            # By the old rule: after it nobody would know of these times.
            worker.close_past(locked, datetime.now(UTC))
        _set(locked, values)
        if {"input", "variables"} & set(values) and locked.target is not None:
            locked.variables = check_run(
                actor=actor,
                target=locked.target,
                text=locked.input,
                variables=locked.variables,
                department_id=locked.department_id,
            )
        changed = [name for name in _FIELDS if getattr(locked, name) != before[name]]
        if changed:
            if _PLANNING & set(changed):
                _plan(locked)
            save_row(locked)
            noted = difference(before, {name: getattr(locked, name) for name in changed})
            record(actor=actor, action="schedule.changed", target=locked, **noted)
    return locked


def pause_schedule(*, actor: User, schedule: Schedule) -> Schedule:
    """Its times pass without a run, and the ledger says so."""
    with transaction.atomic():
        locked = _locked(actor, schedule)
        if not locked.is_paused:
            locked.paused_at = datetime.now(UTC)
            locked.paused_reason = f"Paused by {actor.name or actor.email}."
            locked.save(update_fields=["paused_at", "paused_reason", "updated_at"])
            record(actor=actor, action="schedule.paused", target=locked)
    return locked


def resume_schedule(*, actor: User, schedule: Schedule) -> Schedule:
    """Go on with the next time; failures count anew."""
    with transaction.atomic():
        locked = _locked(actor, schedule)
        if locked.is_paused:
            worker.close_past(locked, datetime.now(UTC))
            locked.paused_at, locked.paused_reason, locked.failures = None, "", 0
            locked.save(update_fields=["paused_at", "paused_reason", "failures", "updated_at"])
            record(actor=actor, action="schedule.resumed", target=locked)
    return locked


def run_schedule(*, actor: User, schedule: Schedule) -> Occurrence:
    """Start a run now, with the rights of the owner, whatever else is under way. Raises `Conflict` when that is refused."""
    with transaction.atomic():
        locked = _locked(actor, schedule)
        record(actor=actor, action="schedule.started", target=locked)
        now = datetime.now(UTC)
        made = worker.start(locked, now, Occurrence.Outcome.BY_HAND, now)
    if made.run is None:
        raise Conflict(made.message, code=made.outcome)
    return made


def take_over_schedule(*, actor: User, schedule: Schedule) -> Schedule:
    """Make the actor its owner: runs are started with their rights from now on."""
    with transaction.atomic():
        locked = _locked(actor, schedule)
        if locked.owner_id != actor.pk:
            former = str(locked.owner.uuid)
            if locked.target is None:
                raise NotFound("What this schedule runs is no longer shared with you.")
            check_run(
                actor=actor,
                target=locked.target,
                text=locked.input,
                variables=locked.variables,
                department_id=locked.department_id,
            )
            locked.owner = actor
            locked.save(update_fields=["owner", "updated_at"])
            record(actor=actor, action="schedule.taken_over", target=locked, former=former)
    return locked


def delete_schedule(*, actor: User, schedule: Schedule) -> None:
    """Delete it with its ledger; its runs stay."""
    with transaction.atomic():
        locked = _locked(actor, schedule)
        record(actor=actor, action="schedule.deleted", target=locked)
        locked.delete()


def _locked(actor: User, schedule: Schedule) -> Schedule:
    found = Schedule.objects.select_for_update(of=("self",)).filter(pk=schedule.pk).first()
    if found is None:
        raise NotFound("This schedule has been deleted.")
    if not Schedule.objects.editable_by(actor).filter(pk=found.pk).exists():
        raise NotAllowed(REFUSAL)
    return found


def _set(schedule: Schedule, values: Mapping[str, Any]) -> None:
    """Put in what is given. Raises `Invalid` with all fields at fault."""
    fields: dict[str, list[str]] = {}
    for name, value in values.items():
        if name not in _FIELDS:
            fields[name] = ["A schedule has no such field."]
            continue
        try:
            setattr(schedule, name, _CHECKS[name](value) if name in _CHECKS else value)
        except Invalid as error:
            fields |= error.fields
    if schedule.ends_at is not None and schedule.ends_at <= schedule.starts_at:
        fields["ends_at"] = ["The end must be after the start."]
    if fields:
        raise Invalid(fields=fields)


def _plan(schedule: Schedule) -> None:
    """The first time from now on."""
    now = datetime.now(UTC)
    found = next_time(schedule.rule, schedule.time_zone, now, schedule.starts_at, schedule.ends_at)
    if found is None:
        raise Invalid(fields={"ends_at": ["There is no such time before the end. Choose a later end, or none."]})
    schedule.next_at = found


def _name(value: Any) -> str:
    text = " ".join(str(value or "").split())
    if not text or "\x00" in text or len(text) > 80:
        raise Invalid(fields={"name": ["Enter a name of at most 80 characters."]})
    return text


def _whole(name: str, most: int) -> Any:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise Invalid(fields={name: [f"Enter a whole number from 0 to {most:,}."]})
        return value

    return check


def _choice(name: str, choices: type[Schedule.Overlap | Schedule.Missed]) -> Any:
    def check(value: Any) -> str:
        if value not in choices.values:
            raise Invalid(fields={name: [f"Choose one of: {', '.join(choices.values)}."]})
        return str(value)

    return check


def _moment(name: str, *, needed: bool) -> Any:
    def check(value: Any) -> datetime | None:
        return None if value is None and not needed else check_moment(name, value)

    return check


def _hour(value: Any) -> clock | None:
    if value is not None and not isinstance(value, clock):
        raise Invalid(fields={"not_after": ["Enter a time of the day like 12:00."]})
    return value


_CHECKS: dict[str, Any] = {
    "name": _name,
    "rule": check_rule,
    "time_zone": check_zone,
    "starts_at": _moment("starts_at", needed=True),
    "ends_at": _moment("ends_at", needed=False),
    "overlap": _choice("overlap", Schedule.Overlap),
    "missed": _choice("missed", Schedule.Missed),
    "catch_up_minutes": _whole("catch_up_minutes", MOST_CATCH_UP_MINUTES),
    "not_after": _hour,
    "pause_after": _whole("pause_after", MOST_FAILURES),
}
