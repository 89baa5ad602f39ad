"""Runs as the API shows and takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mindloom.web.api import StrictSerializer
from runs.models import Approval, Conversation, RetentionReport, Run, RunArtifact, State
from runs.queries import Why, standing
from runs.stream.lanes import lanes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.models import Agent
    from teams.models import Team

SHOWN = ("agent", "agent_version", "team", "team_version", "department", "started_by")
"""What `RunSummary` shows of other rows. Read together with the run, an agent out of sight is None."""
LANE_STATES = [(name, name) for name in ("idle", "working", "waiting", "done", "failed", "stopped")]


class NewRun(StrictSerializer):
    """What starts a run."""

    agent = serializers.UUIDField(required=False, help_text="The agent to run, in its published version; or a team.")
    team = serializers.UUIDField(required=False, help_text="The team to run, in its published version.")
    conversation = serializers.UUIDField(
        required=False,
        help_text="One of your conversations to say it in, with whom it is; in place of an agent or a team.",
    )
    input = serializers.CharField(
        default="", allow_blank=True, trim_whitespace=False, help_text="What it should work on."
    )
    variables = serializers.DictField(default=dict, help_text="Values of the variables, by name.")
    department = serializers.UUIDField(
        required=False,
        help_text="Where the run belongs, for what is shared with everyone: one of your departments.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one thing runs."""
        if sum(name in attrs for name in ("agent", "team", "conversation")) != 1:
            raise serializers.ValidationError({"agent": ["Give one of these: an agent, a team, a conversation."]})
        if "conversation" in attrs and "department" in attrs:
            raise serializers.ValidationError({"department": ["A conversation is in a department already."]})
        return attrs


class RepeatRun(StrictSerializer):
    """How a run is repeated; what is left out stays as it was."""

    version = serializers.ChoiceField(
        ["same", "current"], default="same", help_text="Which version of the agent to use."
    )
    input = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    variables = serializers.DictField(required=False)


class Decision(StrictSerializer):
    """A person's word about a question. What is decided about cannot be changed."""

    decision = serializers.ChoiceField(["approved", "declined", "answered", "happened", "did_not_happen"])
    note = serializers.CharField(
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="The answer when it is answered; else why, which the model reads when it is declined.",
    )


class RunTarget(serializers.Serializer[Any]):
    """The agent or team of a run."""

    uuid = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class RunSummary(serializers.ModelSerializer[Run]):
    """A run in a list."""

    number = serializers.IntegerField(source="pk", help_text="The short number people see.")
    agent = serializers.SerializerMethodField()
    team = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField(help_text="Null for a test of a draft.")
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
                "team",
                "version",
                "department",
                "state",
                "reason",
                "message",
                "trigger",
                "started_by",
            ),
            *("queued_at", "started_at", "finished_at", "duration_ms", "first_token_ms"),
            *("tokens_in", "tokens_out", "tokens_cached", "cost", "unpriced_calls"),
            *("model_calls", "tool_calls", "tool_failures", "last_seq", "links"),
            *("pinned_at", "events_pruned_at", "events_pruned", "files_pruned_at", "executor"),
        ]
        read_only_fields = fields

    @extend_schema_field(RunTarget(allow_null=True))
    def get_agent(self, run: Run) -> Mapping[str, Any] | None:
        """The agent, null for a run of a team. Its uuid is null when it is no longer shared with you."""
        return _target(run, run.agent) if run.team_id is None else None

    @extend_schema_field(RunTarget(allow_null=True))
    def get_team(self, run: Run) -> Mapping[str, Any] | None:
        """The team, null for a run of an agent."""
        return _target(run, run.team) if run.team_id is not None else None

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_version(self, run: Run) -> int | None:
        """The version's number."""
        return run.version.number if run.version is not None else None

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_links(self, run: Run) -> Mapping[str, str]:
        """Where to go on, as paths."""
        return {
            "self": reverse("api:run", args=[run.uuid]),
            "events": reverse("api:run_events", args=[run.uuid]),
            "artifacts": reverse("api:run_artifacts", args=[run.uuid]),
            "approvals": reverse("api:run_approvals", args=[run.uuid]),
            "usage": reverse("api:run_usage", args=[run.uuid]),
            "page": reverse("runs:detail", args=[run.uuid]),
        }


class ApprovalOut(serializers.ModelSerializer[Approval]):
    """What a run asks, or asked: the call with its arguments, and what was decided."""

    kind = serializers.ChoiceField(Approval.Kind.choices)
    state = serializers.ChoiceField(Approval.State.choices)
    source = serializers.ListField(child=serializers.CharField(), help_text="Who asks, outermost first.")  # type: ignore[assignment]
    arguments = serializers.DictField()
    decided_by = serializers.CharField(source="decided_by.name", default=None, allow_null=True)
    decide = serializers.SerializerMethodField(help_text="Where it is decided; null when nothing is to be decided.")

    class Meta:
        model = Approval
        fields = [
            *("uuid", "kind", "state", "message", "tool", "effect", "arguments", "source"),
            *("created_at", "decided_by", "decided_at", "note", "decide"),
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_decide(self, approval: Approval) -> str | None:
        """Where it is decided."""
        is_open = approval.state == Approval.State.OPEN
        return reverse("api:approval_decide", args=[approval.uuid]) if is_open else None


class LaneOut(serializers.Serializer[Any]):
    """The leader or a member of a team in a run: how it stands and what it cost. Together they are the run's totals."""

    name = serializers.CharField()
    is_leader = serializers.BooleanField()
    state = serializers.ChoiceField(LANE_STATES)
    message = serializers.CharField(help_text="Why it failed.")
    tasks = serializers.IntegerField(help_text="How often the leader gave it something to do.")
    duration_ms = serializers.IntegerField(allow_null=True)
    model_calls = serializers.IntegerField()
    tokens_in = serializers.IntegerField()
    tokens_out = serializers.IntegerField()
    tool_calls = serializers.IntegerField()


class StandingOut(serializers.Serializer[Any]):
    """Why a run is not running."""

    code = serializers.ChoiceField(Why.choices)
    message = serializers.CharField()
    action = serializers.CharField(help_text="What can be done about it.")
    until = serializers.DateTimeField(
        allow_null=True, help_text="When the reason ends at the latest, if that is known."
    )
    estimate = serializers.IntegerField(
        allow_null=True, help_text="Seconds until it starts, by the durations of the runs before it."
    )


class RunDetail(RunSummary):
    """A whole run."""

    standing = serializers.SerializerMethodField(help_text="Why it is not running; null when it runs or has ended.")
    approvals = serializers.SerializerMethodField()
    members = serializers.SerializerMethodField(help_text="The leader and the members; empty for an agent alone.")

    class Meta(RunSummary.Meta):
        fields = [
            *RunSummary.Meta.fields,
            *("standing", "input", "variables", "output", "structured", "approvals", "members"),
        ]
        read_only_fields = fields

    @extend_schema_field(StandingOut(allow_null=True))
    def get_standing(self, run: Run) -> Any:
        """Why it is not running."""
        why = standing(run)
        return StandingOut(why).data if why is not None else None

    @extend_schema_field(ApprovalOut(many=True))
    def get_approvals(self, run: Run) -> Any:
        """What it asks and asked."""
        return ApprovalOut(run.approvals.select_related("decided_by").order_by("id"), many=True).data

    @extend_schema_field(LaneOut(many=True))
    def get_members(self, run: Run) -> Any:
        """Who did what."""
        return LaneOut([vars(lane) | {"duration_ms": lane.duration_ms()} for lane in lanes_of(run)], many=True).data


def _target(run: Run, row: Agent | Team | None) -> Mapping[str, Any]:
    if row is not None:
        return {"uuid": row.uuid, "name": row.name}
    # Lists leave the snapshot in the database, and bring its name alone.
    return {"uuid": None, "name": vars(run).get("name_then") or run.target_name}


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
        fields = ["uuid", "name", "version", "media_type", "size_bytes", "sha256", "created_at", "url"]
        read_only_fields = fields

    def get_url(self, artifact: RunArtifact) -> str:
        """Where it is downloaded."""
        return reverse("api:run_artifact", args=[artifact.run.uuid, artifact.uuid])


class RetentionChanges(StrictSerializer):
    """How many days after its run has ended something is kept: null is what the installation says, 0 is for ever."""

    runs = serializers.IntegerField(min_value=0, max_value=36_500, required=False, allow_null=True)
    events = serializers.IntegerField(
        min_value=0,
        max_value=36_500,
        required=False,
        allow_null=True,
        help_text="Pieces of texts in logs; the whole texts stay.",
    )
    files = serializers.IntegerField(min_value=0, max_value=36_500, required=False, allow_null=True)


class KeptDays(serializers.Serializer[Any]):
    """What holds; null is for ever."""

    runs = serializers.IntegerField(allow_null=True)
    events = serializers.IntegerField(allow_null=True)
    files = serializers.IntegerField(allow_null=True)


class WouldGoOut(serializers.Serializer[Any]):
    """What would be removed if the night were now."""

    runs = serializers.IntegerField()
    events_of_runs = serializers.IntegerField(help_text="Runs whose logs would lose the pieces of texts.")
    files = serializers.IntegerField()
    files_bytes = serializers.IntegerField()


class RetentionOut(serializers.Serializer[Any]):
    """A department's retention."""

    own = KeptDays(help_text="As the department says; null where the installation decides.")
    held = KeptDays()
    would_go = WouldGoOut()


class RetentionReportOut(serializers.ModelSerializer[RetentionReport]):
    """What one night's clearing removed."""

    class Meta:
        model = RetentionReport
        fields = [
            *("night", "started_at", "finished_at", "seconds", "runs", "events", "files", "bytes_freed"),
            *("errors", "last_error"),
        ]
        read_only_fields = fields


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
