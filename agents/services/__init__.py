"""Everything that can be done with agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents import gallery
from agents.definition import blank, check, exchange
from agents.definition.checking import raise_findings
from agents.models import Agent, AgentVersion
from agents.queries import model_named
from agents.services.keeping import Keeper
from agents.specs import obstacles
from mindloom.web.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User

IDENTITY = {"name": 80, "description": 300, "icon": 40, "category": 40, "visibility": 16}
"""The fields of an agent beside its definition, and how long they may be."""


@dataclass(frozen=True)
class Imported:
    """A new agent, and what its editors have to choose again."""

    agent: Agent
    notes: tuple[str, ...]


def _normal(definition: Any) -> dict[str, Any]:
    return check(definition, complete=False)


def _ready(actor: User, agent: Agent) -> dict[str, Any]:
    definition = check(agent.draft)
    raise_findings(obstacles(definition, agent.department_id, actor))
    return definition


_agents: Keeper[Agent, AgentVersion] = Keeper(
    word="agent",
    model=Agent,
    version=AgentVersion,
    identity=IDENTITY,
    icons=gallery.ICONS,
    normal=_normal,
    ready=_ready,
)


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
    found = gallery.find(template) if template else None
    if template and found is None:
        raise Invalid("There is no such template.", fields={"template": ["Choose one of the gallery."]})
    base = found.definition() if found is not None else blank()
    if found is not None:
        identity = {"description": found.description, "icon": found.icon, "category": found.category, **identity}
    return _agents.create(
        actor=actor,
        department_id=department_id,
        definition={**base, **(definition or {})},
        identity={"name": name, **identity},
        done="created",
        template=template or "",
    )


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
    return _agents.update_draft(
        actor=actor, row=agent, definition=definition, draft_digest=draft_digest, identity=identity
    )


def publish_agent(*, actor: User, agent: Agent, note: str = "") -> AgentVersion:
    """Make the draft the version that people run. Versions never change.

    Raises `Invalid` with the fields that are not ready, `Conflict` when nothing changed since the last version.
    """
    return _agents.publish(actor=actor, row=agent, note=note)


def import_agent(*, actor: User, department_id: int, data: bytes) -> Imported:
    """Make a new agent, owned by the actor, from an exported file. Raises `Invalid` with a sentence or fields by path.

    It has a draft only: connections are chosen again, then it is published like any other.
    """
    file = exchange.read_file(exchange.AGENT, data)
    identity = _agents.clean({"name": "", **file.identity})
    with exchange.inside_file():
        definition, notes = exchange.unnamed(file.definition, model_named)
        definition = check(definition, complete=False)
    identity["name"] = _agents.free_name(department_id, identity["name"])
    agent = _agents.create(
        actor=actor, department_id=department_id, definition=definition, identity=identity, done="imported"
    )
    return Imported(agent, tuple(notes))


def restore_version(*, actor: User, agent: Agent, number: int) -> Agent:
    """Make an earlier version the draft. Raises `NotFound`, or `Conflict` for an archived agent."""
    return _agents.restore_version(actor=actor, row=agent, number=number)


def transfer_agent(*, actor: User, agent: Agent, to: User) -> Agent:
    """Make somebody else of the department the owner. Raises `Invalid` for people who could not work on it."""
    return _agents.transfer(actor=actor, row=agent, to=to)


def discard_draft(*, actor: User, agent: Agent) -> Agent:
    """Go back to what is published. Raises `Conflict` when nothing is."""
    return _agents.discard_draft(actor=actor, row=agent)


def duplicate_agent(*, actor: User, agent: Agent, name: str | None = None, department_id: int | None = None) -> Agent:
    """Make a copy under another name, owned by the actor, in the same department or another one of theirs.

    Of an agent that another department shares, the published version is copied: its draft is that department's.
    """
    department = agent.department_id if department_id is None else department_id
    return _agents.duplicate(actor=actor, row=agent, department_id=department, name=name)


def archive_agent(*, actor: User, agent: Agent) -> Agent:
    """Take the agent out of use; its runs and versions stay. Archiving twice changes nothing."""
    return _agents.archive(actor=actor, row=agent)


def restore_agent(*, actor: User, agent: Agent) -> Agent:
    """Bring an archived agent back. Raises `Conflict` when its name is in use again."""
    return _agents.restore(actor=actor, row=agent)


def delete_agent(*, actor: User, agent: Agent) -> None:
    """Remove an agent that has never been run, with its versions. Raises `Conflict` for others."""
    _agents.delete(actor=actor, row=agent)
