"""Has a file read by a process of its own, and takes what that wrote."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.storage import default_storage

from buckets.readers.parts import Refused
from mindloom.environment import BASE_DIR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

POLL_SECONDS = 0.1
_COPIED_AT_ONCE = 1024 * 1024
TOO_LONG = "To read the file took longer than {seconds} seconds, so it was stopped. Split it, or save it as PDF or plain text, and add that."
BROKE = "Reading the file broke the program that reads it, so the file is probably damaged. Save it again, or as PDF, and add that."


@dataclass(frozen=True)
class Extracted:
    """What a file is and where its parts are, a JSON value a line."""

    kind: str
    count: int
    characters: int
    lines: Path

    def parts(self) -> Iterator[tuple[str, str, str]]:
        """Label, heading and text of each part."""
        with self.lines.open(encoding="utf-8") as file:
            for line in file:
                value = json.loads(line)
                if "part" in value:
                    label, heading, text = value["part"]
                    yield label, heading, text


def extract(path: str, name: str, folder: Path, alive: Callable[[], None]) -> Extracted:
    """Read the stored file. `alive` is called all the time, and may raise to stop it. Raises `Refused` with the reason."""
    source, target = folder / "file", folder / "parts"
    with default_storage.open(path, "rb") as stored, source.open("wb") as copy:
        while piece := stored.read(_COPIED_AT_ONCE):
            copy.write(piece)
    code = _run(source, name, target, alive)
    return _result(target, code)


def _run(source: Path, name: str, target: Path, alive: Callable[[], None]) -> int:
    limits = {
        "memory_bytes": settings.DOCUMENT_MEMORY_MB * 1024 * 1024,
        "seconds": settings.DOCUMENT_SECONDS,
        # JSON may need six letters for one.
        "written_bytes": settings.DOCUMENT_MAX_CHARS * 6 + 64 * 1024 * 1024,
        "characters": settings.DOCUMENT_MAX_CHARS,
    }
    command = [sys.executable, "-m", "buckets.readers.child", str(source), name, str(target), json.dumps(limits)]
    # What a file makes a parser say does not belong into our log.
    child = subprocess.Popen(  # noqa: S603 -- our own command
        command,
        cwd=BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + settings.DOCUMENT_SECONDS
    try:
        while True:
            alive()
            try:
                return child.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if time.monotonic() > end:
                    raise Refused(TOO_LONG.format(seconds=settings.DOCUMENT_SECONDS)) from None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _result(target: Path, code: int) -> Extracted:
    said: dict[str, Any] = {}
    if target.exists():
        with target.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if not line.startswith('{"part"'):
                    said |= _value(line)
    if "refused" in said:
        raise Refused(str(said["refused"]))
    if code in {-signal.SIGXCPU, -signal.SIGKILL} and "done" not in said:
        raise Refused(TOO_LONG.format(seconds=settings.DOCUMENT_SECONDS))
    if code or "done" not in said:
        raise Refused(BROKE)
    return Extracted(said["kind"], said["done"], said["characters"], target)


def _value(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def working_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for one file, gone when it is left."""
    return tempfile.TemporaryDirectory(prefix="mindloom-file-")
