"""What tools share when they call an outside service: the guard, the bounds, and sentences for what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from integrations.outbound import Answer, OutboundError, fetch
from mindloom.engine.ports import ToolError

SECONDS = 20.0
MOST_BYTES = 3_000_000
_LONGEST_REASON = 300


def call(url: str, **options: Any) -> Answer:
    """`outbound.fetch` with the networks that the settings allow, whose refusals a model can read."""
    bounds: dict[str, Any] = {"seconds": SECONDS, "max_bytes": MOST_BYTES}
    try:
        return fetch(url, allowed=settings.OUTBOUND_ALLOWED_NETWORKS, **bounds | options)
    except OutboundError as error:
        raise ToolError(str(error)) from None


def ask(who: str, url: str, parameters: Mapping[str, object] | None = None, **options: Any) -> Any:
    """The JSON that a service answers. `who` names it in sentences. Raises `ToolError` for everything else."""
    return parsed(who, good(who, call(with_query(url, parameters or {}), **options)))


def good(who: str, answer: Answer) -> Answer:
    """The answer, when the service says that all went well."""
    if answer.status < 300:
        return answer
    said = reason(answer)
    told = f" It said: {said}" if said else ""
    if answer.status in {401, 403}:
        raise ToolError(
            f"{who} refused the request (HTTP {answer.status}): the key is missing, wrong or may not do this.{told}"
        )
    if answer.status == 404:
        raise ToolError(f"{who} does not know this (HTTP 404).{told}")
    if answer.status == 429:
        raise ToolError(f"{who} was asked too often (HTTP 429). Wait a little, then try again.{told}")
    if answer.status >= 500:
        raise ToolError(f"{who} has a problem of its own (HTTP {answer.status}). Try again later.{told}")
    raise ToolError(f"{who} did not accept the request (HTTP {answer.status}).{told}")


def parsed(who: str, answer: Answer) -> Any:
    """The answer's JSON."""
    try:
        return answer.json()
    except OutboundError:
        raise ToolError(f"{who} did not answer with JSON. Check its address.") from None


def reason(answer: Answer) -> str:
    """The words in which a service explains an error, short; "" for a page or nothing."""
    if answer.media_type in {"text/html", "application/xhtml+xml"}:
        return ""
    text = answer.text[:20_000]
    try:
        value = answer.json()
    except OutboundError:
        value = text
    while isinstance(value, dict):
        value = next(
            (value[key] for key in ("error", "message", "detail", "title", "reason", "errors") if value.get(key)), text
        )
    return " ".join(str(value).split())[:_LONGEST_REASON]


def with_query(url: str, parameters: Mapping[str, object]) -> str:
    """The address with parameters added; those that are None are left out, lists are repeated."""
    given = {name: value for name, value in parameters.items() if value is not None}
    if not given:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(given, doseq=True)}"


def web_address(text: str) -> str:
    """A clean http or https address. Raises `ValueError` with a sentence."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine or len(url) > 2_000 or re.search(r"\s", url):
        raise ValueError(f"“{url[:80]}” is not a web address. Write it like https://example.org.")
    if parts.username or parts.password:
        raise ValueError("The address contains a user name or password. Enter them in fields of their own.")
    return url
