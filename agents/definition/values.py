"""The one validator of the values that are given to an agent's variables: pages, API and schedules share it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from agents.definition.reading import clean_name, plain_number, text_problem
from mindloom.web.errors import Invalid

KINDS = {
    "text": "Short text",
    "long_text": "Long text",
    "number": "Number",
    "choice": "Choice",
    "boolean": "Yes or no",
    "date": "Date",
}
LONGEST = {"text": 1_000, "long_text": 50_000}
_LARGEST = 1e15
_YES, _NO = {"true", "on", "yes", "1"}, {"false", "off", "no", "0"}


class _Wrong(Exception):
    """A value does not fit; the message says why."""


def check_values(variables: Sequence[Mapping[str, Any]], given: Any) -> dict[str, Any]:
    """Clean, JSON-ready values for all declared variables: defaults filled in, dates as ISO text, blanks as "" or None.

    Raises `Invalid` with a field `variables.<name>` for each value that is missing, unknown or does not fit.
    """
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        raise Invalid(
            "The variables must be an object of names and values.", fields={"variables": ["This must be an object."]}
        )
    known = {str(one["name"]): one for one in variables if one.get("name")}
    fields: dict[str, list[str]] = {}
    for name in given:
        if name not in known:
            names = ", ".join(known) or "none"
            fields[f"variables.{clean_name(name)}"] = [f"This agent has no such variable. Its variables: {names}."]
    values: dict[str, Any] = {}
    for name, variable in known.items():
        try:
            values[name] = check_value(variable, given.get(name))
        except _Wrong as wrong:
            fields[f"variables.{name}"] = [str(wrong)]
    if fields:
        raise Invalid("Some variables are not right. Correct the marked ones.", fields=fields)
    return values


def check_default(variable: Mapping[str, Any], value: Any) -> tuple[Any, str]:
    """A default as it is kept, and what is wrong with it ("" when nothing)."""
    try:
        return check_value({**variable, "required": False, "default": None}, value), ""
    except _Wrong as wrong:
        return None, str(wrong)


def check_value(variable: Mapping[str, Any], value: Any) -> Any:
    """One clean value. Raises `_Wrong` with a sentence."""
    kind = str(variable.get("kind") or "text")
    if _is_blank(value):
        value = variable.get("default")
    if _is_blank(value):
        if variable.get("required") and kind != "boolean":
            raise _Wrong("Fill this in.")
        return {"text": "", "long_text": "", "boolean": False}.get(kind)
    if kind in LONGEST:
        return _text(value, LONGEST[kind])
    if kind == "choice":
        return _choice(value, list(variable.get("choices") or []))
    return {"number": _number, "boolean": _boolean, "date": _date}[kind](value)


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise _Wrong("This must be text.")
    if problem := text_problem(value, most):
        raise _Wrong(problem)
    return value.strip()


def _number(value: Any) -> int | float:
    number = plain_number(value)
    if number is None:
        raise _Wrong("Enter a number, for example 40 or 2.5.")
    if abs(number) > _LARGEST:
        raise _Wrong("This number is too large.")
    return number


def _choice(value: Any, choices: list[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise _Wrong(f"Choose one of: {', '.join(choices)}.")
    return value


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in _YES | _NO:
        raise _Wrong("This must be true or false.")
    return word in _YES


def _date(value: Any) -> str:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    text = value.strip() if isinstance(value, str) else ""
    try:
        # The length keeps out the short and week forms, which people do not expect to be read.
        return dt.date.fromisoformat(text if len(text) == 10 else "").isoformat()
    except ValueError:
        raise _Wrong("Enter a date as year-month-day, for example 2026-11-30.") from None
