"""Two texts side by side in one: lines that stayed, went and came, and in changed lines the words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS = 2_000
_AROUND = 2


@dataclass(frozen=True)
class Piece:
    """Some words. `kind` is "" for what stayed, "del" for what went, "ins" for what came."""

    kind: str
    text: str


@dataclass(frozen=True)
class Line:
    """A line. `kind` is "same", "changed", "del", "ins", or "gap" for `skipped` lines that stayed and are not shown."""

    kind: str
    pieces: tuple[Piece, ...] = ()
    skipped: int = 0


def lines(before: str, after: str) -> list[Line]:
    """The lines of both texts, those far from any change left out; empty when nothing changed."""
    if before == after:
        return []
    old, new = before.splitlines(), after.splitlines()
    found: list[Line] = []
    matcher = SequenceMatcher(a=old, b=new, autojunk=len(old) > 1_000 or len(new) > 1_000)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            found += [Line("same", (Piece("", line),)) for line in old[i:j]]
        else:
            found += _changed(old[i:j], new[k:m])
    return list(_without_the_quiet(found))


def _changed(old: list[str], new: list[str]) -> Iterator[Line]:
    for before, after in zip_longest(old, new):
        if after is None:
            yield Line("del", (Piece("del", before),))
        elif before is None:
            yield Line("ins", (Piece("ins", after),))
        else:
            yield from _words(before, after)


def _words(before: str, after: str) -> Iterator[Line]:
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    few = len(old) + len(new) <= _MOST_WORDS
    matcher = SequenceMatcher(a=old, b=new, autojunk=False) if few else None
    # Lines that have little in common read better one after the other than interwoven.
    if matcher is None or matcher.ratio() < 0.4:
        yield Line("del", (Piece("del", before),))
        yield Line("ins", (Piece("ins", after),))
        return
    pieces: list[Piece] = []
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(Piece("", "".join(old[i:j])))
            continue
        pieces += [Piece(tag, text) for tag, text in (("del", "".join(old[i:j])), ("ins", "".join(new[k:m]))) if text]
    yield Line("changed", tuple(pieces))


def _without_the_quiet(found: list[Line]) -> Iterator[Line]:
    loud = {place for place, line in enumerate(found) if line.kind != "same"}
    near = {place + step for place in loud for step in range(-_AROUND, _AROUND + 1)}
    skipped = 0
    for place, line in enumerate(found):
        if place not in near:
            skipped += 1
            continue
        if skipped:
            yield Line("gap", skipped=skipped)
            skipped = 0
        yield line
    if skipped:
        yield Line("gap", skipped=skipped)
