"""Leads a team without a language model: whom to ask by the words of their roles, and the answers one below the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mindloom.engine.extractive.reading import keywords
from mindloom.engine.extractive.writing import CLOSING, Result

if TYPE_CHECKING:
    from mindloom.engine.extractive.asking import Request
    from mindloom.engine.extractive.calling import Call, Offered

ONE, ALL = "delegate_task_to_member", "delegate_task_to_members"
_MEMBER = re.compile(r'<member id="([^"]+)" name="([^"]*)"[^>]*>(.*?)</member>', re.DOTALL)
_ROUTES = "You work in route mode"
_WORDS = 40


@dataclass(frozen=True)
class Member:
    """Somebody who can be asked: id, name, and what stands about them."""

    id: str
    name: str
    about: str


def members(system: str) -> list[Member]:
    """The roster that a leader's system message holds."""
    return [Member(*found) for found in _MEMBER.findall(system)]


def calls(request: Request, tools: Sequence[Offered]) -> list[Call]:
    """Whom to ask at first; nobody when there is no team. The task is the request, whole."""
    names = {tool.name for tool in tools}
    roster = members(request.instructions)
    if ALL in names:
        return [(ALL, {"task": request.text})]
    if ONE not in names or not roster:
        return []
    asked = [_fittest(roster, request.text)] if _ROUTES in request.instructions else roster
    return [(ONE, {"member_id": one.id, "task": request.text}) for one in asked]


def answer(request: Request, results: Sequence[Result]) -> str:
    """What the members said, each under its name. "" when nobody was asked."""
    names = {one.id: one.name for one in members(request.instructions)}
    parts = []
    for result in results:
        text = result.text.replace(f"*{CLOSING}*", "").strip()
        if result.tool == ALL:
            parts.append(_headed(text, list(names.values())))
        elif result.tool == ONE:
            parts.append(f"## {names.get(result.arguments, result.arguments)}\n\n{_below(text)}")
    return "\n\n".join([*parts, f"*{CLOSING}*"]) if parts else ""


def _fittest(roster: Sequence[Member], text: str) -> Member:
    """The member whose name and role share the most words with the request; the first among equals."""
    wanted = set(keywords(text, _WORDS))
    return max(roster, key=lambda one: len(wanted & set(keywords(f"{one.name} {one.about}", _WORDS))))


def _headed(text: str, names: Sequence[str]) -> str:
    """`Name: answer` paragraphs of all members, as sections."""
    for name in names:
        text = re.sub(rf"^{re.escape(name)}: ", f"\n## {name}\n\n", text, flags=re.MULTILINE)
    head, *sections = re.split(r"^(?=## (?:" + "|".join(map(re.escape, names)) + r")$)", text, flags=re.MULTILINE)
    made = [head.strip()]
    for section in sections:
        title, _, body = section.strip().partition("\n")
        made.append(f"{title}\n\n{_below(body.replace(f'*{CLOSING}*', ''))}")
    return "\n\n".join(part for part in made if part)


def _below(text: str) -> str:
    """The text with its headings a step smaller, to stand under another."""
    return re.sub(r"^(#{1,5}) ", r"#\1 ", text.strip(), flags=re.MULTILINE)
