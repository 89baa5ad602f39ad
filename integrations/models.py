"""Model providers and models. They belong to the whole installation; administrators keep them."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.db import models


class ProviderKind(models.TextChoices):
    """How a provider is spoken to."""

    OFFLINE = "offline", "Offline (built in)"
    OPENAI = "openai", "OpenAI"
    OPENAI_LIKE = "openai_like", "OpenAI-compatible"
    AZURE = "azure", "Azure OpenAI"
    ANTHROPIC = "anthropic", "Anthropic"
    OLLAMA = "ollama", "Ollama"


class ModelProvider(models.Model):
    """A place where models run, with the key that opens it. The key is written, never read back."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=16, choices=ProviderKind.choices)
    name = models.CharField(max_length=80, unique=True)
    base_url = models.URLField(max_length=500, blank=True)
    api_version = models.CharField(max_length=40, blank=True, help_text="Azure only")
    headers = models.JSONField(default=dict, blank=True, help_text="Sent with every request; no secrets")
    key_sealed = models.TextField(blank=True, editable=False)
    key_hint = models.CharField(max_length=8, blank=True, editable=False, help_text="The key's last four characters")
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class ModelQuerySet(models.QuerySet["Model"]):
    """Reads of models."""

    def usable(self) -> ModelQuerySet:
        """Those that agents may use now, the default first."""
        return (
            self.filter(is_enabled=True, provider__is_enabled=True)
            .select_related("provider")
            .order_by("-is_default", "provider__name", "label")
        )


class Model(models.Model):
    """A model of a provider."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    provider = models.ForeignKey(ModelProvider, models.CASCADE, related_name="models")
    model_id = models.CharField("model", max_length=200, help_text="The provider's name for it; Azure: the deployment")
    label = models.CharField(max_length=80, help_text="What people see")
    description = models.CharField(max_length=200, blank=True)
    context_window = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens")
    supports_tools = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ModelQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "model_id"], name="model_once_per_provider"),
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="model_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.label
