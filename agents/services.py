"""Everything that can be done with agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Max, ProtectedError
from django.utils import timezone

from accounts.models import Role
from accounts.queries import may
from agents import gallery
from agents.definition import blank, check, digest
from agents.definition.reading import Findings
from agents.models import Agent, AgentVersion
from agents.specs import model_of
from audit.services import record
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User

IDENTITY = {"name": 80, "description": 300, "icon": 40, "category": 40, "visibility": 16}
"""The fields of an agent beside its definition, and how long they may be."""


def create_agent(
    *,
    actor: User,
    department_id: int,
    name: str,
    template: str | None = None,
    definition: Mapping[str, Any] | None = None,
    **identity: Any,
) -> Agent:
    """Make an agent with a draft, empty or from a template of the gallery; what is given wins over the template.

    `identity`: description, icon, category, visibility. Raises `NotAllowed` for viewers and strangers, `Invalid`.
    """
    if not may(actor, Role.MEMBER, department_id):
        raise NotAllowed("You may not make agents in this department. Ask one of its managers.")
    found = gallery.find(template) if template else None
    if template and found is None:
        raise Invalid("There is no such template.", fields={"template": ["Choose one of the gallery."]})
    base = found.definition() if found is not None else blank()
    if found is not None:
        identity = {"description": found.description, "icon": found.icon, "category": found.category, **identity}
    draft = check({**base, **(definition or {})}, complete=False)
    agent = Agent(department_id=department_id, owner=actor, draft=draft, draft_digest=digest(draft))
    for field, value in _identity({"name": name, **identity}).items():
        setattr(agent, field, value)
    with transaction.atomic():
        _save(agent)
        record(actor=actor, action="agent.created", target=agent, template=template or "")
    return agent


def update_draft(
    *,
    actor: User,
    agent: Agent,
    definition: Mapping[str, Any] | None = None,
    draft_digest: str | None = None,
    **identity: Any,
) -> Agent:
    """Keep the draft as it is being worked on, and name, description, icon, category and visibility when they are given.

    `draft_digest` is what the writer saw last: when the draft has changed since, `Conflict` is raised and nothing is kept.
    """
    _may_edit(actor, agent)
    clean = _identity(identity)
    with transaction.atomic():
        locked = _locked(agent)
        _refuse_archived(locked)
        changed = [field for field, value in clean.items() if getattr(locked, field) != value]
        for field in changed:
            setattr(locked, field, clean[field])
        if definition is not None:
            draft = check(definition, complete=False)
            new = digest(draft)
            if draft_digest not in {None, locked.draft_digest} and new != locked.draft_digest:
                raise Conflict(
                    "Somebody else, or you in another window, has changed this draft. Copy what you wrote, then reload.",
                    code="draft_changed",
                )
            if new != locked.draft_digest:
                locked.draft, locked.draft_digest = draft, new
                changed.append("draft")
        if changed:
            _save(locked)
            record(actor=actor, action="agent.edited", target=locked, fields=changed)
    return locked


def publish_agent(*, actor: User, agent: Agent, note: str = "") -> AgentVersion:
    """Make the draft the version that people run. Versions never change.

    Raises `Invalid` with the fields that are not ready, `Conflict` when nothing changed since the last version.
    """
    _may_edit(actor, agent)
    findings = Findings()
    note = findings.text("note", note, 300)
    if findings.fields:
        raise Invalid(fields=findings.fields)
    with transaction.atomic():
        # The lock makes two people who publish at once wait for each other; the second finds nothing changed.
        locked = _locked(agent)
        _refuse_archived(locked)
        definition = check(locked.draft)
        model_of(definition)
        new = digest(definition)
        if locked.published is not None and locked.published.digest == new:
            raise Conflict(
                f"Nothing has changed since {locked.published}, so there is nothing to publish.", code="nothing_changed"
            )
        last = locked.versions.aggregate(last=Max("number"))["last"] or 0
        version = AgentVersion.objects.create(
            agent=locked,
            department_id=locked.department_id,
            number=last + 1,
            definition=definition,
            digest=new,
            note=note,
            published_by=actor,
        )
        locked.published = version
        locked.draft, locked.draft_digest = definition, new
        locked.save(update_fields=["published", "draft", "draft_digest", "updated_at"])
        record(actor=actor, action="agent.published", target=locked, version=version.number, note=note)
    agent.refresh_from_db()
    return version


def discard_draft(*, actor: User, agent: Agent) -> Agent:
    """Go back to what is published. Raises `Conflict` when nothing is."""
    _may_edit(actor, agent)
    with transaction.atomic():
        locked = _locked(agent)
        if locked.published is None:
            raise Conflict("Nothing is published yet, so there is nothing to go back to.", code="agent_not_published")
        locked.draft, locked.draft_digest = locked.published.definition, locked.published.digest
        locked.save(update_fields=["draft", "draft_digest", "updated_at"])
        record(actor=actor, action="agent.draft_discarded", target=locked, version=locked.published.number)
    return locked


def duplicate_agent(*, actor: User, agent: Agent, name: str | None = None) -> Agent:
    """Make a copy of the draft under another name, owned by the actor, in the same department."""
    if not Agent.objects.visible_to(actor).filter(pk=agent.pk).exists():
        raise NotFound
    if not may(actor, Role.MEMBER, agent.department_id):
        raise NotAllowed("You may look at this agent but not copy it. Ask a manager of your department.")
    values = {field: getattr(agent, field) for field in IDENTITY} | {"name": name or _free_name(agent)}
    copy = Agent(department_id=agent.department_id, owner=actor, draft=agent.draft, draft_digest=agent.draft_digest)
    for field, value in _identity(values).items():
        setattr(copy, field, value)
    with transaction.atomic():
        _save(copy)
        record(actor=actor, action="agent.duplicated", target=copy, of=str(agent.uuid))
    return copy


def archive_agent(*, actor: User, agent: Agent) -> Agent:
    """Take the agent out of use; its runs and versions stay. Archiving twice changes nothing."""
    _may_edit(actor, agent)
    with transaction.atomic():
        locked = _locked(agent)
        if locked.archived_at is None:
            locked.archived_at = timezone.now()
            locked.save(update_fields=["archived_at", "updated_at"])
            record(actor=actor, action="agent.archived", target=locked)
    return locked


def restore_agent(*, actor: User, agent: Agent) -> Agent:
    """Bring an archived agent back. Raises `Conflict` when its name is in use again."""
    _may_edit(actor, agent)
    with transaction.atomic():
        locked = _locked(agent)
        if locked.archived_at is not None:
            locked.archived_at = None
            try:
                _save(locked)
            except Invalid:
                raise Conflict(
                    f"Another agent is called “{locked.name}” by now. Rename that one, then restore this one.",
                    code="name_taken",
                ) from None
            record(actor=actor, action="agent.restored", target=locked)
    return locked


def delete_agent(*, actor: User, agent: Agent) -> None:
    """Remove an agent that has never been run, with its versions. Raises `Conflict` for others."""
    _may_edit(actor, agent)
    try:
        with transaction.atomic():
            locked = _locked(agent)
            record(actor=actor, action="agent.deleted", target=locked)
            locked.delete()
    except (ProtectedError, IntegrityError):  # the second: it was run for the first time in this very moment
        raise Conflict(
            f"“{agent.name}” has been run; archive it instead, so that its runs keep their agent.",
            code="agent_has_runs",
        ) from None


def _may_edit(actor: User, agent: Agent) -> None:
    if not Agent.objects.editable_by(actor).filter(pk=agent.pk).exists():
        raise NotAllowed("Only the agent’s owner and the department’s managers may change it. You can make a copy.")


def _locked(agent: Agent) -> Agent:
    # Without joins: after a wait PostgreSQL reads the locked row anew, but joined rows as they were before.
    found = Agent.objects.select_for_update().filter(pk=agent.pk).first()
    if found is None:
        raise NotFound("This agent has been deleted.")
    return found


def _refuse_archived(agent: Agent) -> None:
    if agent.archived_at is not None:
        raise Conflict(f"“{agent.name}” is archived. Restore it to change it.", code="agent_archived")


def _identity(given: Mapping[str, Any]) -> dict[str, str]:
    """The clean values of the fields that are given. Raises `Invalid`."""
    findings = Findings()
    clean = {}
    for field in findings.mapping("", given, IDENTITY):
        if given[field] is None:
            continue
        text = findings.text(field, given[field], IDENTITY[field])
        clean[field] = " ".join(text.split()) if field != "description" else text
    if "name" in clean and not clean["name"] and "name" not in findings.fields:
        findings.add("name", "Give the agent a name.")
    if clean.get("icon", gallery.ICONS[0]) not in gallery.ICONS and "icon" not in findings.fields:
        findings.add("icon", f"Choose one of: {', '.join(gallery.ICONS)}.")
    if clean.get("visibility", Agent.Visibility.PRIVATE.value) not in Agent.Visibility.values:
        findings.add("visibility", f"Choose one of: {', '.join(Agent.Visibility.values)}.")
    if findings.fields:
        raise Invalid("Some fields are not right. Correct the marked ones.", fields=findings.fields)
    return clean


def _free_name(agent: Agent) -> str:
    """The first name that is free of "Digest (copy)", "Digest (copy 2)" and so on."""
    taken = set(
        Agent.objects.filter(department_id=agent.department_id, archived_at=None).values_list("name", flat=True)
    )
    stem = agent.name.partition(" (copy")[0][:68]
    names = (f"{stem} (copy)", *(f"{stem} (copy {number})" for number in range(2, 1000)))
    return next((name for name in names if name not in taken), stem)


def _save(agent: Agent) -> None:
    try:
        with transaction.atomic():
            agent.save()
    except IntegrityError:
        sentence = f"There is already an agent called “{agent.name}” in this department. Choose another name."
        raise Invalid(sentence, fields={"name": [sentence]}) from None
