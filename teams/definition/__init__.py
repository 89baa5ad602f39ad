"""What a team is made of: the content of a draft or version.

A definition is JSON: `type`, `members` (`{agent, version, role, variables}` in their order) and, as for agents, `instructions`,
`model` and `fallback_model` (the leader's), `parameters`, `variables`, `buckets`, `memory`, `output`, `reasoning`, `markdown`,
`language`, `dates`, `retries`, `limits` and `place` (for the whole run). What hangs on rows, such as a member that is gone, is found by
`teams.specs.obstacles`.
"""

from __future__ import annotations

from teams.definition.checking import blank, check, problems
from teams.definition.diagram import Diagram, draw
from teams.definition.members import FEWEST_MEMBERS, LONGEST_ROLE
from teams.definition.words import TYPES, TeamType, find_type, said

__all__ = [
    "FEWEST_MEMBERS",
    "LONGEST_ROLE",
    "TYPES",
    "Diagram",
    "TeamType",
    "blank",
    "check",
    "draw",
    "find_type",
    "problems",
    "said",
]
