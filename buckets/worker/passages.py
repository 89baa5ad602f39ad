"""Cuts pages into passages. Values only: the database does not matter here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SENTENCE_END = re.compile(r"(?<=[.!?…。])[\"'”)\]]*\s+")
_PARAGRAPH = re.compile(r"\n\s*\n|\n(?=- )")


@dataclass(frozen=True)
class Source:
    """A page, as far as passages want to know it."""

    number: int
    label: str
    heading: str
    text: str


@dataclass(frozen=True)
class Passage:
    """A piece that can be found and quoted: text of one page, whole paragraphs where they fit."""

    text: str
    page: int
    label: str
    heading: str


def passages(pages: Iterable[Source], longest: int) -> Iterator[Passage]:
    """The passages of the pages, in their order, none longer than `longest`.

    Short sections that follow each other under the same heading stay apart only where their pages do: a passage never spans two
    pages, so that what is quoted can be looked up.
    """
    for page in pages:
        for text in _packed(_blocks(page.text, longest), longest):
            yield Passage(text, page.number, page.label, page.heading)


def _blocks(text: str, longest: int) -> Iterator[str]:
    """Paragraphs; those that are too long by lines, then by sentences, then by words."""
    for paragraph in _PARAGRAPH.split(text):
        yield from _fitting(paragraph.strip(), longest, (_lines, _sentences, _words))


def _fitting(text: str, longest: int, ways: tuple) -> Iterator[str]:  # type: ignore[type-arg] # of functions, shorter each time
    if len(text) <= longest:
        if text:
            yield text
        return
    if not ways:
        for start in range(0, len(text), longest):
            yield text[start : start + longest]
        return
    joint = "\n" if ways[0] is _lines else " "
    begun = ""
    for piece in ways[0](text):
        if begun and len(begun) + len(piece) + 1 > longest:
            yield from _fitting(begun, longest, ways[1:])
            begun = piece
        else:
            begun = f"{begun}{joint}{piece}" if begun else piece
    yield from _fitting(begun, longest, ways[1:])


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _sentences(text: str) -> list[str]:
    return _SENTENCE_END.split(text)


def _words(text: str) -> list[str]:
    return text.split()


def _packed(blocks: Iterable[str], longest: int) -> Iterator[str]:
    """Neighbours together, as many as fit."""
    begun = ""
    for block in blocks:
        if begun and len(begun) + len(block) + 2 > longest:
            yield begun
            begun = block
        else:
            begun = f"{begun}\n\n{block}" if begun else block
    if begun:
        yield begun
