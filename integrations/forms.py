"""Forms of providers, models, connections and MCP servers. The services check; here is what a person fills in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django import forms

from accounts.forms import PeopleForm
from accounts.models import Department
from integrations import tools
from integrations.models import Connection, McpServer, Model, ModelProvider, ProviderKind, Purpose
from integrations.providers import DEFAULT_URLS, NEEDS_KEY, NEEDS_URL
from integrations.tools.connections import ConnectionField, ConnectionKind

KINDS = {
    ProviderKind.OPENAI: ("sparkles", "OpenAI’s own models, with a key of yours."),
    ProviderKind.ANTHROPIC: ("brain", "Claude models, with a key of yours."),
    ProviderKind.AZURE: ("cloud", "OpenAI models in your Azure subscription; a model here is a deployment there."),
    ProviderKind.OPENAI_LIKE: ("server", "vLLM, LiteLLM, llama.cpp, gateways: whatever speaks OpenAI’s protocol."),
    ProviderKind.OLLAMA: ("hard-drive", "Models on your own machines, without a key."),
    ProviderKind.OFFLINE: ("unplug", "Built in. It picks and arranges what it is given, and needs no network."),
}
"""Icon and a sentence for each kind."""


_ADDRESSES = {
    ProviderKind.AZURE: "The endpoint, such as https://name.openai.azure.com",
    ProviderKind.OPENAI_LIKE: "With its version, such as https://models.example.org/v1",
}


class ProviderForm(forms.Form):
    """A provider; which fields there are depends on its kind."""

    name = forms.CharField(max_length=80, help_text="What people see beside its models.")
    base_url = forms.CharField(label="Address", max_length=500, required=False, widget=forms.URLInput)
    api_version = forms.CharField(label="API version", max_length=40, required=False, help_text="Empty: 2024-10-21.")
    key = forms.CharField(
        required=False,
        max_length=4_000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )
    headers = forms.CharField(
        label="Extra headers",
        required=False,
        max_length=4_000,
        help_text="One a line, such as X-Team: marketing. No secrets.",
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono"}),
    )

    def __init__(self, data: Any, kind: ProviderKind, provider: ModelProvider | None = None) -> None:
        super().__init__(data, initial=_initial(kind, provider))
        if kind is ProviderKind.OFFLINE:
            for name in ("base_url", "api_version", "key", "headers"):
                del self.fields[name]
            return
        if kind is not ProviderKind.AZURE:
            del self.fields["api_version"]
        address = self.fields["base_url"]
        address.required = kind in NEEDS_URL
        address.help_text = f"Empty: {DEFAULT_URLS[kind]}" if kind in DEFAULT_URLS else _ADDRESSES[kind]
        key = self.fields["key"]
        has_key = provider is not None and bool(provider.key_sealed)
        key.required = kind in NEEDS_KEY and not has_key
        if provider is not None and has_key:
            shown = f"…{provider.key_hint}" if provider.key_hint else "not shown"
            key.help_text = f"A key is kept ({shown}). Leave this empty to keep it."
        else:
            key.help_text = "Kept encrypted and never shown again."

    def clean_headers(self) -> dict[str, str]:
        """The headers by name."""
        return _pairs(self.cleaned_data["headers"], "Write each line as Name: value.")


class ModelForm(forms.Form):
    """A model of a provider."""

    model_id = forms.CharField(
        label="Model", max_length=200, help_text="The provider’s name for it; Azure: the deployment."
    )
    label = forms.CharField(label="Shown as", max_length=80, required=False, help_text="Empty: the same.")
    purpose = forms.ChoiceField(
        label="What it is for", choices=Purpose.choices, initial=Purpose.CHAT.value, required=False
    )
    description = forms.CharField(max_length=200, required=False, help_text="Helps people choose.")
    context_window = forms.IntegerField(label="Context (tokens)", required=False, min_value=1, max_value=100_000_000)
    supports_tools = forms.BooleanField(label="Can call tools", required=False, initial=True)

    def clean_purpose(self) -> str:
        """Left out: for agents."""
        return self.cleaned_data["purpose"] or Purpose.CHAT.value


class PriceForm(forms.Form):
    """What a million tokens cost from a day on."""

    valid_from = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    input_price = forms.DecimalField(label="Input", min_value=0, max_digits=14, decimal_places=6)
    cached_price = forms.DecimalField(
        label="Cached input", min_value=0, max_digits=14, decimal_places=6, required=False, help_text="Empty: as input."
    )
    output_price = forms.DecimalField(label="Output", min_value=0, max_digits=14, decimal_places=6)


class ConnectionForm(forms.Form):
    """A connection: its name and who sees it, and what its kind asks for."""

    name = forms.CharField(max_length=80, help_text="What people see when they choose it.")
    visibility = forms.ChoiceField(
        label="Who may use it",
        choices=[
            (Connection.Visibility.DEPARTMENT, "Everyone in the department\nMembers choose it in their agents"),
            (Connection.Visibility.PRIVATE, "Only me and managers\nNobody else sees or uses it"),
        ],
        initial=Connection.Visibility.DEPARTMENT,
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Any, kind: ConnectionKind, connection: Connection | None = None) -> None:
        self.kind = kind
        initial: dict[str, Any] = {"name": kind.name}
        if connection is not None:
            initial = {**connection.settings, "name": connection.name, "visibility": connection.visibility}
        super().__init__(data, initial=initial)
        hints = connection.secret_hints if connection is not None else {}
        for field in kind.fields:
            kept = hints.get(field.name)
            self.fields[field.name] = _connection_field(field, kept)
            if field.kind == "secret" and kept is not None and not field.required:
                label = f"Remove the kept {field.label[0].lower()}{field.label[1:]}"
                self.fields[f"remove_{field.name}"] = forms.BooleanField(label=label, required=False)
        self.order_fields(["name", *(name for name in self.fields if name not in {"name", "visibility"}), "visibility"])

    def values(self) -> dict[str, str | None]:
        """Settings and secrets by field: a blank secret keeps what is there, None removes it."""
        found: dict[str, str | None] = {}
        for field in self.kind.fields:
            removed = self.cleaned_data.get(f"remove_{field.name}")
            given = self.cleaned_data.get(field.name, "")
            found[field.name] = None if removed and not given else given
        return found


def _connection_field(field: ConnectionField, kept: str | None) -> forms.Field:
    """The form's field for a value of a connection; `kept` is what may be shown of a secret that is there, "" for nothing."""
    name = f"{field.label[0].lower()}{field.label[1:]}" if not field.label[:2].isupper() else field.label
    common: dict[str, Any] = {
        "label": field.label,
        "help_text": field.help,
        "required": field.required,
        "error_messages": {"required": f"Enter the {name}."},
    }
    if field.choices:
        return forms.ChoiceField(choices=field.choices, initial=field.default, **common)
    if field.kind == "secret":
        shown = (
            "" if kept is None else f"One is kept ({f'…{kept}' if kept else 'not shown'}). Leave this empty to keep it."
        )
        if kept is not None:
            common["required"] = False
        common["help_text"] = shown or f"{field.help} Kept encrypted and never shown again.".strip()
        attrs = {"autocomplete": "new-password", "spellcheck": "false"}
        return forms.CharField(max_length=2_000, widget=forms.PasswordInput(attrs=attrs), **common)
    widget: dict[str, type[forms.Widget]] = {"url": forms.URLInput, "number": forms.NumberInput}
    made = widget.get(field.kind, forms.TextInput)
    return forms.CharField(
        max_length=2_000, initial=field.default, widget=made(attrs={"autocomplete": "off"}), **common
    )


class ServerForm(forms.Form):
    """An MCP server."""

    name = forms.CharField(max_length=80, help_text="What people see in the catalogue.")
    slug = forms.SlugField(
        label="Short name",
        max_length=40,
        help_text="Small letters, digits and hyphens. Agents know its tool by it, so it cannot be changed later.",
    )
    url = forms.CharField(
        label="Address", max_length=500, widget=forms.URLInput, help_text="Such as https://tools.example.org/mcp"
    )
    description = forms.CharField(max_length=300, required=False, help_text="A sentence that helps people choose.")
    secret_header = forms.CharField(
        label="Header with the key",
        max_length=60,
        required=False,
        initial="Authorization",
        help_text="The name of the header in which the server wants its key.",
    )
    secret = forms.CharField(
        label="Key",
        max_length=4_000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )
    headers = forms.CharField(
        label="Extra headers",
        required=False,
        max_length=4_000,
        help_text="One a line, such as X-Team: marketing. No secrets.",
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono"}),
    )
    effects = forms.CharField(
        label="What its functions do",
        required=False,
        max_length=10_000,
        help_text="Only where the server says it wrongly. One a line, such as create_ticket: sends. "
        "The words are reads, writes, sends and executes.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
    )
    timeout_seconds = forms.IntegerField(label="Longest wait (seconds)", min_value=1, max_value=120, initial=30)
    departments = forms.TypedMultipleChoiceField(
        label="Departments that may use it",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all of them.",
    )

    def __init__(self, data: Any, departments: Iterable[Department], server: McpServer | None = None) -> None:
        super().__init__(data, initial=_server_initial(server))
        choices: Any = self.fields["departments"]
        choices.choices = [(one.pk, one.name) for one in departments]
        if not choices.choices:
            del self.fields["departments"]
        if server is not None:
            del self.fields["slug"]
        key = self.fields["secret"]
        if server is not None and server.secret_sealed:
            shown = f"…{server.secret_hint}" if server.secret_hint else "not shown"
            key.help_text = f"A key is kept ({shown}). Leave this empty to keep it."
        else:
            key.help_text = "The header’s whole value, such as Bearer abc123. Kept encrypted and never shown again."

    def clean_headers(self) -> dict[str, str]:
        """The headers by name."""
        return _pairs(self.cleaned_data["headers"], "Write each line as Name: value.")

    def clean_effects(self) -> dict[str, str]:
        """The effects by function."""
        return _pairs(self.cleaned_data["effects"], "Write each line as function: effect.")


def _server_initial(server: McpServer | None) -> dict[str, Any]:
    if server is None:
        return {}
    same = ("name", "url", "description", "secret_header", "timeout_seconds", "departments")
    lines = {
        name: "\n".join(f"{one}: {value}" for one, value in getattr(server, name).items())
        for name in ("headers", "effects")
    }
    return {name: getattr(server, name) for name in same} | lines


def _pairs(text: str, sentence: str) -> dict[str, str]:
    """Lines of "name: value"."""
    found = {}
    for line in text.splitlines():
        if line.strip():
            name, colon, value = line.partition(":")
            if not colon:
                raise forms.ValidationError(sentence)
            found[name.strip()] = value.strip()
    return found


def _initial(kind: ProviderKind, provider: ModelProvider | None) -> dict[str, Any]:
    if provider is None:
        return {"name": "" if kind is ProviderKind.OPENAI_LIKE else kind.label}
    return {
        "name": provider.name,
        "base_url": provider.base_url,
        "api_version": provider.api_version,
        "headers": "\n".join(f"{name}: {value}" for name, value in provider.headers.items()),
    }


def add_errors(form: forms.Form, fields: Mapping[str, list[str]], message: str) -> None:
    """Put the sentences of a refusal beside the fields that the form has, the others on top."""
    if not fields:
        form.add_error(None, message)
    for name, sentences in fields.items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)


class AllowedForm(PeopleForm):
    """Which models and tools a department may use: all, or those that are ticked."""

    all_models = forms.ChoiceField(
        choices=[("all", "All\nAlso those that are added later"), ("some", "Only these\nThose that are ticked below")],
        widget=forms.RadioSelect,
    )
    models = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    all_tools = forms.ChoiceField(
        choices=[("all", "All\nAlso those that are added later"), ("some", "Only these\nThose that are ticked below")],
        widget=forms.RadioSelect,
    )
    tools = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: Any = None, *, department: Department) -> None:
        models, keys = department.allowed_models, department.allowed_tools
        offered = [
            (str(one.uuid), f"{one.label}\n{one.provider.name}{'' if one.is_enabled else ', switched off'}")
            for one in Model.objects.select_related("provider").filter(purpose=Purpose.CHAT).order_by("label")
        ]
        catalogue = [(tool.key, f"{tool.name}\n{tool.description}") for tool in tools.catalogue()]
        initial = {
            "all_models": "all" if models is None else "some",
            "models": [value for value, _ in offered] if models is None else [str(one) for one in models],
            "all_tools": "all" if keys is None else "some",
            "tools": [key for key, _ in catalogue] if keys is None else keys,
        }
        super().__init__(data, initial=initial)
        for name, choices in (("models", offered), ("tools", catalogue)):
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What `services.set_allowed` takes."""
        data = self.cleaned_data
        return {
            "models": None if data["all_models"] == "all" else [UUID(one) for one in data["models"]],
            "tool_keys": None if data["all_tools"] == "all" else data["tools"],
        }
