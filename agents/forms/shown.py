"""What the builders' forms have in common: they show values and sentences, and validate nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict

Sentences = Mapping[str, list[str]]


class Shown(forms.Form):
    """A form that shows given values and given sentences, and validates nothing."""

    use_required_attribute = False

    def __init__(self, data: Any, sentences: Sentences, prefix: str | None = None) -> None:
        super().__init__(data, prefix=prefix)
        self._sentences = sentences

    def full_clean(self) -> None:
        """Put the sentences beside the fields."""
        self.cleaned_data: dict[str, Any] = {}
        self._errors = ErrorDict()
        for name in self.fields:
            if found := self._sentences.get(self.add_prefix(name)):
                self._errors[name] = self.error_class(found, renderer=self.renderer)


def numbered(data: Mapping[str, Any], name: str) -> list[str]:
    """The numbers of the rows whose hidden inputs are called `name`, in the order in which they stand in the page."""
    found = data.getlist(name) if isinstance(data, QueryDict) else []
    return list(dict.fromkeys(row for row in found if row.isascii() and row.isdigit() and len(row) < 5))


def moved(rows: list[str], verb: str, row: str) -> list[str]:
    """The rows after one of them was removed, or went up or down."""
    if row not in rows:
        return rows
    place = rows.index(row)
    others = [one for one in rows if one != row]
    if verb == "remove":
        return others
    others.insert(max(0, place + (-1 if verb == "up" else 1)), row)
    return others


def next_number(rows: list[str]) -> str:
    """A number that no row has."""
    return str(max((int(one) for one in rows), default=-1) + 1)


def as_text(value: Any) -> str:
    """A value as an input shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
