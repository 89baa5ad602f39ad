"""Turns what a provider's SDK raises into a sentence for the person who runs the agent.

Errors are told apart by what they carry (status, code, class name), not by their classes: the OpenAI and Anthropic SDKs
and Agno each have their own, and Agno's hide the others as a cause.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mindloom.engine.events import FailureKind

DETAIL_CHARACTERS = 300
_TOO_LONG = re.compile(
    r"context.{0,10}(length|window|size)|prompt is too long|maximum (context|prompt)|too many (input )?tokens",
    re.IGNORECASE,
)
_LOOKS_SECRET = re.compile(r"\b(sk|key|pk|api)[-_][\w*.-]{6,}|Bearer\s+\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Failure:
    """A provider's failure: the sentence, and whether asking again may help.

    `retry_after` are the seconds for which the provider asked; `limits` says that it wants to be left alone by everybody.
    """

    message: str
    kind: FailureKind = "system_error"
    retryable: bool = False
    retry_after: float | None = None
    limits: bool = False
    too_long: bool = False


class BrokenOffError(Exception):
    """The provider's stream ended before its answer was complete."""


class UnreadableError(Exception):
    """The provider answered with something that is no answer of a model."""


class Explainer:
    """Words the failures of one provider and model. The values in `secrets` never appear in a message."""

    def __init__(self, provider: str, model: str, secrets: Iterable[str]) -> None:
        self._provider = f'The provider "{provider}"'
        self._model = f'the model "{model}"'
        self._secrets = tuple(secret for secret in secrets if secret)

    def explain(self, error: BaseException) -> Failure:
        """The failure behind an exception of an SDK or of Agno."""
        chain = list(_chain(error))
        for link in chain:
            status = getattr(link, "status_code", None)
            if isinstance(status, int) and hasattr(link, "response"):
                return self._by_status(link, status)
        names = {cls.__name__ for link in chain for cls in type(link).__mro__}
        if names & {"BrokenOffError", "RemoteProtocolError", "ReadError"}:
            # A connection that ends before a single byte came is a refusal of sorts, and asking again may help.
            return Failure(
                f"{self._provider} broke off before its answer was complete. Run again; if it keeps happening, "
                "an administrator should look at the provider.",
                retryable=True,
            )
        if names & {"UnreadableError", "JSONDecodeError", "UnicodeDecodeError", "APIResponseValidationError"}:
            return Failure(
                f"{self._provider} answered with something that is not a model's answer. "
                "An administrator should check its address under Models."
            )
        if names & {"APITimeoutError", "TimeoutException"}:
            return Failure(f"{self._provider} did not answer in time. Try again later.", kind="timeout")
        if "APIConnectionError" in names or "ConnectError" in names:
            return Failure(
                f"{self._provider} cannot be reached. Check that it is running, and its address under Models.",
                retryable=True,
            )
        return self._by_body(chain)

    def clean(self, text: str) -> str:
        """The text without secrets, in one line, of bounded length."""
        for secret in self._secrets:
            text = text.replace(secret, "•••")
        text = " ".join(_LOOKS_SECRET.sub("•••", text).split())
        return text if len(text) <= DETAIL_CHARACTERS else text[:DETAIL_CHARACTERS].rstrip() + " …"

    def _by_status(self, error: BaseException, status: int) -> Failure:  # noqa: PLR0911 - one for each answer
        code, said = _body(error)
        detail = self._said(said)
        if status in {401, 403}:
            return Failure(f"{self._provider} refused the key. An administrator can correct it under Models.{detail}")
        if code == "context_length_exceeded" or _TOO_LONG.search(said):
            return self._too_long(detail)
        if status == 404:
            return Failure(
                f"{self._provider} does not know {self._model}, or its address is wrong. "
                f"An administrator can correct both under Models.{detail}"
            )
        if status == 429:
            if code == "insufficient_quota":
                return Failure(
                    f"{self._provider} says that its quota is used up. An administrator can raise it.{detail}"
                )
            return Failure(
                f"{self._provider} refuses requests because there are too many (HTTP 429). Try again later.{detail}",
                retryable=True,
                retry_after=_retry_after(error),
                limits=True,
            )
        if status >= 500:
            asked = _retry_after(error)
            return Failure(
                f"{self._provider} has a problem of its own (HTTP {status}). Try again later.{detail}",
                retryable=True,
                retry_after=asked,
                limits=asked is not None,
            )
        return Failure(f"{self._provider} refused the request (HTTP {status}).{detail}", kind="agent_error")

    def _by_body(self, chain: list[BaseException]) -> Failure:
        """Errors that arrive inside a stream carry no status, at most a body."""
        error = next((link for link in chain if getattr(link, "body", None)), chain[0])
        code, said = _body(error)
        if code == "context_length_exceeded" or _TOO_LONG.search(said):
            return self._too_long(self._said(said))
        return Failure(f"{self._provider} reported an error.{self._said(said)}")

    def _too_long(self, detail: str) -> Failure:
        return Failure(
            f"The conversation is too long for {self._model}. Shorten the input or the instructions, "
            f"or choose a model with a larger context window.{detail}",
            kind="agent_error",
            too_long=True,
        )

    def _said(self, text: str) -> str:
        text = self.clean(text)
        return f" It said: {text}" if text else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _body(error: BaseException) -> tuple[str, str]:
    """The code and message of an error body, whichever of the usual shapes it has."""
    body: Any = getattr(error, "body", None)
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict):
            return str(inner.get("code") or inner.get("type") or ""), str(inner.get("message") or "")
        return "", str(inner)
    if isinstance(body, str) and not body.lstrip().startswith("<"):
        return "", body
    if body is None and not hasattr(error, "response"):
        return "", str(error)
    return "", ""


def _retry_after(error: BaseException) -> float | None:
    """Seconds, from milliseconds, seconds or a date (RFC 9110, 10.2.3); None when nothing of use was said."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    given = str(headers.get("retry-after", ""))
    try:
        if milliseconds := headers.get("retry-after-ms"):
            seconds = float(milliseconds) / 1000
        elif given[:1].isalpha():
            seconds = parsedate_to_datetime(given).timestamp() - datetime.now(UTC).timestamp()
        else:
            seconds = float(given)
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
