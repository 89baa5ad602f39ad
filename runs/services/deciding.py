"""What people say to runs that ask."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from agents.definition.reading import text_problem
from audit.services import record
from mindloom.engine.events import ApprovalDecided, RunResumed
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from runs.models import Approval, Guard, Reason, Run, State, append
from runs.services.sending import send
from runs.services.starting import WAITS_FOR_WORKER
from runs.signals import announce

if TYPE_CHECKING:
    from accounts.models import User

LONGEST_ANSWER = 10_000
"""Characters."""
_CHOICES = {
    Approval.Kind.APPROVAL: (Approval.State.APPROVED, Approval.State.DECLINED),
    Approval.Kind.ANSWER: (Approval.State.ANSWERED,),
    Approval.Kind.CHECK: (Approval.State.HAPPENED, Approval.State.DID_NOT_HAPPEN),
}


def decide(*, actor: User, approval: Approval, decision: str, note: str = "") -> Run:
    """Approve or decline a call, answer a question, or say what became of a call: the decision is `approved`, `declined`,
    `answered` (the answer in `note`), `happened` or `did_not_happen`.

    What is decided about is what was asked, as it is stored; nothing of it can be changed here. When it was the run's last open
    question, the run goes on. Raises `NotAllowed` for who may not stop the run either, `Invalid`, and `Conflict` when somebody
    has decided already or the run has ended.
    """
    if not Approval.objects.visible_to(actor).filter(pk=approval.pk).exists():
        raise NotFound("There is no such question, or you may no longer see its run.")
    if not Approval.objects.editable_by(actor).filter(pk=approval.pk).exists():
        raise NotAllowed("Only the person who started this run, or a manager, can decide.")
    note = _checked(approval, decision, note)
    with transaction.atomic():
        # The run's row first, as every writer of the log does.
        run = Run.objects.select_for_update().get(pk=approval.run_id)
        changed = Approval.objects.filter(pk=approval.pk, state=Approval.State.OPEN).update(
            state=decision, decided_by=actor, decided_at=datetime.now(UTC), note=note
        )
        if not changed:
            raise _too_late(approval)
        _write_down(actor, run, approval, decision, note)
        record(actor=actor, action=f"approval.{decision}", target=run, approval=str(approval.uuid), tool=approval.tool)
        announce(run)
    run.refresh_from_db()
    return run


def _write_down(actor: User, run: Run, approval: Approval, decision: str, note: str) -> None:
    """The decision into the log, and the run back into the queue when nothing is open any more."""
    by = actor.name or actor.email
    decided = ApprovalDecided(
        approval=str(approval.uuid),
        decision=decision,  # type: ignore[arg-type] # checked
        by=by,
        note=note,
        source=tuple(approval.source),
    )
    waiting = Guard(states=(State.WAITING,))
    if run.approvals.undecided().exists():
        written = append(run.pk, [decided], guard=waiting)
    else:
        written = append(
            run.pk,
            [decided, RunResumed(message="Everything is decided; the run goes on.")],
            guard=waiting,
            state=State.QUEUED,
            reason=Reason.WAITING_FOR_WORKER,
            reason_message=WAITS_FOR_WORKER,
            sent_at=datetime.now(UTC),
        )
        transaction.on_commit(partial(send, run.pk))
    if written is None:
        raise Conflict("This run does not wait any more.", code="run_not_waiting")


def _checked(approval: Approval, decision: str, note: str) -> str:
    choices = _CHOICES[Approval.Kind(approval.kind)]
    if decision not in choices:
        raise Invalid(fields={"decision": [f"Choose one of: {', '.join(choices)}."]})
    if not isinstance(note, str):
        raise Invalid(fields={"note": ["This must be text."]})
    if problem := text_problem(note, LONGEST_ANSWER):
        raise Invalid(fields={"note": [problem]})
    if decision == Approval.State.ANSWERED and not note.strip():
        raise Invalid(fields={"note": ["Write the answer."]})
    return note.strip()


def _too_late(approval: Approval) -> Conflict:
    approval.refresh_from_db()
    if approval.state == Approval.State.VOID:
        return Conflict("The run has ended, so nothing is to be decided any more.", code="run_ended")
    person = approval.decided_by
    who = (person.name or person.email) if person is not None else "Somebody"
    return Conflict(f"{who} has decided already: {approval.get_state_display().lower()}.", code="already_decided")
