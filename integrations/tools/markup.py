"""The readable text of an HTML page, as light Markdown.

The page is somebody else's. So it is read in one pass that only ever moves forward: whatever it holds, reading takes time in
proportion to its length. A part that is opened and never closed (a comment, a tag, a script) ends the page, as in a browser.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_RAW = {"script", "style", "noscript", "template", "iframe", "select"}
"""Everything up to the end tag belongs to it, tags included."""
_SKIPPED = {"svg", "nav", "footer", "aside", "form", "button"}
_BLOCKS = {"p", "div", "section", "article", "main", "header", "table", "tr", "ul", "ol", "dl", "dt", "dd", "br", "hr", "pre",
           "blockquote", "figure", "figcaption", "address", "details", "summary"}  # fmt: skip
_HEADINGS = {"h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### ", "h5": "#### ", "h6": "#### "}
_VOID = {"br", "hr"}
_BEGIN = re.compile(r"<[a-zA-Z/!?]")
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9-]{0,30})")
_END_OR_QUOTE = re.compile(r"[>\"']")
_RAW_END = {tag: re.compile(rf"</{tag}", re.IGNORECASE) for tag in _RAW}

Piece = tuple[str, str]
"""What it is ("text", "open" or "close"), and the text or the tag's name."""


def pieces(page: str) -> Iterator[Piece]:
    """Texts and tags in order, without comments and the content of scripts."""
    place, end = 0, len(page)
    while place < end:
        begin = _BEGIN.search(page, place)
        start = begin.start() if begin else end
        if start > place:
            yield "text", html.unescape(page[place:start])
        if begin is None:
            return
        place = start
        tag = _TAG.match(page, place)
        if tag is not None:
            name, closes = tag[1].lower(), page[place + 1] == "/"
            place = _after_tag(page, tag.end())
            if closes:
                yield "close", name
            elif name in _RAW:
                place = _after_raw(page, place, name)
            elif name not in _SKIPPED or page[place - 2 : place] != "/>":
                yield "open", name
        elif page.startswith("<!--", place):
            place = _after(page, "-->", place + 4)
        else:
            place = _after(page, ">", place + 2)


def _after(page: str, mark: str, start: int) -> int:
    found = page.find(mark, start)
    return len(page) if found < 0 else found + len(mark)


def _after_tag(page: str, start: int) -> int:
    """Behind the tag's >; one inside a quoted value does not end it."""
    while found := _END_OR_QUOTE.search(page, start):
        if found[0] == ">":
            return found.end()
        start = _after(page, found[0], found.end())
    return len(page)


def _after_raw(page: str, start: int, name: str) -> int:
    found = _RAW_END[name].search(page, start)
    return len(page) if found is None else _after(page, ">", found.end())


class _Reader:
    """Collects the title and the text that is to be read."""

    def __init__(self) -> None:
        self.title = ""
        self._parts: list[str] = []
        self._main: list[str] = []
        self._skipping, self._depth = "", 0
        self._in_title = False
        self._depth_main = 0

    def take(self, kind: str, value: str) -> None:
        if kind == "text":
            self._text(value)
        elif self._skipping:
            if value == self._skipping:
                self._depth += 1 if kind == "open" else -1
                self._skipping = self._skipping if self._depth else ""
        elif kind == "open":
            self._open(value)
        else:
            self._close(value)

    def _open(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skipping, self._depth = tag, 1
        elif tag == "title":
            self._in_title = not self.title
        elif tag in {"main", "article"}:
            self._depth_main += 1
            self._add("\n")
        elif tag in _HEADINGS:
            self._add(f"\n\n{_HEADINGS[tag]}")
        elif tag == "li":
            self._add("\n- ")
        elif tag in {"td", "th"}:
            self._add(" | ")
        elif tag in _BLOCKS:
            self._add("\n" if tag in {"br", "tr"} else "\n\n")

    def _close(self, tag: str) -> None:
        """A stray end tag changes nothing."""
        if tag == "title":
            self._in_title = False
        elif tag in {"main", "article"}:
            self._depth_main = max(0, self._depth_main - 1)
        elif tag in _HEADINGS or (tag in _BLOCKS and tag not in _VOID):
            self._add("\n")

    def _text(self, text: str) -> None:
        if self._in_title:
            self.title = f"{self.title}{text[:300]}"[:300]
        elif not self._skipping:
            self._add(re.sub(r"\s+", " ", text))

    def _add(self, text: str) -> None:
        self._parts.append(text)
        if self._depth_main:
            self._main.append(text)

    def text(self) -> str:
        """The main part when the page marks one with enough text, else everything."""
        main, whole = _tidy("".join(self._main)), _tidy("".join(self._parts))
        return main if len(main) >= min(200, len(whole)) else whole


def _tidy(text: str) -> str:
    lines = [re.sub(r"[ \t\xa0]+", " ", line).strip(" |") for line in text.split("\n")]
    kept = [line for line in lines if line not in {"-", "#", "##", "###", "####"}]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def readable(page: str) -> tuple[str, str]:
    """Title and readable text of a page."""
    reader = _Reader()
    for kind, value in pieces(page):
        reader.take(kind, value)
    return " ".join(reader.title.split()), reader.text()
