"""What each length of passages would make of a document, before anything is changed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from buckets.models import PassageLength
from buckets.queries import live_pages
from buckets.worker.passages import Passage, Source, passages

if TYPE_CHECKING:
    from buckets.models import Document

MOST_PAGES = 200
"""Parts of a document that are cut to see what comes of it."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What a length makes of a document's first parts: how many passages, how long they mostly are, and the first of them."""

    length: PassageLength
    count: int
    usual: int
    first: list[Passage]


def cuts(document: Document, *, shown: int) -> list[Cut]:
    """What each length makes of a document; `shown` passages of each are told."""
    version = document.live or document.newest
    pages = list(live_pages(version)[:MOST_PAGES]) if version is not None else []
    sources = [Source(one.number, one.label, one.heading, one.text) for one in pages]
    return [_cut(length, sources, shown) for length in PassageLength]


def _cut(length: PassageLength, sources: list[Source], shown: int) -> Cut:
    made = passages(sources, length.characters)
    first = list(islice(made, shown))
    sizes = sorted([len(one.text) for one in first] + [len(one.text) for one in made])
    return Cut(length=length, count=len(sizes), usual=sizes[len(sizes) // 2] if sizes else 0, first=first)
