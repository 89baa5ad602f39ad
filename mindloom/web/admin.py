"""Parts for the Django admin."""

from __future__ import annotations

from typing import Any


class LookOnly:
    """A ModelAdmin on which nothing is added, changed or deleted: changes go through the services, which check and record."""

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Not here."""
        return False
