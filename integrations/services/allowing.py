"""Which models and tools a department may use. Administrators only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.models import Department, User
from accounts.services.rights import check_administrator
from audit.services import record
from integrations import tools
from integrations.models import Model
from mindloom.web.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID


def set_allowed(
    *, actor: User, department: Department, models: Collection[UUID] | None, tool_keys: Collection[str] | None
) -> Department:
    """Say which models and tools the department may use; None for all, of those that come later too.

    What it has built with others cannot be published or run from now on, and says so. Raises `Invalid` for what is not there.
    """
    check_administrator(actor)
    wrong: dict[str, list[str]] = {}
    if models is not None and len(set(models)) != Model.objects.filter(uuid__in=set(models)).count():
        wrong["models"] = ["One of these models is gone. Look at the list again."]
    known = {tool.key for tool in tools.catalogue()}
    if tool_keys is not None and (gone := set(tool_keys) - known):
        wrong["tools"] = [f"There is no tool “{min(gone)[:80]}”. Look at the list again."]
    if wrong:
        raise Invalid(fields=wrong)
    with transaction.atomic():
        locked = Department.objects.select_for_update().get(pk=department.pk)
        before = _shown(locked)
        locked.allowed_models = None if models is None else sorted(set(models))
        locked.allowed_tools = None if tool_keys is None else sorted(set(tool_keys))
        if _shown(locked) != before:
            locked.save(update_fields=["allowed_models", "allowed_tools"])
            noted = {"before": before, "after": _shown(locked)}
            record(actor=actor, action="department.allowed", target=locked, department_id=locked.pk, **noted)
    return locked


def _shown(department: Department) -> dict[str, Any]:
    models = department.allowed_models
    return {"models": None if models is None else [str(one) for one in models], "tools": department.allowed_tools}
