"""What an agent is made of: the content of a draft or version, and the one validator of the values given to its variables.

A definition is JSON: `instructions` (a template), `model` and `fallback_model` (uuids of integrations.Model; null: the default,
none), `parameters` (only those that are set), `variables`, `tools` (`{key, config, connection, ask_first}`), `after_documents`,
`buckets` (uuids), `memory`, `output` (null or `{name, schema}`), `reasoning`, `markdown`, `language`, `dates`, `retries`, `limits`, `place`.
docs/agents.md says what each does. What agents and teams share is read by `parts`.
"""

from __future__ import annotations

from agents.definition.checking import blank, check, digest, problems
from agents.definition.parts import (
    AFTER_DOCUMENTS,
    LANGUAGES,
    LIMITS,
    LONGEST_INSTRUCTIONS,
    PARAMETERS,
    STORAGES,
    WINDOWS,
)
from agents.definition.values import KINDS, check_values
from agents.definition.variables import MOST_VARIABLES

__all__ = [
    "AFTER_DOCUMENTS",
    "KINDS",
    "LANGUAGES",
    "LIMITS",
    "LONGEST_INSTRUCTIONS",
    "MOST_VARIABLES",
    "PARAMETERS",
    "STORAGES",
    "WINDOWS",
    "blank",
    "check",
    "check_values",
    "digest",
    "problems",
]
