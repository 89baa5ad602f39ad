"""E-mail: who wrote what to whom, and the text. Attachments are named, not read."""

from __future__ import annotations

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from buckets.readers.parts import Part, Refused
from buckets.readers.plain import decoded
from buckets.readers.web import html_parts

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
MOST_PARTS = 1_000


def read_mail(path: Path) -> Iterator[Part]:
    """The head, then the text."""
    message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert isinstance(message, EmailMessage)
    subject = _header(message, "Subject")
    head = [f"{name}: {value}" for name in _SHOWN if (value := _header(message, name))]
    files = _files(message)
    head += [f"Attached: {', '.join(files)}"] if files else []
    yield Part("\n".join(head), heading=subject)
    body: Any = message.get_body(preferencelist=("plain", "html"))
    if body is None:
        return
    text = decoded(body.get_payload(decode=True) or b"") if body.get_content_charset() is None else _text(body)
    if body.get_content_subtype() == "html":
        for part in html_parts(text) if text.strip() else ():
            yield Part(part.text, heading=" › ".join(filter(None, [subject, part.heading])))
    else:
        yield Part(text, heading=subject)


def _text(body: Any) -> str:
    try:
        return str(body.get_content())
    except (LookupError, ValueError):  # an encoding that nobody knows
        return decoded(body.get_payload(decode=True) or b"")


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except Exception:  # noqa: BLE001 -- the library breaks in many ways over addresses that are none
        return ""


def _files(message: EmailMessage) -> list[str]:
    found = []
    for count, part in enumerate(message.walk()):
        if count > MOST_PARTS:
            raise Refused(f"The message has more than {MOST_PARTS:,} parts. Save its text and add that.")
        if name := part.get_filename():
            found.append(" ".join(name.split())[:100])
    return found
