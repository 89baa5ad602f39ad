"""Everything that can be done with runs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import redis
from django.conf import settings
from django.db import IntegrityError, transaction
from kombu.exceptions import OperationalError
from psycopg.errors import ForeignKeyViolation

from accounts.models import Role
from accounts.queries import may
from agents.definition import check_values
from agents.models import Agent
from agents.specs import agent_spec
from audit.services import record
from mindloom.engine.events import RunCancelled, RunQueued
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from runs import worker
from runs.models import Guard, Reason, Run, State, Trigger, append
from runs.signals import announce
from runs.tasks import execute_run

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

WAITS_FOR_WORKER = "Waiting for a free worker."


def start_run(
    *,
    actor: User,
    agent: Agent,
    text: str,
    variables: dict[str, Any] | None = None,
    trigger: Trigger = Trigger.PERSON,
    retry_of: Run | None = None,
) -> Run:
    """Queue a run of the agent's published version, or of its draft for a test.

    Raises `NotAllowed` for viewers, `Conflict` for an agent that is archived or was never published, `Invalid` with the
    fields at fault for variables and input. The workers hear of the run when the transaction commits.
    """
    _check_sees(actor, agent)
    if not may(actor, Role.MEMBER, agent.department_id):
        raise NotAllowed("You may look at this agent but not run it. Ask a manager of your department.")
    if trigger == Trigger.TEST and not Agent.objects.editable_by(actor).filter(pk=agent.pk).exists():
        raise NotAllowed("Only the agent's owner and managers may run its draft. Run the published version.")
    if agent.archived_at is not None:
        raise Conflict(f"“{agent.name}” is archived. Restore it to run it.", code="agent_archived")
    version = None if trigger == Trigger.TEST else agent.published
    if version is None and trigger != Trigger.TEST:
        raise Conflict(
            f"“{agent.name}” is not published yet. Publish it, or test its draft.", code="agent_not_published"
        )
    definition = agent.draft if version is None else version.definition
    values = check_values(definition.get("variables", []), variables or {})
    return _queue(
        actor=actor,
        agent=agent,
        agent_version=version,
        spec=agent_spec(agent, version).to_json(),
        text=_checked_text(text, has_variables=bool(values)),
        variables=values,
        trigger=trigger,
        retry_of=retry_of,
    )


def repeat_run(
    *, actor: User, run: Run, text: str | None = None, variables: dict[str, Any] | None = None, current: bool = False
) -> Run:
    """Run it again: exactly as it was, or, with `current`, with the agent's version of now; input and variables may be new."""
    if not may(actor, Role.MEMBER, run.department_id):
        raise NotAllowed("You may look at this run but not repeat it. Ask a manager of your department.")
    agent = run.agent
    if agent is None or agent.archived_at is not None:
        raise Conflict("The agent of this run is archived. Restore it to run it again.", code="agent_archived")
    _check_sees(actor, agent)
    text = run.input if text is None else text
    values = run.variables if variables is None else variables
    trigger = Trigger.TEST if run.is_test else Trigger.PERSON
    if current:
        return start_run(actor=actor, agent=agent, text=text, variables=values, trigger=trigger, retry_of=run)
    if variables is not None and run.agent_version is not None:
        values = check_values(run.agent_version.definition.get("variables", []), variables)
    return _queue(
        actor=actor,
        agent=agent,
        agent_version=run.agent_version,
        spec=run.spec,
        text=_checked_text(text, has_variables=bool(values)),
        variables=values,
        trigger=trigger,
        retry_of=run,
    )


def stop_run(*, actor: User, run: Run) -> Run:
    """Stop the run: at once when no worker has it, else within seconds. Raises `Conflict` when it has ended."""
    if not Run.objects.editable_by(actor).filter(pk=run.pk).exists():
        raise NotAllowed("Only the person who started this run, or a manager, can stop it.")
    message = f"Stopped by {actor.name or actor.email}."
    with transaction.atomic():
        event = RunCancelled(message=message)
        stopped = append(
            run.pk,
            [event],
            guard=Guard(states=(State.QUEUED, State.WAITING)),
            finished_at=datetime.now(UTC),
            **worker.terminal_changes(event),
        )
        asked = stopped is not None or bool(
            Run.objects.filter(pk=run.pk, state=State.RUNNING, cancel_requested_at=None).update(
                cancel_requested_at=datetime.now(UTC), cancel_message=message
            )
        )
        if asked:
            record(actor=actor, action="run.stopped", target=run)
            announce(run)
    run.refresh_from_db()
    if not asked and run.is_terminal:
        raise Conflict(f"{run} has already ended.", code="run_ended")
    return run


def sweep() -> int:
    """End runs that nobody carries out any more and send lost messages again; returns how many ended. For the scheduler."""
    ended = worker.reap()
    if not _messages_waiting():
        for run_id in worker.stale_queued():
            _send(run_id)
    return ended


def _check_sees(actor: User, agent: Agent) -> None:
    if not Agent.objects.visible_to(actor).filter(pk=agent.pk).exists():
        raise NotFound("There is no such agent, or its owner keeps it private now.")


def _queue(*, actor: User, agent: Agent, **fields: Any) -> Run:
    try:
        return _queued(actor=actor, agent=agent, **fields)
    except IntegrityError as error:
        # The key to the agent is checked when the transaction commits.
        if not isinstance(error.__cause__, ForeignKeyViolation):
            raise
        raise NotFound("This agent was deleted a moment ago.") from None


def _queued(*, actor: User, agent: Agent, spec: dict[str, Any], text: str, **fields: Any) -> Run:
    with transaction.atomic():
        run = Run.objects.create(
            department_id=agent.department_id,
            agent=agent,
            started_by=actor,
            spec=spec,
            input=text,
            reason=Reason.WAITING_FOR_WORKER,
            reason_message=WAITS_FOR_WORKER,
            **fields,
        )
        append(run.pk, [RunQueued(trigger=str(run.trigger))], guard=Guard(states=(State.QUEUED,)))
        record(actor=actor, action="run.started", target=run, agent=str(agent.uuid), trigger=str(run.trigger))
        transaction.on_commit(partial(_send, run.pk))
        announce(run)
    run.last_seq = 1
    return run


def _send(run_id: int) -> None:
    """Tell the workers. When Redis is away the run stays queued, and the scheduler tells them later."""
    try:
        # Once more at most: a connection that Redis has dropped is noticed by the first try.
        execute_run.apply_async((run_id,), retry_policy={"max_retries": 1, "interval_start": 0})
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("Run %s waits until Redis is back: %s", run_id, error)


def _checked_text(text: str, *, has_variables: bool) -> str:
    if not isinstance(text, str):
        raise Invalid(fields={"input": ["This must be text."]})
    if "\x00" in text:
        raise Invalid(fields={"input": ["The text has a NUL character, which no text needs. Remove it."]})
    if len(text) > settings.RUN_INPUT_MAX_CHARS:
        raise Invalid(
            fields={"input": [f"The text has {len(text):,} characters; {settings.RUN_INPUT_MAX_CHARS:,} are allowed."]}
        )
    if not text.strip() and not has_variables:
        raise Invalid(fields={"input": ["Say what the agent should work on."]})
    return text


def _messages_waiting() -> bool:
    """Whether runs wait because the workers are busy, rather than because their messages are gone."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    try:
        return bool(client.llen(f"{settings.REDIS_PREFIX}:celery:{settings.CELERY_TASK_DEFAULT_QUEUE}"))
    except redis.RedisError:
        return True
    finally:
        client.close()


__all__ = ["repeat_run", "start_run", "stop_run", "sweep"]
