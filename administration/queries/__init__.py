"""What is asked about all departments at once."""

from administration.queries.trail import (
    known_actions,
    names_of_departments,
    readable_departments,
    reading_trail,
    trail_of,
)

__all__ = ["known_actions", "names_of_departments", "readable_departments", "reading_trail", "trail_of"]
