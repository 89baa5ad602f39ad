"""Looks things up in Wikipedia, in a language of choice."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from urllib.parse import quote

from integrations.tools.base import ConfigField, Setup, Tool, function
from integrations.tools.calling import ask
from integrations.tools.markup import readable
from integrations.tools.wording import cut, limit, needed, shortened, whole
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

ADDRESS = "https://{language}.wikipedia.org"
"""Where a language's encyclopedia is."""
MOST_CHARACTERS = 30_000
_MOST, _DEFAULT = 20, 6
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{2,10})?|simple")


def language(text: str) -> str:
    """The code of a language. Raises `ValueError` with a sentence."""
    code = text.strip().lower() or "en"
    if not _LANGUAGE.fullmatch(code):
        raise ValueError(f"“{text.strip()[:30]}” is not the code of a language. Write it like en, de or fr.")
    return code


def _ask(code: str, parameters: dict[str, object]) -> dict[str, Any]:
    site = ADDRESS.format(language=code)
    found = ask(
        "Wikipedia", f"{site}/w/api.php", {"action": "query", "format": "json", "formatversion": 2, **parameters}
    )
    if not isinstance(found, dict) or "error" in found:
        raise ToolError(f"Wikipedia did not answer the question: {shortened(found, 200)}")
    query = found.get("query")
    return query if isinstance(query, dict) else {}


def _search(code: str, arguments: dict[str, Any], context: ToolContext) -> str:
    query = needed(arguments, "query", "what to look up", 300)
    amount = whole(arguments, "limit", _DEFAULT, _MOST)
    found = _ask(code, {"list": "search", "srsearch": query, "srlimit": amount}).get("search") or []
    if not found:
        return f"Wikipedia ({code}) has no article about “{shortened(query, 100)}”. Try other words."
    return "\n\n".join(
        f"{number}. {shortened(one.get('title'), 200)}\n{shortened(readable(str(one.get('snippet') or ''))[1], 300)}"
        for number, one in enumerate(found[:amount], 1)
    )


def _article(code: str, arguments: dict[str, Any], context: ToolContext) -> str:
    title = needed(arguments, "title", "which article", 300)
    whole_article = bool(arguments.get("whole"))
    pages = _ask(
        code,
        {"prop": "extracts", "titles": title.replace("|", " "), "redirects": 1, "explaintext": 1, "exintro": None if whole_article else 1},
    ).get("pages") or [{}]  # fmt: skip
    page = pages[0]
    text = str(page.get("extract") or "").strip()
    if not text:
        raise ToolError(
            f"Wikipedia ({code}) has no article “{shortened(title, 100)}”. Search for its exact title first."
        )
    name = shortened(page.get("title") or title, 200)
    address = f"{ADDRESS.format(language=code)}/wiki/{quote(name.replace(' ', '_'))}"
    return f"# {name}\n{address}\n\n{cut(text, MOST_CHARACTERS, 'The article')}"


def _functions(setup: Setup) -> list[ToolFunction]:
    code = setup.config.get("language") or "en"
    return [
        function(
            "wikipedia_search",
            "Search Wikipedia for articles; returns titles and excerpts.",
            {"query": {"type": "string", "description": "What to look up"}, "limit": limit(_MOST, _DEFAULT)},
            partial(_search, code),
            required=("query",),
        ),
        function(
            "wikipedia_article",
            "Read a Wikipedia article by its exact title: its introduction, or all of it.",
            {
                "title": {"type": "string", "description": "The article's exact title"},
                "whole": {"type": "boolean", "description": "The whole article instead of its introduction"},
            },
            partial(_article, code),
            required=("title",),
        ),
    ]


TOOL = Tool(
    key="wikipedia",
    name="Wikipedia",
    description="Finds and reads articles of the encyclopedia.",
    icon="book-open",
    effect="reads",
    functions=_functions,
    config_fields=(
        ConfigField(
            name="language",
            label="Language",
            help="The code of a language, such as en, de or fr. Empty: en.",
            check=language,
        ),
    ),
)
