"""What readers give, and how they say no."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST_PART = 8_000
"""Characters of a part; longer ones are cut between paragraphs, so that pages of text stay readable."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")


class Refused(Exception):
    """The file cannot be used. The message says what is the matter and what to do."""


@dataclass(frozen=True)
class Part:
    """A piece of the text with where it stands: a page, a slide, a section, some rows."""

    text: str
    label: str = ""
    heading: str = ""


def tidy(text: str) -> str:
    """The text without characters that cannot be kept, with at most one blank line in a row."""
    plain = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " "))
    return _BLANK_LINES.sub("\n\n", plain).strip()


def cut(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts that say something, tidied; too long ones in several."""
    for part in parts:
        text = tidy(part.text)
        pieces = list(_pieces(text)) if text else []
        for number, piece in enumerate(pieces, start=1):
            label = part.label if number == 1 else " ".join(filter(None, [part.label, f"({number})"]))
            yield Part(piece, label[:120], tidy(part.heading).replace("\n", " ")[:300])


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces of `LONGEST_PART`, cut at the last blank line, line end or space before it."""
    while len(text) > LONGEST_PART:
        window = text[:LONGEST_PART]
        end = max(window.rfind("\n\n"), LONGEST_PART // 2) if "\n\n" in window else -1
        end = end if end > LONGEST_PART // 2 else max(window.rfind("\n"), window.rfind(" "))
        end = end if end > LONGEST_PART // 2 else LONGEST_PART
        yield text[:end].strip()
        text = text[end:].strip()
    if text:
        yield text
