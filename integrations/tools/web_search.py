"""Searches the web through a search service of the department's choice."""

from __future__ import annotations

from functools import partial
from typing import Any

from integrations.tools.base import OpenConnection, Setup, Tool, function
from integrations.tools.calling import ask
from integrations.tools.probes import bearer
from integrations.tools.wording import limit, needed, shortened, whole
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

_MOST, _DEFAULT = 20, 8
_AGES = ("day", "week", "month", "year")


def _search(connection: OpenConnection | None, arguments: dict[str, Any], context: ToolContext) -> str:
    assert connection is not None
    query = needed(arguments, "query", "what to search for", 500)
    found = ask(
        "The search service",
        connection.values["base_url"],
        {"q": query, "format": "json", "time_range": arguments.get("newer_than")},
        headers={"accept": "application/json", **bearer(connection.values)},
    )
    results = found.get("results") if isinstance(found, dict) else None
    if not isinstance(results, list):
        raise ToolError("The search service did not answer with results. Check the connection.")
    pages = [page for page in results if isinstance(page, dict) and page.get("url")][
        : whole(arguments, "limit", _DEFAULT, _MOST)
    ]
    if not pages:
        return f"Nothing was found for “{shortened(query, 100)}”. Try other or fewer words."
    return "\n\n".join(_page(number, page) for number, page in enumerate(pages, 1))


def _page(number: int, page: dict[str, Any]) -> str:
    date = str(page.get("publishedDate") or "")[:10]
    lines = [
        f"{number}. {shortened(page.get('title') or page['url'], 200)}{f' ({date})' if date else ''}",
        shortened(page["url"], 500),
    ]
    return "\n".join([*lines, *filter(None, [shortened(page.get("content"), 400)])])


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "web_search",
            "Search the web and return titles, addresses and excerpts of pages.",
            {
                "query": {"type": "string", "description": "What to search for"},
                "newer_than": {
                    "type": "string",
                    "enum": list(_AGES),
                    "description": "Only pages of the last day, week, month or year",
                },
                "limit": limit(_MOST, _DEFAULT),
            },
            partial(_search, setup.connection),
            required=("query",),
        )
    ]


TOOL = Tool(
    key="web_search",
    name="Search the web",
    description="Finds pages with the search service of a connection.",
    icon="search",
    effect="reads",
    functions=_functions,
    connection="web_search",
)
