"""Parts for the Django admin."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

MOST_COUNTED = 10_000


class Bounded(Paginator):
    """Counts no further than people turn pages: a table of millions is found in by searching."""

    @cached_property
    def count(self) -> int:
        """How many there are, or `MOST_COUNTED` when there are more."""
        found: Any = self.object_list
        return int(found.order_by()[:MOST_COUNTED].count())


class LookOnly:
    """A ModelAdmin on which nothing is added, changed or deleted: changes go through the services, which check and record."""

    paginator: type = Bounded
    show_full_result_count = False

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Not here."""
        return False
