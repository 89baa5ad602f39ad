"""Handing out a run's files: one, shown or downloaded, or all of them in an archive. Streamed, never whole in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from zipstream import ZIP_STORED, ZipStream

from mindloom.web.errors import Unavailable
from runs.models import PICTURES
from runs.worker import seen_in

if TYPE_CHECKING:
    from runs.models import Run, RunArtifact

logger = logging.getLogger(__name__)

CHUNK = 256 * 1024
OPAQUE = "application/octet-stream"
# Types that a browser might run or draw are handed over as plain bytes: nobody opens them from here by accident.
_ACTIVE = ("html", "svg", "xml", "javascript", "ecmascript")


def attachment(artifact: RunArtifact) -> StreamingHttpResponse:
    """The file as a download that no browser opens by itself or runs."""
    file, first = opened(artifact)
    active = any(word in artifact.media_type for word in _ACTIVE)
    media_type = OPAQUE if active or not artifact.media_type.isascii() else artifact.media_type
    return _answer(artifact, file, first, media_type or OPAQUE, as_attachment=True)


def picture(artifact: RunArtifact) -> StreamingHttpResponse | None:
    """The file for an `img` element; None when its first bytes are no picture's, whatever it is called."""
    file, first = opened(artifact)
    kind = seen_in(first)
    if kind not in PICTURES:
        file.close()
        return None
    return _answer(artifact, file, first, kind, as_attachment=False)


def opened(artifact: RunArtifact) -> tuple[Any, bytes]:
    """The stored file, open, and its beginning. Raises `Unavailable` when the storage does not give it."""
    file = None
    try:
        file = artifact.file.open("rb")
        return file, file.read(CHUNK)
    except Exception as error:
        logger.exception("The file %s can't be read", artifact.file.name)
        if file is not None:
            file.close()
        raise Unavailable(
            f"The file “{artifact.name}” can't be read from the storage now. Try again; if it stays, tell an administrator."
        ) from error


def _answer(
    artifact: RunArtifact, file: Any, first: bytes, media_type: str, *, as_attachment: bool
) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_parts(file, first), content_type=media_type)
    # Also when nobody reads it to its end, as Django's own FileResponse does it.
    response._resource_closers.append(file.close)  # type: ignore[attr-defined] # noqa: SLF001
    response["Content-Length"] = str(artifact.size_bytes)
    response["Content-Disposition"] = content_disposition_header(as_attachment, artifact.name) or "inline"
    return _sealed(response)


def _sealed(response: StreamingHttpResponse) -> StreamingHttpResponse:
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    return response


async def _parts(file: Any, first: bytes) -> AsyncIterator[bytes]:
    part = first
    while part:
        yield part
        part = await asyncio.to_thread(file.read, CHUNK)


def archive(run: Run, artifacts: Sequence[RunArtifact]) -> StreamingHttpResponse:
    """All of them as a zip file, under names that unpack well everywhere. It breaks off when a file cannot be read."""
    packed = ZipStream(compress_type=ZIP_STORED, sized=True)
    for artifact, name in zip(artifacts, archive_names(artifacts), strict=True):
        packed.add(_content(artifact), name, size=artifact.size_bytes)
    response = StreamingHttpResponse(_packed(packed), content_type="application/zip")
    response["Content-Length"] = str(len(packed))
    response["Content-Disposition"] = content_disposition_header(True, f"run-{run.pk}-files.zip") or "attachment"
    return _sealed(response)


def archive_names(artifacts: Sequence[RunArtifact]) -> list[str]:
    """A name for each, unique also where capital letters make no difference; versions that are not alone say which they are."""
    several = {one.name for one in artifacts if one.version > 1 and sum(o.name == one.name for o in artifacts) > 1}
    names: list[str] = []
    taken: set[str] = set()
    for artifact in artifacts:
        path = PurePosixPath(artifact.name.replace("/", "_").replace("\\", "_").lstrip(".") or "file")
        stem = f"{path.stem} (version {artifact.version})" if artifact.name in several else path.stem
        name, number = f"{stem}{path.suffix}", 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem} ({number}){path.suffix}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _content(artifact: RunArtifact) -> Iterator[bytes]:
    file, part = opened(artifact)
    with file:
        while part:
            yield part
            part = file.read(CHUNK)


async def _packed(packed: ZipStream) -> AsyncIterator[bytes]:
    parts = iter(packed)
    while part := await asyncio.to_thread(next, parts, b""):
        yield part
