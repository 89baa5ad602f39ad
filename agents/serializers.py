"""Agents as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import EXECUTORS as RUN_EXECUTORS
from accounts.models import User
from accounts.queries import roles_of
from agents.definition import AFTER_DOCUMENTS, KINDS, LANGUAGES, STORAGES, WINDOWS
from agents.models import Agent, AgentVersion
from mindloom.web.api import StrictSerializer


class VariableShape(serializers.Serializer[Any]):
    """A variable of an agent; `{{ name }}` stands for it in the instructions."""

    name = serializers.RegexField(r"^[a-z][a-z0-9_]*$", max_length=40)
    label = serializers.CharField(required=False, max_length=80)  # type: ignore[assignment] # fields, not attributes
    kind = serializers.ChoiceField(list(KINDS), default="text")
    help = serializers.CharField(required=False, max_length=200)
    required = serializers.BooleanField(default=True)  # type: ignore[assignment] # as above
    default = serializers.JSONField(required=False, allow_null=True)
    choices = serializers.ListField(child=serializers.CharField(max_length=200), required=False)


class ToolShape(serializers.Serializer[Any]):
    """A tool of the catalogue (GET /tools) with the agent's settings of it."""

    key = serializers.CharField()
    config = serializers.DictField(required=False)
    connection = serializers.UUIDField(
        required=False, allow_null=True, help_text="Of GET /connections; for tools that work through one."
    )
    ask_first = serializers.BooleanField(
        required=False, help_text="Whether a person must approve before the tool changes something."
    )


class MemoryShape(serializers.Serializer[Any]):
    """What is kept from one run to the next; history, person and summary need a storage."""

    storage = serializers.ChoiceField(list(STORAGES), required=False, default="none")
    history_runs = serializers.IntegerField(
        required=False, min_value=0, max_value=50, help_text="Earlier runs of the conversation that are told again."
    )
    person = serializers.BooleanField(required=False, default=False, help_text="Keep facts about whoever runs it.")
    summary = serializers.BooleanField(
        required=False, default=False, help_text="Sum up what is older than the history."
    )
    window = serializers.ChoiceField(
        list(WINDOWS), required=False, default="stop", help_text="What happens when the model can read no more."
    )
    offload = serializers.BooleanField(required=False, default=False, help_text="Put long tool results aside.")


class OutputShape(serializers.Serializer[Any]):
    """The form that the answer must have."""

    name = serializers.CharField(required=False, max_length=64)
    schema = serializers.DictField(
        help_text="JSON Schema of type object, at most 20,000 characters, 5 levels and 50 fields a level, without $ref."
    )


class ParametersShape(serializers.Serializer[Any]):
    """Only what is set is sent to the model."""

    temperature = serializers.FloatField(required=False, min_value=0, max_value=2)
    max_tokens = serializers.IntegerField(required=False, min_value=1)
    top_p = serializers.FloatField(required=False, min_value=0.01, max_value=1)


class LimitsShape(serializers.Serializer[Any]):
    """When a run is stopped although it has not finished."""

    seconds = serializers.IntegerField(required=False)
    model_turns = serializers.IntegerField(required=False)
    tool_calls = serializers.IntegerField(required=False)
    tokens = serializers.IntegerField(required=False)


class PlaceShape(serializers.Serializer[Any]):
    """Where runs are carried out, and what a pod gets; null for the usual."""

    executor = serializers.ChoiceField(
        RUN_EXECUTORS, required=False, allow_blank=True, help_text="Empty: as the department says."
    )
    cpu = serializers.FloatField(required=False, allow_null=True, help_text="Cores.")
    memory_mb = serializers.IntegerField(required=False, allow_null=True)


class DefinitionShape(serializers.Serializer[Any]):
    """What an agent is made of."""

    instructions = serializers.CharField(required=False, max_length=100_000)
    model = serializers.UUIDField(required=False, allow_null=True, help_text="Of GET /models; null for the default.")
    fallback_model = serializers.UUIDField(
        required=False, allow_null=True, help_text="Steps in when the model fails; another one than the model."
    )
    parameters = ParametersShape(required=False)
    variables = VariableShape(many=True, required=False)
    tools = ToolShape(many=True, required=False)
    after_documents = serializers.ChoiceField(
        list(AFTER_DOCUMENTS),
        required=False,
        default="ask",
        help_text="Agents only: whether tools that act outside ask a person first once text of documents was read.",
    )
    buckets = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=20)
    memory = MemoryShape(required=False)
    output = OutputShape(required=False, allow_null=True, help_text="Null for free text.")
    limits = LimitsShape(required=False)
    place = PlaceShape(required=False)
    reasoning = serializers.BooleanField(required=False, default=False, help_text="Think step by step first.")
    markdown = serializers.BooleanField(required=False, default=True)
    language = serializers.ChoiceField(
        list(LANGUAGES), required=False, allow_blank=True, help_text="Of the answer; empty for the question’s."
    )
    dates = serializers.BooleanField(required=False, default=False, help_text="Tell the model when the run began.")
    retries = serializers.IntegerField(
        required=False, min_value=0, max_value=5, help_text="How often a failed request is sent again."
    )


@extend_schema_field(DefinitionShape)
class DefinitionField(serializers.JSONField):
    """A definition; `agents.definition` checks it, so that every door says the same."""

    def to_internal_value(self, data: Any) -> Any:
        """Any object."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("This must be an object.")
        return super().to_internal_value(data)


class AgentFields(StrictSerializer):
    """The fields of an agent beside its draft; the services say what is wrong with them."""

    description = serializers.CharField(required=False, allow_blank=True)
    icon = serializers.CharField(required=False)
    category = serializers.CharField(required=False, allow_blank=True)
    visibility = serializers.ChoiceField(Agent.Visibility.choices, required=False)
    draft = DefinitionField(required=False, help_text="Fields that are left out keep their values.")


class NewAgent(AgentFields):
    """What makes an agent."""

    name = serializers.CharField()
    department = serializers.UUIDField(required=False, help_text="The first one where you are a member, when left out.")
    template = serializers.CharField(required=False, help_text="A key of GET /templates.")


class AgentChanges(AgentFields):
    """Changes of an agent and its draft."""

    name = serializers.CharField(required=False)
    draft_digest = serializers.CharField(
        required=False, help_text="What you saw last; when the draft has changed since, nothing is kept (409)."
    )


class PublishNote(StrictSerializer):
    """What is new in the version."""

    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class CopyName(StrictSerializer):
    """What the copy is called; a free name is chosen when left out."""

    name = serializers.CharField(required=False)


class AgentCopy(CopyName):
    """Where the copy goes, and what it is called."""

    department = serializers.UUIDField(required=False, help_text="The agent’s own, when left out.")


class AgentFile(StrictSerializer):
    """An exported agent."""

    file = serializers.CharField(trim_whitespace=False, help_text="The YAML of GET /agents/{uuid}/export.")
    department = serializers.UUIDField(required=False, help_text="The first one where you are a member, when left out.")


class VersionNumber(StrictSerializer):
    """A version."""

    number = serializers.IntegerField(min_value=1)


class NewOwner(StrictSerializer):
    """Who is to own it: a member or manager of the department."""

    owner = serializers.EmailField(help_text="The person’s e-mail address.")


class Nothing(StrictSerializer):
    """No body."""


class AgentSummary(serializers.ModelSerializer[Agent]):
    """An agent in a list."""

    department = serializers.UUIDField(source="department.uuid")
    owner = serializers.CharField(source="owner.name")
    version = serializers.IntegerField(
        source="published.number", default=None, allow_null=True, help_text="Null before the first publication."
    )
    has_changes = serializers.SerializerMethodField(
        help_text="Whether the draft differs from the version that is published."
    )

    class Meta:
        model = Agent
        fields = [
            *("uuid", "name", "description", "icon", "category", "visibility", "department", "owner", "version"),
            *("has_changes", "draft_digest", "archived_at", "created_at", "updated_at"),
        ]

    def get_has_changes(self, agent: Agent) -> bool:
        """Also true for an agent that was never published."""
        return agent.published is None or agent.published.digest != agent.draft_digest

    def to_representation(self, agent: Agent) -> dict[str, Any]:
        """Of what another department shares, the draft stays there: its place is taken by what is published."""
        shown: dict[str, Any] = super().to_representation(agent)
        if agent.published is not None and agent.department_id not in self._own_departments():
            shown |= {"has_changes": False, "draft_digest": agent.published.digest}
            if "draft" in shown:
                shown["draft"] = agent.published.definition
        return shown

    def _own_departments(self) -> dict[int, Any]:
        user: User = self.context["request"].user
        return roles_of(user)


class AgentDetail(AgentSummary):
    """An agent with its draft and what is published."""

    draft = DefinitionField()
    published = serializers.SerializerMethodField()

    class Meta(AgentSummary.Meta):
        fields = [*AgentSummary.Meta.fields, "draft", "published"]

    @extend_schema_field(DefinitionShape(allow_null=True))
    def get_published(self, agent: Agent) -> dict[str, Any] | None:
        """The definition that runs use."""
        return agent.published.definition if agent.published else None


class ImportedAgent(AgentDetail):
    """A new agent, and what has to be chosen again."""

    notes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(AgentDetail.Meta):
        fields = [*AgentDetail.Meta.fields, "notes"]


class Piece(serializers.Serializer[Any]):
    """Some words of a line."""

    kind = serializers.ChoiceField(["", "del", "ins"], help_text="Empty for what stayed.")
    text = serializers.CharField()


class ChangedLine(serializers.Serializer[Any]):
    """A line of the instructions."""

    kind = serializers.ChoiceField(["same", "changed", "del", "ins", "gap"])
    pieces = Piece(many=True)
    skipped = serializers.IntegerField(help_text="Of a gap: lines that stayed and are not shown.")


class DifferenceOut(serializers.Serializer[Any]):
    """What changed from one version, or the draft, to another."""

    before = serializers.CharField(help_text="“draft”, or a version’s number.")
    after = serializers.CharField(help_text="“draft”, or a version’s number.")
    changes = serializers.ListField(
        child=serializers.CharField(), help_text="In sentences; empty when nothing changed."
    )
    lines = ChangedLine(many=True, help_text="The instructions line by line; empty when they are the same.")


class VersionOut(serializers.ModelSerializer[AgentVersion]):
    """A published version."""

    published_by = serializers.CharField(source="published_by.name")
    definition = DefinitionField()

    class Meta:
        model = AgentVersion
        fields = ["number", "note", "published_by", "published_at", "digest", "definition"]


class TemplateOut(serializers.Serializer[Any]):
    """A template of the gallery."""

    key = serializers.CharField()
    name = serializers.CharField()
    icon = serializers.CharField()
    category = serializers.CharField()
    description = serializers.CharField()
    definition = DefinitionField()
    sample_input = serializers.CharField()
    sample_values = serializers.DictField()
