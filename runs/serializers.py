"""Runs as the API shows and takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mindloom.web.api import StrictSerializer
from runs.models import Conversation, Run, RunArtifact, State

if TYPE_CHECKING:
    from collections.abc import Mapping


class NewRun(StrictSerializer):
    """What starts a run."""

    agent = serializers.UUIDField(help_text="The agent to run, in its published version.")
    input = serializers.CharField(
        default="", allow_blank=True, trim_whitespace=False, help_text="What it should work on."
    )
    variables = serializers.DictField(default=dict, help_text="Values of the agent's variables, by name.")


class RepeatRun(StrictSerializer):
    """How a run is repeated; what is left out stays as it was."""

    version = serializers.ChoiceField(
        ["same", "current"], default="same", help_text="Which version of the agent to use."
    )
    input = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    variables = serializers.DictField(required=False)


class RunAgent(serializers.Serializer[Any]):
    """The agent of a run, by name as it was."""

    uuid = serializers.UUIDField()
    name = serializers.CharField()


class RunSummary(serializers.ModelSerializer[Run]):
    """A run in a list."""

    number = serializers.IntegerField(source="pk", help_text="The short number people see.")
    agent = serializers.SerializerMethodField()
    version = serializers.IntegerField(
        source="agent_version.number", default=None, allow_null=True, help_text="Null for a test of a draft."
    )
    department = serializers.UUIDField(source="department.uuid")
    state = serializers.ChoiceField(State.choices)
    message = serializers.CharField(source="sentence", help_text="Why the run stands as it does, in a sentence.")
    started_by = serializers.CharField(source="started_by.name")
    duration_ms = serializers.IntegerField(allow_null=True)
    links = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = [
            *(
                "uuid",
                "number",
                "agent",
                "version",
                "department",
                "state",
                "reason",
                "message",
                "trigger",
                "started_by",
            ),
            *("queued_at", "started_at", "finished_at", "duration_ms", "first_token_ms"),
            *("tokens_in", "tokens_out", "model_calls", "tool_calls", "last_seq", "links"),
        ]
        read_only_fields = fields

    @extend_schema_field(RunAgent)
    def get_agent(self, run: Run) -> Mapping[str, Any]:
        """The agent."""
        return {"uuid": run.agent.uuid if run.agent else None, "name": run.agent.name if run.agent else ""}

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_links(self, run: Run) -> Mapping[str, str]:
        """Where to go on, as paths."""
        return {
            "self": reverse("api:run", args=[run.uuid]),
            "events": reverse("api:run_events", args=[run.uuid]),
            "artifacts": reverse("api:run_artifacts", args=[run.uuid]),
            "page": reverse("runs:detail", args=[run.uuid]),
        }


class RunDetail(RunSummary):
    """A whole run."""

    class Meta(RunSummary.Meta):
        fields = [*RunSummary.Meta.fields, "input", "variables", "output", "structured"]
        read_only_fields = fields


class EventOut(serializers.Serializer[Any]):
    """One event; docs/events.md lists the types and their data."""

    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    type = serializers.CharField()
    source = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    data = serializers.DictField()  # type: ignore[assignment]


class EventPage(serializers.Serializer[Any]):
    """Some consecutive events."""

    events = EventOut(many=True)
    last_seq = serializers.IntegerField(help_text="Pass it as `after` to go on.")
    state = serializers.ChoiceField(State.choices)
    complete = serializers.BooleanField(help_text="Whether the run has ended and these are its last events.")


class ArtifactOut(serializers.ModelSerializer[RunArtifact]):
    """A file of a run."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = RunArtifact
        fields = ["uuid", "name", "media_type", "size_bytes", "sha256", "created_at", "url"]
        read_only_fields = fields

    def get_url(self, artifact: RunArtifact) -> str:
        """Where it is downloaded."""
        return reverse("api:run_artifact", args=[artifact.run.uuid, artifact.uuid])


class NewConversation(StrictSerializer):
    """Whom to talk with: an agent or a team."""

    agent = serializers.UUIDField(required=False)
    team = serializers.UUIDField(required=False)
    department = serializers.UUIDField(
        required=False,
        help_text="Where it belongs, for what other departments share; the first of one's own when left out.",
    )

    def validate(self, attrs: Any) -> Any:
        """Exactly one of both."""
        if ("agent" in attrs) == ("team" in attrs):
            raise serializers.ValidationError({"agent": ["Name an agent or a team, and only one of them."]})
        return attrs


class ConversationChanges(StrictSerializer):
    """Another title."""

    title = serializers.CharField(max_length=120)


class Message(StrictSerializer):
    """What is said."""

    text = serializers.CharField(trim_whitespace=False)
    variables = serializers.DictField(
        required=False, help_text="Those of the first message are kept for the next ones when left out."
    )


class Resend(StrictSerializer):
    """What is said in place of an earlier message."""

    run = serializers.UUIDField(help_text="The turn's run.")
    text = serializers.CharField(trim_whitespace=False)


class ConversationOut(serializers.ModelSerializer[Conversation]):
    """A conversation."""

    title = serializers.CharField(source="__str__")
    agent = serializers.UUIDField(source="agent.uuid", default=None, allow_null=True)
    team = serializers.UUIDField(source="team.uuid", default=None, allow_null=True)
    department = serializers.UUIDField(source="department.uuid")
    links = serializers.SerializerMethodField()

    class Meta:
        model = Conversation
        fields = ["uuid", "title", "agent", "team", "department", "created_at", "updated_at", "links"]
        read_only_fields = fields

    def get_links(self, conversation: Conversation) -> dict[str, str]:
        """Where it and its turns are."""
        return {
            "self": reverse("api:conversation", args=[conversation.uuid]),
            "messages": reverse("api:conversation_messages", args=[conversation.uuid]),
        }


class TurnOut(serializers.ModelSerializer[Run]):
    """One question and its answer."""

    run = serializers.UUIDField(source="uuid")
    asked = serializers.CharField(source="input")
    answered = serializers.CharField(source="output")
    message = serializers.CharField(source="sentence", help_text="Why there is no answer, in a sentence.")
    at = serializers.DateTimeField(source="queued_at")

    class Meta:
        model = Run
        fields = ["run", "asked", "answered", "state", "message", "at"]
        read_only_fields = fields
