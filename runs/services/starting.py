"""Starts runs of agents and of teams."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from psycopg.errors import ForeignKeyViolation, UniqueViolation

from accounts.models import Role
from accounts.queries import departments_where, may
from agents.definition import check_values
from agents.models import Agent, AgentVersion
from agents.specs import agent_spec
from audit.services import record
from mindloom.engine.events import RunQueued
from mindloom.engine.spec import provider_key
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from runs.models import Conversation, Guard, Reason, Run, State, Trigger, append
from runs.services.placing import placed
from runs.services.sending import send
from runs.signals import announce
from teams.models import Team, TeamVersion
from teams.specs import team_spec

if TYPE_CHECKING:
    from accounts.models import User

Target = Agent | Team
WAITS_FOR_WORKER = "Waiting for a free worker."


def start_run(  # noqa: PLR0913 -- each by name
    *,
    actor: User,
    target: Target,
    text: str,
    variables: dict[str, Any] | None = None,
    trigger: Trigger = Trigger.PERSON,
    draft: bool | None = None,
    retry_of: Run | None = None,
    conversation: Conversation | None = None,
    department_id: int | None = None,
    not_before: datetime | None = None,
) -> Run:
    """Queue a run of an agent or a team: of the published version, or of the draft for a test (`draft` says otherwise).

    It belongs to the department where the person works: `department_id`, or the target's own, or, for what is shared with
    everyone, the first where they are a member. Raises `NotAllowed` for viewers, `Conflict` for a target that is archived or was
    never published and for a conversation in which a run is under way, `Invalid` with the fields at fault for variables and
    input. The workers hear of the run when the transaction commits;
    with `not_before` they leave it alone until then.
    """
    of_draft = trigger == Trigger.TEST if draft is None else draft
    department = check_may_run(actor, target, department_id, of_draft=of_draft)
    version = None if of_draft else target.published
    values, text = _checked(target, version, text, variables)
    return _queue(
        actor=actor,
        target=target,
        version=version,
        department_id=department,
        spec=_spec(actor, target, version, department),
        text=text,
        variables=values,
        trigger=trigger,
        retry_of=retry_of,
        conversation=conversation,
        not_before=not_before,
    )


def check_run(
    *, actor: User, target: Target, text: str, variables: dict[str, Any] | None, department_id: int
) -> dict[str, Any]:
    """The values with which a run could be started now. Raises what `start_run` does."""
    check_may_run(actor, target, department_id)
    return _checked(target, target.published, text, variables)[0]


def repeat_run(
    *, actor: User, run: Run, text: str | None = None, variables: dict[str, Any] | None = None, current: bool = False
) -> Run:
    """Run it again: exactly as it was, or, with `current`, with the version of now; input and variables may be new."""
    if not may(actor, Role.MEMBER, run.department_id):
        raise NotAllowed("You may look at this run but not repeat it. Ask a manager of your department.")
    if run.agent is None and run.team is None:
        raise NotFound("What this run was of is no longer shared with you, so it can't be run again.")
    target = run.target
    if target.archived_at is not None:
        raise Conflict(
            f"The {kind_of(target)} of this run is archived. Restore it to run it again.",
            code=f"{kind_of(target)}_archived",
        )
    _check_sees(actor, target)
    text = run.input if text is None else text
    values = run.variables if variables is None else variables
    # What was private stays private: a test, and what was said in a conversation.
    trigger = Trigger(run.trigger) if run.trigger in {Trigger.TEST, Trigger.CONVERSATION} else Trigger.PERSON
    if current:
        return start_run(
            actor=actor,
            target=target,
            text=text,
            variables=values,
            trigger=trigger,
            retry_of=run,
            department_id=run.department_id,
        )
    if variables is not None:
        values = _changed(run, target, variables)
    return _queue(
        actor=actor,
        target=target,
        version=run.version,
        department_id=run.department_id,
        spec=run.spec,
        text=_checked_text(text, has_variables=bool(values)),
        variables=values,
        trigger=trigger,
        retry_of=run,
    )


def _changed(run: Run, target: Target, variables: dict[str, Any]) -> dict[str, Any]:
    """Other values for the run's variables. Of a test they are those of the draft, as far as the draft still has them."""
    if run.version is not None:
        return check_values(run.version.definition.get("variables", []), variables)
    declared = [one for one in target.draft.get("variables", []) if one["name"] in run.variables]
    kept: dict[str, Any] = run.variables
    return kept | check_values(declared, variables)


def check_may_run(actor: User, target: Target, department_id: int | None = None, *, of_draft: bool = False) -> int:
    """The department in which a run of the target would be. Raises `NotFound`, `NotAllowed` and `Conflict` as `start_run` does."""
    kind = kind_of(target)
    _check_sees(actor, target)
    department = _department(actor, target, department_id)
    if of_draft and not type(target).objects.editable_by(actor).filter(pk=target.pk).exists():  # type: ignore[attr-defined]
        raise NotAllowed(f"Only the {kind}'s owner and managers may run its draft. Run the published version.")
    if target.archived_at is not None:
        raise Conflict(f"“{target.name}” is archived. Restore it to run it.", code=f"{kind}_archived")
    if target.published is None and not of_draft:
        raise Conflict(
            f"“{target.name}” is not published yet. Publish it, or test its draft.", code=f"{kind}_not_published"
        )
    return department


def kind_of(target: Target) -> str:
    """What people call it, and the name of the run's column for it."""
    return "team" if isinstance(target, Team) else "agent"


def _check_sees(actor: User, target: Target) -> None:
    if not type(target).objects.visible_to(actor).filter(pk=target.pk).exists():  # type: ignore[attr-defined]
        raise NotFound(f"There is no such {kind_of(target)}, or its owner keeps it private now.")


def _department(actor: User, target: Target, wanted: int | None) -> int:
    """Where the run belongs. Raises `NotAllowed` where the person is no more than a viewer."""
    is_shared = target.visibility == Agent.Visibility.EVERYONE.value
    if wanted is None:
        wanted = target.department_id
        if is_shared and not may(actor, Role.MEMBER, wanted):
            wanted = next(iter(departments_where(actor, Role.MEMBER)), wanted)
    if not may(actor, Role.MEMBER, wanted) or (wanted != target.department_id and not is_shared):
        raise NotAllowed(f"You may look at this {kind_of(target)} but not run it. Ask a manager of your department.")
    return wanted


def _checked(
    target: Target, version: AgentVersion | TeamVersion | None, text: str, variables: dict[str, Any] | None
) -> tuple[dict[str, Any], str]:
    """Values for all variables, and the input."""
    definition = target.draft if version is None else version.definition
    values = check_values(definition.get("variables", []), variables or {})
    return values, _checked_text(text, has_variables=bool(values))


def _spec(
    actor: User, target: Target, version: AgentVersion | TeamVersion | None, department_id: int
) -> dict[str, Any]:
    if isinstance(target, Team):
        assert not isinstance(version, AgentVersion)
        return team_spec(target, version, department_id=department_id, actor=actor).to_json()
    assert not isinstance(version, TeamVersion)
    return agent_spec(target, version, department_id=department_id).to_json()


def _queue(*, target: Target, **fields: Any) -> Run:
    try:
        return _queued(target=target, **fields)
    except IntegrityError as error:
        # Keys to the target are checked when the transaction commits.
        if isinstance(error.__cause__, ForeignKeyViolation):
            raise NotFound(f"This {kind_of(target)} was deleted a moment ago.") from None
        if isinstance(error.__cause__, UniqueViolation) and "run_one_live_per_conversation" in str(error):
            raise Conflict(
                "The answer to your last message is still being written. Wait for it, or stop it.",
                code="conversation_busy",
            ) from None
        raise


def _queued(*, actor: User, target: Target, version: Any, spec: dict[str, Any], text: str, **fields: Any) -> Run:
    kind = kind_of(target)
    executor, spec = placed(spec, fields["department_id"])
    with transaction.atomic():
        run = Run.objects.create(
            **{kind: target, f"{kind}_version": version},
            started_by=actor,
            spec=spec,
            executor=executor,
            priority=Trigger(fields["trigger"]).priority,
            provider_key=provider_key(spec),
            input=text,
            reason=Reason.WAITING_FOR_WORKER,
            reason_message=WAITS_FOR_WORKER,
            **fields,
        )
        append(run.pk, [RunQueued(trigger=str(run.trigger))], guard=Guard(states=(State.QUEUED,)))
        details: dict[str, Any] = {"trigger": str(run.trigger), kind: str(target.uuid)}
        record(actor=actor, action="run.started", target=run, **details)
        transaction.on_commit(partial(send, run.pk))
        announce(run)
    run.last_seq = 1
    return run


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
