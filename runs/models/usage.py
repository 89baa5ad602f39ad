"""The ledger: what every request to a model used, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Count, Q, Sum

from accounts.models import Department, Role, User
from accounts.queries import departments_where, roles_of
from runs.models.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from accounts.queries import Person


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Sums over some rows. `cost` is what is known; `unpriced_calls` come on top, nobody knows how much they cost."""

    calls: int = 0
    failed_calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost: Decimal = Decimal(0)
    unpriced_calls: int = 0


def totals_of(row: Mapping[str, Any]) -> Totals:
    """Sums as the database gives them, with nothing as 0."""
    return Totals(**{name.removeprefix("sum_"): row[name] or 0 for name in SUMS})  # type: ignore[arg-type] # sums of these columns


class UsageRecordQuerySet(models.QuerySet["UsageRecord"]):
    """The doors to the ledger, and its sums."""

    def visible_to(self, user: Person) -> UsageRecordQuerySet:
        """All of the departments that the person manages, and their own elsewhere."""
        own = Q(person=user.pk, department__in=list(roles_of(user)))
        return self.filter(own | Q(department__in=departments_where(user, Role.MANAGER)))

    def totals(self) -> Totals:
        """What these rows add up to. Each sum that Mindloom shows is one over rows of this table."""
        return totals_of(self.aggregate(**SUMS))


SUMS = {
    "sum_calls": Count("id"),
    "sum_failed_calls": Count("id", filter=Q(failed=True)),
    "sum_tokens_in": Sum("tokens_in"),
    "sum_tokens_out": Sum("tokens_out"),
    "sum_tokens_cached": Sum("tokens_cached"),
    "sum_cost": Sum("cost"),
    "sum_unpriced_calls": Count("id", filter=Q(cost=None)),
}
"""The fields of `Totals`, for `annotate` and `aggregate`."""


class UsageRecord(models.Model):
    """One request to a model. Written with its event and never changed; it stays when the run is deleted.

    `tokens_cached` are part of `tokens_in`. Tokens are null where the provider said nothing. `cost` is in the installation's
    currency, null when it is not known: no price was set for that day, or the tokens are not known.
    """

    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="usage")
    run_uuid = models.UUIDField()
    seq = models.PositiveBigIntegerField(help_text="Of the event")
    at = models.DateTimeField()
    person = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    target_kind = models.CharField(max_length=8, help_text="agent or team")
    target_uuid = models.CharField(max_length=40)
    target_name = models.CharField(max_length=200)
    source = models.JSONField(default=list)
    provider = models.CharField(max_length=80)
    model = models.CharField(max_length=200)
    purpose = models.CharField(max_length=16, blank=True)
    tokens_in = models.BigIntegerField(null=True)
    tokens_out = models.BigIntegerField(null=True)
    tokens_cached = models.BigIntegerField(null=True)
    tokens_reasoning = models.BigIntegerField(null=True)
    duration_ms = models.BigIntegerField()
    first_token_ms = models.BigIntegerField(null=True)
    failed = models.BooleanField(default=False)
    cost = models.DecimalField(max_digits=24, decimal_places=12, null=True)

    objects = UsageRecordQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run_uuid", "seq"], name="usage_once_per_event")]
        indexes: ClassVar = [
            models.Index(fields=["department", "at"], name="usage_by_department"),
            models.Index(fields=["person", "at"], name="usage_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.at:%Y-%m-%d %H:%M}"
