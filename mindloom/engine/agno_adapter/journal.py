"""What models and tools have answered in a run, so that it can go on in another process when it waited or its own vanished.

A run that goes on begins at its beginning: Agno is run again from the same spec and input, and whatever is in the journal is
answered from it, without asking a model or calling a tool, and without a line in the log. So it comes to the call that waited,
exactly as it stood, and goes on from there. Nothing in Agno has to be kept, nested members included, and nothing happens twice.

Entries are named by the part of the run (`PartPlan.key`), what they are, and a number that counts within the part. A part does
one thing after the other, so numbers are the same each time; members that work at the same moment are different parts.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from mindloom.engine.runner import Noted

if TYPE_CHECKING:
    from mindloom.engine.agno_adapter.outbox import Outbox
    from mindloom.engine.events import Event


class Journal:
    """The entries of one run. Used on the event loop only. Each goes to the reader among the events, to be kept with them."""

    def __init__(self, data: dict[str, Any], outbox: Outbox) -> None:
        self._data = copy.deepcopy(data)
        self._outbox = outbox

    def get(self, name: str) -> Any:
        """The entry, or None. What comes out belongs to the caller."""
        return copy.deepcopy(self._data.get(name))

    def put(self, name: str, value: Any, *events: Event) -> None:
        """Write an entry down, together with the events that tell of it: both are kept, or neither."""
        self._data[name] = value
        self._outbox.put(Noted(name=name, value=value), *events)

    def once(self, name: str, event: Event) -> None:
        """Tell this event the first time, in whichever process: a run that goes on must not tell it again."""
        if name not in self._data:
            self.put(name, True, event)
