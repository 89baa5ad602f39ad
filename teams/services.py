"""Everything that can be done with teams."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from agents.definition import exchange
from agents.definition.checking import raise_findings
from agents.queries import model_named
from agents.services.keeping import Keeper
from teams.definition import blank, check
from teams.definition.exchange import TEAM, members_found
from teams.models import Team, TeamVersion
from teams.queries import agent_meant
from teams.specs import obstacles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User

IDENTITY = {"name": 80, "description": 300, "icon": 40, "visibility": 16}
"""The fields of a team beside its definition, and how long they may be."""
ICONS = (
    *("users-round", "users", "network", "split", "blend", "handshake", "messages-square", "newspaper", "megaphone"),
    *(
        "briefcase",
        "scale",
        "search",
        "file-text",
        "calculator",
        "shield-check",
        "lightbulb",
        "graduation-cap",
        "globe",
    ),
)
"""What a team can look like."""


@dataclass(frozen=True)
class Imported:
    """A new team, and what its editors should know."""

    team: Team
    notes: tuple[str, ...]


def _normal(definition: Any) -> dict[str, Any]:
    return check(definition, complete=False)


def _ready(actor: User, team: Team) -> dict[str, Any]:
    definition = check(team.draft)
    raise_findings(obstacles(definition, team.department_id, actor, team.visibility))
    return definition


_teams: Keeper[Team, TeamVersion] = Keeper(
    word="team", model=Team, version=TeamVersion, identity=IDENTITY, icons=ICONS, normal=_normal, ready=_ready
)


def create_team(
    *,
    actor: User,
    department_id: int,
    name: str,
    type: str | None = None,
    definition: Mapping[str, Any] | None = None,
    **identity: Any,
) -> Team:
    """Make a team with a draft, of a type or with what is given of a definition.

    `identity`: description, icon, visibility. Raises `NotAllowed` for viewers and strangers, `Invalid`.
    """
    start = blank() | ({"type": type} if type is not None else {})
    return _teams.create(
        actor=actor,
        department_id=department_id,
        definition={**start, **(definition or {})},
        identity={"name": name, **identity},
        done="created",
    )


def update_draft(
    *,
    actor: User,
    team: Team,
    definition: Mapping[str, Any] | None = None,
    draft_digest: str | None = None,
    **identity: Any,
) -> Team:
    """Keep the draft as it is being worked on, and name, description, icon and visibility when they are given.

    `draft_digest` is what the writer saw last: when the draft has changed since, `Conflict` is raised and nothing is kept.
    """
    return _teams.update_draft(
        actor=actor, row=team, definition=definition, draft_digest=draft_digest, identity=identity
    )


def publish_team(*, actor: User, team: Team, note: str = "") -> TeamVersion:
    """Make the draft the version that people run. Versions never change.

    Raises `Invalid` with the fields that are not ready, `Conflict` when nothing changed since the last version.
    """
    return _teams.publish(actor=actor, row=team, note=note)


def import_team(*, actor: User, department_id: int, data: bytes) -> Imported:
    """Make a new team, owned by the actor, from an exported file. Raises `Invalid` with a sentence or fields by path.

    Members are the agents of here that the file names. It has a draft only, to be published like any other.
    """
    file = exchange.read_file(TEAM, data)
    identity = _teams.clean({"name": "", **file.identity})
    with exchange.inside_file():
        definition, notes = exchange.unnamed(file.definition, model_named)
        definition, more = members_found(definition, partial(agent_meant, actor))
        definition = check(definition, complete=False)
    identity["name"] = _teams.free_name(department_id, identity["name"])
    team = _teams.create(
        actor=actor, department_id=department_id, definition=definition, identity=identity, done="imported"
    )
    return Imported(team, (*notes, *more))


def discard_draft(*, actor: User, team: Team) -> Team:
    """Go back to what is published. Raises `Conflict` when nothing is."""
    return _teams.discard_draft(actor=actor, row=team)


def restore_version(*, actor: User, team: Team, number: int) -> Team:
    """Make an earlier version the draft; people go on with what is published until that draft is published."""
    return _teams.restore_version(actor=actor, row=team, number=number)


def duplicate_team(*, actor: User, team: Team, department_id: int | None = None, name: str | None = None) -> Team:
    """Make a copy of the draft under another name, owned by the actor, in the same department unless one is given."""
    department = team.department_id if department_id is None else department_id
    return _teams.duplicate(actor=actor, row=team, department_id=department, name=name)


def transfer_team(*, actor: User, team: Team, to: User) -> Team:
    """Make somebody else the owner. Raises `Invalid` when they could not work on it."""
    return _teams.transfer(actor=actor, row=team, to=to)


def archive_team(*, actor: User, team: Team) -> Team:
    """Take the team out of use; its runs and versions stay. Archiving twice changes nothing."""
    return _teams.archive(actor=actor, row=team)


def restore_team(*, actor: User, team: Team) -> Team:
    """Bring an archived team back. Raises `Conflict` when its name is in use again."""
    return _teams.restore(actor=actor, row=team)


def delete_team(*, actor: User, team: Team) -> None:
    """Remove a team that has never been run, with its versions. Raises `Conflict` for others."""
    _teams.delete(actor=actor, row=team)
