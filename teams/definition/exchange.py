"""Teams as YAML files: what `agents.definition.exchange` says, and members by their name and uuid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agents.definition.checking import raise_findings
from agents.definition.exchange import Format
from agents.definition.reading import Findings

TEAM = Format(word="team", name="mindloom/team", version=1, identity=("name", "description", "icon"))


@dataclass(frozen=True)
class Found:
    """The agent here that a file means; `exact` when it is the very one that was exported."""

    uuid: str
    exact: bool


def members_named(definition: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A definition whose members are named. `names` are the agents' by uuid."""
    members = [
        {**one, "agent": {"name": names.get(one["agent"], ""), "uuid": one["agent"]}} for one in definition["members"]
    ]
    return {**definition, "members": members}


def members_found(
    definition: Mapping[str, Any], find: Callable[[str, str], Found | None]
) -> tuple[dict[str, Any], list[str]]:
    """A file's definition with the agents of here, and sentences about what is different. `find` takes uuid and name.

    Raises `Invalid` about members that are not here.
    """
    rows = definition.get("members")
    if not isinstance(rows, list):
        return dict(definition), []
    findings = Findings()
    notes: list[str] = []
    members = [_member(f"members.{place}", row, find, findings, notes) for place, row in enumerate(rows)]
    raise_findings(findings.fields)
    return {**definition, "members": members}, notes


def _member(path: str, row: Any, find: Callable[[str, str], Found | None], findings: Findings, notes: list[str]) -> Any:
    if not isinstance(row, dict):
        return row  # the definition's reader says what is wrong with it
    path = f"{path}.agent"
    given = findings.mapping(path, row.get("agent"), ("name", "uuid"))
    name = findings.text(f"{path}.name", given.get("name"), 80)
    uuid = findings.text(f"{path}.uuid", given.get("uuid"), 36)
    if not name and not uuid:
        if not any(one.startswith(path) for one in findings.fields):
            findings.add(path, "Name the agent: its name, its uuid, or both.")
        return row
    found = find(uuid, name)
    if found is None:
        who = f"“{name}”" if name else uuid
        findings.add(
            path,
            f"There is no agent {who} here that you may run. Import and publish it first, or take it out of the file.",
        )
        return row
    if not found.exact and row.get("version") is not None:
        notes.append(f"“{name}” is another agent than the file’s, so its current version is used.")
        return {**row, "agent": found.uuid, "version": None}
    return {**row, "agent": found.uuid}
