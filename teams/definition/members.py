"""Reads the members of a team: which agent, in which version, with which role and values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings

from agents.definition.parts import read_uuid
from agents.definition.reading import Findings, clean_name, text_problem
from agents.definition.variables import MOST_VARIABLES

FEWEST_MEMBERS = 2
LONGEST_ROLE = 300
_LONGEST_VALUE = 50_000
_FIELDS = ("agent", "version", "role", "variables")


def read_members(
    value: Any, team_variables: Collection[str], findings: Findings, *, complete: bool
) -> list[dict[str, Any]]:
    """The members in their order and normal form. `team_variables` are the names that a member's variable may come from."""
    most = settings.TEAM_MAX_MEMBERS
    rows = findings.rows("members", value, most)
    normal: list[dict[str, Any]] = []
    for place, row in enumerate(rows):
        member = _member(f"members.{place}", row, team_variables, findings, complete=complete)
        if member["agent"] and member["agent"] in {one["agent"] for one in normal}:
            findings.add(
                f"members.{place}.agent", "This agent is in the team already. Take it out here, or choose another."
            )
        normal.append(member)
    if complete and len(rows) < FEWEST_MEMBERS and "members" not in findings.fields:
        have = "has one member" if rows else "has no members"
        findings.add("members", f"A team needs at least two members; this one {have}. Add agents that you may run.")
    return normal


def _member(
    path: str, row: Any, team_variables: Collection[str], findings: Findings, *, complete: bool
) -> dict[str, Any]:
    given = findings.mapping(path, row, _FIELDS)
    agent = read_uuid(f"{path}.agent", given.get("agent"), findings, "Choose one of the agents.")
    if agent is None and f"{path}.agent" not in findings.fields:
        findings.add(f"{path}.agent", "Choose an agent.")
    return {
        "agent": agent,
        "version": findings.number(f"{path}.version", given.get("version"), 1, 2**31 - 1, whole=True),
        "role": findings.text(f"{path}.role", given.get("role"), LONGEST_ROLE),
        "variables": _sources(f"{path}.variables", given.get("variables"), team_variables, findings, complete=complete),
    }


def _sources(
    path: str, value: Any, team_variables: Collection[str], findings: Findings, *, complete: bool
) -> dict[str, dict[str, Any]]:
    """Where the values of the member's variables come from: `{"from": name}` or `{"value": …}` by the variable's name."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        findings.add(path, "This must be an object of variables.")
        return {}
    if len(value) > MOST_VARIABLES:
        findings.add(path, f"There are {len(value):,}; {MOST_VARIABLES} are the most.")
        return {}
    normal: dict[str, dict[str, Any]] = {}
    for name in sorted(value, key=str):
        here = f"{path}.{clean_name(name)}"
        source = _source(here, value[name], findings)
        if complete and "from" in source and source["from"] not in team_variables:
            findings.add(
                here, f"The team has no variable called {source['from']}. Add it to the team, or fill in a value."
            )
        if source:
            normal[str(name)] = source
    return normal


def _source(path: str, value: Any, findings: Findings) -> dict[str, Any]:
    given = findings.mapping(path, value, ("from", "value"))
    if "from" in given and "value" in given:
        findings.add(path, "Give a value or name a variable of the team, not both.")
        return {}
    if "from" in given:
        name = findings.text(path, given["from"], 40)
        return {"from": name} if name else {}
    plain = given.get("value")
    if plain is None or plain == "":
        return {}
    if not isinstance(plain, str | int | float | bool):
        findings.add(path, "This must be text, a number, or true or false.")
        return {}
    if isinstance(plain, str) and (problem := text_problem(plain, _LONGEST_VALUE)):
        findings.add(path, problem)
        return {}
    return {"value": plain}
