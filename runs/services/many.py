"""Does to many runs at once what can be done to one; each by itself, so that one that refuses does not keep the others back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mindloom.web.errors import MindloomError
from runs.services.control import stop_run
from runs.services.starting import repeat_run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import User
    from runs.models import Run

MOST_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one of them: `made` is the new run when it was repeated, `problem` why nothing was done."""

    run: Run
    made: Run | None = None
    problem: str = ""


def stop_runs(*, actor: User, runs: Iterable[Run]) -> list[Outcome]:
    """Stop each that goes on; those that have ended, or are not theirs to stop, say so."""
    return [_stopped(actor, run) for run in runs]


def repeat_runs(*, actor: User, runs: Iterable[Run], current: bool = False) -> list[Outcome]:
    """Run each again, as it was or in the version of now."""
    return [_repeated(actor, run, current=current) for run in runs]


def _stopped(actor: User, run: Run) -> Outcome:
    try:
        return Outcome(run=stop_run(actor=actor, run=run))
    except MindloomError as error:
        return Outcome(run=run, problem=error.message)


def _repeated(actor: User, run: Run, *, current: bool) -> Outcome:
    try:
        return Outcome(run=run, made=repeat_run(actor=actor, run=run, current=current))
    except MindloomError as error:
        return Outcome(run=run, problem=error.message)
