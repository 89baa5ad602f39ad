"""What is asked about runs: what goes on in one, why one does not go on, which have some words."""

from runs.queries.acting import acting_tools
from runs.queries.searching import matching
from runs.queries.standing import Standing, Why, standing

__all__ = ["Standing", "Why", "acting_tools", "matching", "standing"]
