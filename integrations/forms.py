"""Forms of providers and models. The services check; here is what a person fills in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from integrations.models import ModelProvider, ProviderKind
from integrations.providers import DEFAULT_URLS, NEEDS_KEY, NEEDS_URL

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
        headers = {}
        for line in self.cleaned_data["headers"].splitlines():
            if line.strip():
                name, colon, value = line.partition(":")
                if not colon:
                    raise forms.ValidationError("Write each line as Name: value.")
                headers[name.strip()] = value.strip()
        return headers


class ModelForm(forms.Form):
    """A model of a provider."""

    model_id = forms.CharField(
        label="Model", max_length=200, help_text="The provider’s name for it; Azure: the deployment."
    )
    label = forms.CharField(label="Shown as", max_length=80, required=False, help_text="Empty: the same.")
    description = forms.CharField(max_length=200, required=False, help_text="Helps people choose.")
    context_window = forms.IntegerField(label="Context (tokens)", required=False, min_value=1, max_value=100_000_000)
    supports_tools = forms.BooleanField(label="Can call tools", required=False, initial=True)


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
