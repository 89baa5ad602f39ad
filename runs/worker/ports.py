"""The platform's side of a run, for the engine."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from redis import RedisError

from integrations import services as integrations
from integrations import tools
from mindloom import wall
from mindloom.engine.errors import EngineError
from mindloom.engine.ports import Passage, SavedArtifact, ToolError
from mindloom.wall.pool import give_back
from mindloom.web.errors import Unavailable
from runs.models import RunArtifact
from runs.worker import memory as memories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from integrations.tools import OpenConnection
    from mindloom.engine.ports import Memories, ToolFunction
    from mindloom.engine.spec import MemorySpec, ToolSpec
    from runs.models import Run
    from runs.worker.redact import Redactor

NAME_MAX = 120


class RunPorts:
    """Ports of one run. Called from the engine's threads, so every call enters the wall by itself."""

    def __init__(self, run: Run, redactor: Redactor) -> None:
        self._run = run
        self._redactor = redactor

    def tools(self, tool: ToolSpec) -> Sequence[ToolFunction]:
        """The functions of one tool of the catalogue, its connection opened. Raises `EngineError` when that cannot be."""
        with wall.tenant([self._run.department_id]):
            try:
                for value in tools.secrets_of(tool):
                    self._redactor.add(value)
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
        return opened

    def secret(self, ref: str, base_url: str) -> str:
        """Open a secret for the model's address; from then on it is kept out of everything the run writes.

        Raises `EngineError` when it cannot be had.
        """
        with wall.tenant([self._run.department_id]):
            try:
                value = integrations.open_secret(ref, base_url)
            except Unavailable as error:
                raise EngineError(error.message, kind="system_error") from None
            finally:
                give_back()
        self._redactor.add(value)
        return value

    def retrieve(self, query: str, limit: int, buckets: Sequence[str]) -> Sequence[Passage]:
        """Passages of the buckets that the person may read. There are no buckets in this installation yet, so none has any."""
        return ()

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
        """Store a file. A name that was used before in this run gets a number."""
        content = self._redactor.content(content)
        if len(content) > settings.ARTIFACT_MAX_BYTES:
            raise ToolError(f"{name} has {len(content):,} bytes; a file may have {settings.ARTIFACT_MAX_BYTES:,}.")
        with wall.tenant([self._run.department_id]):
            try:
                return self._store(safe_name(name), content, media_type)
            finally:
                give_back()

    def _store(self, name: str, content: bytes, media_type: str) -> SavedArtifact:
        taken = set(RunArtifact.objects.filter(run=self._run).values_list("name", flat=True))
        if len(taken) >= settings.ARTIFACTS_PER_RUN:
            raise ToolError(f"This run has {len(taken)} files already, which is the most a run may have.")
        name = _free_name(name, taken)
        uuid = uuid4()
        # The path is ours alone: what the agent calls the file never reaches the file system.
        path = default_storage.save(f"runs/{self._run.uuid}/{uuid}", ContentFile(content))
        artifact = RunArtifact.objects.create(
            uuid=uuid,
            run=self._run,
            department_id=self._run.department_id,
            name=name,
            media_type=media_type[:100],
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            file=path,
        )
        return SavedArtifact(uuid=str(uuid), name=name, media_type=artifact.media_type, size_bytes=len(content))


def safe_name(name: str) -> str:
    """A file name without folders, control characters or surprises; never empty."""
    last = re.split(r"[/\\]", name)[-1]
    clean = re.sub(r"[\x00-\x1f\x7f<>:\"|?*]+", "", last).strip(" .")
    path = PurePosixPath(clean or "file")
    return f"{path.stem[: NAME_MAX - len(path.suffix)]}{path.suffix[:20]}"


def _free_name(name: str, taken: set[str]) -> str:
    path, number, free = PurePosixPath(name), 1, name
    while free in taken:
        number += 1
        free = f"{path.stem} ({number}){path.suffix}"
    return free
