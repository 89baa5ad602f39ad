"""What the platform lends a run: tools, secrets, knowledge, a place for files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from mindloom.engine.events import Level
from mindloom.engine.spec import MemorySpec, ToolInfo, ToolSpec


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A piece of a document, with where it stands. The ids are the platform's own, so that a citation can be followed."""

    text: str
    document: str
    location: str = ""
    score: float = 0.0
    bucket: str = ""
    document_id: str = ""
    version: int = 0
    page: int = 0


@dataclass(frozen=True, kw_only=True)
class SavedArtifact:
    """A file of the run, as it was stored."""

    uuid: str
    name: str
    media_type: str
    size_bytes: int
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One earlier run of a conversation: what was asked and what was answered."""

    asked: str
    answered: str


@dataclass(frozen=True, kw_only=True)
class Memories:
    """What is remembered when a run starts: the latest exchanges, oldest first, a summary of those before, exchanges that no
    summary holds yet, and facts about the person. `note` is for the log, when something could not be recalled.
    """

    exchanges: tuple[Exchange, ...] = ()
    summary: str = ""
    unsummarised: tuple[Exchange, ...] = ()
    facts: tuple[str, ...] = ()
    note: str = ""


class ToolError(Exception):
    """A tool can say why it did not work; the model reads the message and may try something else."""


class ToolContext(Protocol):
    """What a tool may do while it works. Calls are safe from any thread."""

    def save_artifact(self, name: str, content: bytes, media_type: str) -> SavedArtifact:
        """Store a file of the run and tell its readers. Raises `ToolError` when that is too much."""

    def log(self, message: str, level: Level = "info") -> None:
        """Write a line into the run's log."""

    def cancelled(self) -> bool:
        """Whether the run is being stopped; long tools look at it and give up."""


@dataclass(frozen=True, kw_only=True)
class ToolFunction:
    """A function that the model may call. `call` is synchronous and is run in a thread of its own.

    `asks` says that a person comes first: "approval" waits for a yes before the call, "answer" takes the person's words as the
    result and calls nothing. What `acts_outside` sends, writes or executes beyond the run: a person comes first, too, once text
    of documents was read, unless the agent may go on (`AgentSpec.after_documents`).
    """

    info: ToolInfo
    call: Callable[[dict[str, Any], ToolContext], str]
    asks: Literal["", "approval", "answer"] = ""
    acts_outside: bool = False


class Ports(Protocol):
    """The platform's side of a run.

    `tools`, `secret` and `recall` are called before the run starts, in the thread that iterates it. The others are called from
    other threads, several at once; these have the iterating thread's context variables.
    """

    def tools(self, tool: ToolSpec) -> Sequence[ToolFunction]:
        """The functions of one tool, configured. Raises `EngineError` when the tool may not be used here."""

    def secret(self, ref: str, base_url: str) -> str:
        """The secret that a spec names, to be sent to this address only. Whatever was opened is kept out of events, artifacts
        and logs.
        """

    def retrieve(self, query: str, limit: int, buckets: Sequence[str]) -> Sequence[Passage]:
        """Passages from those of the buckets that the person who runs may read, best first."""

    def recall(self, memory: MemorySpec) -> Memories:
        """What is remembered of the conversation and of the person."""

    def remember(self, memory: MemorySpec, *, summary: str | None = None, facts: Sequence[str] | None = None) -> None:
        """Keep a new summary, or all facts about the person from now on; what is None stays as it is."""

    def save_artifact(self, name: str, content: bytes, media_type: str) -> SavedArtifact:
        """Store a file of the run. Raises `ToolError` when it is too large or there are too many."""

    def wait_for(self, provider: int) -> float:
        """Seconds until the provider (`ModelSpec.provider_key`) may be asked, as any run has heard it; 0 for now."""

    def hold(self, provider: int, seconds: float) -> None:
        """No run asks the provider for so long: it said that there are too many requests."""
