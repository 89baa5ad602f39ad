"""Reads untrusted JSON field by field and keeps what was wrong, so that all mistakes are told at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any


class Findings:
    """Sentences by dotted field path."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}

    def add(self, path: str, sentence: str) -> None:
        """Keep a sentence about the field."""
        self.fields.setdefault(path, []).append(sentence)

    def mapping(self, path: str, value: Any, known: Iterable[str]) -> dict[str, Any]:
        """The value as an object without unknown fields; empty when it is none."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.add(path or "definition", "This must be an object.")
            return {}
        names = set(known)
        for name in value:
            if name not in names:
                self.add(join(path, clean_name(name)), "There is no such field.")
        return {name: value[name] for name in value if name in names}

    def rows(self, path: str, value: Any, most: int) -> list[Any]:
        """The value as a list of at most `most` rows."""
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.add(path, "This must be a list.")
            return []
        if len(value) > most:
            self.add(path, f"There are {len(value):,}; {most} are the most.")
        return list(value[:most])

    def text(self, path: str, value: Any, most: int, *, strip: bool = True) -> str:
        """The value as text of at most `most` characters without characters that cannot be stored."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.add(path, "This must be text.")
            return ""
        if problem := text_problem(value, most):
            self.add(path, problem)
            return ""
        return value.strip() if strip else value

    def flag(self, path: str, value: Any, *, default: bool) -> bool:
        """The value as true or false."""
        if value is None:
            return default
        if not isinstance(value, bool):
            self.add(path, "This must be true or false.")
            return default
        return value

    def number(self, path: str, value: Any, low: float, high: float, *, whole: bool) -> Any:
        """The value as a number within bounds, or None when it is missing or wrong."""
        if value is None or value == "":
            return None
        kind = "a whole number" if whole else "a number"
        number = plain_number(value)
        if number is None or (whole and number != int(number)) or not low <= number <= high:
            self.add(
                path,
                f"Enter {kind} from {low:,g} to {high:,g}."
                if high < 1e6
                else f"Enter {kind} from {low:,} to {high:,}.",
            )
            return None
        return int(number) if whole else number


def join(path: str, name: str) -> str:
    """`path.name`, or only the name at the top."""
    return f"{path}.{name}" if path else name


def clean_name(name: object) -> str:
    """An unknown field's name, short enough and fit to be shown."""
    return "".join(letter for letter in str(name)[:80] if letter.isprintable()) or "?"


def text_problem(text: str, most: int) -> str:
    """What is wrong with a text as such, or nothing."""
    if len(text) > most:
        return f"This has {len(text):,} characters; {most:,} are the most. Shorten it."
    if "\x00" in text:
        return "This contains a NUL character, which cannot be stored. Remove it."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "This contains half of a character (a lone surrogate). Type or paste it again."
    return ""


def plain_number(value: Any) -> int | float | None:  # noqa: PLR0911 -- one way out for each kind of wrong
    """A finite number from JSON or from a form's text; whole numbers are `int`. None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if len(value) > 40 or "_" in value:
            return None
        try:
            value = float(value.strip())
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    try:
        if not math.isfinite(value):
            return None
    except OverflowError:
        return None
    return int(value) if value == int(value) else float(value)
