"""From a run id to a finished run."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from django.db import DatabaseError

from integrations.models import Model
from mindloom import wall
from mindloom.engine.errors import EngineError
from mindloom.engine.events import RunCancelled, RunFailed
from mindloom.engine.spec import RunInput, spec_from_json
from mindloom.wall.pool import give_back
from runs.signals import announce
from runs.worker.claim import claim, claim_in_pod
from runs.worker.journal import resume_of
from runs.worker.memory import exchanged
from runs.worker.ports import RunPorts
from runs.worker.recorder import Lost, Recorder
from runs.worker.redact import Redactor
from runs.worker.steward import steward
from runs.worker.waiting import stop_if_asked

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter import AgnoRunner
    from mindloom.engine.runner import RunHandle, Runner
    from runs.models import Run

logger = logging.getLogger(__name__)


def warm_up() -> None:
    """Load what runs need, and what the models that are switched on need, before the first run does."""
    _agno().warm_up()
    try:
        kinds = set(Model.objects.usable().values_list("provider__kind", flat=True))
    except DatabaseError as error:
        logger.warning("Which SDKs are needed is not known yet, the database is away: %s", error)
        return
    finally:
        give_back()
    _agno().warm_up(kinds)


@cache
def _agno() -> AgnoRunner:
    from mindloom.engine.agno_adapter import AgnoRunner  # the web process never pays for Agno

    return AgnoRunner()


def execute(run_id: int, runner: Runner | None = None) -> bool:
    """Carry the run out, whoever's turn it is; False when it was not there to be claimed, which makes a message delivered twice harmless."""
    claimed = claim(run_id)
    if claimed is None:
        return False
    carry_out(*claimed, runner)
    return True


def execute_in_pod(uuid: str, attempt: int) -> bool:
    """The same in the pod that was made for this attempt of the run."""
    claimed = claim_in_pod(uuid, attempt)
    if claimed is None:
        return False
    carry_out(*claimed)
    return True


def carry_out(run: Run, fence: int, runner: Runner | None = None) -> None:
    """Carry out a run that was taken. `run` is as it was before."""
    with wall.tenant([run.department_id]):
        try:
            _drive(run, fence, runner or _agno())
        except Lost:
            logger.warning("Run %s is no longer this worker's", run.pk)
        finally:
            give_back()


def _drive(run: Run, fence: int, runner: Runner) -> None:
    redactor = Redactor()
    recorder = Recorder(run, fence, redactor)
    began = f"{(run.started_at or datetime.now(UTC)):%A, %d %B %Y, %H:%M} UTC"
    given = RunInput(text=run.input, variables=run.variables, began=began)
    interrupted, spec = "", None
    try:
        spec = spec_from_json(run.spec)
        ports = RunPorts(run, redactor, fence)
        handle = runner.run(spec, given, run_id=str(run.uuid), ports=ports, resume=resume_of(run))
        interrupted = _follow(run, fence, handle, recorder)
    except EngineError as error:
        recorder.end(RunFailed(kind=error.kind, message=error.message))
    except Lost:
        raise
    except Exception:
        logger.exception("Run %s broke Mindloom", run.pk)
        recorder.end(RunFailed(kind="system_error", message=BROKEN))
    _conclude(run, recorder, interrupted)
    if recorder.answer is not None and spec is not None:
        exchanged(run, spec.memory, recorder.answer)


def _follow(run: Run, fence: int, handle: RunHandle, recorder: Recorder) -> str:
    """Take the engine's events until they end. Returns the sentence of an interruption, if there was one."""
    interrupted = ""
    steward.watch(run.pk, fence, handle)
    try:
        for event in handle:
            if isinstance(event, RunCancelled):
                interrupted = steward.leave(run.pk, fence)
            if interrupted:
                break
            recorder.take(event)
    except Lost:
        handle.cancel("The run was given up here.")
        raise
    finally:
        steward.leave(run.pk, fence)
    return interrupted


def _conclude(run: Run, recorder: Recorder, interrupted: str) -> None:
    """Whatever happened, the run has ended, waits, or is in the queue again afterwards."""
    if recorder.ended:
        return
    if interrupted:
        recorder.give_back(interrupted)
    elif recorder.waits:
        recorder.wait()
        if stop_if_asked(run):
            announce(run)
    else:
        recorder.end(RunFailed(kind="system_error", message=BROKEN))


BROKEN = "Mindloom itself failed while it carried this run out. Run it again; an administrator finds the details in the worker's log."
