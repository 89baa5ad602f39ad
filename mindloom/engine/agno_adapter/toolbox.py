"""Calls the tools that the model asks for: checks arguments, runs the function in a thread, tells the log and the
model.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from mindloom.engine.agno_adapter.agno_setup import Function, FunctionCall
from mindloom.engine.agno_adapter.loop import LOOP
from mindloom.engine.events import (
    ArtifactSaved,
    Effect,
    Level,
    LogWritten,
    ToolCallFailed,
    ToolCallFinished,
    ToolCallStarted,
)
from mindloom.engine.ports import SavedArtifact, ToolError, ToolFunction

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.session import Session

LONGEST_RESULT_BYTES = 64 * 1024
LONGEST_ARGUMENTS = 1_000_000
"""Characters of the JSON; what is longer is not even read."""
_LONGEST_NAME = 100
_PROBLEMS_NAMED = 3

log = logging.getLogger(__name__)


class Context:
    """What a tool may do while it works. Safe from any thread."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save_artifact(self, name: str, content: bytes, media_type: str) -> SavedArtifact:
        """Store a file of the run and tell its readers."""
        saved = self._session.plan.ports.save_artifact(name, content, media_type)
        event = ArtifactSaved(
            artifact=saved.uuid,
            name=saved.name,
            media_type=saved.media_type,
            size_bytes=saved.size_bytes,
            source=self._session.source,
        )
        self._session.outbox.put_patiently(event)
        return saved

    def log(self, message: str, level: Level = "info") -> None:
        """Write a line into the run's log."""
        self._session.outbox.put_patiently(LogWritten(level=level, message=message, source=self._session.source))

    def cancelled(self) -> bool:
        """Whether the run is being stopped, or is over."""
        return self._session.verdict is not None or self._session.outbox.closed


class Toolbox:
    """The tools of one run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._functions = {function.info.name: function for function in session.plan.tools}
        self._context = Context(session)
        self._calls = 0

    def offered(self) -> list[Function]:
        """The functions as Agno offers them to the model, our JSON schema unchanged."""
        return [
            Function(
                name=function.info.name,
                description=function.info.description,
                parameters=function.info.parameters,
                skip_entrypoint_processing=True,
            )
            for function in self._functions.values()
        ]

    def function_calls(self, asked: list[dict[str, Any]]) -> list[FunctionCall]:
        """What Agno runs for the calls that a model asked for.

        Every call, a bad one too, becomes a function without arguments that ends in `_call`: Agno's own parsing would
        turn the text "none" into None, and what fits a tool is ours to say.
        """
        calls = []
        for call in asked:
            self._count()
            function = call.get("function") or {}
            name = str(function.get("name") or "")[:_LONGEST_NAME]
            work = partial(self._call, str(call.get("id") or ""), name, function.get("arguments"))
            calls.append(
                FunctionCall(
                    function=Function(
                        name=name or "unnamed", entrypoint=_entrypoint(work), skip_entrypoint_processing=True
                    ),
                    call_id=call.get("id"),
                )
            )
        return calls

    def _count(self) -> None:
        limit = self._session.limits.tool_calls
        if self._calls >= limit:
            message = (
                f"The agent called tools {limit} times without finishing, the most that it may. "
                "Make its instructions clearer, or raise its limit of tool calls."
            )
            raise self._session.fail(message, "budget")
        self._calls += 1

    async def _call(self, call_id: str, name: str, raw: object) -> str:
        """Run one call and return what the model reads. Every `tool_call.started` is followed by one end."""
        session, function, started = self._session, self._functions.get(name), time.monotonic()
        arguments, problem = _arguments(raw)
        effect: Effect = function.info.effect if function else "reads"
        session.outbox.put(
            ToolCallStarted(call_id=call_id, tool=name, arguments=arguments, effect=effect, source=session.source)
        )
        error = "The run was stopped."
        result = None
        try:
            if function is None or problem:
                error = problem or self._unknown(name)
            else:
                _check(function, arguments)
                result = _cut(await LOOP.in_thread(partial(function.call, arguments, self._context)))
        except ToolError as refused:
            error = str(refused)
        except Exception as broke:
            log.exception("run %s: the tool %s broke", session.plan.run_id, name)
            error = session.plan.explainer.clean(f"The tool broke: {type(broke).__name__}: {broke}")
        finally:
            took = round((time.monotonic() - started) * 1000)
            session.outbox.put(
                ToolCallFailed(call_id=call_id, tool=name, message=error, duration_ms=took, source=session.source)
                if result is None
                else ToolCallFinished(
                    call_id=call_id, tool=name, result=result, duration_ms=took, source=session.source
                )
            )
        return f"Error: {error}" if result is None else result

    def _unknown(self, name: str) -> str:
        return f'There is no tool "{name}". Tools: {", ".join(sorted(self._functions)) or "none"}.'


def _entrypoint(work: Callable[[], Coroutine[Any, Any, str]]) -> Callable[[], Coroutine[Any, Any, str]]:
    """Agno asks whether an entry point is a coroutine function, which a partial is not."""

    async def entrypoint() -> str:
        return await work()

    return entrypoint


def _arguments(raw: object) -> tuple[dict[str, Any], str]:  # noqa: PLR0911 -- one for each mistake
    """The arguments as the model gave them, and what is wrong with them as a whole."""
    if isinstance(raw, dict):
        return raw, ""
    if not isinstance(raw, str) or not raw.strip():
        return {}, ""
    if len(raw) > LONGEST_ARGUMENTS:
        return {}, f"The arguments have {len(raw):,} characters; {LONGEST_ARGUMENTS:,} are the most. Send less."
    try:
        value = json.loads(raw)
    except ValueError as error:
        return {}, f"The arguments are not JSON ({error}). Send one JSON object."
    except RecursionError:
        return {}, "The arguments are nested too deep. Send one plain JSON object."
    if not isinstance(value, dict):
        return {}, "The arguments must be one JSON object."
    return value, ""


def _check(function: ToolFunction, arguments: dict[str, Any]) -> None:
    """Raise `ToolError` with what does not fit the tool's schema."""
    problems = Draft202012Validator(function.info.parameters).iter_errors(arguments)
    named = [
        f"{'.'.join(map(str, problem.absolute_path))}: {problem.message[:200]}".removeprefix(": ")
        for problem, _ in zip(problems, range(_PROBLEMS_NAMED), strict=False)
    ]
    if named:
        raise ToolError(f"The arguments do not fit: {'; '.join(named)}.")


def _cut(result: str) -> str:
    """The result, cut where it would fill the model's context."""
    data = result.encode(errors="replace")
    if len(data) <= LONGEST_RESULT_BYTES:
        return result
    kept = data[:LONGEST_RESULT_BYTES].decode(errors="ignore")
    return f"{kept}\n\n[Cut here: these are the first {LONGEST_RESULT_BYTES:,} of the result's {len(data):,} bytes.]"
