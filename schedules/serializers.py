"""Schedules and their ledgers as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mindloom.web.api import StrictSerializer
from runs.services import kind_of
from schedules.definition import words
from schedules.models import Occurrence, Schedule

RULE_HELP = (
    'When runs start, by its `kind`: `{"kind": "interval", "count": 6, "unit": "hours"}` (or minutes), `{"kind": "daily", "at": "07:00"}`, '
    '`{"kind": "weekdays", "at": "07:00"}`, `{"kind": "weekly", "days": [1, 4], "at": "07:00"}` (1 is Monday), `{"kind": "monthly", '
    '"day": 15, "at": "07:00"}` (or "last"), `{"kind": "nth", "nth": 2, "weekday": 1, "at": "07:00"}` (or "last"), `{"kind": "cron", '
    '"expression": "0 7 * * 1-5"}`.'
)


class ScheduleOut(serializers.ModelSerializer[Schedule]):
    """A schedule."""

    department = serializers.UUIDField(source="department.uuid")
    owner = serializers.UUIDField(source="owner.uuid", help_text="Runs are started with this person's rights.")
    target = serializers.SerializerMethodField(help_text="The agent or team; its uuid is null when it is out of sight.")
    rule = serializers.DictField(help_text=RULE_HELP)
    words = serializers.SerializerMethodField(help_text="The rule as people say it.")
    is_paused = serializers.BooleanField()
    failures = serializers.IntegerField(help_text="In a row.")
    next_at = serializers.DateTimeField(allow_null=True, help_text="Null when there is no further time.")

    class Meta:
        model = Schedule
        fields = [
            *("uuid", "name", "department", "owner", "target", "input", "variables", "rule", "words", "time_zone"),
            *("starts_at", "ends_at", "overlap", "missed", "catch_up_minutes", "not_after", "pause_after", "next_at"),
            *("failures", "is_paused", "paused_at", "paused_reason", "created_at", "updated_at"),
        ]

    @extend_schema_field({"type": "object", "properties": {"kind": {"type": "string"}, "uuid": {"type": "string"}}})
    def get_target(self, schedule: Schedule) -> dict[str, Any]:
        """Which agent or team."""
        target = schedule.target
        kind = kind_of(target) if target is not None else "team" if schedule.team_id else "agent"
        return {"kind": kind, "uuid": str(target.uuid) if target else None, "name": target.name if target else None}

    def get_words(self, schedule: Schedule) -> str:
        """In words."""
        return words(schedule.rule)


class ScheduleFields(StrictSerializer):
    """What can be said of a schedule, when it is made and later."""

    input = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    variables = serializers.DictField(required=False)
    starts_at = serializers.DateTimeField(required=False, help_text="No time before; intervals count from it.")
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    overlap = serializers.ChoiceField(Schedule.Overlap.choices, required=False)
    missed = serializers.ChoiceField(Schedule.Missed.choices, required=False)
    catch_up_minutes = serializers.IntegerField(required=False, min_value=0)
    not_after = serializers.TimeField(required=False, allow_null=True)
    pause_after = serializers.IntegerField(required=False, min_value=0, help_text="Failures in a row; 0 for never.")


class RuleFields(StrictSerializer):
    """When."""

    rule = serializers.DictField(help_text=RULE_HELP)
    time_zone = serializers.CharField(max_length=64, help_text="Of the IANA database, like Europe/Brussels.")
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)


class NewSchedule(ScheduleFields):
    """What makes a schedule: `agent` or `team`, and the rest."""

    name = serializers.CharField(max_length=80)
    agent = serializers.UUIDField(required=False)
    team = serializers.UUIDField(required=False)
    department = serializers.UUIDField(
        required=False, help_text="Where its runs belong; else the agent's or team's own."
    )
    rule = serializers.DictField(help_text=RULE_HELP)
    time_zone = serializers.CharField(max_length=64, help_text="Of the IANA database, like Europe/Brussels.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One thing runs."""
        if ("agent" in attrs) == ("team" in attrs):
            raise serializers.ValidationError({"agent": ["Name an agent or a team."]})
        return attrs


class ScheduleChanges(ScheduleFields):
    """Changes of a schedule. What is left out stays."""

    name = serializers.CharField(required=False, max_length=80)
    rule = serializers.DictField(required=False, help_text=RULE_HELP)
    time_zone = serializers.CharField(required=False, max_length=64)


class NextTimes(serializers.Serializer[Any]):
    """What a rule means from now on."""

    words = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField(), help_text="What changes of the clock do to it.")
    times = serializers.ListField(child=serializers.DateTimeField(), help_text="The next ten, with the zone's offset.")


class OccurrenceOut(serializers.ModelSerializer[Occurrence]):
    """One time and what became of it."""

    run = serializers.UUIDField(source="run_uuid", allow_null=True)
    run_state = serializers.CharField(help_text="How the run ended; empty while it is under way or without one.")

    class Meta:
        model = Occurrence
        fields = ["planned_at", "outcome", "message", "run", "run_state", "decided_at"]
