"""What a person does with their notifications."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from audit.services import record
from mindloom import wall
from mindloom.web.errors import Invalid
from notifications.models import Choice, Kind, Notification, Preference
from notifications.queries import DAILY, preference_of, read_unsubscribe, wanted_by

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from accounts.models import User

KEEP = timedelta(days=90)
"""How long notifications are kept."""
AT_ONCE = 5_000


def mark_read(*, actor: User, uuids: Collection[UUID] | None = None) -> int:
    """Note that the person has seen these notifications, or all of theirs; how many were unread."""
    unread = Notification.objects.editable_by(actor).unread()
    if uuids is not None:
        unread = unread.filter(uuid__in=list(uuids))
    return unread.update(read_at=timezone.now())


def mark_unread(*, actor: User, uuid: UUID) -> bool:
    """Put one back among the unread ones; whether it is there, alone or as part of a newer one of the same subject."""
    with transaction.atomic():
        found = Notification.objects.editable_by(actor).select_for_update(of=("self",)).filter(uuid=uuid).first()
        if found is None:
            return False
        same = wanted_by(actor).unread().filter(kind=found.kind, subject=found.subject)
        if found.read_at is not None and not same.exists():
            Notification.objects.filter(pk=found.pk).update(read_at=None)
    return True


def choose(
    *,
    actor: User,
    hidden: Collection[str] | None = None,
    mail: Mapping[str, str] | None = None,
    daily_hour: int | None = None,
) -> Preference:
    """Say what one is told, and how; what is not given stays. Raises `Invalid` with the fields at fault."""
    wrong: dict[str, list[str]] = {}
    if unknown := ({*(hidden or ()), *(mail or {})} - set(Kind.values)):
        wrong["hidden" if set(hidden or ()) & unknown else "mail"] = [
            f"There is no {min(unknown)[:40]}. Choose among {', '.join(Kind.values)}."
        ]
    if any(one not in Choice.values for one in (mail or {}).values()):
        wrong["mail"] = [f"Choose among {', '.join(Choice.values)}."]
    if daily_hour is not None and not 0 <= daily_hour <= 23:
        wrong["daily_hour"] = ["Choose an hour from 0 to 23."]
    if wrong:
        raise Invalid(fields=wrong)
    values: dict[str, Any] = {}
    with transaction.atomic():
        Preference.objects.get_or_create(person=actor)
        kept = Preference.objects.select_for_update().get(person=actor)
        if hidden is not None:
            values["hidden"] = sorted(set(hidden))
        if mail is not None:
            values["mail"] = kept.mail | dict(mail)
        if daily_hour is not None:
            values["daily_hour"] = daily_hour
        for name, value in values.items():
            setattr(kept, name, value)
        if values:
            kept.save(update_fields=list(values))
            record(actor=actor, action="notifications.chosen", target=actor, **values)
    return kept


def unsubscribe(*, token: str) -> bool:
    """Mail this kind no more, or nothing once a day; whether the link was right. It needs no sign-in."""
    found = read_unsubscribe(token)
    if found is None:
        return False
    person, kind = found
    preference = preference_of(person)
    daily = [one for one in Kind.values if preference.choice(one) == Choice.DAILY]
    choose(actor=person, mail=dict.fromkeys(daily if kind == DAILY else [kind], Choice.NEVER.value))
    return True


def forget_old_notifications() -> int:
    """Remove those older than `KEEP`, some thousands at once; how many."""
    with wall.system("notifications: old ones of all departments"):
        old = Notification.objects.filter(at__lt=timezone.now() - KEEP).values("pk")[:AT_ONCE]
        return Notification.objects.filter(pk__in=old).delete()[0]
