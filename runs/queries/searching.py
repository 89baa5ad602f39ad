"""Words in what was asked of a run and what it answered."""

from __future__ import annotations

import re
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q

CONFIGURATION = "simple"
"""PostgreSQL's text search without a language: words as they stand. `runs_words` in the database uses the same."""
MOST_WORDS = 20
_NUMBER = re.compile(r"#\d{1,18}")


def matching(text: str) -> Q:
    """Runs that have all the words, or words that begin so; "quoted words" one after the other; -word leaves out.

    A run's number (#123) or uuid finds that run.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return Q(pk=int(text[1:]))
    try:
        return Q(uuid=UUID(text))
    except ValueError:
        pass
    if '"' in text or re.search(r"(^|\s)-\S|\sor\s", text, re.IGNORECASE):
        return Q(search=SearchQuery(text, config=CONFIGURATION, search_type="websearch"))
    words = " & ".join(f"'{_quoted(word)}':*" for word in text.split()[:MOST_WORDS] if any(map(str.isalnum, word)))
    return Q(search=SearchQuery(words, config=CONFIGURATION, search_type="raw")) if words else Q(pk__in=[])


def _quoted(word: str) -> str:
    """As a word of a tsquery stands between apostrophes."""
    return word.replace("\\", "\\\\").replace("'", "''")
