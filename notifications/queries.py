"""What a notification says, how many are unread, and the links that stop mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.core import signing
from django.urls import reverse

from accounts.models import User
from accounts.queries import roles_of
from mindloom import wall
from notifications.models import Kind, Notification, Preference
from runs.models import Reason

if TYPE_CHECKING:
    from notifications.models import NotificationQuerySet

SALT = "notifications.unsubscribe"
DAILY = "daily"
"""In the place of a kind: all that comes once a day."""
MOST_COUNTED = 99
"""Unread ones that are counted; a page says "99+"."""
_ROLES = {"viewer": "look at its agents and runs", "member": "build and run agents", "manager": "manage it"}


@dataclass(frozen=True)
class Told:
    """What a notification says: a title, a sentence, and the path of the page that it is about. Nothing in it is secret."""

    title: str
    text: str
    path: str
    icon: str
    tone: str = "neutral"


def preference_of(person: User) -> Preference:
    """How the person wants to be told; unsaved when they have chosen nothing."""
    return Preference.objects.filter(person=person).first() or Preference(person=person)


def wanted_by(person: User) -> NotificationQuerySet:
    """The person's notifications of the kinds that they want to see."""
    return Notification.objects.visible_to(person).exclude(kind__in=preference_of(person).hidden)


def unread_words(person: User) -> str:
    """How many the person has not looked at: "3", "99+", or nothing at all."""
    with wall.tenant(list(roles_of(person))):
        count = wanted_by(person).unread()[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")


def unsubscribe_token(person: User, kind: str) -> str:
    """What a mail's link carries: it says who, and what no longer. It holds for good, and lets nobody do anything else."""
    return signing.dumps([str(person.uuid), kind], salt=SALT)


def read_unsubscribe(token: str) -> tuple[User, str] | None:
    """Who a link is of, and the kind or `DAILY`; None for one that is wrong."""
    try:
        uuid, kind = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        return None
    person = User.objects.filter(uuid=uuid, is_active=True).first()
    return (person, kind) if person is not None and kind in (*Kind.values, DAILY) else None


def told(notification: Notification) -> Told:
    """What it says."""
    return _SAYS[Kind(notification.kind)](notification, notification.data)


def _run_waits(_: Notification, data: dict[str, Any]) -> Told:
    title = f"{data['name']} waits for you"
    return Told(title, f"Run {data['number']} goes on when you have decided or answered.", _run(data), "hand", "warn")


def _run_failed(_: Notification, data: dict[str, Any]) -> Told:
    reason = dict(Reason.choices).get(data["reason"], "")
    return Told(f"{data['name']} failed", f"Run {data['number']}: {reason}.", _run(data), "circle-x", "danger")


def _run_finished(_: Notification, data: dict[str, Any]) -> Told:
    return Told(f"{data['name']} is done", f"Run {data['number']} has completed.", _run(data), "circle-check", "ok")


def _run(data: dict[str, Any]) -> str:
    return reverse("runs:detail", args=[data["run"]])


_OUTCOMES = {
    "missed": "missed a time",
    "no_right": "could not start",
    "failed_to_start": "could not start",
    "failed": "failed",
}


def _schedule(notification: Notification, data: dict[str, Any]) -> Told:
    zone = ZoneInfo(notification.person.time_zone)
    planned = f"{datetime.fromisoformat(data['planned_at']).astimezone(zone):%Y-%m-%d %H:%M}"
    often = f" It happened {notification.count} times; this was the last." if notification.count > 1 else ""
    text = " ".join(f"The time of {planned}. {data['message']} {data['paused']}".split()) + often
    title = f"The schedule {data['name']} {_OUTCOMES.get(data['outcome'], 'needs you')}"
    return Told(title, text, reverse("schedules:schedule", args=[data["schedule"]]), "calendar-x", "warn")


def _membership(notification: Notification, data: dict[str, Any]) -> Told:
    place = data["department"]
    if data["what"] == "asked":
        others = notification.count - 1
        more = f" and {others} other{'s' * (others > 1)} wait" if others else " waits"
        text = "Accept them, or turn them down."
        return Told(f"{data['name']}{more} to join {place}", text, reverse("accounts:people"), "user-plus", "warn")
    what = f"You can now {_ROLES.get(data['role'], 'work there')}."
    title = f"You are a member of {place}" if data["what"] == "accepted" else f"Your role in {place} is {data['role']}"
    return Told(title, what, reverse("home"), "user-check")


def _limit(_: Notification, data: dict[str, Any]) -> Told:
    title = f"{data['department']} has used {data['percent']} % of its storage"
    text = f"{data['used']} of {data['most']}. When it is full, no more files are taken; delete some, or ask an administrator."
    return Told(title, text, reverse("buckets:list"), "gauge", "warn")


_SAYS = {
    Kind.RUN_WAITS: _run_waits,
    Kind.RUN_FAILED: _run_failed,
    Kind.RUN_FINISHED: _run_finished,
    Kind.SCHEDULE: _schedule,
    Kind.MEMBERSHIP: _membership,
    Kind.LIMIT: _limit,
}
