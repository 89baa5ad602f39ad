"""Handing out files as they were given, sealed so that a browser never runs what is in them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from django.core.files.storage import default_storage
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from mindloom.web.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from buckets.models import Content

logger = logging.getLogger(__name__)

CHUNK = 64 * 1024


def download(name: str, content: Content) -> StreamingHttpResponse:
    """The file under its document's name. Raises `Unavailable` when the storage does not give it."""
    try:
        file = default_storage.open(content.path, "rb")
        first = file.read(CHUNK)
    except Exception as error:
        logger.exception("The file of content %s can't be read", content.pk)
        raise Unavailable(
            f"The file “{name}” can't be read from the storage now. Try again; if it stays, tell an administrator."
        ) from error
    response = StreamingHttpResponse(_parts(file, first), content_type="application/octet-stream")
    # Also when nobody reads it to its end, as Django's own FileResponse does it.
    response._resource_closers.append(file.close)  # type: ignore[attr-defined] # noqa: SLF001
    response["Content-Length"] = str(content.size_bytes)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
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
