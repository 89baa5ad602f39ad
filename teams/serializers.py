"""Teams as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Role
from accounts.queries import may, roles_of
from agents.definition.exchange import LARGEST_FILE
from agents.serializers import CopyName, DefinitionShape
from mindloom.web.api import StrictSerializer
from teams.definition import TYPES
from teams.models import Team, TeamVersion

TYPE_CHOICES = [(one.key, one.name) for one in TYPES]


class MemberShape(serializers.Serializer[Any]):
    """An agent in a team."""

    agent = serializers.UUIDField(help_text="Of GET /agents; one that you may run.")
    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        help_text="A version that stays; null for the current one, always.",
    )
    role = serializers.CharField(required=False, allow_blank=True, max_length=300, help_text="Its part in the team.")
    variables = serializers.DictField(
        child=serializers.DictField(),
        required=False,
        help_text='By the name of the agent’s variable: {"from": "<variable of the team>"} or {"value": …}.',
    )


class TeamDefinitionShape(DefinitionShape):
    """What a team is made of: the leader's instructions, model and answer, and the members."""

    tools = None  # type: ignore[assignment] # takes the inherited field away: members have tools, the leader has members
    after_documents = None  # type: ignore[assignment] # as above
    type = serializers.ChoiceField(TYPE_CHOICES, required=False)
    members = MemberShape(many=True, required=False)


@extend_schema_field(TeamDefinitionShape)
class TeamDefinitionField(serializers.JSONField):
    """A definition; `teams.definition` checks it, so that every door says the same."""

    def to_internal_value(self, data: Any) -> Any:
        """Any object."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("This must be an object.")
        return super().to_internal_value(data)


class TeamFields(StrictSerializer):
    """The fields of a team beside its draft; the services say what is wrong with them."""

    description = serializers.CharField(required=False, allow_blank=True)
    icon = serializers.CharField(required=False)
    visibility = serializers.ChoiceField(Team.Visibility.choices, required=False)
    draft = TeamDefinitionField(required=False, help_text="Fields that are left out keep their values.")


class NewTeam(TeamFields):
    """What makes a team."""

    name = serializers.CharField()
    department = serializers.UUIDField(required=False, help_text="The first one where you are a member, when left out.")
    type = serializers.ChoiceField(TYPE_CHOICES, required=False)


class TeamChanges(TeamFields):
    """Changes of a team and its draft."""

    name = serializers.CharField(required=False)
    draft_digest = serializers.CharField(
        required=False, help_text="What you saw last; when the draft has changed since, nothing is kept (409)."
    )


class TeamCopy(CopyName):
    """Where the copy goes, and what it is called."""

    department = serializers.UUIDField(required=False, help_text="The team’s own, when left out.")


class TeamSummary(serializers.ModelSerializer[Team]):
    """A team in a list."""

    department = serializers.UUIDField(source="department.uuid")
    owner = serializers.CharField(source="owner.name")
    type = serializers.ChoiceField(TYPE_CHOICES, source="draft.type")
    version = serializers.IntegerField(
        source="published.number", default=None, allow_null=True, help_text="Null before the first publication."
    )
    has_changes = serializers.SerializerMethodField(
        help_text="Whether the draft differs from the version that is published."
    )

    class Meta:
        model = Team
        fields = [
            *("uuid", "name", "description", "icon", "type", "visibility", "department", "owner", "version"),
            *("has_changes", "draft_digest", "archived_at", "created_at", "updated_at"),
        ]

    def get_has_changes(self, team: Team) -> bool:
        """Also true for a team that was never published."""
        return team.published is None or team.published.digest != team.draft_digest

    def to_representation(self, team: Team) -> dict[str, Any]:
        """Of what another department shares, the draft stays there: its place is taken by what is published."""
        shown: dict[str, Any] = super().to_representation(team)
        if team.published is not None and team.department_id not in roles_of(self.context["request"].user):
            version = team.published
            shown |= {"type": version.definition["type"], "has_changes": False, "draft_digest": version.digest}
        return shown


class TeamDetail(TeamSummary):
    """A team with its draft and what is published."""

    draft = serializers.SerializerMethodField(help_text="Null for people outside of its department.")
    published = serializers.SerializerMethodField()

    class Meta(TeamSummary.Meta):
        fields = [*TeamSummary.Meta.fields, "draft", "published"]

    @extend_schema_field(TeamDefinitionShape(allow_null=True))
    def get_draft(self, team: Team) -> dict[str, Any] | None:
        """What its editors work on."""
        user = self.context["request"].user
        return team.draft if may(user, Role.VIEWER, team.department_id) else None

    @extend_schema_field(TeamDefinitionShape(allow_null=True))
    def get_published(self, team: Team) -> dict[str, Any] | None:
        """The definition that runs use."""
        return team.published.definition if team.published else None


class TeamVersionOut(serializers.ModelSerializer[TeamVersion]):
    """A published version."""

    published_by = serializers.CharField(source="published_by.name")
    definition = TeamDefinitionField()

    class Meta:
        model = TeamVersion
        fields = ["number", "note", "published_by", "published_at", "digest", "definition"]


class TeamFile(StrictSerializer):
    """An exported file, to be made into a team."""

    file = serializers.CharField(max_length=LARGEST_FILE, help_text="The text of the YAML file.")
    department = serializers.UUIDField(required=False, help_text="The first one where you are a member, when left out.")


class ImportedTeam(TeamDetail):
    """A new team, and what is different from the file."""

    notes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(TeamDetail.Meta):
        fields = [*TeamDetail.Meta.fields, "notes"]
