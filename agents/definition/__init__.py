"""What an agent is made of: the content of a draft or version, and the one validator of the values given to its variables.

A definition is JSON: `instructions` (a template), `model` (uuid of an integrations.Model, or null for the default),
`parameters` (only those that are set), `variables`, `tools` (`{key, config}`), `limits`, `markdown`.
"""

from __future__ import annotations

from agents.definition.checking import (
    LIMITS,
    LONGEST_INSTRUCTIONS,
    MOST_VARIABLES,
    PARAMETERS,
    blank,
    check,
    digest,
    problems,
)
from agents.definition.values import KINDS, check_values

__all__ = [
    "KINDS",
    "LIMITS",
    "LONGEST_INSTRUCTIONS",
    "MOST_VARIABLES",
    "PARAMETERS",
    "blank",
    "check",
    "check_values",
    "digest",
    "problems",
]
