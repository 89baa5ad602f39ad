"""How much a department keeps, and whether more fits. Apps above say in their `apps` module which of their rows take space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Sum

from accounts.models import Department

if TYPE_CHECKING:
    from django.db.models import Model

MEGABYTE = 1024 * 1024
_kept: list[type[Model]] = []


def takes_space(model: type[Model]) -> None:
    """Rows of `model` have a `department` and `size_bytes`."""
    _kept.append(model)


def stored_bytes(department_id: int) -> int:
    """What the department keeps, of all kinds. Inside its scope."""
    sums = (
        model._default_manager.filter(department_id=department_id).aggregate(total=Sum("size_bytes"))["total"]  # noqa: SLF001 -- Django's own name for it
        for model in _kept
    )
    return sum(one or 0 for one in sums)


def no_room_for(size: int, department_id: int, *, is_counted: bool = False) -> str:
    """Why a file of this many bytes does not fit, in a sentence; empty when it does.

    `is_counted` when its row is there already. Files that come at the same moment may exceed the limit together.
    """
    department = Department.objects.only("name", "storage_mb").get(pk=department_id)
    if department.storage_mb is None:
        return ""
    used = stored_bytes(department_id) - (size if is_counted else 0)
    if used + size <= department.storage_mb * MEGABYTE:
        return ""
    return (
        f"{department} has used {used / MEGABYTE:,.1f} of its {department.storage_mb:,} MB, and this has {size / MEGABYTE:,.1f} MB. "
        "Delete files or runs that nobody needs, or ask an administrator for more."
    )
