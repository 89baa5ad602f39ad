"""A run as OpenAI's protocol answers: whole, in pieces, or as an error."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from django.urls import reverse

from mindloom.web.errors import AWAY, MindloomError
from runs import services
from runs.api.waiting import settled
from runs.models import Run, State
from runs.stream.watch import Gone, watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from uuid import UUID

    from mindloom.web.late import LateResponse
    from runs.api.openai_asking import Asked
    from runs.models import RunEvent
    from runs.stream import Batch
    from runs.stream.watch import Reader

logger = logging.getLogger(__name__)

_STATUSES = {"agent_error": 502, "timeout": 504, "budget": 422, "rejected": 422}
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_stopping: set[asyncio.Task[None]] = set()
"""Kept while they work, so that nobody collects them."""


def error_body(status: int, message: str, code: str, param: str | None = None) -> dict[str, Any]:
    """An error in OpenAI's shape."""
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True)
class Answer:
    """The answer to one request, made by one run. Both ways of giving it stop the run when the client leaves before its end."""

    asked: Asked
    uuid: UUID
    created: int
    reader: Reader

    async def settle(self, late: LateResponse) -> None:
        """Wait for the run, and answer whole."""
        try:
            await settled(self.uuid, self.reader)
            status, body = await database_sync_to_async(self._ending)()
        except asyncio.CancelledError:
            self._left()
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, the client must not take it for an answer
            status, body = _failed(error)
        late.status_code, late.content = status, json.dumps(body).encode()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Server-sent events: pieces of the answer while it is written, then how it ended."""
        told = False
        try:
            yield _sent(self._chunk({"role": "assistant", "content": ""}) | {"mindloom_run": str(self.uuid)})
            text = _Text(whole_only=self.asked.form is not None)
            person_id, run = await database_sync_to_async(self.reader.run)(self.uuid)
            async with aclosing(watch(run, 0, self.reader, person_id, until_waits=True)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    yield self._added(text.of(batch)) if batch is not None else b": still here\n\n"
            status, body = await database_sync_to_async(self._ending)()
            told = True
            yield self._added(text.rest(body)) if status == 200 else b""
            yield self._last(status, body)
        except (asyncio.CancelledError, GeneratorExit):
            if not told:
                self._left()
            raise
        except Exception as error:  # noqa: BLE001 -- the same
            yield self._last(*_failed(error))

    def _added(self, text: str) -> bytes:
        return _sent(self._chunk({"content": text})) if text else b""

    def _last(self, status: int, body: dict[str, Any]) -> bytes:
        if status != 200:
            return _sent(body) + b"data: [DONE]\n\n"
        ended = _sent(self._chunk({}, "stop"))
        if self.asked.usage:
            ended += _sent(self._chunk() | {"usage": body["usage"]})
        return ended + b"data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, str] | None = None, reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        head = self._head("chat.completion.chunk")
        usage: dict[str, Any] = {"usage": None} if self.asked.usage else {}
        return head | {"choices": [choice] if delta is not None else []} | usage

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.uuid.hex}",
            "object": kind,
            "created": self.created,
            "model": self.asked.model,
        }

    def _ending(self) -> tuple[int, dict[str, Any]]:
        """How the run stands now: a status and the body for it."""
        with self.reader.seeing(self.uuid) as (_, run):
            if run.state == State.COMPLETED:
                return 200, self._completion(run)
            if run.state == State.FAILED:
                status = _STATUSES.get(run.reason, 500)
                return status, error_body(status, run.reason_message, f"run_{run.reason}")
            if run.state == State.CANCELLED:
                return 409, error_body(409, run.reason_message, "run_cancelled")
            page = settings.BASE_URL.rstrip("/") + reverse("runs:detail", args=[run.uuid])
            message = (
                f"The run waits for a person: {run.reason_message} Decide at {page}; the answer will be there, too."
            )
            return 409, error_body(409, message, "run_waiting")

    def _completion(self, run: Run) -> dict[str, Any]:
        as_form = self.asked.form is not None and run.structured is not None
        content = json.dumps(run.structured, ensure_ascii=False) if as_form else run.output
        message = {"role": "assistant", "content": content, "refusal": None}
        return self._head("chat.completion") | {
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": run.tokens_in,
                "completion_tokens": run.tokens_out,
                "total_tokens": run.tokens_in + run.tokens_out,
            },
            "mindloom_run": str(run.uuid),
        }

    def _left(self) -> None:
        """Nobody reads any more: stop the run, in a task of its own because this one is being cancelled."""
        if not self.asked.stays:
            task = asyncio.get_running_loop().create_task(database_sync_to_async(self._stop)())
            _stopping.add(task)
            task.add_done_callback(_stopping.discard)

    def _stop(self) -> None:
        with suppress(Gone, MindloomError), self.reader.seeing(self.uuid) as (person, run):
            services.stop_run(actor=person, run=run)


class _Text:
    """What was sent of an answer: everything that the agent, or the team's leader, wrote, texts apart by an empty line."""

    def __init__(self, *, whole_only: bool) -> None:
        self._whole_only = whole_only
        self._blocks: dict[int, str] = {}

    def of(self, batch: Batch) -> str:
        """What a batch adds."""
        return "".join(piece for row in batch.rows for piece in self._of(row))

    def rest(self, body: dict[str, Any]) -> str:
        """What the whole answer has that was not sent piece by piece: a member's answer, a note, or all of it."""
        whole: str = body["choices"][0]["message"]["content"]
        sent = list(self._blocks.values())
        for place in range(len(sent)):
            tail = "\n\n".join(sent[place:])
            if whole.startswith(tail):
                return whole[len(tail) :]
        return ("\n\n" if sent and whole else "") + whole

    def _of(self, row: RunEvent) -> Iterator[str]:
        if self._whole_only or len(row.source) != 1 or row.type not in {"content.added", "content.completed"}:
            return
        block, text = row.data["block"], row.data["text"]
        if row.type == "content.completed":
            # Pieces of older runs may be gone; the whole text is there.
            known = self._blocks.get(block, "")
            text = text[len(known) :] if text.startswith(known) else ""
        if not text:
            return
        if block not in self._blocks:
            if self._blocks:
                yield "\n\n"
            self._blocks[block] = ""
        self._blocks[block] += text
        yield text


def _sent(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def _failed(error: Exception) -> tuple[int, dict[str, Any]]:
    if isinstance(error, Gone):
        return 401, error_body(401, "You were signed out, or may no longer see this run. It goes on.", "token_expired")
    if isinstance(error, DatabaseError):
        return 503, error_body(503, AWAY, "unavailable")
    if isinstance(error, MindloomError):
        return error.status, error_body(error.status, error.message, error.code)
    logger.error("An answer in OpenAI's protocol failed", exc_info=error)
    return 500, error_body(500, "Mindloom made a mistake. It was noted; tell an administrator.", "internal_error")
