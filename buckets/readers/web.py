"""HTML: the text that people see, by its headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree, html

from buckets.readers.parts import Part, Refused
from buckets.readers.plain import decoded, trail

_UNSEEN = frozenset(
    "script style template noscript head svg math iframe object embed canvas video audio select button input textarea".split()  # noqa: SIM905
)
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "nav",
        "aside",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "tr",
        "blockquote",
        "pre",
        "figure",
        "figcaption",
        "br",
        "hr",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "address",
        "details",
        "summary",
    ]
)
_LEVEL = re.compile(r"h([1-6])")
_DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
DEEPEST = 200


def read_html(path: Path) -> Iterator[Part]:
    """A part for each section of the page."""
    data = path.read_bytes()
    yield from html_parts(_text(data))


def _text(data: bytes) -> str:
    """The page's text by the encoding that it declares, if that fits."""
    if found := _DECLARED.search(data[:4096]):
        try:
            return data.decode(found[1].decode())
        except (LookupError, UnicodeDecodeError):
            pass
    return decoded(data)


def html_parts(text: str) -> Iterator[Part]:
    """The sections of HTML. Elements that nobody sees are left out, also those that a `hidden` attribute hides."""
    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        # lxml wants bytes where a declaration names an encoding.
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=_in_utf8(parser))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise Refused(
            "The page has no text that can be read. Open it in a browser, save what you see, and add that."
        ) from None
    above: list[tuple[int, str]] = []
    words: list[str] = []
    for level, piece in _pieces(root):
        if level:
            yield Part("".join(words), heading=trail(above))
            above, words = [*(one for one in above if one[0] < level), (level, " ".join(piece.split()))], []
        else:
            words.append(piece)
    yield Part("".join(words), heading=trail(above))


def _in_utf8(parser: Any) -> Any:
    return html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, encoding="utf-8")


def _pieces(root: Any) -> Iterator[tuple[int, str]]:
    """Texts in their order, level 0; headings as wholes with their level. Without recursion: pages may be nested deep."""
    waiting: list[Any] = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield 0, one
            continue
        tag = one.tag if isinstance(one.tag, str) else ""
        after = [_spaced(one.tail)] if one.tail else []
        if not tag or tag in _UNSEEN or one.get("hidden") is not None or one.get("aria-hidden") == "true":
            waiting += after
            continue
        if (level := _LEVEL.fullmatch(tag)) is not None:
            yield int(level[1]), one.text_content()
            waiting += after
            continue
        mark = {"li": "\n- ", "td": " ", "th": " ", "tr": "\n"}.get(tag, "\n\n" if tag in _BLOCKS else "")
        own = [mark] if mark else []
        inner: list[Any] = [*own, *([one.text if tag == "pre" else _spaced(one.text)] if one.text else []), *one]
        end = ["\n"] if tag in _BLOCKS else []
        waiting += reversed([*inner, *end, *after])


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text)
