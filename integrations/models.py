"""Model providers, models and MCP servers, which belong to the whole installation, and the connections of departments."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Department, Role, User
from accounts.queries import departments_where, roles_of
from features.models import Switch
from mindloom import wall

if TYPE_CHECKING:
    from accounts.queries import Person


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


class Purpose(models.TextChoices):
    """What a model is for."""

    CHAT = "chat", "Agents talk with it"
    EMBEDDING = "embedding", "Content buckets find passages by meaning with it"


class ModelQuerySet(models.QuerySet["Model"]):
    """Reads of models."""

    def usable(self, purpose: Purpose = Purpose.CHAT) -> ModelQuerySet:
        """Those that agents, or with another purpose buckets, may use now, the default first."""
        return (
            self.filter(is_enabled=True, provider__is_enabled=True, purpose=purpose)
            .select_related("provider")
            .order_by("-is_default", "provider__name", "label")
        )

    def allowed_in(self, department: Department) -> ModelQuerySet:
        """Those that the department may use."""
        allowed = department.allowed_models
        return self if allowed is None else self.filter(uuid__in=allowed)


class Model(models.Model):
    """A model of a provider."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    provider = models.ForeignKey(ModelProvider, models.CASCADE, related_name="models")
    model_id = models.CharField("model", max_length=200, help_text="The provider's name for it; Azure: the deployment")
    label = models.CharField(max_length=80, help_text="What people see")
    description = models.CharField(max_length=200, blank=True)
    context_window = models.PositiveIntegerField(null=True, blank=True, help_text="Tokens")
    supports_tools = models.BooleanField(default=True)
    purpose = models.CharField(max_length=16, choices=Purpose.choices, default=Purpose.CHAT)
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


class ModelPrice(models.Model):
    """What a model costs from a moment on, in the installation's currency for a million tokens. It never changes."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    model = models.ForeignKey(Model, models.CASCADE, related_name="prices")
    valid_from = models.DateTimeField()
    input_price = models.DecimalField(max_digits=14, decimal_places=6)
    cached_price = models.DecimalField(
        max_digits=14,
        decimal_places=6,
        null=True,
        help_text="Of tokens from the provider's cache; empty: as all others",
    )
    output_price = models.DecimalField(max_digits=14, decimal_places=6)
    set_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "valid_from"], name="price_once_per_moment"),
            models.CheckConstraint(
                condition=Q(input_price__gte=0, output_price__gte=0) & (Q(cached_price=None) | Q(cached_price__gte=0)),
                name="price_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.input_price} in, {self.output_price} out from {self.valid_from:%Y-%m-%d}"


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """The doors to connections."""

    def visible_to(self, user: Person) -> ConnectionQuerySet:
        """Connections of the person's departments; private ones only to their owner and to the department's managers."""
        departments = list(roles_of(user))
        shared = Q(department__in=departments, visibility=Connection.Visibility.DEPARTMENT)
        mine = Q(owner=user.pk, department__in=departments)
        return self.filter(shared | mine | Q(department__in=departments_where(user, Role.MANAGER)))

    def editable_by(self, user: Person) -> ConnectionQuerySet:
        """Their own, where they are still members, and all of the departments they manage."""
        own = Q(owner=user.pk, department__in=departments_where(user, Role.MEMBER))
        return self.filter(own | Q(department__in=departments_where(user, Role.MANAGER)))

    def usable_by(self, user: Person) -> ConnectionQuerySet:
        """Those that are switched on and that agents of the person may use: what members see; viewers use none."""
        return self.visible_to(user).filter(is_enabled=True, department__in=departments_where(user, Role.MEMBER))


class Connection(models.Model):
    """A department's access to a service outside, such as a mail server. Its kind says which settings and secrets it has."""

    class Visibility(models.TextChoices):
        """Who in the department sees it."""

        PRIVATE = "private", "Only me and managers"
        DEPARTMENT = "department", "Everyone in the department"

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="connections")
    owner = models.ForeignKey(User, models.PROTECT, related_name="connections")
    kind = models.CharField(max_length=40, help_text="A key of the catalogue's kinds of connection")
    name = models.CharField(max_length=80)
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.DEPARTMENT)
    settings = models.JSONField(default=dict, blank=True, help_text="Values by field; no secrets")
    secrets_sealed = models.JSONField(default=dict, blank=True, editable=False, help_text="Sealed texts by field")
    secret_hints = models.JSONField(default=dict, blank=True, editable=False, help_text="Last four characters by field")
    is_enabled = models.BooleanField(default=True)
    last_tested_at = models.DateTimeField(null=True, blank=True)
    last_test_ok = models.BooleanField(null=True, blank=True)
    last_test_message = models.CharField(max_length=600, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                "department",
                Lower("name"),
                name="connection_name_once_per_department",
                violation_error_message="There is already a connection of this name in the department. Choose another name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class McpServerQuerySet(models.QuerySet["McpServer"]):
    """Reads of MCP servers."""

    def offered(self) -> McpServerQuerySet:
        """Those switched on whose tools may be used in the scope in force: in one of its departments, or in all."""
        scope = wall.current()
        used = self.filter(~models.Exists(Switch.objects.filter(name="mcp_servers", is_on=False)), is_enabled=True)
        if scope.everything:
            return used
        everywhere, here = Q(departments=[]), Q(departments__overlap=sorted(scope.departments))
        return used.filter(everywhere | here if scope.departments else everywhere)


class McpServer(models.Model):
    """A server that offers tools by the Model Context Protocol. Administrators add it; it belongs to no department."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(
        "short name", max_length=40, unique=True, help_text="Agents know its tool by it, so it stays as it is"
    )
    description = models.CharField(max_length=300, blank=True)
    url = models.URLField("address", max_length=500)
    headers = models.JSONField(default=dict, blank=True, help_text="Sent with every request; no secrets")
    secret_header = models.CharField(max_length=60, blank=True, help_text="The header that carries the key")
    secret_sealed = models.TextField(blank=True, editable=False)
    secret_hint = models.CharField(max_length=8, blank=True, editable=False, help_text="Its last four characters")
    effects = models.JSONField(
        default=dict, blank=True, help_text="What functions do, where the server says it wrongly"
    )
    timeout_seconds = models.PositiveSmallIntegerField(default=30)
    departments = ArrayField(
        models.BigIntegerField(), default=list, blank=True, help_text="Ids of those that may use it; empty for all"
    )
    functions = models.JSONField(
        default=list, blank=True, editable=False, help_text="What it offered when last checked"
    )
    is_enabled = models.BooleanField(default=True)
    last_checked_at = models.DateTimeField(null=True, blank=True)
    last_check_ok = models.BooleanField(null=True, blank=True)
    last_check_message = models.CharField(max_length=600, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = McpServerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """The key of its tool in the catalogue."""
        return f"mcp-{self.slug}"
