"""Understands, as far as patterns go, what instructions and input want."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from functools import cached_property

from mindloom.engine.extractive.reading import sentences

_BULLET = re.compile(r"^\s*(?:[-*•+]|\d{1,2}[.)])\s+(.+)$")
_HEADING = re.compile(r"^#{1,4}\s+(.+)$")
_ANNOUNCES = re.compile(
    r"\b(sections?|headings?|structure|format|parts|contains?|includes?|following|deliver|output|produce|write|answer|"
    r"report|reply|return|give|provide|with)\b.*:\s*$",
    re.IGNORECASE,
)
_INLINE = re.compile(
    r"\b(?:sections?|headings?|parts)\s*(?:called|named|:|are|-)?\s*[:\"“]?\s*"
    r"((?:[\"“']?[A-Z][\w /&-]{1,40}[\"”']?(?:,\s*(?:and\s+)?|\s+and\s+)){1,9}"
    r"[\"“']?[A-Z][\w /&-]{1,40}?)[\"”']?(?=[.;\n]|$)"
)
_RULE = re.compile(r"^(?:do not|don't|never|always|be |use |keep |avoid |if |when |make sure|only |no )", re.IGNORECASE)
_LONGEST_TITLE = 60
_FEWEST_SECTIONS = 2
_FEWEST_ROWS = 2
_MATERIAL_CHARACTERS = 220
_SAVE = re.compile(
    r"\b(save|export|store|attach|create|write|produce|generate|deliver|download)\b[^.\n]{0,60}?"
    r"\b(file|artifact|report|document|pdf|csv|markdown|html|download|attachment)\b",
    re.IGNORECASE,
)
_SAVE_TOOL = re.compile(r"\bsave[_ ]artifact\b", re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """A part of the answer that the instructions ask for."""

    title: str
    hint: str = ""


@dataclass(frozen=True)
class Request:
    """What is asked: the agent's instructions and the person's input."""

    instructions: str
    text: str

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The sections that the input or else the instructions ask for."""
        return _sections(self.ask) or _sections(self.instructions)

    @cached_property
    def csv_text(self) -> str:
        """The first table in CSV that the input holds."""
        return find_csv(self.text)

    @cached_property
    def ask(self) -> str:
        """The part of the input that says what to do: its first paragraph when a text follows, else all of it."""
        text = self.text.replace(self.csv_text, "") if self.csv_text else self.text
        head, separator, rest = text.strip().partition("\n")
        if separator and len(rest.strip()) > 0 and (head.rstrip().endswith(":") or len(rest) > len(head)):
            return head.strip()
        first = sentences(text)[:1]
        return text.strip() if len(text) <= _MATERIAL_CHARACTERS or not first else first[0]

    @cached_property
    def material(self) -> str:
        """The part of the input to work on; empty when the input is only a question or a task."""
        text = self.text.replace(self.csv_text, "") if self.csv_text else self.text
        rest = text.strip().removeprefix(self.ask).strip()
        if text.strip() == self.ask:
            # A few statements are something to work on, however short they are.
            states = len(sentences(text)) > 1 and "?" not in text and not self._is_command(self.ask)
            return text.strip() if states else ""
        return rest if self.ask.endswith((":", "?")) or self._is_command(self.ask) else text.strip()

    @property
    def wants_file(self) -> bool:
        """Whether the result is to be saved as a file."""
        asked = bool(_SAVE.search(self.ask) or _SAVE.search(self.instructions) or _SAVE_TOOL.search(self.instructions))
        return asked or bool(_SAVE_TOOL.search(self.text))

    def mentions(self, pattern: str) -> bool:
        """Whether the person asks for something."""
        return re.search(pattern, self.ask, re.IGNORECASE) is not None

    @staticmethod
    def _is_command(text: str) -> bool:
        return bool(
            re.match(
                r"(please\s+)?(summari[sz]e|write|draft|create|make|list|extract|find|analy[sz]e|review|compare|explain|"
                r"translate|prepare|turn|convert|give|tell|calculate|save|export|check|outline|describe)\b",
                text,
                re.IGNORECASE,
            )
        )


def _sections(text: str) -> tuple[Section, ...]:
    """Headings in the text, else the bullets below a line that announces them, else a list in a sentence."""
    lines = text.splitlines()
    headings = [Section(_title(match[1])) for line in lines if (match := _HEADING.match(line))]
    announced = _below_announcement(lines)
    if len(announced) >= _FEWEST_SECTIONS:
        return tuple(announced)
    if len(headings) >= _FEWEST_SECTIONS:
        return tuple(headings)
    inline = _INLINE.search(text)
    if inline:
        titles = [part.strip(" \"“”'") for part in re.split(r",\s*(?:and\s+)?|\s+and\s+", inline[1])]
        return tuple(Section(title) for title in titles if title)
    return ()


def _below_announcement(lines: list[str]) -> list[Section]:
    best: list[Section] = []
    for index, line in enumerate(lines):
        if not _ANNOUNCES.search(line.replace("*", "").strip()):
            continue
        found = []
        for following in lines[index + 1 :]:
            bullet = _BULLET.match(following)
            if bullet is None:
                if following.strip() and not following.startswith((" ", "\t")):
                    break
                continue
            if not _RULE.match(bullet[1].replace("*", "")):
                found.append(_section(bullet[1]))
        if len(found) > len(best):
            best = found
    return best


def _section(bullet: str) -> Section:
    title, _, hint = re.sub(r"[*_`\"“”]", "", bullet).partition(":")
    if not hint:
        title, _, hint = re.sub(r"\s+[\u2013\u2014-]\s+|\s*\(", "\0", title, count=1).partition("\0")
    return Section(_title(title), hint.strip(" )."))


def _title(text: str) -> str:
    text = re.sub(r"[*_`#]", "", text).strip(" .:;")
    if len(text) > _LONGEST_TITLE:
        text = text[:_LONGEST_TITLE].rsplit(" ", 1)[0] + " …"
    return text[:1].upper() + text[1:]


def find_csv(text: str) -> str:
    """The longest run of lines that have the same number of columns, at least a header and two rows; else nothing."""
    best: list[str] = []
    run: list[str] = []
    columns = 0
    for line in [*text.splitlines(), ""]:
        count = max(_columns(line, separator) for separator in ",;\t") if line.strip() else 0
        if count > 1 and count == columns:
            run.append(line)
        else:
            best = max(best, run, key=len)
            run, columns = ([line], count) if count > 1 else ([], 0)
    rows = len(best) - 1
    return "\n".join(best) if rows >= _FEWEST_ROWS and not _prose(best) else ""


def _columns(line: str, separator: str) -> int:
    try:
        return len(next(csv.reader(io.StringIO(line), delimiter=separator), []))
    except csv.Error:
        return 0


def _prose(lines: list[str]) -> bool:
    """Sentences with as many commas as each other are not a table."""
    return sum(line.rstrip().endswith((".", "!", "?")) for line in lines) > len(lines) / 2
