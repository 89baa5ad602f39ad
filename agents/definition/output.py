"""The form that an answer must have: one stored form, JSON Schema, and the rows of a form that make and show the simple ones.

A database keeps the names of an object sorted, so the order in which people see fields is that of `required`, then by name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from agents.definition.reading import Findings, clean_name, plain_number, text_problem

LARGEST_SCHEMA = 20_000
DEEPEST_SCHEMA = 5
MOST_FIELDS = 50
FIELD_KINDS = {
    "text": "Text",
    "number": "Number",
    "whole": "Whole number",
    "boolean": "Yes or no",
    "date": "Date",
    "choice": "Choice",
    "object": "Group of fields",
}
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_FORMATS = ("date", "time", "date-time", "email", "uri", "uuid")
_KEYWORDS = (
    *("type", "properties", "required", "items", "enum", "description", "title", "minimum", "maximum"),
    *("minLength", "maxLength", "format", "additionalProperties"),
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,63}")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_SIMPLE: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "whole": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A row of the form. `fields` are those of a group, one level deep; `choices` those of a choice."""

    name: str
    kind: str = "text"
    description: str = ""
    required: bool = True
    is_list: bool = False
    choices: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()


def schema_of(fields: tuple[Field, ...] | list[Field]) -> dict[str, Any]:
    """The JSON Schema that the rows mean."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "additionalProperties": False,
    }
    required = [field.name for field in fields if field.required]
    return schema | ({"required": required} if required else {})


def fields_of(schema: Any) -> list[Field] | None:
    """The rows that make this schema; None when it says more than the form can."""
    try:
        fields = _fields(schema)
        return fields if fields is not None and schema_of(fields) == schema else None
    except (AttributeError, KeyError, TypeError):
        return None


def named_fields(schema: dict[str, Any]) -> list[str]:
    """The names of an object's fields in the order in which people see them."""
    properties = schema.get("properties") or {}
    first = [name for name in schema.get("required") or [] if name in properties]
    return [*first, *sorted(name for name in properties if name not in first)]


def read_output(value: Any, findings: Findings, *, complete: bool) -> dict[str, Any] | None:
    """The structured output's name and schema, or None when answers are free text."""
    if value is None:
        return None
    given = findings.mapping("output", value, ("name", "schema"))
    name = findings.text("output.name", given.get("name"), 64) or "Answer"
    if not _NAME.fullmatch(name):
        findings.add(
            "output.name", "Use letters, digits, spaces, - and _, beginning with a letter, at most 64 characters."
        )
    schema = given.get("schema", {"type": "object", "properties": {}})
    before = len(findings.fields)
    clean = check_schema(schema, findings, "output.schema", complete=complete)
    if complete and len(findings.fields) == before and not clean.get("properties"):
        findings.add("output.schema", "Add at least one field, or switch the structured answer off.")
    return {"name": name, "schema": clean}


def check_schema(schema: Any, findings: Findings, path: str, *, complete: bool = True) -> dict[str, Any]:
    """The schema as it is kept: of type object, small, not deep, and of the keywords that every model's provider takes."""
    if not isinstance(schema, dict):
        findings.add(path, "The schema must be a JSON object, beginning with {.")
        return {"type": "object", "properties": {}}
    try:
        text = json.dumps(schema, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        findings.add(path, "The schema is nested too deep, or has values that JSON does not have.")
        return {"type": "object", "properties": {}}
    if problem := text_problem(text.replace("\\u0000", "\x00"), LARGEST_SCHEMA):
        findings.add(path, problem)
        return {"type": "object", "properties": {}}
    # "$schema" only says which JSON Schema this is; every provider knows without it.
    clean = {name: value for name, value in json.loads(text).items() if name != "$schema"}
    if clean.get("type") != "object":
        findings.add(f"{path}.type", 'The answer as a whole must be an object: "type": "object".')
        return clean
    before = len(findings.fields)
    _check_part(clean, findings, path, 1, complete=complete)
    if len(findings.fields) == before:
        try:
            Draft202012Validator.check_schema(clean)
        except SchemaError as error:
            place = ".".join(str(one) for one in error.absolute_path)
            findings.add(f"{path}.{place}" if place else path, f"This is no valid JSON Schema: {error.message[:200]}.")
    return clean


def _check_part(part: Any, findings: Findings, path: str, depth: int, *, complete: bool) -> None:
    if depth > DEEPEST_SCHEMA:
        findings.add(path, f"The schema is nested deeper than {DEEPEST_SCHEMA} levels. Make it flatter.")
        return
    if not isinstance(part, dict):
        findings.add(path, 'Describe the field with an object, such as {"type": "string"}.')
        return
    for name in part:
        if name == "$ref":
            findings.add(f"{path}.$ref", "References are not followed. Write what it refers to in its place.")
        elif name not in _KEYWORDS:
            shown = clean_name(name)
            findings.add(f"{path}.{shown}", f"“{shown}” cannot be used here. There are: {', '.join(_KEYWORDS)}.")
    _check_type(part, findings, path)
    _check_values(part, findings, path, complete=complete)
    _check_object(part, findings, path, depth, complete=complete)
    if "items" in part:
        _check_part(part["items"], findings, f"{path}.items", depth + 1, complete=complete)
    elif part.get("type") == "array":
        findings.add(f"{path}.items", 'Say what the list holds: "items": {…}.')


def _check_type(part: dict[str, Any], findings: Findings, path: str) -> None:
    kind = part.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if kind is None and "enum" in part:
        return
    if not kinds or not all(isinstance(one, str) and one in _TYPES for one in kinds):
        findings.add(f"{path}.type", f"Say which type it has, one of: {', '.join(_TYPES)}.")


def _check_values(part: dict[str, Any], findings: Findings, path: str, *, complete: bool) -> None:
    if "format" in part and part["format"] not in _FORMATS:
        findings.add(f"{path}.format", f"Choose one of: {', '.join(_FORMATS)}.")
    if not isinstance(part.get("additionalProperties", False), bool):
        findings.add(f"{path}.additionalProperties", "This must be true or false.")
    for name in ("minimum", "maximum"):
        if name in part and (isinstance(part[name], str) or plain_number(part[name]) is None):
            findings.add(f"{path}.{name}", "This must be a number.")
    choices = part.get("enum", [""])
    if not isinstance(choices, list) or not int(complete) <= len(choices) <= 100:
        findings.add(f"{path}.enum", "List from 1 to 100 choices.")
    elif any(isinstance(one, dict | list) for one in choices):
        findings.add(f"{path}.enum", "Choices are texts, numbers, true, false or null.")


def _check_object(part: dict[str, Any], findings: Findings, path: str, depth: int, *, complete: bool) -> None:
    properties = part.get("properties", {})
    if not isinstance(properties, dict):
        findings.add(f"{path}.properties", "This must be an object of field names and what they are.")
        return
    if len(properties) > MOST_FIELDS:
        findings.add(f"{path}.properties", f"There are {len(properties):,} fields; {MOST_FIELDS} are the most.")
        return
    for name, inner in properties.items():
        if not _FIELD_NAME.fullmatch(name):
            findings.add(
                f"{path}.properties.{clean_name(name)}",
                "Name fields with letters, digits and underscores, beginning with a letter, such as due_date.",
            )
        _check_part(inner, findings, f"{path}.properties.{clean_name(name)}", depth + 1, complete=complete)
    required = part.get("required", [])
    if not isinstance(required, list) or not all(isinstance(one, str) for one in required):
        findings.add(f"{path}.required", "This must be a list of field names.")
    elif unknown := [one for one in required if one not in properties]:
        findings.add(f"{path}.required", f"There is no field called {clean_name(unknown[0])}.")


def _property(field: Field) -> dict[str, Any]:
    if field.kind == "object":
        one = schema_of(field.fields)
    elif field.kind == "choice":
        one = {"type": "string", "enum": list(field.choices)}
    else:
        one = dict(_SIMPLE[field.kind])
    whole = {"type": "array", "items": one} if field.is_list else one
    return whole | ({"description": field.description} if field.description else {})


def _fields(schema: dict[str, Any], *, inside: bool = False) -> list[Field] | None:
    fields = [
        _field(name, schema["properties"][name], required=name in schema.get("required", ()), inside=inside)
        for name in named_fields(schema)
    ]
    known = [field for field in fields if field is not None]
    return known if len(known) == len(fields) else None


def _field(name: str, part: dict[str, Any], *, required: bool, inside: bool) -> Field | None:
    is_list = part["type"] == "array"
    one = part["items"] if is_list else part
    kind = _kind(one)
    fields: list[Field] | None = []
    if kind == "object":
        fields = None if inside else _fields(one, inside=True)
    if kind is None or fields is None:
        return None
    return Field(
        name=name,
        kind=kind,
        description=part.get("description", ""),
        required=required,
        is_list=is_list,
        choices=tuple(one["enum"]) if kind == "choice" else (),
        fields=tuple(fields),
    )


def _kind(one: dict[str, Any]) -> str | None:
    if one["type"] == "object":
        return "object"
    if "enum" in one:
        return "choice" if all(isinstance(choice, str) for choice in one["enum"]) else None
    bare = {name: one[name] for name in ("type", "format") if name in one}
    return next((kind for kind, simple in _SIMPLE.items() if simple == bare), None)
