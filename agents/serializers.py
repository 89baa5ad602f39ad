"""Agents as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agents.definition import KINDS
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


class DefinitionShape(serializers.Serializer[Any]):
    """What an agent is made of."""

    instructions = serializers.CharField(required=False, max_length=100_000)
    model = serializers.UUIDField(required=False, allow_null=True, help_text="Of GET /models; null for the default.")
    parameters = ParametersShape(required=False)
    variables = VariableShape(many=True, required=False)
    tools = ToolShape(many=True, required=False)
    limits = LimitsShape(required=False)
    markdown = serializers.BooleanField(required=False, default=True)


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
