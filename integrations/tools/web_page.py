"""Fetches a web page and returns what is to be read on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings

from integrations.outbound import OutboundError, fetch
from integrations.tools.base import Config, ConfigField, Tool, function
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_BYTES = 3_000_000
MOST_CHARACTERS = 30_000
SECONDS = 20.0
_SKIPPED = {
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "nav",
    "footer",
    "aside",
    "form",
    "iframe",
    "button",
    "select",
}
_BLOCKS = {"p", "div", "section", "article", "main", "header", "table", "tr", "ul", "ol", "dl", "dt", "dd", "br", "hr", "pre",
           "blockquote", "figure", "figcaption", "address", "details", "summary"}  # fmt: skip
_HEADINGS = {"h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### ", "h5": "#### ", "h6": "#### "}
_VOID = {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
_TEXT_TYPES = {"text/plain", "text/markdown", "text/csv", "application/json", "application/xml", "text/xml"}
_SITE = re.compile(r"(\*\.)?([a-z0-9_-]+\.)*[a-z0-9_-]+(:\d+)?")


class Reader(HTMLParser):
    """Collects the title and the readable text of a page as light Markdown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self._parts: list[str] = []
        self._main: list[str] = []
        self._skipping: list[str] = []
        self._in_title = False
        self._depth_main = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open skipped parts, blocks and headings."""
        if tag in _SKIPPED:
            self._skipping.append(tag)
        if self._skipping:
            return
        if tag == "title":
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

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened; a stray end tag changes nothing."""
        if tag in self._skipping:
            while self._skipping and self._skipping.pop() != tag:
                pass
            return
        if self._skipping:
            return
        if tag == "title":
            self._in_title = False
        elif tag in {"main", "article"}:
            self._depth_main = max(0, self._depth_main - 1)
        elif tag in _HEADINGS or (tag in _BLOCKS and tag not in _VOID):
            self._add("\n")

    def handle_data(self, data: str) -> None:
        """Keep text that is to be read."""
        if self._in_title:
            self.title = f"{self.title}{data}"[:300]
        elif not self._skipping:
            self._add(re.sub(r"\s+", " ", data))

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


def readable(html: str) -> tuple[str, str]:
    """Title and readable text of a page."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return " ".join(reader.title.split()), reader.text()


def site(text: str) -> str:
    """One allowed site: example.org means it and all below it. Raises `ValueError` with a sentence."""
    name = text.strip().lower().rstrip("/")
    name = (urlsplit(name).netloc if "://" in name else name).removeprefix("*.")
    if not name or not _SITE.fullmatch(name) or len(name) > 253:
        raise ValueError(f"“{text.strip()[:60]}” is not a site. Write it like example.org, one a line.")
    return name


def _guard(sites: list[str]) -> Callable[[str], None]:
    def check(url: str) -> None:
        host = (urlsplit(url).hostname or "").lower().rstrip(".")
        if sites and not any(
            host == one.partition(":")[0] or host.endswith(f".{one.partition(':')[0]}") for one in sites
        ):
            raise OutboundError(
                f"{host[:100]} is not among the sites that this agent may read: {', '.join(sites)[:300]}."
            )

    return check


def _fetcher(sites: list[str]) -> Callable[[dict[str, Any], ToolContext], str]:
    check = _guard(sites)

    def fetch_page(arguments: dict[str, Any], context: ToolContext) -> str:
        url = str(arguments["url"]).strip()
        url = url if "://" in url else f"https://{url}"
        try:
            answer = fetch(
                url, allowed=settings.OUTBOUND_ALLOWED_NETWORKS, max_bytes=MOST_BYTES, seconds=SECONDS, check_url=check
            )
        except OutboundError as error:
            raise ToolError(str(error)) from None
        if answer.status >= 400:
            raise ToolError(
                f"{urlsplit(answer.url).hostname} answered {answer.status} for this address. Check it, or try another page."
            )
        title, text = _content(answer.text, answer.media_type)
        if not text:
            raise ToolError("The page has no readable text; it may need a browser to show itself.")
        cut = f"\n\n[Cut here: the page has {len(text):,} characters.]" if len(text) > MOST_CHARACTERS else ""
        head = f"{title}\n{urljoin(answer.url, '')}\n\n" if title else f"{answer.url}\n\n"
        return f"{head}{text[:MOST_CHARACTERS]}{cut}"

    return fetch_page


def _content(text: str, media_type: str) -> tuple[str, str]:
    if media_type in {"text/html", "application/xhtml+xml", ""}:
        return readable(text)
    if media_type in _TEXT_TYPES or media_type.startswith("text/") or media_type.endswith(("+json", "+xml")):
        return "", text.strip()
    raise ToolError(f"This is not a page but a file of the type {media_type[:60]}, which cannot be read.")


def _functions(config: Config) -> list[ToolFunction]:
    return [
        function(
            "fetch_page",
            "Fetch a public web page and return its title and readable text.",
            {"url": {"type": "string", "description": "The page's address, beginning with https://"}},
            _fetcher(list(config.get("sites") or [])),
            required=("url",),
        )
    ]


TOOL = Tool(
    key="web_page",
    name="Read web pages",
    description="Fetches a public page and reads its text.",
    icon="globe",
    effect="reads",
    functions=_functions,
    config_fields=(
        ConfigField(
            name="sites",
            label="Allowed sites",
            kind="lines",
            help="One a line, such as example.org; what is below it counts, too. Empty: every public site.",
            check=site,
        ),
    ),
)
