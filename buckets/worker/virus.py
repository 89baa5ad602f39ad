"""Asks a virus scanner (ClamAV's clamd) about a file, when the installation has one."""

from __future__ import annotations

import logging
import socket
import struct
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.storage import default_storage

from buckets.readers.parts import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 60
_CHUNK = 64 * 1024
FOUND = "The virus scanner found {name} in the file, so it is not read. Remove it, and have the computer that it is from looked at."
AWAY = (
    "The virus scanner did not answer, and without it no file is read. Try again; if it stays, tell an administrator."
)


def refuse_infected(path: str, alive: Callable[[], None]) -> None:
    """Raise `Refused` when the scanner finds something in the stored file, or does not say that it is clean."""
    if not settings.CLAMD_ADDRESS:
        return
    try:
        answer = _scanned(path, alive)
    except OSError as error:
        logger.warning("The virus scanner at %s did not answer: %s", settings.CLAMD_ADDRESS, error)
        raise Refused(AWAY) from None
    if answer.endswith(" FOUND"):
        raise Refused(FOUND.format(name=answer.removeprefix("stream: ").removesuffix(" FOUND")[:100]))
    if not answer.endswith(" OK"):
        logger.warning("The virus scanner said: %s", answer[:200])
        raise Refused(AWAY)


def _scanned(path: str, alive: Callable[[], None]) -> str:
    """What the scanner says of the file: its command INSTREAM, pieces with their lengths, an empty one as the end."""
    with _connected() as scanner, default_storage.open(path, "rb") as stored:
        scanner.sendall(b"zINSTREAM\0")
        while piece := stored.read(_CHUNK):
            alive()
            scanner.sendall(struct.pack("!L", len(piece)) + piece)
        scanner.sendall(struct.pack("!L", 0))
        said = b""
        while not said.endswith(b"\0") and (more := scanner.recv(4096)):
            said += more
    return said.rstrip(b"\0").decode(errors="replace").strip()


def _connected() -> socket.socket:
    """A connection to `host:port`, or to the unix socket at a path."""
    address: str = settings.CLAMD_ADDRESS
    if address.startswith("/"):
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(TIMEOUT_SECONDS)
        made.connect(address)
        return made
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=TIMEOUT_SECONDS)
