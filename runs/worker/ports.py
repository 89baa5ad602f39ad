"""The platform's side of a run, for the engine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from redis import RedisError

from audit.services import record
from integrations import services as integrations
from integrations import tools
from integrations.providers import limiter
from mindloom import keyring, wall
from mindloom.engine.errors import EngineError
from mindloom.engine.ports import Passage
from mindloom.wall.pool import give_back
from mindloom.web.errors import Unavailable
from runs.worker import files, knowledge
from runs.worker import memory as memories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integrations.tools import OpenConnection
    from mindloom.engine.ports import Memories, SavedArtifact, ToolFunction
    from mindloom.engine.spec import MemorySpec, ToolSpec
    from runs.models import Run
    from runs.worker.redact import Redactor


class RunPorts:
    """Ports of one run. Called from the engine's threads, so every call enters the wall by itself.

    With the fence of the worker's claim, files are saved as long as the claim holds, as events are written.
    """

    def __init__(self, run: Run, redactor: Redactor, fence: int | None = None) -> None:
        self._run = run
        self._redactor = redactor
        self._fence = fence
        self._saving = threading.Lock()
        self._used: set[str] = set()

    def tools(self, tool: ToolSpec) -> Sequence[ToolFunction]:
        """The functions of one tool of the catalogue, its connection opened. Raises `EngineError` when that cannot be."""
        with wall.tenant([self._run.department_id]):
            try:
                for value in tools.secrets_of(tool):
                    self._redactor.add(value)
                    self._note_use(f"tool:{tool.key}")
                return tools.functions(tool, self._connection(tool.connection_ref) if tool.connection_ref else None)
            finally:
                give_back()

    def _connection(self, ref: str) -> OpenConnection:
        """A connection that the person who runs may use; from then on its secrets are kept out of what the run writes."""
        try:
            opened = integrations.open_connection(ref, self._run.department_id, person=self._run.started_by)
        except Unavailable as error:
            raise EngineError(error.message) from None
        for name in opened.secret_names:
            self._redactor.add(opened.values[name])
            self._note_use(ref, opened.name)
        return opened

    def _note_use(self, ref: str, name: str = "") -> None:
        """Once a run and secret: whose rights opened it, and what for."""
        # Whoever hands secrets to a pod notes that they are used; the pod cannot add to the audit trail.
        if ref not in self._used and not keyring.is_handed():
            self._used.add(ref)
            record(actor=self._run.started_by, action="secret.used", target=self._run, secret=ref, name=name)

    def secret(self, ref: str, base_url: str) -> str:
        """Open a secret for the model's address; from then on it is kept out of everything the run writes.

        Raises `EngineError` when it cannot be had.
        """
        with wall.tenant([self._run.department_id]):
            try:
                value = integrations.open_secret(ref, base_url)
                if value:
                    self._note_use(ref)
            except Unavailable as error:
                raise EngineError(error.message, kind="system_error") from None
            finally:
                give_back()
        self._redactor.add(value)
        return value

    def retrieve(self, query: str, limit: int, buckets: Sequence[str]) -> Sequence[Passage]:
        """Passages of those of the buckets that the person who runs may read at this moment, best first. Raises `ToolError`."""
        with wall.tenant([self._run.department_id]):
            try:
                return knowledge.retrieve(self._run, query, limit, buckets)
            finally:
                give_back()

    def recall(self, memory: MemorySpec) -> Memories:
        """What is remembered of the conversation and of the person."""
        with wall.tenant([self._run.department_id]):
            try:
                return memories.recall(self._run, memory)
            finally:
                give_back()

    def remember(self, memory: MemorySpec, *, summary: str | None = None, facts: Sequence[str] | None = None) -> None:
        """Keep it, secrets masked. Raises `EngineError` when the memory cannot be reached."""
        summary = self._redactor.text(summary) if summary is not None else None
        facts = [self._redactor.text(fact) for fact in facts] if facts is not None else None
        with wall.tenant([self._run.department_id]):
            try:
                memories.remember(self._run, memory, summary=summary, facts=facts)
            except RedisError:
                raise EngineError(memories.AWAY, kind="system_error") from None
            finally:
                give_back()

    def save_artifact(self, name: str, content: bytes, media_type: str) -> SavedArtifact:
        """Store a file. Under a name that was used before in this run it is the next version."""
        content = self._redactor.content(content)
        # Tools of one run may save at the same time; numbers and limits want one after the other.
        with self._saving, wall.tenant([self._run.department_id]):
            try:
                return files.store(self._run, self._redactor.text(name), content, media_type, fence=self._fence)
            finally:
                give_back()

    def wait_for(self, provider: int) -> float:
        """Seconds until the provider may be asked, as any worker has heard it."""
        return limiter.wait_for(provider)

    def hold(self, provider: int, seconds: float) -> None:
        """No run of any worker asks the provider for so long."""
        limiter.hold(provider, seconds)
