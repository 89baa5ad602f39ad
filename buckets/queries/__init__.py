"""Reads of buckets that pages, API and runs share."""

from buckets.queries.generations import Generations, generations_of, settings_of, versions_of
from buckets.queries.hits import Found, Hit, Piece
from buckets.queries.listing import (
    Filters,
    choices_for,
    counted,
    document_rows,
    found_passages,
    listed,
    live_pages,
    readable,
    source_rows,
    state_counts,
)
from buckets.queries.narrowing import Only, tags_of
from buckets.queries.searching import find, find_in, search

__all__ = [
    "Filters",
    "Found",
    "Generations",
    "Hit",
    "Only",
    "Piece",
    "choices_for",
    "counted",
    "document_rows",
    "find",
    "find_in",
    "found_passages",
    "generations_of",
    "listed",
    "live_pages",
    "readable",
    "search",
    "settings_of",
    "source_rows",
    "state_counts",
    "tags_of",
    "versions_of",
]
