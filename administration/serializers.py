"""Entries of the audit trail for programs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from audit.models import Entry
from mindloom.web.api import StrictSerializer


class EntryOut(serializers.Serializer[Any]):
    """One thing that somebody did."""

    id = serializers.IntegerField(source="pk")
    at = serializers.DateTimeField()
    who = serializers.CharField(source="actor_label", help_text="An e-mail address, or Mindloom")
    action = serializers.CharField(help_text="subject.past_participle")
    kind = serializers.CharField(source="target_kind", help_text="What it was done to; empty for nothing")
    target = serializers.CharField(source="target_id")
    label = serializers.CharField(source="target_label", help_text="What it was called then")  # type: ignore[assignment] # a field, as all names here
    department = serializers.SerializerMethodField(help_text="The department's name; empty for none")
    address = serializers.CharField(source="ip_address", allow_null=True, help_text="Where the request came from")
    door = serializers.CharField(help_text="page, api or admin; empty for what the platform does by itself")
    program = serializers.CharField(source="user_agent", help_text="What the program that asked calls itself")
    data = serializers.JSONField(help_text="What changed, without secrets; often `before` and `after`")  # type: ignore[assignment] # the same

    def get_department(self, entry: Entry) -> str:
        """By the names that the list looked up at once."""
        names: dict[int, str] = self.context["departments"]
        return names.get(entry.department_id or 0, "")


def _price(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=14, decimal_places=6, min_value=0, **options)


class PriceOut(serializers.Serializer[Any]):
    """What a million tokens of a model cost from a moment on, in the installation's currency."""

    uuid = serializers.UUIDField()
    valid_from = serializers.DateTimeField()
    input_price = _price()
    output_price = _price()
    cached_price = _price(allow_null=True, help_text="Of tokens from the provider's cache; null: as all others")
    set_by = serializers.EmailField(source="set_by.email")


class NewPrice(StrictSerializer):
    """A price. It never changes; another one follows it."""

    valid_from = serializers.DateTimeField(required=False, help_text="Now when left out.")
    input_price = _price()
    output_price = _price()
    cached_price = _price(required=False, allow_null=True)
