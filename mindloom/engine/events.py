"""The event vocabulary: everything that can be seen of a run, as frozen values.

An event's type is `subject.past_participle`. Units are in field names (`duration_ms`, `tokens_in`). `source` is the
path of agent names that it came from, outermost first, so the members of a team are told apart by it. Unknown types and
unknown fields are refused by `decode`. docs/events.md is generated from this module (`make docs`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, get_args

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Level = Literal["debug", "info", "warn", "error"]
FailureKind = Literal[
    "agent_error",
    "system_error",
    "timeout",
    "lost",
    "budget",
    "rejected",
    "image_not_found",
    "image_forbidden",
    "no_node",
    "quota",
    "evicted",
    "node_lost",
    "out_of_memory",
    "configuration",
    "cluster",
]
Effect = Literal["reads", "writes", "sends", "executes"]
ApprovalKind = Literal["approval", "answer", "check"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened in a run. `at` is the producer's clock, UTC; the sequence number is given when it is
    stored.
    """

    type: ClassVar[str] = ""
    merges: ClassVar[bool] = False
    """True for pieces of streamed text, which may be joined with the next piece before they are stored."""

    at: datetime = field(default_factory=_now)
    source: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """The event's own fields as plain JSON values, without `at` and `source`."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in {"at", "source"}}


@dataclass(frozen=True, kw_only=True)
class RunQueued(Event):
    """The run was accepted and waits for a worker."""

    type: ClassVar[str] = "run.queued"
    trigger: str


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """A worker took the run. `attempt` counts from 1."""

    type: ClassVar[str] = "run.started"
    worker: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class RunWaiting(Event):
    """The run cannot go on until a person acts."""

    type: ClassVar[str] = "run.waiting"
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class RunResumed(Event):
    """The run goes on after it waited."""

    type: ClassVar[str] = "run.resumed"
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class RunCompleted(Event):
    """The run ended well. `output` is the final text, `structured` the validated structured output, `warnings` what a reader
    of the result must know, such as a member of the team that failed.
    """

    type: ClassVar[str] = "run.completed"
    output: str
    structured: Json = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunFailed(Event):
    """The run ended without a result. `message` says what happened and what to do."""

    type: ClassVar[str] = "run.failed"
    kind: FailureKind
    message: str


@dataclass(frozen=True, kw_only=True)
class RunCancelled(Event):
    """Somebody stopped the run."""

    type: ClassVar[str] = "run.cancelled"
    message: str


@dataclass(frozen=True, kw_only=True)
class ContentAdded(Event):
    """A piece of the answer, while it is written. `block` counts the run's texts from 1."""

    type: ClassVar[str] = "content.added"
    merges: ClassVar[bool] = True
    block: int
    text: str


@dataclass(frozen=True, kw_only=True)
class ContentCompleted(Event):
    """The whole text of a block; it replaces the pieces."""

    type: ClassVar[str] = "content.completed"
    block: int
    text: str


@dataclass(frozen=True, kw_only=True)
class ReasoningAdded(Event):
    """A piece of the model's reasoning, while it is written."""

    type: ClassVar[str] = "reasoning.added"
    merges: ClassVar[bool] = True
    block: int
    text: str


@dataclass(frozen=True, kw_only=True)
class ReasoningCompleted(Event):
    """The whole reasoning of a block; it replaces the pieces."""

    type: ClassVar[str] = "reasoning.completed"
    block: int
    text: str


@dataclass(frozen=True, kw_only=True)
class ModelCalled(Event):
    """One request to a model ended, well or not. Tokens are what the provider counted; null where it said nothing.
    `tokens_in` is all that the model read, `tokens_cached` the part of it that the provider had read before.

    `model_ref` is the installation's own id of the model, empty when it has none. `turn` counts the requests of this source from 1. `first_token_ms` is null when nothing was streamed. `error` is empty
    when the call succeeded. `purpose` is empty for the work itself; else what the platform asked for: memory, summary, room.
    """

    type: ClassVar[str] = "model.called"
    provider: str
    model: str
    turn: int
    duration_ms: int
    first_token_ms: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    tokens_reasoning: int | None = None
    error: str = ""
    purpose: str = ""
    model_ref: str = ""


@dataclass(frozen=True, kw_only=True)
class ToolCallStarted(Event):
    """The model asked for a tool and it begins to work. `key` names the call inside the run."""

    type: ClassVar[str] = "tool_call.started"
    call_id: str
    tool: str
    arguments: dict[str, Any]
    effect: Effect
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class ToolCallFinished(Event):
    """The tool answered. `result` is the text that the model reads."""

    type: ClassVar[str] = "tool_call.finished"
    call_id: str
    tool: str
    result: str
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class ToolCallFailed(Event):
    """The tool refused, broke or does not exist. The model reads `message` and may try something else."""

    type: ClassVar[str] = "tool_call.failed"
    call_id: str
    tool: str
    message: str
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class MemberStarted(Event):
    """A member of a team began its part."""

    type: ClassVar[str] = "member.started"
    member: str
    task: str


@dataclass(frozen=True, kw_only=True)
class MemberFinished(Event):
    """A member of a team ended its part; `error` is empty when it went well."""

    type: ClassVar[str] = "member.finished"
    member: str
    duration_ms: int
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class KnowledgeRetrieved(Event):
    """Passages were looked up in content buckets."""

    type: ClassVar[str] = "knowledge.retrieved"
    query: str
    passages: tuple[dict[str, Any], ...]
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class ArtifactSaved(Event):
    """The agent made a file that people can download; `version` counts how often it saved one of this name."""

    type: ClassVar[str] = "artifact.saved"
    artifact: str
    name: str
    media_type: str
    size_bytes: int
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class ApprovalRequested(Event):
    """A tool call waits for a person: for a decision; with kind `answer` for words that become its result; with kind `check`
    for what became of it, because the worker vanished while it was under way.
    """

    type: ClassVar[str] = "approval.requested"
    approval: str
    tool: str
    arguments: dict[str, Any]
    message: str
    kind: ApprovalKind = "approval"
    effect: Effect = "sends"
    key: str = ""
    """Names the call inside the run, so that the decision finds it again."""


@dataclass(frozen=True, kw_only=True)
class ApprovalDecided(Event):
    """A person decided."""

    type: ClassVar[str] = "approval.decided"
    approval: str
    decision: Literal["approved", "declined", "answered", "happened", "did_not_happen"]
    by: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class LogWritten(Event):
    """A remark by the platform or a tool that fits no other type."""

    type: ClassVar[str] = "log.written"
    level: Level
    message: str


TYPES: dict[str, type[Event]] = {
    cls.type: cls
    for cls in (
        RunQueued, RunStarted, RunWaiting, RunResumed, RunCompleted, RunFailed, RunCancelled,
        ContentAdded, ContentCompleted, ReasoningAdded, ReasoningCompleted,
        ModelCalled, ToolCallStarted, ToolCallFinished, ToolCallFailed,
        MemberStarted, MemberFinished, KnowledgeRetrieved, ArtifactSaved,
        ApprovalRequested, ApprovalDecided, LogWritten,
    )
}  # fmt: skip
TERMINAL_TYPES = frozenset({"run.completed", "run.failed", "run.cancelled"})
LAST_TYPES = TERMINAL_TYPES | {"run.waiting"}
"""What an engine's iteration ends with."""
FAILURE_KINDS: tuple[str, ...] = get_args(FailureKind)


class UnknownEvent(ValueError):
    """The event's type or one of its fields is not in the vocabulary."""


def decode(kind: str, data: dict[str, Any], *, at: datetime, source: tuple[str, ...] = ()) -> Event:
    """Build the event of type `kind` from stored values. Raises `UnknownEvent` for an unknown type or field."""
    cls = TYPES.get(kind)
    if cls is None:
        raise UnknownEvent(f"There is no event type {kind!r}.")
    try:
        return cls(at=at, source=source, **data)
    except TypeError as error:
        raise UnknownEvent(f"{kind}: {error}") from None
