"""Structured answers for people: as rows of a table, and as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agents.definition.output import named_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet may take for the beginning of a formula."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One field of an answer. `kind` says which of the others has its value."""

    label: str
    kind: str
    """text | list | group | table"""
    text: str = ""
    items: tuple[str, ...] = ()
    fields: tuple[Shown, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = field(default=())


def shown(value: Any, schema: Mapping[str, Any] | None) -> tuple[Shown, ...]:
    """An answer as labelled fields, in the order in which people see them."""
    if not isinstance(value, dict):
        return (Shown(label="Answer", kind="text", text=_cell(value)),)
    properties = (schema or {}).get("properties") or {}
    return tuple(
        _shown(_label(name, properties.get(name)), value[name], properties.get(name) or {})
        for name in _names(value, schema)
    )


def pretty(value: Any, schema: Mapping[str, Any] | None) -> str:
    """An answer as JSON, its fields in the same order."""
    return json.dumps(_ordered(value, schema), ensure_ascii=False, indent=2)


def as_csv(value: Any, schema: Mapping[str, Any] | None) -> str:
    """An answer as CSV. Its one list of groups gives the rows, with the other fields repeated; else it is one row.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    fields = value if isinstance(value, dict) else {"answer": value}
    lists = [name for name in _names(fields, schema) if _is_table(fields[name])]
    main = lists[0] if len(lists) == 1 else ""
    properties = (schema or {}).get("properties") or {}
    common: dict[str, Any] = {}
    for name in _names(fields, schema):
        if name != main:
            common |= dict(_flat(name, fields[name], properties.get(name) or {}))
    rows = [common]
    if main:
        items = (properties.get(main) or {}).get("items") or {}
        rows = [common | _row(main, one, items) for one in fields[main]]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([guarded(column) for column in columns])
    writer.writerows([[guarded(row.get(column)) for column in columns] for row in rows])
    return file.getvalue()


def _shown(label: str, value: Any, schema: Mapping[str, Any]) -> Shown:
    if _is_table(value):
        items = schema.get("items") or {}
        names = _columns(value, items)
        properties = items.get("properties") or {}
        return Shown(
            label=label,
            kind="table",
            columns=tuple(_label(name, properties.get(name)) for name in names),
            rows=tuple(tuple(_cell(one.get(name)) for name in names) for one in value),
        )
    if isinstance(value, dict) and value:
        return Shown(label=label, kind="group", fields=shown(value, schema))
    if isinstance(value, list) and value:
        return Shown(label=label, kind="list", items=tuple(_cell(one) for one in value))
    return Shown(label=label, kind="text", text=_cell(value))


def _names(value: Mapping[str, Any], schema: Mapping[str, Any] | None) -> list[str]:
    """The names of an object's fields: the schema's in its order, then what else there is."""
    known = [name for name in named_fields(dict(schema or {})) if name in value]
    return [*known, *sorted(set(value) - set(known))]


def _columns(rows: list[dict[str, Any]], schema: Mapping[str, Any]) -> list[str]:
    return _names({name: None for row in rows for name in row}, schema)


def _label(name: str, schema: Mapping[str, Any] | None) -> str:
    title = (schema or {}).get("title")
    return title if isinstance(title, str) and title else name.replace("_", " ").capitalize()


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _cell(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        return ", ".join(_cell(one) for one in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _row(main: str, value: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    found: dict[str, Any] = {}
    for name in _names(value, schema):
        found |= dict(_flat(f"{main}.{name}", value[name], properties.get(name) or {}))
    return found


def _flat(path: str, value: Any, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The columns of one field: a group's are called by their path."""
    if not isinstance(value, dict) or not value:
        yield path, value
        return
    properties = schema.get("properties") or {}
    for name in _names(value, schema):
        yield from _flat(f"{path}.{name}", value[name], properties.get(name) or {})


def guarded(value: Any) -> Any:
    """A value for a cell of a spreadsheet, which takes it for nothing but text or a number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        value = "; ".join(str(guarded(one)) for one in value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _ordered(value: Any, schema: Mapping[str, Any] | None) -> Any:
    schema = schema or {}
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        return {name: _ordered(value[name], properties.get(name)) for name in _names(value, schema)}
    if isinstance(value, list):
        return [_ordered(one, schema.get("items")) for one in value]
    return value
