"""Which entries of the audit trail a list shows, on the page, in exports and in the API."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import django_filters
from django.db.models import Q
from django.utils import timezone

from accounts.models import Department, User
from administration.queries import known_actions
from audit.models import Entry
from audit.services import PLATFORM

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet


class EntryFilter(django_filters.FilterSet):
    """Filters of the audit trail."""

    who = django_filters.CharFilter(
        method="by", max_length=254, help_text=f"The e-mail address of a person, or {PLATFORM} for the platform itself."
    )
    action = django_filters.CharFilter(
        method="done", max_length=80, help_text="An action such as agent.published, or all of a kind: agent."
    )
    target = django_filters.CharFilter("target_id", max_length=64, help_text="The identifier of what it was done to.")
    kind = django_filters.CharFilter("target_kind", max_length=40, help_text="What kind of thing that is, such as run.")
    department = django_filters.UUIDFilter(method="inside")
    at_after = django_filters.IsoDateTimeFilter("at", "gte")
    at_before = django_filters.IsoDateTimeFilter("at", "lt")
    since = django_filters.DateFilter(method="from_day", help_text="The first day, in the reader's time zone.")
    until = django_filters.DateFilter(method="to_day", help_text="The last day, with all of it.")

    class Meta:
        """Nothing beyond the filters above."""

        model = Entry
        fields: tuple[str, ...] = ()

    def by(self, found: QuerySet[Entry], name: str, who: str) -> QuerySet[Entry]:
        """By this person, also when the address was another one then."""
        person = User.objects.filter(email__iexact=who).values_list("pk", "email").first()
        if person is None:
            return found.filter(actor_label=who)
        return found.filter(Q(actor_label=person[1]) | Q(actor_id=person[0]))

    def done(self, found: QuerySet[Entry], name: str, action: str) -> QuerySet[Entry]:
        """Just that action, or all whose name begins with the word."""
        if "." in action:
            return found.filter(action=action)
        return found.filter(action__in=[one for one in known_actions() if one.partition(".")[0] == action])

    def inside(self, found: QuerySet[Entry], name: str, uuid: UUID) -> QuerySet[Entry]:
        """In this department."""
        departments = Department.objects.filter(uuid=uuid).values_list("pk", flat=True)
        return found.filter(department_id__in=list(departments))

    def from_day(self, found: QuerySet[Entry], name: str, day: date) -> QuerySet[Entry]:
        """On this day or later."""
        return found.filter(at__gte=_begin(day))

    def to_day(self, found: QuerySet[Entry], name: str, day: date) -> QuerySet[Entry]:
        """On this day or earlier."""
        return found.filter(at__lt=_begin(day + timedelta(days=1))) if day < date.max else found


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
