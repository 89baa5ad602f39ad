"""What a person does with their notifications."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Department
from accounts.services.storing import MEGABYTE, stored_bytes
from audit.services import record
from mindloom import wall
from mindloom.web.errors import Invalid
from notifications.models import Choice, Kind, Notification, Preference
from notifications.queries import DAILY, preference_of, read_unsubscribe, told, wanted_by

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from uuid import UUID

    from accounts.models import User

NEAR_PERCENT, FULL_PERCENT = 80, 95
AGAIN = timedelta(days=7)
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


def note_limits() -> int:
    """Tell managers whose departments have used most of their storage; how many departments that are.

    They are told again when a week has passed, or when it has become almost full in the meantime.
    """
    with wall.system("notifications: storage of all departments"):
        limited = Department.objects.working().exclude(storage_mb=None)
        return sum(_note_limit(one) for one in limited)


def _note_limit(department: Department) -> bool:
    most = (department.storage_mb or 1) * MEGABYTE
    used = stored_bytes(department.pk)
    percent = used * 100 // most
    subject = f"storage:{department.uuid}"
    said_before = Notification.objects.filter(department=department, kind=Kind.LIMIT, subject=subject)
    if percent < NEAR_PERCENT:
        said_before.unread().update(read_at=timezone.now())
        return False
    lately = said_before.filter(at__gt=timezone.now() - AGAIN, data__full=percent >= FULL_PERCENT)
    if lately.exists():
        return False
    said = {
        "department": department.name,
        "percent": percent,
        "full": percent >= FULL_PERCENT,
        "used": f"{used / MEGABYTE:,.0f} MB",
        "most": f"{department.storage_mb:,} MB",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT notifications_tell(id, %s, %s, %s, %s::jsonb) FROM notifications_managers(%s) AS id",
            [department.pk, Kind.LIMIT.value, subject, json.dumps(said), department.pk],
        )
    return True


def forget_old_notifications() -> int:
    """Remove those older than `KEEP`, some thousands at once; how many."""
    with wall.system("notifications: old ones of all departments"):
        old = Notification.objects.filter(at__lt=timezone.now() - KEEP).values("pk")[:AT_ONCE]
        return Notification.objects.filter(pk__in=old).delete()[0]


def own_notifications(person: User) -> Iterator[dict[str, object]]:
    """What the person was told, for them to take away."""
    for one in Notification.objects.visible_to(person).newest_first().select_related("person", "department"):
        says = told(one)
        yield {
            "at": one.at,
            "department": one.department.name,
            "title": says.title,
            "text": says.text,
            "read_at": one.read_at,
        }


def forget_person(person: User) -> None:
    """Remove what somebody was told who has deleted their account, and how they wanted to be told."""
    Notification.objects.filter(person=person).delete()
    Preference.objects.filter(person=person).delete()
