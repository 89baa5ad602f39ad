"""Every request to a model passes here: it is timed, counted, watched and, before its first token, asked again.

Usage is taken at this boundary and not from Agno's totals, which leave out requests that failed or were stopped. Text
goes to the reader from here too; Agno, which needs it only as a whole to keep the conversation, sees each turn as a few
large pieces.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from mindloom.engine.agno_adapter.agno_setup import Model, ModelResponse
from mindloom.engine.agno_adapter.failures import BrokenOffError, Failure, UnreadableError
from mindloom.engine.events import ContentAdded, ModelCalled, ReasoningAdded, RunFailed

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.session import Session

RETRIES = 2
BACKOFF_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
CHARACTERS_PER_TOKEN = 4
LONGEST_ANSWER_CHARACTERS = 1_000_000
_CERTAINLY_OVER = 2
"""While a text is streamed its tokens are guessed; it is cut only when the guess is over the limit by this factor."""


class MeteredModel(Model):
    """Mixed into an Agno model: sends its requests through `ModelCalls` and its tool calls to our toolbox."""

    calls: ModelCalls
    finish_reason: str | None

    async def ainvoke_stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ModelResponse]:
        """Send one turn's request and yield the answer."""
        for response in await self.calls.turn(self, lambda: self.request(*args, **kwargs)):
            yield response

    def request(self, *args: Any, **kwargs: Any) -> AsyncIterator[ModelResponse]:
        """The provider's stream of one request; sets `finish_reason` when it says why it ended."""
        raise NotImplementedError

    def get_function_calls_to_run(self, assistant_message: Any, *_: Any, **__: Any) -> list[Any]:
        """The tool calls of an answer as Agno wants them; bad ones are the toolbox's to refuse."""
        return self.calls.session.toolbox.function_calls(assistant_message.tool_calls or [])

    def get_system_message_for_model(self, *_: Any, **__: Any) -> str | None:
        """Nothing: prompts hold what the agent's author wrote."""
        return None


class _Call:
    """One request to the provider."""

    def __init__(self, limit: int) -> None:
        self.started = self.heard = time.monotonic()
        self.first: float | None = None
        self.characters = 0
        self.most_characters = max(1, limit) * CHARACTERS_PER_TOKEN * _CERTAINLY_OVER
        self.usage: Any = None
        self.error = ""
        self.watch: asyncio.TimerHandle | None = None

    def first_token_ms(self) -> int | None:
        return None if self.first is None else _ms(self.first - self.started)

    def tokens(self) -> int:
        """What the provider counted; where it said nothing, a guess from the length of the answer."""
        if self.usage is None:
            return self.characters // CHARACTERS_PER_TOKEN
        return int((self.usage.input_tokens or 0) + (self.usage.output_tokens or 0))


class ModelCalls:
    """The requests of one run to its model."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._spec = session.plan.spec.model
        self._provider = self._spec.provider or self._spec.kind
        self._requests = 0
        self._turns = 0
        self._tokens = 0

    async def turn(self, model: MeteredModel, ask: Callable[[], AsyncIterator[ModelResponse]]) -> list[ModelResponse]:
        """One turn of the model: a request, and up to two more when it fails in a way that may pass."""
        self._begin_turn()
        for attempt in range(RETRIES + 1):
            self._requests += 1
            call = _Call(self.session.limits.tokens - self._tokens)
            failure = None
            try:
                return await self._request(model, ask, call)
            except Exception as error:
                if self.session.verdict is not None:
                    raise
                failure = self.session.plan.explainer.explain(error)
                call.error = failure.message
                if not failure.retryable or call.first is not None or attempt == RETRIES:
                    raise self.session.fail(failure.message, failure.kind) from error
            finally:
                self._end(call)
            await self._wait(failure, attempt)
        raise AssertionError  # the last attempt returned or raised

    async def _request(
        self, model: MeteredModel, ask: Callable[[], AsyncIterator[ModelResponse]], call: _Call
    ) -> list[ModelResponse]:
        call.watch = asyncio.get_running_loop().call_later(self._spec.timeout_seconds, self._watch, call)
        model.finish_reason = None
        try:
            async with aclosing(ask()) as stream:  # type: ignore[type-var]
                pieces = await self._read(stream, call)
        finally:
            call.watch.cancel()
        if model.finish_reason is None:
            raise BrokenOffError if pieces else UnreadableError
        if model.finish_reason == "length":
            self.session.log("warn", "The model reached the longest answer that it may write; the answer is cut there.")
        return pieces

    async def _read(self, stream: AsyncIterator[ModelResponse], call: _Call) -> list[ModelResponse]:
        """Pass text on as it comes, and keep the answer for Agno with neighbouring texts joined."""
        pieces: list[ModelResponse] = []
        parts: list[str] = []
        joined: str | None = None  # the attribute that `parts` belongs to
        texts, now = self.session.texts, time.monotonic
        async for delta in stream:
            call.heard = now()
            text, kind, name = (
                (delta.content, ContentAdded, "content")
                if delta.content
                else (delta.reasoning_content, ReasoningAdded, "reasoning_content")
            )
            if text:
                texts.add(kind, text)
                call.characters += len(text)
                if call.first is None:
                    call.first = call.heard
            if call.characters > LONGEST_ANSWER_CHARACTERS:
                raise self._too_long()
            if call.characters > call.most_characters:
                raise self._over_tokens(self._tokens + call.characters // CHARACTERS_PER_TOKEN)
            if text and _is_plain(delta):
                if joined == name:
                    parts.append(text)
                    continue
                _join(pieces, joined, parts)
                joined, parts = name, [text]
            else:
                _join(pieces, joined, parts)
                joined, parts = None, []
                self._note(delta, call)
            pieces.append(delta)
        _join(pieces, joined, parts)
        return pieces

    def _note(self, delta: ModelResponse, call: _Call) -> None:
        if delta.tool_calls:
            self.session.texts.close()
            if call.first is None:
                call.first = call.heard
        if delta.response_usage is not None:
            call.usage = delta.response_usage  # some servers send it with every piece, counting up: the last one holds

    def _begin_turn(self) -> None:
        limit = self.session.limits.model_turns
        if self._turns >= limit:
            message = (
                f"The agent asked its model {limit} times without finishing, the most that it may. "
                "Make its instructions clearer, or raise its limit of model turns."
            )
            raise self.session.fail(message, "budget")
        self._turns += 1

    def _end(self, call: _Call) -> None:
        """Write the request down, however it ended, and stop the run when its tokens are spent."""
        session = self.session
        session.texts.end_turn()
        verdict = session.verdict
        usage = call.usage
        session.outbox.put(
            ModelCalled(
                provider=self._provider,
                model=self._spec.model,
                turn=self._requests,
                duration_ms=_ms(time.monotonic() - call.started),
                first_token_ms=call.first_token_ms(),
                tokens_in=usage and usage.input_tokens,
                tokens_out=usage and usage.output_tokens,
                tokens_cached=usage and usage.cache_read_tokens,
                tokens_reasoning=usage and usage.reasoning_tokens,
                error=call.error or (str(getattr(verdict, "message", "")) if verdict else ""),
                source=session.source,
            )
        )
        self._tokens += call.tokens()
        if self._tokens > session.limits.tokens and session.verdict is None:
            raise self._over_tokens(self._tokens)

    def _too_long(self) -> Exception:
        message = (
            f"The model wrote more than {LONGEST_ANSWER_CHARACTERS:,} characters in one answer, the most that is kept. "
            "Ask for less at a time, or set the longest answer under Model."
        )
        return self.session.fail(message, "budget")

    def _over_tokens(self, tokens: int) -> Exception:
        limit = self.session.limits.tokens
        message = (
            f"The run used about {tokens:,} tokens; the agent may use {limit:,}. "
            "Give it less to read, or raise its limit of tokens."
        )
        return self.session.fail(message, "budget")

    def _watch(self, call: _Call) -> None:
        """Look whether the provider has been silent for too long; look again when it could be."""
        longest = self._spec.timeout_seconds
        silent = time.monotonic() - call.heard
        if silent < longest:
            call.watch = asyncio.get_running_loop().call_later(longest - silent, self._watch, call)
            return
        did = "stopped answering" if call.first is not None else "did not answer"
        message = (
            f'The provider "{self._provider}" {did}: nothing came for {longest:g} seconds. '
            "Try again later, or raise the model's timeout."
        )
        self.session.stop(RunFailed(kind="timeout", message=message, source=self.session.source))

    async def _wait(self, failure: Failure, attempt: int) -> None:
        """Wait before the next attempt, as long as the provider asks for, within bounds."""
        asked = failure.retry_after
        seconds = min(LONGEST_WAIT_SECONDS, BACKOFF_SECONDS * 2**attempt if asked is None else asked)
        self.session.log(
            "warn", f"{failure.message} Trying again in {seconds:g} s (attempt {attempt + 2} of {RETRIES + 1})."
        )
        await asyncio.sleep(seconds)


def _is_plain(delta: ModelResponse) -> bool:
    """Whether the piece is text and nothing that Agno must see on its own."""
    return (
        (delta.tool_calls is None or not delta.tool_calls)
        and delta.response_usage is None
        and delta.extra is None
        and delta.citations is None
        and delta.audio is None
    )


def _join(pieces: list[ModelResponse], name: str | None, parts: list[str]) -> None:
    if name is not None and len(parts) > 1:
        setattr(pieces[-1], name, "".join(parts))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
