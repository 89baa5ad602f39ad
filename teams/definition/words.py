"""What a team does, in words: each type, and one whole team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TeamType:
    """A way of working together."""

    key: str
    name: str
    sentence: str
    icon: str


TYPES = (
    TeamType(
        "route",
        "Route",
        "The leader reads the request and hands it to the one member that fits best; that member answers.",
        "split",
    ),
    TeamType(
        "coordinate",
        "Coordinate",
        "The leader gives parts of the work to members, reads what they bring, and writes the answer.",
        "network",
    ),
    TeamType(
        "collaborate",
        "Collaborate",
        "All members work on the whole request at the same time; the leader makes one answer of theirs.",
        "blend",
    ),
)
_NOBODY = "No members yet. Add at least two agents."
_SAID = {
    "route": "Route: the leader hands each request to the one that fits, {either}.",
    "coordinate": "Coordinate: the leader gives parts to {all}, then writes the answer.",
    "collaborate": "Collaborate: {all} work on the whole request at the same time, then the leader makes one answer.",
}


def find_type(key: object) -> TeamType | None:
    """The type with this key."""
    return next((one for one in TYPES if one.key == key), None)


def said(kind: str, names: Sequence[str]) -> str:
    """One sentence about a team whose members have these names."""
    if not names:
        return _NOBODY
    return _SAID[kind].format(all=listed(names, "and"), either=listed(names, "or"))


def listed(names: Sequence[str], word: str) -> str:
    """Names as a person would say them: A; A and B; A, B and C."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"
