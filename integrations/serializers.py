"""Models and tools as the API shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from integrations.models import Model


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
    kind = serializers.ChoiceField(["text", "lines"])
    help = serializers.CharField()


class ToolOut(serializers.Serializer[Any]):
    """A tool of the catalogue."""

    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    icon = serializers.CharField()
    effect = serializers.ChoiceField(["reads", "writes", "sends", "executes"])
    needs_isolation = serializers.BooleanField()
    settings = ToolSettingOut(many=True, source="config_fields")
    functions = ToolFunctionOut(many=True)
