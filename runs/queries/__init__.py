"""What is asked about runs: what goes on in one, and why one does not go on."""

from runs.queries.acting import acting_tools
from runs.queries.standing import Standing, Why, standing

__all__ = ["Standing", "Why", "acting_tools", "standing"]
