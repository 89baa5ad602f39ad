"""The mails: what is wanted at once, and once a day the rest.

A mail is claimed by counting its tries up and moving the next one behind the longest time a try can take. So two processes never
send the same one, and what a process leaves when it dies is sent later: at least once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.queries import roles_of
from mindloom import wall
from notifications.models import Choice, Notification, Preference
from notifications.queries import DAILY, preference_of, told, unsubscribe_token

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

AT_ONCE = 20
"""Mails that are claimed together; a mail server that is slow holds up no more."""
LEASE = timedelta(minutes=5)
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1_440))
"""Between tries; after one more a mail is given up."""
MOST_IN_ONE = 100
"""Notifications that a daily mail shows; the page has all."""
Mail = Notification.Mail


@dataclass(frozen=True)
class Letter:
    """One mail to one person: the notifications that it is about, and what the link at its end stops."""

    person: User
    notifications: tuple[Notification, ...]
    kind: str

    @property
    def keys(self) -> list[int]:
        """Of its notifications."""
        return [one.pk for one in self.notifications]


def send_due(*, now: datetime | None = None, stopped: Callable[[], bool] = lambda: False) -> int:
    """Decide and send what is due; how many mails were sent. `now` is the clock, for tests."""
    moment = now or datetime.now(UTC)
    sent = 0
    for letter in [*_claim_single(moment), *_claim_daily(moment)]:
        if stopped():
            break
        sent += _carry_out(letter, moment)
    return sent


@transaction.atomic
def _claim_single(now: datetime) -> list[Letter]:
    """Decide what becomes of new notifications, and take those that are mailed at once."""
    with wall.system("notifications: mails to people of all departments"):
        due = Notification.objects.filter(Q(mail_due_at=None) | Q(mail_due_at__lte=now), mail=Mail.NEW)
        found = list(
            due.select_related("person").select_for_update(skip_locked=True, of=("self",)).order_by("id")[:AT_ONCE]
        )
        letters = []
        for one in found:
            choice = _choice(one)
            if choice == Choice.NOW:
                one.mail_tries, one.mail_due_at = one.mail_tries + 1, now + LEASE
                letters.append(Letter(one.person, (one,), one.kind))
            else:
                one.mail = Mail.DAILY if choice == Choice.DAILY else Mail.NONE
        Notification.objects.bulk_update(found, ["mail", "mail_tries", "mail_due_at"])
    return letters


def _choice(notification: Notification) -> Choice:
    """When it is mailed, seen from now: to those who may still see it and have not yet."""
    person = notification.person
    if notification.read_at is not None or notification.department_id not in roles_of(person):
        return Choice.NEVER
    preference = preference_of(person)
    return Choice.NEVER if notification.kind in preference.hidden else preference.choice(notification.kind)


def _claim_daily(now: datetime) -> list[Letter]:
    """Take what has gathered for people whose hour of the daily mail has come."""
    with wall.system("notifications: mails to people of all departments"):
        gathered = Notification.objects.filter(Q(mail_due_at=None) | Q(mail_due_at__lte=now), mail=Mail.DAILY)
        # All of them: who is told at another hour, or was told today, must not stand before those whose hour has come.
        people = User.objects.filter(pk__in=gathered.values("person")).select_related("notification_preference")
        due = [one for one in people if _hour_has_come(one, _preference(one), now)]
        return [letter for person in due[:AT_ONCE] if (letter := _claim_day(person, now)) is not None]


def _preference(person: User) -> Preference:
    """As it was read together with the person."""
    return getattr(person, "notification_preference", None) or Preference(person=person)


def _hour_has_come(person: User, preference: Preference, now: datetime) -> bool:
    local = now.astimezone(ZoneInfo(person.time_zone))
    return local.hour >= preference.daily_hour and preference.mailed_on != local.date()


@transaction.atomic
def _claim_day(person: User, now: datetime) -> Letter | None:
    Preference.objects.get_or_create(person=person)
    preference = Preference.objects.select_for_update().get(person=person)
    if not _hour_has_come(person, preference, now):
        return None  # another process was quicker
    rows = (
        Notification.objects.filter(person=person, mail=Mail.DAILY)
        .select_related("person")
        .select_for_update(of=("self",))
        .order_by("id")
    )
    wanted: list[int] = []
    passed: list[int] = []
    for one in rows:
        (wanted if _choice(one) == Choice.DAILY else passed).append(one.pk)
    Notification.objects.filter(pk__in=passed).update(mail=Mail.NONE)
    Preference.objects.filter(person=person).update(mailed_on=now.astimezone(ZoneInfo(person.time_zone)).date())
    if not wanted:
        return None
    found = Notification.objects.filter(pk__in=wanted)
    tries = (found.order_by("-mail_tries").values_list("mail_tries", flat=True).first() or 0) + 1
    found.update(mail_tries=tries, mail_due_at=now + LEASE)
    return Letter(person, tuple(found.select_related("person").newest_first()), DAILY)


def _carry_out(letter: Letter, now: datetime) -> int:
    """Send it, and keep what came of it; 1 when it was sent."""
    with wall.system("notifications: mails to people of all departments"):
        rows = Notification.objects.filter(pk__in=letter.keys)
        try:
            _message(letter).send()
        except Exception as error:  # noqa: BLE001 -- whatever is wrong with one mail, the others are sent
            tries = max(one.mail_tries for one in letter.notifications)
            logger.warning("A notification could not be mailed (try %s): %s", tries, type(error).__name__)
            if tries > len(DELAYS):
                rows.update(mail=Mail.FAILED, mail_due_at=None)
            else:
                rows.update(mail_due_at=now + DELAYS[tries - 1])
                if letter.kind == DAILY:
                    Preference.objects.filter(person=letter.person).update(mailed_on=None)
            return 0
        rows.update(mail=Mail.SENT, mail_due_at=None)
    return 1


def _message(letter: Letter) -> EmailMessage:
    site = str(settings.BASE_URL).rstrip("/")
    stop = site + reverse("notifications:unsubscribe", args=[unsubscribe_token(letter.person, letter.kind)])
    with timezone.override(letter.person.time_zone):
        said = [(one, told(one)) for one in letter.notifications[:MOST_IN_ONE]]
        context = {
            "said": said,
            "first": said[0][1],
            "count": len(letter.notifications),
            "site": site,
            "page": site + reverse("notifications:list"),
            "stop": stop,
        }
        name = "notifications_daily" if letter.kind == DAILY else "notification"
        subject, _, body = render_to_string(f"mail/{name}.txt", context).partition("\n")
    # RFC 8058: mail programs offer to stop these mails with one click.
    headers = {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return EmailMessage(" ".join(subject.split()), body.strip() + "\n", to=[letter.person.email], headers=headers)
