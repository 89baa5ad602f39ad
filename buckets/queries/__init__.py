"""Reads of buckets that pages, API and runs share."""

from buckets.queries.listing import (
    Filters,
    choices_for,
    counted,
    document_rows,
    listed,
    live_pages,
    readable,
    source_rows,
    state_counts,
)
from buckets.queries.narrowing import Only, tags_of
from buckets.queries.searching import Hit, Piece, search

__all__ = [
    "Filters",
    "Hit",
    "Only",
    "Piece",
    "choices_for",
    "counted",
    "document_rows",
    "listed",
    "live_pages",
    "readable",
    "search",
    "source_rows",
    "state_counts",
    "tags_of",
]
