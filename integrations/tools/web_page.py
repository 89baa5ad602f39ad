"""Fetches a web page and returns what is to be read on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings

from integrations.outbound import OutboundError, fetch
from integrations.tools.base import ConfigField, Setup, Tool, function
from integrations.tools.markup import readable
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_BYTES = 3_000_000
MOST_CHARACTERS = 30_000
SECONDS = 20.0
_TEXT_TYPES = {"text/plain", "text/markdown", "text/csv", "application/json", "application/xml", "text/xml"}
_SITE = re.compile(r"(\*\.)?([a-z0-9_-]+\.)*[a-z0-9_-]+(:\d+)?")


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


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "fetch_page",
            "Fetch a public web page and return its title and readable text.",
            {"url": {"type": "string", "description": "The page's address, beginning with https://"}},
            _fetcher(list(setup.config.get("sites") or [])),
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
