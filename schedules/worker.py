"""The tick: gives each time of each schedule its one row, and starts the run in the same transaction.

Any number of processes may tick at once. A schedule's row is locked while one of its times is decided, and the ledger takes each
time once; what a process leaves undone when it dies, the next tick does.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef

from audit.services import record
from mindloom import wall
from mindloom.web.errors import Conflict, MindloomError, NotAllowed, NotFound
from runs import services as runs
from runs.models import LIVE_STATES, Run, State, Trigger
from schedules.definition import next_time
from schedules.models import Occurrence, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

PUNCTUAL = timedelta(seconds=60)
"""What starts within this of its time was not missed."""
KEEP = timedelta(days=400)
"""How long the ledger is kept: a year and a month, so that each yearly time has its forerunner."""
AT_ONCE = 500
"""Times of one schedule that are decided before the next schedule has its turn."""
Outcome = Occurrence.Outcome
FAILURES = (Outcome.NO_RIGHT, Outcome.FAILED_TO_START)


def tick(now: datetime | None = None, *, seconds: float = 2.0, stopped: Callable[[], bool] = lambda: False) -> int:
    """Note which runs have ended, start those that wait for that, and decide the times that have come; how many were decided.

    Stops after about so many seconds; the next tick goes on. `now` is the clock, for tests.
    """
    until = time.monotonic() + seconds
    decided = 0
    for department, one in _under_way():
        with wall.tenant([department]):
            _settle(one, now or datetime.now(UTC))
    for department, schedule in _due(now or datetime.now(UTC)):
        if stopped() or time.monotonic() > until:
            break
        try:
            with wall.tenant([department]):
                decided += _advance(schedule, now)
        except Exception:
            # The other schedules have their times, too; this one is tried again.
            logger.exception("The times of a schedule could not be decided", extra={"schedule": schedule})
    return decided


def forget_old_occurrences() -> int:
    """Remove the rows of times longer ago than `KEEP`; how many."""
    with wall.system("schedules: old rows of the ledgers of all departments"):
        old = Occurrence.objects.filter(planned_at__lt=datetime.now(UTC) - KEEP).exclude(outcome=Outcome.WAITING)
        return old.delete()[0]


def close_past(schedule: Schedule, now: datetime) -> None:
    """Give a row to each time that has come, before the schedule is another one. Inside a transaction, with the schedule locked.

    What is punctual starts; what is late would be caught up by a rule that holds no more, and was missed.
    """
    while (planned := schedule.next_at) is not None and planned <= now:
        if schedule.is_paused:
            _pass(schedule, planned, now)
        elif now - planned > PUNCTUAL:
            why = f"{_away(schedule, planned)}, and the schedule was changed before it was caught up."
            _noted(schedule, planned, Outcome.MISSED, why, now)
        else:
            _decide(schedule, planned, now)


def start(schedule: Schedule, planned_at: datetime, outcome: Outcome, now: datetime) -> Occurrence:
    """Start a run for this time, with the rights of the owner. Inside a transaction, with the schedule locked."""
    occurrence = Occurrence(
        schedule=schedule, department_id=schedule.department_id, planned_at=planned_at, outcome=outcome, decided_at=now
    )
    _start(schedule, occurrence)
    occurrence.save()
    return occurrence


def _under_way() -> list[tuple[int, int]]:
    """Department and key of the occurrences whose runs have ended or are gone."""
    with wall.system("schedules: runs that have ended"):
        open_ones = Occurrence.objects.filter(run__isnull=False, run_state="")
        under_way = Run.objects.filter(pk=OuterRef("run"), state__in=LIVE_STATES)
        return list(open_ones.filter(~Exists(under_way)).values_list("department_id", "pk")[:AT_ONCE])


def _due(now: datetime) -> list[tuple[int, int]]:
    """Department and key of schedules with a time that has come, and of those where one has waited for the end of a run."""
    with wall.system("schedules: whose time has come"):
        working = Schedule.objects.filter(department__archived_at=None)
        # What still waits would be looked at in vain, and in the time of those that are due.
        busy = Occurrence.objects.filter(schedule=OuterRef("pk"), run_state="", run__state__in=LIVE_STATES)
        waiting = working.filter(~Exists(busy), occurrences__outcome=Outcome.WAITING).values_list("department_id", "pk")
        due = working.filter(next_at__lte=now).order_by("next_at").values_list("department_id", "pk")
        return list(dict.fromkeys([*waiting, *due]))


@transaction.atomic
def _settle(key: int, now: datetime) -> None:
    """Note how the run of an occurrence ended. The schedule is locked first, as everywhere."""
    found = Occurrence.objects.filter(pk=key).first()
    schedule = Schedule.objects.select_for_update().filter(pk=found.schedule_id).first() if found else None
    if found is None or schedule is None:
        return
    state = Run.objects.filter(pk=found.run_id or 0).values_list("state", flat=True).first()
    if not Occurrence.objects.filter(pk=key, run_state="").update(run_state=state or "deleted"):
        return  # another process was quicker
    if state == State.FAILED:
        _failed(schedule, now)
    elif state == State.COMPLETED and schedule.failures:
        Schedule.objects.filter(pk=schedule.pk).update(failures=0)


def _advance(key: int, now: datetime | None) -> int:
    """Decide the times of one schedule that have come, each in a transaction of its own."""
    decided = 0
    while decided < AT_ONCE:
        with transaction.atomic():
            schedule = Schedule.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=key).first()
            if schedule is None:
                break
            moment = now or datetime.now(UTC)
            _start_waiting(schedule, moment)
            if schedule.next_at is None or schedule.next_at > moment:
                break
            if schedule.is_paused:
                _pass(schedule, schedule.next_at, moment)
            else:
                _decide(schedule, schedule.next_at, moment)
            decided += 1
    return decided


def _start_waiting(schedule: Schedule, now: datetime) -> None:
    """Start what waits for the run before, once that has ended."""
    waiting = schedule.occurrences.filter(outcome=Outcome.WAITING).first()
    if waiting is None or _live(schedule):
        return
    waiting.decided_at = now
    if schedule.is_paused:
        waiting.outcome, waiting.message = Outcome.PAUSED, "The schedule was paused while this time waited."
    else:
        waiting.outcome = Outcome.RAN
        waiting.message = f"It waited for the run before until {_local(schedule, now)}."
        _start(schedule, waiting)
    waiting.save()


def _decide(schedule: Schedule, planned: datetime, now: datetime) -> None:
    late = now - planned > PUNCTUAL
    if late and (why := _too_late(schedule, planned, now)):
        _noted(schedule, planned, Outcome.MISSED, why, now)
        return
    if schedule.overlap != Schedule.Overlap.ALLOW and (live := _live(schedule)):
        if schedule.overlap == Schedule.Overlap.CANCEL:
            for run in live:
                _stop(schedule, run)
        else:
            _behind(schedule, planned, now, live)
            return
    start(schedule, planned, Outcome.CAUGHT_UP if late else Outcome.RAN, now)
    _move_on(schedule, planned)


def _too_late(schedule: Schedule, planned: datetime, now: datetime) -> str:
    """Why a time that has passed is not caught up; empty when it is."""
    missed = _away(schedule, planned)
    if schedule.missed == Schedule.Missed.SKIP:
        return f"{missed}, and missed times are left out."
    if now - planned > timedelta(minutes=schedule.catch_up_minutes):
        return f"{missed}, and began again later than {schedule.catch_up_minutes} minutes after."
    zone = ZoneInfo(schedule.time_zone)
    local, own = now.astimezone(zone), planned.astimezone(zone)
    if schedule.not_after is not None and (local.date() > own.date() or local.time() > schedule.not_after):
        return f"{missed}; after {schedule.not_after:%H:%M} it is no longer caught up."
    later = _following(schedule, planned)
    if schedule.missed == Schedule.Missed.LATEST and later is not None and later <= now:
        return f"{missed}; a later time is caught up."
    return ""


def _behind(schedule: Schedule, planned: datetime, now: datetime, live: list[Run]) -> None:
    """The run before is under way: wait for it, or leave this time out."""
    before = f"Run {live[0].number} was still under way"
    if schedule.overlap == Schedule.Overlap.SKIP:
        _noted(schedule, planned, Outcome.OVERLAP, f"{before}.", now)
    elif schedule.occurrences.filter(outcome=Outcome.WAITING).exists():
        _noted(schedule, planned, Outcome.OVERLAP, f"{before}, and an earlier time waits for its end.", now)
    else:
        _noted(schedule, planned, Outcome.WAITING, f"{before}; this time waits for its end.", now)


def _pass(schedule: Schedule, planned: datetime, now: datetime) -> None:
    why = "The schedule was paused."
    if schedule.paused_at is not None and planned < schedule.paused_at:
        why = f"{_away(schedule, planned)}, and the schedule was paused before it was caught up."
    _noted(schedule, planned, Outcome.PAUSED, why, now)


def _noted(schedule: Schedule, planned: datetime, outcome: Outcome, message: str, now: datetime) -> None:
    Occurrence.objects.create(
        schedule=schedule,
        department_id=schedule.department_id,
        planned_at=planned,
        outcome=outcome,
        message=message,
        decided_at=now,
    )
    _move_on(schedule, planned)


def _start(schedule: Schedule, occurrence: Occurrence) -> None:
    """Start the run, or say why that was refused."""
    try:
        with transaction.atomic():
            run = _run(schedule)
    except (NotAllowed, NotFound) as error:
        occurrence.outcome, occurrence.message = Outcome.NO_RIGHT, error.message[:600]
    except MindloomError as error:
        fields: dict[str, list[str]] = getattr(error, "fields", None) or {}
        sentences = [error.message, *(f"{name}: {' '.join(texts)}" for name, texts in fields.items())]
        occurrence.outcome, occurrence.message = Outcome.FAILED_TO_START, " ".join(sentences)[:600]
    else:
        occurrence.run, occurrence.run_uuid = run, run.uuid
        return
    _failed(schedule, occurrence.decided_at)


def _run(schedule: Schedule) -> Run:
    owner, target = schedule.owner, schedule.target
    if not owner.is_active or target is None:
        raise NotAllowed(f"{owner.name or owner.email} can no longer sign in, or no longer sees what this runs.")
    return runs.start_run(
        actor=owner,
        target=target,
        text=schedule.input,
        variables=schedule.variables,
        trigger=Trigger.SCHEDULE,
        department_id=schedule.department_id,
    )


def _stop(schedule: Schedule, run: Run) -> None:
    """End the run before with the rights of the owner, who started it."""
    try:
        runs.stop_run(actor=schedule.owner, run=run)
    except (Conflict, NotAllowed):
        # It has just ended, or the owner may no longer stop it, and so may not start the next one either, which says so.
        return


def _failed(schedule: Schedule, now: datetime) -> None:
    """Count it; pause the schedule when it has failed too often in a row."""
    schedule.failures += 1
    if schedule.pause_after and schedule.failures >= schedule.pause_after and not schedule.is_paused:
        often = "once" if schedule.failures == 1 else f"{schedule.failures} times in a row"
        schedule.paused_at, schedule.paused_reason = now, f"Paused by itself: it failed {often}."
        record(actor=None, action="schedule.paused", target=schedule, reason=schedule.paused_reason)
    schedule.save(update_fields=["failures", "paused_at", "paused_reason"])


def _move_on(schedule: Schedule, planned: datetime) -> None:
    schedule.next_at = _following(schedule, planned)
    schedule.save(update_fields=["next_at"])


def _following(schedule: Schedule, planned: datetime) -> datetime | None:
    return next_time(schedule.rule, schedule.time_zone, planned, schedule.starts_at, schedule.ends_at)


def _live(schedule: Schedule) -> list[Run]:
    """Its runs that are under way."""
    own: Any = schedule.occurrences.filter(run__isnull=False, run_state="").values("run")
    return list(Run.objects.filter(pk__in=own, state__in=LIVE_STATES).only("id", "uuid", "department", "started_by"))


def _away(schedule: Schedule, planned: datetime) -> str:
    return f"Mindloom was not at work at {_local(schedule, planned)}"


def _local(schedule: Schedule, moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(schedule.time_zone)):%Y-%m-%d %H:%M}"
