"""What a search finds: passages, with where they stand and why they were found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

START, STOP = "\x02", "\x03"
_MARKED = re.compile(f"{START}(.*?){STOP}", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """Some text of a passage; `is_hit` where a word of the question stands."""

    text: str
    is_hit: bool


@dataclass(frozen=True)
class Place:
    """How well one way of searching found a passage: its place, counted from 1, and that way's own score."""

    rank: int
    score: float


@dataclass(frozen=True)
class Hit:
    """A passage that was found, with where it stands and why. `score` is 1 when every way of searching has it first."""

    bucket: UUID
    bucket_name: str
    document: UUID
    document_name: str
    version: int
    passage: int
    page: int
    label: str
    heading: str
    text: str
    score: float
    words: tuple[str, ...]
    marked: str
    by_words: Place | None = None
    by_meaning: Place | None = None

    @property
    def pieces(self) -> list[Piece]:
        """The text, taken apart for highlighting."""
        found: list[Piece] = []
        for place, text in enumerate(_MARKED.split(self.marked or self.text)):
            if text:
                found.append(Piece(text, place % 2 == 1))
        return found

    @property
    def location(self) -> str:
        """Where in the document it is, in words: “page 3, Fees › Refunds”."""
        return ", ".join(filter(None, [self.label, self.heading]))


@dataclass(frozen=True)
class Found:
    """Passages, best first. `notes` say what could not be searched, and why."""

    hits: list[Hit]
    notes: tuple[str, ...] = ()
