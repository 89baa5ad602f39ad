"""Finds scientific papers on arXiv."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

from integrations.tools import xml
from integrations.tools.base import Setup, Tool, function
from integrations.tools.calling import call, good, with_query
from integrations.tools.wording import limit, needed, shortened, whole
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

ADDRESS = "https://export.arxiv.org/api/query"
_MOST, _DEFAULT = 25, 8
_ORDERS = {"relevance": "relevance", "newest": "submittedDate"}
_ID = re.compile(r"(?:arxiv:)?((?:\d{4}\.\d{4,5}|[a-z.-]{2,20}/\d{7})(?:v\d{1,3})?)", re.IGNORECASE)


def _entries(parameters: dict[str, object]) -> list[Element]:
    answer = good("arXiv", call(with_query(ADDRESS, parameters), seconds=30.0))
    entries = xml.children(xml.read(answer.body, "The answer of arXiv"), "entry")
    if len(entries) == 1 and xml.text(xml.child(entries[0], "title")) == "Error":
        raise ToolError(f"arXiv did not accept this: {shortened(xml.text(xml.child(entries[0], 'summary')), 200)}")
    return entries


def _search(arguments: dict[str, Any], context: ToolContext) -> str:
    query = needed(arguments, "query", "what to search for", 300)
    words = re.findall(r"\w+(?:-\w+)*", query)[:20]
    if not words:
        raise ToolError("Give words to search for in `query`.")
    found = _entries(
        {
            "search_query": " AND ".join(f"all:{word}" for word in words),
            "max_results": whole(arguments, "limit", _DEFAULT, _MOST),
            "sortBy": _ORDERS[str(arguments.get("order") or "relevance")],
            "sortOrder": "descending",
        }
    )
    if not found:
        return f"arXiv has no paper for “{shortened(query, 100)}”. Try other or fewer words."
    return "\n\n".join(_paper(one, 500) for one in found)


def _read(arguments: dict[str, Any], context: ToolContext) -> str:
    given = needed(arguments, "paper_id", "which paper", 200).rpartition("/abs/")[2]
    match = _ID.fullmatch(given)
    if match is None:
        raise ToolError(f"“{shortened(given, 60)}” is not the number of a paper. Write it like 2106.01345.")
    found = _entries({"id_list": match[1], "max_results": 1})
    if not found or not xml.text(xml.child(found[0], "title")):
        raise ToolError(f"arXiv has no paper {match[1]}.")
    return _paper(found[0], 6_000)


def _paper(entry: Element, most: int) -> str:
    authors = [xml.text(xml.child(one, "name")) for one in xml.children(entry, "author")]
    who = ", ".join(authors[:6]) + (f" and {len(authors) - 6} more" if len(authors) > 6 else "")
    date = xml.text(xml.child(entry, "published"))[:10]
    head = shortened(xml.text(xml.child(entry, "title")), 300)
    link = shortened(xml.text(xml.child(entry, "id")), 200).replace("http://", "https://")
    return f"{head}\n{shortened(who, 300)} ({date})\n{link}\n{shortened(xml.text(xml.child(entry, 'summary')), most)}"


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "arxiv_search",
            "Search arXiv for scientific papers; returns titles, authors, dates, addresses and abstracts.",
            {
                "query": {"type": "string", "description": "Words that the paper holds"},
                "order": {"type": "string", "enum": list(_ORDERS)},
                "limit": limit(_MOST, _DEFAULT),
            },
            _search,
            required=("query",),
        ),
        function(
            "arxiv_paper",
            "Read the whole abstract of one arXiv paper.",
            {"paper_id": {"type": "string", "description": "Its number, such as 2106.01345"}},
            _read,
            required=("paper_id",),
        ),
    ]


TOOL = Tool(
    key="arxiv",
    name="Scientific papers",
    description="Finds papers on arXiv and reads their abstracts.",
    icon="graduation-cap",
    effect="reads",
    functions=_functions,
)
