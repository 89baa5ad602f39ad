"""What models and tools have answered in a run, so that one that waited for a person can go on in another process.

A run that goes on begins at its beginning: Agno is run again from the same spec and input, and whatever is in the journal is
answered from it, without asking a model or calling a tool, and without a line in the log. So it comes to the call that waited,
exactly as it stood, and goes on from there. Nothing in Agno has to be kept, nested members included, and nothing happens twice.

Entries are named by the part of the run (`PartPlan.key`), what they are, and a number that counts within the part. A part does
one thing after the other, so numbers are the same each time; members that work at the same moment are different parts.
"""

from __future__ import annotations

import copy
from typing import Any


class Journal:
    """The entries of one run. Used on the event loop only; `data` may be read from elsewhere once the run has ended."""

    def __init__(self, data: dict[str, Any] | None = None) -> None:
        self.data: dict[str, Any] = copy.deepcopy(data) if data else {}

    def get(self, name: str) -> Any:
        """The entry, or None. What comes out belongs to the caller."""
        return copy.deepcopy(self.data.get(name))

    def put(self, name: str, value: Any) -> None:
        """Write an entry down."""
        self.data[name] = value

    def once(self, name: str) -> bool:
        """Whether this is the first time, in whichever process: for lines of the log that must not come again."""
        if name in self.data:
            return False
        self.data[name] = True
        return True
