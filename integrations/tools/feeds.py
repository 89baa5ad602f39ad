"""Reads news feeds: RSS and Atom."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

from integrations.tools.base import Setup, Tool, function
from integrations.tools.calling import call, good
from integrations.tools.markup import readable
from integrations.tools.syndication import Entry, read_feed
from integrations.tools.wording import limit, needed, shortened, whole
from mindloom.engine.ports import ToolContext, ToolFunction

_MOST, _DEFAULT = 50, 15


def _read(arguments: dict[str, Any], context: ToolContext) -> str:
    url = needed(arguments, "feed_url", "which feed to read", 2_000)
    answer = good("The feed’s site", call(url if "://" in url else f"https://{url}"))
    feed = read_feed(answer.body, answer.url)
    word = str(arguments.get("about") or "").strip().lower()
    entries = [one for one in feed.entries if word in one.words.lower()] if word else feed.entries
    title = shortened(feed.title, 200) or answer.url
    if not entries:
        return f"{title}: there is no entry{f' about “{shortened(word, 60)}”' if word else ''}."
    shown = entries[: whole(arguments, "limit", _DEFAULT, _MOST)]
    listed = "\n\n".join(_told(one) for one in shown)
    return f"{title}: {len(entries)} entries, {len(shown)} of them here.\n\n{listed}"


def _told(entry: Entry) -> str:
    title = shortened(_plain(entry.title), 200) or "(no title)"
    date = _date(entry.published)
    lines = [
        f"- {title}{f' ({date})' if date else ''}",
        shortened(entry.link, 500),
        shortened(_plain(entry.summary), 400),
    ]
    return "\n  ".join(filter(None, lines))


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
