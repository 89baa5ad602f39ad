"""Models, tools and connections as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from integrations.models import Connection, Model
from mindloom.web.api import StrictSerializer


class ModelOut(serializers.ModelSerializer[Model]):
    """A model that agents may use."""

    provider = serializers.CharField(source="provider.name")
    kind = serializers.CharField(source="provider.kind")

    class Meta:
        model = Model
        fields = [
            "uuid",
            "label",
            "model_id",
            "provider",
            "kind",
            "description",
            "context_window",
            "supports_tools",
            "purpose",
            "is_default",
        ]


class ToolFunctionOut(serializers.Serializer[Any]):
    """A function that the model may call."""

    name = serializers.CharField()
    description = serializers.CharField()
    parameters = serializers.DictField(help_text="JSON schema of the arguments")
    effect = serializers.ChoiceField(["reads", "writes", "sends", "executes"])


class ToolSettingOut(serializers.Serializer[Any]):
    """A setting of a tool."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # a field of that name, not the attribute
    kind = serializers.ChoiceField(["text", "lines", "long"])
    help = serializers.CharField()


class ToolOut(serializers.Serializer[Any]):
    """A tool of the catalogue."""

    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    icon = serializers.CharField()
    effect = serializers.ChoiceField(["reads", "writes", "sends", "executes"])
    connection = serializers.CharField(help_text="The kind of connection that it needs; empty for none.")
    connection_optional = serializers.BooleanField(help_text="Whether it also works without its connection.")
    ask_first = serializers.ChoiceField(
        ["never", "off", "on", "always"],
        help_text="Whether a person is asked before it acts: cannot be, may be switched on, is unless switched off, always.",
    )
    is_remote = serializers.BooleanField(help_text="Whether it is an MCP server's; its functions are as last seen.")
    needs_isolation = serializers.BooleanField()
    settings = ToolSettingOut(many=True, source="config_fields")
    functions = ToolFunctionOut(many=True)


class ConnectionFieldOut(serializers.Serializer[Any]):
    """A setting or secret that a kind of connection has."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # fields of these names, not the attributes
    kind = serializers.ChoiceField(["text", "secret", "url", "number", "choice"])
    help = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment] # as above
    default = serializers.CharField()  # type: ignore[assignment] # as above
    choices = serializers.SerializerMethodField(help_text="The values that can be chosen; empty for any.")

    def get_choices(self, field: Any) -> list[str]:
        """Without the words that people see."""
        return [value for value, _ in field.choices]


class ConnectionKindOut(serializers.Serializer[Any]):
    """A kind of connection and what it asks for."""

    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    icon = serializers.CharField()
    fields = ConnectionFieldOut(many=True)  # type: ignore[assignment] # the API's word


class ConnectionOut(serializers.ModelSerializer[Connection]):
    """A connection. Its secrets are written, never read."""

    department = serializers.UUIDField(source="department.uuid")
    owner = serializers.CharField(source="owner.name")
    secrets = serializers.SerializerMethodField(
        help_text="The last four characters of those that are kept, or nothing."
    )
    may_edit = serializers.SerializerMethodField()

    class Meta:
        model = Connection
        fields = [
            *(
                "uuid",
                "kind",
                "name",
                "visibility",
                "department",
                "owner",
                "settings",
                "secrets",
                "is_enabled",
                "may_edit",
            ),
            *("last_tested_at", "last_test_ok", "last_test_message", "created_at", "updated_at"),
        ]

    @extend_schema_field(serializers.DictField(child=serializers.CharField(allow_blank=True)))
    def get_secrets(self, connection: Connection) -> dict[str, str]:
        """By field."""
        return dict(connection.secret_hints)

    def get_may_edit(self, connection: Connection) -> bool:
        """Whether you may change it."""
        return connection.pk in self.context["editable"]


class ConnectionFields(StrictSerializer):
    """What a connection is made of. The kinds and what they ask for: GET /connection-kinds."""

    visibility = serializers.ChoiceField(Connection.Visibility.choices, required=False)
    settings = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=2_000), required=False, help_text="Values by field."
    )


class NewConnection(ConnectionFields):
    """What makes a connection."""

    kind = serializers.CharField(help_text="A key of GET /connection-kinds.")
    name = serializers.CharField()
    department = serializers.UUIDField(required=False, help_text="The first one where you are a member, when left out.")
    secrets = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=2_000),
        required=False,
        write_only=True,
        help_text="Values by field. Kept encrypted and never shown again.",
    )


class ConnectionChanges(ConnectionFields):
    """Changes of a connection. What is left out stays."""

    name = serializers.CharField(required=False)
    is_enabled = serializers.BooleanField(required=False)
    secrets = serializers.DictField(
        child=serializers.CharField(allow_blank=True, allow_null=True, max_length=2_000),
        required=False,
        write_only=True,
        help_text="Values by field: one that is left out or empty stays, null removes it.",
    )


class Nothing(StrictSerializer):
    """No body."""


class ConnectionTestOut(serializers.Serializer[Any]):
    """How the try of a connection went."""

    ok = serializers.BooleanField()
    message = serializers.CharField()
    duration_ms = serializers.IntegerField()


class AllowedOut(serializers.Serializer[Any]):
    """Which models and tools a department may use."""

    models = serializers.ListField(
        source="allowed_models", child=serializers.UUIDField(), allow_null=True, help_text="Null: all of them."
    )
    tools = serializers.ListField(
        source="allowed_tools", child=serializers.CharField(), allow_null=True, help_text="Keys. Null: all of them."
    )


class AllowedIn(StrictSerializer):
    """The same; what is left out stays."""

    models = serializers.ListField(child=serializers.UUIDField(), allow_null=True, required=False, max_length=1_000)
    tools = serializers.ListField(
        child=serializers.CharField(max_length=100), allow_null=True, required=False, max_length=1_000
    )
