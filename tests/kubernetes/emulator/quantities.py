"""Amounts of CPU and memory, as manifests write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

QUANTITY = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(m|k|Ki|Mi|Gi|Ti|Pi|Ei|M|G|T|P|E|[eE][+-]?\d+)?")
_FACTORS = {"": Decimal(1), "m": Decimal("0.001"), "k": Decimal(1000)}
_FACTORS |= {letter: Decimal(1000) ** power for power, letter in enumerate("MGTPE", 2)}
_FACTORS |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}


def amount(text: object) -> Decimal:
    """`500m` -> 0.5, `512Mi` -> 536870912."""
    found = re.fullmatch(r"([+-]?[\d.]+)([A-Za-z]*)", str(text))
    if found and found[2] in _FACTORS:
        return Decimal(found[1]) * _FACTORS[found[2]]
    return Decimal(str(text))


def wanted(spec: dict[str, Any], section: str, resource: str) -> Decimal:
    """What the containers of a pod ask for together (`requests`) or may use at most (`limits`)."""
    return _sum(one.get("resources", {}).get(section, {}).get(resource, 0) for one in spec.get("containers", ()))


def _sum(texts: Iterable[object]) -> Decimal:
    return sum((amount(text) for text in texts), Decimal(0))


def written(value: Decimal) -> str:
    """As a quota's message writes it."""
    if value == value.to_integral_value():
        return str(int(value))
    return f"{int(value * 1000)}m"
