"""Rows of the builders: variables, and the fields of a structured answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.http import QueryDict

from agents.definition import KINDS, MOST_VARIABLES
from agents.definition.output import FIELD_KINDS, MOST_FIELDS, Field, fields_of, schema_of
from agents.forms.shown import Sentences, Shown, as_text, moved, next_number, numbered

VARIABLE = ("name", "label", "kind", "help", "default")
Wrong = dict[str, list[str]]


class VariableForm(Shown):
    """One variable."""

    name = forms.CharField(max_length=40, widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off"}))
    label = forms.CharField(required=False, max_length=80)
    kind = forms.ChoiceField(choices=list(KINDS.items()))
    help = forms.CharField(required=False, max_length=200)
    required = forms.BooleanField(label="Must be filled in", required=False)
    default = forms.CharField(label="Filled in at first", required=False)
    choices = forms.CharField(label="Choices", help_text="One a line", widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, data: Any, sentences: Sentences, number: str) -> None:
        super().__init__(data, sentences, prefix=f"variables-{number}")
        self.number = number


class FieldForm(Shown):
    """One field of a structured answer."""

    name = forms.CharField(max_length=64, widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off"}))
    kind = forms.ChoiceField(choices=list(FIELD_KINDS.items()))
    description = forms.CharField(label="Explanation", required=False, max_length=300)
    required = forms.BooleanField(label="Must be there", required=False)
    is_list = forms.BooleanField(label="Several of them", required=False)
    inside = forms.BooleanField(label="Inside the group above", required=False)
    choices = forms.CharField(label="Choices", help_text="One a line", widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, data: Any, sentences: Sentences, number: str) -> None:
        super().__init__(data, sentences, prefix=f"fields-{number}")
        self.number = number


def blank_variable(row: str) -> QueryDict:
    """A new variable's inputs."""
    return _inputs({f"variables-{row}-kind": "text", f"variables-{row}-required": "on"})


def blank_field(row: str) -> QueryDict:
    """A new field's inputs."""
    return _inputs({f"fields-{row}-kind": "text", f"fields-{row}-required": "on"})


def _inputs(values: Mapping[str, str]) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update(values)
    return data


_KINDS_OF_ROWS: dict[str, tuple[str, int, Any]] = {
    "variable": ("row", MOST_VARIABLES, blank_variable),
    "field": ("field", MOST_FIELDS, blank_field),
}


def rearranged(data: QueryDict, action: str) -> QueryDict:
    """The values after a press on a row's button.

    Those of variables are called add_variable, remove-3, up-3, down-3; those of fields add_field, remove_field-3 and so on.
    """
    changed = data.copy()
    verb, _, row = action.partition("-")
    verb, _, word = verb.partition("_")
    name, most, blank = _KINDS_OF_ROWS.get(word or "variable", _KINDS_OF_ROWS["variable"])
    rows = numbered(data, name)
    if verb == "add" and len(rows) < most:
        new = next_number(rows)
        rows.append(new)
        for key, value in blank(new).items():
            changed[key] = str(value)
    elif verb in {"remove", "up", "down"}:
        rows = moved(rows, verb, row)
    changed.setlist(name, rows)
    return changed


def read_variables(data: QueryDict) -> list[dict[str, Any]]:
    """The variables that were posted."""
    return [_read_variable(data, f"variables-{row}-") for row in numbered(data, "row")]


def _read_variable(data: QueryDict, prefix: str) -> dict[str, Any]:
    return {
        **{name: data.get(f"{prefix}{name}", "") for name in VARIABLE},
        "required": bool(data.get(f"{prefix}required")),
        "choices": data.get(f"{prefix}choices", "").splitlines(),
    }


def write_variables(data: QueryDict, variables: list[dict[str, Any]]) -> None:
    """The variables of a draft as if they had been posted."""
    for place, variable in enumerate(variables):
        prefix = f"variables-{place}-"
        data.appendlist("row", str(place))
        for name in VARIABLE:
            data[f"{prefix}{name}"] = as_text(variable.get(name))
        data[f"{prefix}choices"] = "\n".join(variable.get("choices", []))
        if variable.get("required"):
            data[f"{prefix}required"] = "on"


def read_output(data: QueryDict, wrong: Wrong) -> dict[str, Any] | None:
    """The structured answer that was posted; what the form itself cannot make sense of goes into `wrong`, by input."""
    mode = data.get("output_mode", "free")
    if mode not in {"form", "schema"}:
        return None
    name = data.get("output_name", "")
    if mode == "form":
        return {"name": name, "schema": schema_of(_read_fields(data, wrong))}
    text = data.get("output_schema", "").strip()
    try:
        return {"name": name, "schema": json.loads(text) if text else {"type": "object", "properties": {}}}
    except ValueError as error:
        place = f" in line {error.lineno}, near column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        wrong["output_schema"] = [f"This is no JSON{place}. Check brackets, quotes and commas there."]
    except RecursionError:
        wrong["output_schema"] = ["The schema is nested too deep."]
    return None


def _read_fields(data: QueryDict, wrong: Wrong) -> list[Field]:
    fields: list[Field] = []
    names: set[tuple[int, str]] = set()
    for row in numbered(data, "field"):
        prefix = f"fields-{row}-"
        field = _read_field(data, prefix)
        is_inside = bool(data.get(f"{prefix}inside"))
        if not field.name:
            if field.description or field.choices:
                wrong[f"{prefix}name"] = ["Give the field a name."]
            continue
        if is_inside and (not fields or fields[-1].kind != "object"):
            wrong[f"{prefix}inside"] = ["There is no group of fields above this one. Switch this off, or move it."]
        elif is_inside and field.kind == "object":
            wrong[f"{prefix}kind"] = ["A group cannot hold another group. Paste a JSON Schema for that."]
        level = len(fields) if is_inside else 0
        if (level, field.name) in names:
            wrong[f"{prefix}name"] = [f"Two fields are called {field.name}. Rename one."]
        names.add((level, field.name))
        if is_inside and fields:
            fields[-1] = replace(fields[-1], fields=(*fields[-1].fields, field))
        else:
            fields.append(field)
    return fields


def _read_field(data: QueryDict, prefix: str) -> Field:
    kind = data.get(f"{prefix}kind", "text")
    choices = [line.strip() for line in data.get(f"{prefix}choices", "").splitlines()] if kind == "choice" else []
    return Field(
        name=data.get(f"{prefix}name", "").strip(),
        kind=kind if kind in FIELD_KINDS else "text",
        description=data.get(f"{prefix}description", "").strip(),
        required=bool(data.get(f"{prefix}required")),
        is_list=bool(data.get(f"{prefix}is_list")),
        choices=tuple(dict.fromkeys(line for line in choices if line)),
    )


def write_output(data: QueryDict, output: dict[str, Any] | None) -> None:
    """The structured answer of a draft as if it had been posted: as a form where that can say all of it."""
    fields = fields_of(output["schema"]) if output else None
    data["output_mode"] = "free" if output is None else "schema" if fields is None else "form"
    if output is None:
        return
    data["output_name"] = output["name"]
    if fields is None:
        data["output_schema"] = json.dumps(output["schema"], indent=2, ensure_ascii=False)
        return
    flat = [(one, False) for one in fields]
    for one in reversed([field for field in fields if field.fields]):
        place = flat.index((one, False)) + 1
        flat[place:place] = [(inner, True) for inner in one.fields]
    for place, (field, is_inside) in enumerate(flat):
        _write_field(data, str(place), field, is_inside=is_inside)


def _write_field(data: QueryDict, row: str, field: Field, *, is_inside: bool) -> None:
    data.appendlist("field", row)
    data[f"fields-{row}-name"], data[f"fields-{row}-kind"] = field.name, field.kind
    data[f"fields-{row}-description"] = field.description
    data[f"fields-{row}-choices"] = "\n".join(field.choices)
    switches = {"required": field.required, "is_list": field.is_list, "inside": is_inside}
    data.update({f"fields-{row}-{name}": "on" for name, is_on in switches.items() if is_on})


def field_input(path: list[str], data: QueryDict) -> str:
    """The name of the input that a finding about `output…` belongs to."""
    if path[1:2] == ["name"]:
        return "output_name"
    if data.get("output_mode") != "form":
        return "output_schema" if path[1:] else "output_mode"
    rows = {data.get(f"fields-{row}-name", "").strip(): row for row in reversed(numbered(data, "field"))}
    named = [part for part, before in zip(path[1:], path, strict=False) if before == "properties"]
    if not named or named[-1] not in rows:
        return "output_mode"
    return f"fields-{rows[named[-1]]}-{'choices' if path[-1] == 'enum' else 'name'}"
