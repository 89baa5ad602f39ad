"""Checks and normalises a team's definition, as far as that needs no rows."""

from __future__ import annotations

from typing import Any

from agents.definition.checking import checked, found_in
from agents.definition.parts import SHARED_FIELDS, read_choice, read_shared
from agents.definition.reading import Findings
from agents.definition.variables import check_instructions
from teams.definition.members import read_members
from teams.definition.words import TYPES

FIELDS = ("type", "members", *SHARED_FIELDS)


def blank() -> dict[str, Any]:
    """The definition of a team that was just made."""
    return check({}, complete=False)


def check(definition: Any, *, complete: bool = True) -> dict[str, Any]:
    """The definition in its normal form. Raises `Invalid` with dotted field paths (`members.0.role`).

    With `complete` false, a draft under way passes: members may be missing, and mappings lead nowhere yet.
    """
    return checked(read_team, definition, complete=complete)


def problems(definition: Any) -> dict[str, list[str]]:
    """What keeps a definition from being published, by field path; what hangs on rows is in `teams.specs.obstacles`."""
    return found_in(read_team, definition)


def read_team(definition: Any, findings: Findings, complete: bool) -> dict[str, Any]:  # noqa: FBT001 -- a `Reader`
    """A team's definition in its normal form."""
    given = findings.mapping("", definition, FIELDS)
    normal = read_shared(given, findings, complete=complete)
    normal["type"] = read_choice("type", given.get("type"), [one.key for one in TYPES], findings, default="coordinate")
    names = {variable["name"] for variable in normal["variables"] if variable["name"]}
    normal["members"] = read_members(given.get("members"), names, findings, complete=complete)
    if complete and "instructions" not in findings.fields:
        check_instructions(normal, findings, missing="Say what the leader should do.")
    return normal
