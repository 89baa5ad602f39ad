"""Every request to a model passes here: it is timed, counted, watched, asked again when it fails, and its form is checked.

Usage is taken at this boundary and not from Agno's totals, which leave out requests that failed or were stopped, and, in a
team, the members'. Text goes to the reader from here too; Agno, which needs it only as a whole to keep the conversation, sees
each turn as a few large pieces.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from mindloom.engine.agno_adapter import models
from mindloom.engine.agno_adapter.agno_setup import Message, ModelResponse
from mindloom.engine.agno_adapter.backoff import Backoff
from mindloom.engine.agno_adapter.failures import BrokenOffError, Failure, UnreadableError
from mindloom.engine.agno_adapter.form import Form
from mindloom.engine.agno_adapter.reading import Call, as_ms, read, tokens_read
from mindloom.engine.agno_adapter.room import Room
from mindloom.engine.events import ModelCalled

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.metered import MeteredModel
    from mindloom.engine.agno_adapter.part import Part
    from mindloom.engine.agno_adapter.plan import Choice
    from mindloom.engine.agno_adapter.toolbox import Toolbox

CORRECTIONS = 2
"""How often an answer that does not fit its form is sent back."""


class Unusable(Exception):
    """The model that was asked cannot be used now; another one may."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class ModelCalls:
    """The requests of one part of a run to its model, or to the fallback once that was needed."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self.session = part.session
        self._choices = part.plan.models
        self._used = 0
        self._requests = 0
        self._turns = 0
        self.form = Form(part.plan.output) if part.plan.output else None
        self._room = Room(part, self)
        self._backoff = Backoff(part)
        self._model: MeteredModel | None = None

    @property
    def toolbox(self) -> Toolbox:
        """The tools that this model may call."""
        return self._part.toolbox

    @property
    def choice(self) -> Choice:
        """The model that is asked now."""
        return self._choices[self._used]

    @property
    def _has_fallback(self) -> bool:
        return self._used + 1 < len(self._choices)

    def build(self) -> MeteredModel:
        """A fresh Agno model for the choice. Raises `EngineError` when its spec lacks something."""
        self._model = models.build(self.choice.spec, self.choice.api_key)
        self._model.calls = self
        return self._model

    # -- Turns of the work itself -------------------------------------------------------------------------------------

    def told(self) -> dict[str, Any] | None:
        """The next turn, when the journal has it: the run goes on after it waited."""
        self._turns += 1
        entry: dict[str, Any] | None = self.session.journal.get(self._entry())
        if entry is None:
            return None
        self.session.budget.turn()
        self.session.budget.spend(entry["spent"])
        self._requests = entry["requests"]
        self._part.texts.restore(entry["texts"])
        if self.form is not None and "value" in entry:
            self.form.value = entry["value"]
        return entry

    def write_down(self, message: dict[str, Any], spent: int) -> None:
        """Keep the turn that has just ended."""
        entry = {"message": message, "spent": spent, "requests": self._requests, "texts": self._part.texts.state()}
        if self.form is not None:
            entry["value"] = self.form.value
        self.session.journal.put(self._entry(), entry)

    def _entry(self) -> str:
        return f"{self._part.plan.key}:model:{self._turns}"

    async def turn(self, messages: list[Message], options: dict[str, Any]) -> list[ModelResponse]:
        """One turn of the model: as many requests as it takes until its answer is there and fits."""
        if self.form is not None:
            options = {**options, "response_format": self.form.response_format}
        with self.session.working():
            for attempt in range(CORRECTIONS + 1):
                self.session.budget.turn()
                pieces = await self._answer(messages, options)
                problem = self.form.problem(pieces) if self.form is not None else ""
                if not problem:
                    return pieces
                if attempt == CORRECTIONS:
                    break
                self._part.log("warn", f"The answer does not have the form that was asked for: {problem} Asking again.")
                messages = [*messages, *self.form.sent_back(pieces, problem)]  # type: ignore[union-attr]
        sentence = (
            f"The model did not give the answer the form that was asked for, also after {CORRECTIONS} corrections. "
            f"{problem} Make the form simpler, say more in the instructions, or choose another model."
        )
        raise self._part.fail(sentence, "agent_error")

    async def _answer(self, messages: list[Message], options: dict[str, Any]) -> list[ModelResponse]:
        """The answer of the chosen model, or of the fallback; of a shorter conversation when it is too long."""
        while True:
            fitting = await self._room.fitted(messages)
            try:
                return await self._persistent(fitting, options)
            except Unusable as unusable:
                failure = unusable.failure
                if failure.too_long and await self._room.make(messages):
                    continue
                if not failure.too_long and self._has_fallback:
                    before = self.choice.spec.model
                    self._used += 1
                    self._model = None
                    self._part.log(
                        "warn",
                        f"{failure.message} Going on with the fallback model {self.choice.spec.model} instead of {before}.",
                    )
                    continue
                raise self._part.fail(failure.message, failure.kind) from unusable

    async def ask(self, purpose: str, system: str, text: str) -> str:
        """A question of the platform's own; its answer is seen by nobody. Raises `Unusable`, `EngineError`."""
        messages = [Message(role="system", content=system), Message(role="user", content=text)]
        with self.session.working():
            pieces = await self._persistent(messages, {}, purpose)
        return "".join(piece.content for piece in pieces if isinstance(piece.content, str)).strip()

    # -- Requests -----------------------------------------------------------------------------------------------------

    async def _persistent(
        self, messages: list[Message], options: dict[str, Any], purpose: str = ""
    ) -> list[ModelResponse]:
        """A request, and some more when it fails in a way that may pass. Raises `Unusable` when that did not help."""
        retries, spec, has_fallback = self._part.plan.retries, self.choice.spec, self._has_fallback
        for attempt in range(retries + 1):
            if limited := await self._backoff.before(spec, has_fallback=has_fallback):
                raise Unusable(limited)
            self._requests += 1
            call = Call(self.session.budget.left, purpose=purpose)
            try:
                return await self._request(messages, options, call)
            except Exception as error:
                if self._part.is_over:
                    raise
                failure = self.choice.explainer.explain(error)
                call.error = failure.message
                if not failure.retryable or call.first is not None or attempt == retries:
                    raise Unusable(failure) from error
            finally:
                self._end(call)
            if not await self._backoff.after(failure, spec, attempt, has_fallback=has_fallback):
                raise Unusable(failure)
        raise AssertionError  # the last attempt returned or raised

    async def _request(self, messages: list[Message], options: dict[str, Any], call: Call) -> list[ModelResponse]:
        model = self._model or self.build()
        model.finish_reason = None
        call.watch(self.choice.spec.timeout_seconds)
        try:
            async with aclosing(model.request(messages=messages, **options)) as stream:  # type: ignore[type-var]
                pieces = await read(stream, call, self._part)
        except asyncio.CancelledError:
            if call.forgive():
                raise self._silent(call) from None
            raise
        finally:
            call.unwatch()
        if model.finish_reason is None:
            raise BrokenOffError if pieces else UnreadableError
        if model.finish_reason == "length":
            self._part.log("warn", "The model reached the longest answer that it may write; the answer is cut there.")
        return pieces

    def _end(self, call: Call) -> None:
        """Write the request down, however it ended, and stop the run when its tokens are spent."""
        if not call.purpose:
            self._part.texts.end_turn()
        usage = call.usage
        spec = self.choice.spec
        self.session.outbox.put(
            ModelCalled(
                provider=spec.provider or spec.kind,
                model=spec.model,
                turn=self._requests,
                duration_ms=as_ms(time.monotonic() - call.started),
                first_token_ms=call.first_token_ms(),
                model_ref=spec.ref,
                tokens_in=usage and tokens_read(spec.kind, usage),
                tokens_out=usage and usage.output_tokens,
                tokens_cached=usage and usage.cache_read_tokens,
                tokens_reasoning=usage and usage.reasoning_tokens,
                error=call.error or self._part.why_over,
                purpose=call.purpose,
                source=self._part.source,
            )
        )
        self.session.budget.spend(call.tokens(), check=not self._part.is_over)

    def _silent(self, call: Call) -> Exception:
        spec = self.choice.spec
        did = "stopped answering" if call.first is not None else "did not answer"
        message = (
            f'The provider "{spec.provider or spec.kind}" {did}: nothing came for {spec.timeout_seconds:g} seconds. '
            "Try again later, or raise the model's timeout."
        )
        call.error = message
        return self._part.fail(message, "timeout")
