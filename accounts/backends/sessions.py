"""Django's sessions in a table that knows whose each is and where it is open."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from accounts.models import BrowserSession

DOOR = "door"
"""Of the session's data: where and when its person signed in."""


class SessionStore(DatabaseStore):
    """As Django's, with the person, the device and the address beside the data."""

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        """The table."""
        return BrowserSession

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        """The row for this data."""
        made: BrowserSession = super().create_model_instance(data)  # type: ignore[assignment]
        door = data.get(DOOR)
        if SESSION_KEY in data and isinstance(door, dict):
            made.user_id = int(data[SESSION_KEY])
            made.uuid = UUID(door["uuid"])
            made.device, made.ip_address = door["device"], door["address"]
            made.signed_in_at = datetime.fromisoformat(door["at"])
        made.last_used_at = timezone.now()
        return made
