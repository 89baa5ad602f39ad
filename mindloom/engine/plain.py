"""What models, tools and scripts say, as values that every log, request and database can keep."""

from __future__ import annotations

import json
import math
from typing import Any


def value_of(text: str) -> Any:
    """The value of a JSON text, with every character whole. Raises `ValueError` as `from_json` does."""
    return whole(from_json(text))


def from_json(text: str) -> Any:
    """The value of a JSON text. Raises `ValueError` also for numbers that JSON has not, and for those too large to be one."""
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def whole(value: Any) -> Any:
    """The value with a question mark for each half of a character (a lone surrogate), which nothing can write down."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {whole(key): whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        message = f"{text[:40]} is too large for a number"
        raise ValueError(message)
    return number


def _refuse(name: str) -> None:
    message = f"{name} is no number in JSON"
    raise ValueError(message)
