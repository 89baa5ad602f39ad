"""Reads news feeds: RSS and Atom."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from integrations.tools import xml
from integrations.tools.base import Setup, Tool, function
from integrations.tools.calling import call, good
from integrations.tools.markup import readable
from integrations.tools.wording import limit, needed, shortened, whole
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

_MOST, _DEFAULT = 50, 15
_ROOTS = {"rss", "feed", "rdf"}


def _read(arguments: dict[str, Any], context: ToolContext) -> str:
    url = needed(arguments, "feed_url", "which feed to read", 2_000)
    answer = good("The feed’s site", call(url if "://" in url else f"https://{url}"))
    root = xml.read(answer.body, "The feed")
    if xml.name(root) not in _ROOTS:
        raise ToolError("This is XML, but no feed. Look for the site’s RSS or Atom address.")
    channel = xml.child(root, "channel")
    head = root if channel is None else channel
    entries = xml.children(head, "item") or xml.children(root, "item") or xml.children(root, "entry")
    word = str(arguments.get("about") or "").strip().lower()
    if word:
        entries = [one for one in entries if word in "".join(one.itertext()).lower()]
    title = shortened(xml.text(xml.child(head, "title")), 200) or answer.url
    if not entries:
        return f"{title}: there is no entry{f' about “{shortened(word, 60)}”' if word else ''}."
    shown = entries[: whole(arguments, "limit", _DEFAULT, _MOST)]
    listed = "\n\n".join(_entry(one, answer.url) for one in shown)
    return f"{title}: {len(entries)} entries, {len(shown)} of them here.\n\n{listed}"


def _entry(entry: Element, base: str) -> str:
    title = shortened(_plain(xml.text(xml.child(entry, "title"))), 200) or "(no title)"
    date = _date(xml.text(xml.child(entry, "pubdate", "published", "updated", "date")))
    summary = shortened(_plain(xml.text(xml.child(entry, "description", "summary", "encoded", "content"))), 400)
    lines = [f"- {title}{f' ({date})' if date else ''}", _link(entry, base), summary]
    return "\n  ".join(filter(None, lines))


def _link(entry: Element, base: str) -> str:
    links = xml.children(entry, "link")
    chosen = next((one for one in links if one.get("rel", "alternate") == "alternate"), None)
    if chosen is None:
        return ""
    try:
        return shortened(urljoin(base, chosen.get("href") or xml.text(chosen)), 500)
    except ValueError:
        return ""


def _plain(text: str) -> str:
    """The text of what may be HTML."""
    return readable(text[:50_000])[1] if "<" in text else text


def _date(text: str) -> str:
    if not text or text[:4].isdigit():
        return text[:16].replace("T", " ")
    try:
        return f"{parsedate_to_datetime(text):%Y-%m-%d %H:%M}"
    except (ValueError, TypeError, OverflowError):
        return shortened(text, 30)


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "read_feed",
            "Read the newest entries of an RSS or Atom feed: title, date, address, summary.",
            {
                "feed_url": {"type": "string", "description": "The feed's address, beginning with https://"},
                "about": {"type": "string", "description": "Only entries that hold these words"},
                "limit": limit(_MOST, _DEFAULT),
            },
            _read,
            required=("feed_url",),
        )
    ]


TOOL = Tool(
    key="feeds",
    name="Read news feeds",
    description="Reads the newest entries of RSS and Atom feeds.",
    icon="rss",
    effect="reads",
    functions=_functions,
)
