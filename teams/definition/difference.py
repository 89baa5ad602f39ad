"""What changed from one team's definition to another, in sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agents.definition.difference import Names, shared_sentences
from teams.definition.words import find_type

Definition = Mapping[str, Any]
GONE = "an agent that is gone"


def sentences(before: Definition, after: Definition, names: Names, agents: Mapping[str, str]) -> list[str]:
    """Everything that changed, who works together first. `agents` are the members' names by uuid."""
    return [
        *_type(before, after),
        *_members(before["members"], after["members"], agents),
        *shared_sentences(before, after, names),
    ]


def _type(before: Definition, after: Definition) -> Iterator[str]:
    if before["type"] != after["type"]:
        old, new = (find_type(one["type"]) for one in (before, after))
        yield f"Type: {old.name if old else '–'} → {new.name if new else '–'}."


def _members(before: list[Definition], after: list[Definition], agents: Mapping[str, str]) -> Iterator[str]:
    old, new = ({one["agent"]: one for one in rows} for rows in (before, after))
    for uuid, one in new.items():
        if uuid not in old:
            yield f"{_name(uuid, agents)} joined{_with_role(one)}."
    for uuid in old:
        if uuid not in new:
            yield f"{_name(uuid, agents)} left."
    for uuid, one in new.items():
        if uuid in old:
            yield from (f"{_name(uuid, agents)}: {change}." for change in _of_member(old[uuid], one))
    if [uuid for uuid in new if uuid in old] != [uuid for uuid in old if uuid in new]:
        yield f"The members stand in another order: {', '.join(_name(uuid, agents) for uuid in new)}."


def _name(uuid: str, agents: Mapping[str, str]) -> str:
    name = agents.get(uuid, GONE)
    return name[0].upper() + name[1:]


def _with_role(member: Definition) -> str:
    return f" as “{member['role']}”" if member["role"] else ""


def _of_member(old: Definition, new: Definition) -> Iterator[str]:
    if old["version"] != new["version"]:
        one, other = (f"v{row['version']}" if row["version"] else "always the current version" for row in (old, new))
        yield f"{one} → {other}"
    if old["role"] != new["role"]:
        yield f"its role is now “{new['role']}”" if new["role"] else "it has no role any more"
    for name in {**old["variables"], **new["variables"]}:
        one, other = old["variables"].get(name), new["variables"].get(name)
        if one != other:
            yield f"{name} comes from {_source(other)}, not from {_source(one)}"


def _source(source: Definition | None) -> str:
    if source is None:
        return "its own default"
    if "from" in source:
        return f"the team’s {source['from']}"
    text = str(source["value"])
    return f"“{text if len(text) <= 60 else text[:57] + '…'}”"
