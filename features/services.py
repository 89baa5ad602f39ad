"""Switches features on and off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audit.services import difference, record
from features.models import Switch
from features.queries import FEATURES
from mindloom.web.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from audit.services import Actor


def switch_feature(*, actor: Actor, name: str, on: bool) -> bool:
    """Switch it; whether that changed anything. For administrators. It holds at once."""
    if not getattr(actor, "is_administrator", False):
        raise NotAllowed("Only administrators may do this.")
    if name not in FEATURES:
        raise NotFound("There is no such feature.")
    with transaction.atomic():
        row, _ = Switch.objects.select_for_update().get_or_create(name=name, defaults={"is_on": True, "changed_by": ""})
        if row.is_on == on:
            return False
        noted = difference({"on": row.is_on}, {"on": on})
        row.is_on, row.changed_by = on, actor.email
        row.save()
        record(actor=actor, action="feature.switched", target=row, **noted)
    return True
