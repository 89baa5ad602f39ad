"""What stands in RSS and Atom feeds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from integrations.tools import xml
from mindloom.engine.ports import ToolError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ROOTS = {"rss", "feed", "rdf"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry. `summary` and `content` may be HTML; `published` is as it stands there, `words` is all of it."""

    key: str
    title: str
    link: str
    published: str
    summary: str
    content: str
    words: str

    @property
    def published_on(self) -> dt.date | None:
        """The day on which it was published, if that can be read."""
        try:
            if self.published[:4].isdigit():
                return dt.date.fromisoformat(self.published[:10])
            return parsedate_to_datetime(self.published).date()
        except (ValueError, TypeError, OverflowError):
            return None


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A feed: its title, and its entries as they stand there."""

    title: str
    entries: list[Entry]


def read_feed(content: bytes, base: str) -> Feed:
    """The feed; links are relative to `base`. Raises `ToolError`."""
    root = xml.read(content, "The feed")
    if xml.name(root) not in _ROOTS:
        raise ToolError("This is XML, but no feed. Look for the site’s RSS or Atom address.")
    channel = xml.child(root, "channel")
    head = root if channel is None else channel
    entries = xml.children(head, "item") or xml.children(root, "item") or xml.children(root, "entry")
    return Feed(title=xml.text(xml.child(head, "title")), entries=[_entry(one, base) for one in entries])


def _entry(entry: Element, base: str) -> Entry:
    link = _link(entry, base)
    return Entry(
        key=xml.text(xml.child(entry, "guid", "id")) or link,
        title=xml.text(xml.child(entry, "title")),
        link=link,
        published=xml.text(xml.child(entry, "pubdate", "published", "updated", "date")),
        summary=xml.text(xml.child(entry, "description", "summary", "encoded", "content")),
        content=xml.text(xml.child(entry, "encoded", "content", "description", "summary")),
        words="".join(entry.itertext()),
    )


def _link(entry: Element, base: str) -> str:
    links = xml.children(entry, "link")
    chosen = next((one for one in links if one.get("rel", "alternate") == "alternate"), None)
    if chosen is None:
        return ""
    try:
        return urljoin(base, chosen.get("href") or xml.text(chosen))
    except ValueError:
        return ""
