"""Keeps the files that runs make: safe names, types that are true, versions, limits, nothing left half done; and removes them."""

from __future__ import annotations

import errno
import hashlib
import logging
import mimetypes
import re
import unicodedata
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max, Sum

from accounts.services.storing import no_room_for
from mindloom.engine.ports import SavedArtifact, ToolError
from runs.models import Run, RunArtifact, State, StrayFile

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

NAME_MAX = 120
FOLDER = "runs"
GIVEN_AWAY = "{name} was not saved: the run was given up here, and goes on elsewhere or has ended."
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
)
_SEEN_IN_CONTENT = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
"""Types that nothing is called unless its content begins like it."""
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_TEXTUAL = re.compile(r"text/|application/(json|xml|yaml|x-yaml|x-ndjson|javascript)$|.*\+(json|xml)$|image/svg\+xml$")
_BY_EXTENSION = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".ics": "text/calendar",
    ".vcf": "text/vcard",
}
_MARKUP = re.compile(
    rb"(?:<!--.{0,400}?-->\s*|<\?xml.{0,200}?\?>\s*)*<(!doctype\s+html|html|svg)", re.IGNORECASE | re.DOTALL
)


def store(run: Run, name: str, content: bytes, claimed: str, *, fence: int | None = None) -> SavedArtifact:
    """Keep a file of the run; under a name that it has used before, as the next version. Inside the run's scope.

    One call at a time for each run. Raises `ToolError` with a sentence when a limit is reached, the storage fails, or the run is
    no longer this worker's, whose `fence` it is; then nothing is left behind.
    """
    name = safe_name(name)
    _check_limits(run, name, len(content))
    newest = RunArtifact.objects.filter(run=run, name=name).aggregate(newest=Max("version"))["newest"] or 0
    uuid = uuid4()
    # The path is ours alone: what the agent calls the file never reaches the file system.
    path = f"{FOLDER}/{run.uuid}/{uuid}"
    stray = StrayFile.objects.create(department_id=run.department_id, path=path, size_bytes=len(content))
    try:
        default_storage.save(path, ContentFile(content))
    except Exception as error:
        logger.exception("The file of run %s could not be stored", run.pk)
        remove([stray])
        raise ToolError(_sentence(name, error)) from None
    with transaction.atomic():
        made = (fence is None or _holds(run, fence)) and RunArtifact.objects.create(
            uuid=uuid,
            run=run,
            department_id=run.department_id,
            name=name,
            version=newest + 1,
            media_type=media_type_of(content, name, claimed),
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            file=path,
        )
        if made:
            stray.delete()
    if not made:
        remove([stray])
        raise ToolError(GIVEN_AWAY.format(name=name))
    return SavedArtifact(
        uuid=str(uuid), name=name, media_type=made.media_type, size_bytes=len(content), version=made.version
    )


def _holds(run: Run, fence: int) -> bool:
    """Whether the claim still holds; if so, until the transaction ends."""
    return Run.objects.select_for_update(no_key=True).filter(pk=run.pk, state=State.RUNNING, fence=fence).exists()


def _check_limits(run: Run, name: str, size: int) -> None:
    if size > settings.ARTIFACT_MAX_BYTES:
        raise ToolError(f"{name} has {size:,} bytes; a file may have {settings.ARTIFACT_MAX_BYTES:,}.")
    if sentence := no_room_for(size, run.department_id):
        raise ToolError(sentence)
    kept = RunArtifact.objects.filter(run=run)
    count = kept.count()
    if count >= settings.ARTIFACTS_PER_RUN:
        raise ToolError(
            f"This run has saved {count} files already, versions counted, which is the most a run may have."
        )
    total = kept.aggregate(total=Sum("size_bytes"))["total"] or 0
    if total + size > settings.ARTIFACTS_MAX_BYTES_PER_RUN:
        raise ToolError(
            f"With {name} the files of this run would have {total + size:,} bytes; "
            f"together they may have {settings.ARTIFACTS_MAX_BYTES_PER_RUN:,}."
        )


def _sentence(name: str, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"{name} was not saved: the storage for files is full. An administrator must make room."
    return (
        f"{name} was not saved: the storage for files did not take it ({type(error).__name__}). "
        "Try again later; an administrator finds the details in the worker's log."
    )


def remove(strays: Iterable[StrayFile]) -> int:
    """Remove stored files, and the rows that say so; returns how many. What the storage refuses stays for the next sweep."""
    count = 0
    for stray in strays:
        try:
            default_storage.delete(stray.path)
        except Exception as error:  # noqa: BLE001 -- every storage has errors of its own
            logger.warning("The file %s could not be removed now: %s", stray.path, error)
            continue
        # Its folder too, once it is empty; buckets have none.
        with suppress(Exception):
            default_storage.delete(stray.path.rpartition("/")[0])
        StrayFile.objects.filter(pk=stray.pk).delete()
        count += 1
    return count


def safe_name(name: str) -> str:
    """A file name without folders, control characters, signs that turn text around or other surprises; never empty."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(sign for sign in unicodedata.normalize("NFC", last) if unicodedata.category(sign)[0] != "C")
    clean = re.sub(r"[<>:\"|?*]+", "", plain).strip(" .")
    path = PurePosixPath(clean or "file")
    suffix = path.suffix[:20]
    return f"{path.stem[: NAME_MAX - len(suffix)]}{suffix}"


def media_type_of(content: bytes, name: str, claimed: str) -> str:
    """What the file is: by its content where that tells, then by what the agent calls it, then by its name."""
    guess = _BY_EXTENSION.get(PurePosixPath(name).suffix.lower()) or mimetypes.guess_type(name)[0] or ""
    claim = claimed.partition(";")[0].strip().lower()
    claim = claim if _MEDIA_TYPE.fullmatch(claim) and len(claim) <= 100 else ""
    seen = seen_in(content)
    if seen == "application/zip":
        # Documents of offices are archives, too.
        return next((one for one in (claim, guess) if one.startswith("application/")), seen)
    if seen:
        return seen
    known = [one for one in (claim, guess) if one and one not in _SEEN_IN_CONTENT and one != "application/octet-stream"]
    if _is_text(content):
        if markup := _MARKUP.match(content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")):
            return "image/svg+xml" if markup[1].lower() == b"svg" else "text/html"
        return next((one for one in known if _TEXTUAL.match(one)), "text/plain")
    return next((one for one in known if not _TEXTUAL.match(one)), "application/octet-stream")


def seen_in(beginning: bytes) -> str:
    """The type that the first bytes tell; empty when they tell none."""
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if beginning.startswith(magic)), "")


def _is_text(content: bytes) -> bool:
    if b"\x00" in content:
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
