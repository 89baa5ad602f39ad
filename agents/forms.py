"""The builder's form: what a person fills in, to and from a definition.

`agents.definition` is the one validator. The forms here show values and sentences, so the same draft means the same thing in a
page, in the API and in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict

from agents import gallery
from agents.definition import KINDS, LONGEST_INSTRUCTIONS, MOST_VARIABLES
from agents.models import Agent
from integrations import tools
from integrations.models import Model

IDENTITY = ("name", "description", "icon", "category", "visibility")
PARAMETERS = ("temperature", "max_tokens", "top_p")
LIMITS = ("seconds", "model_turns", "tool_calls", "tokens")
VARIABLE = ("name", "label", "kind", "help", "default")
Sentences = Mapping[str, list[str]]


class Shown(forms.Form):
    """A form that shows given values and given sentences, and validates nothing."""

    use_required_attribute = False

    def __init__(self, data: Any, sentences: Sentences, prefix: str | None = None) -> None:
        super().__init__(data, prefix=prefix)
        self._sentences = sentences

    def full_clean(self) -> None:
        """Put the sentences beside the fields."""
        self.cleaned_data: dict[str, Any] = {}
        self._errors = ErrorDict()
        for name in self.fields:
            if found := self._sentences.get(self.add_prefix(name)):
                self._errors[name] = self.error_class(found, renderer=self.renderer)


class IdentityForm(Shown):
    """How people find the agent."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = forms.CharField(
        label="What it does", required=False, max_length=300, help_text="One sentence, shown in lists."
    )
    icon = forms.ChoiceField(choices=[(name, name.replace("-", " ").capitalize()) for name in gallery.ICONS])
    category = forms.CharField(required=False, max_length=40, widget=forms.TextInput(attrs={"list": "categories"}))
    visibility = forms.ChoiceField(
        label="Who sees it",
        widget=forms.RadioSelect,
        choices=[
            (Agent.Visibility.DEPARTMENT.value, "Department\nEveryone in the department may run it"),
            (Agent.Visibility.PRIVATE.value, "Private\nOnly you and the managers"),
        ],
    )


class ContentForm(Shown):
    """Instructions, model and limits."""

    instructions = forms.CharField(
        max_length=LONGEST_INSTRUCTIONS,
        widget=forms.Textarea(attrs={"class": "code", "rows": 14, "spellcheck": "true"}),
    )
    model = forms.ChoiceField(required=True, widget=forms.RadioSelect)
    temperature = forms.CharField(
        label="Creativity",
        required=False,
        help_text="0 keeps close to the facts, 2 is freest.",
        widget=forms.NumberInput(attrs={"min": 0, "max": 2, "step": "0.1"}),
    )
    max_tokens = forms.CharField(
        label="Longest answer",
        required=False,
        help_text="In tokens; a token is about four letters.",
        widget=forms.NumberInput(attrs={"min": 1, "step": 1}),
    )
    top_p = forms.CharField(
        label="Word choice",
        required=False,
        help_text="Top p, 0.01 to 1. Set this or creativity.",
        widget=forms.NumberInput(attrs={"min": 0.01, "max": 1, "step": "0.01"}),
    )
    markdown = forms.BooleanField(label="Show answers as Markdown", required=False)
    seconds = forms.CharField(label="Time per run (seconds)", widget=forms.NumberInput)
    model_turns = forms.CharField(label="Model calls", widget=forms.NumberInput)
    tool_calls = forms.CharField(label="Tool calls", widget=forms.NumberInput)
    tokens = forms.CharField(label="Tokens", widget=forms.NumberInput)

    def __init__(self, data: Any, sentences: Sentences, models: Iterable[Model]) -> None:
        super().__init__(data, sentences)
        usable = list(models)
        default = next((model for model in usable if model.is_default), None)
        choices = [("", f"Default\n{default.label} at present" if default else "Default\nNo model is set")]
        choices += [(str(model.uuid), f"{model.label}\n{_model_note(model)}") for model in usable]
        chosen = str(data.get("model") or "")
        if chosen and chosen not in dict(choices):
            choices.append((chosen, "The chosen model\nis gone or switched off"))
        self.fields["model"].choices = choices  # type: ignore[attr-defined]


class VariableForm(Shown):
    """One variable."""

    name = forms.CharField(max_length=40, widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off"}))
    label = forms.CharField(required=False, max_length=80)
    kind = forms.ChoiceField(choices=list(KINDS.items()))
    help = forms.CharField(required=False, max_length=200)
    required = forms.BooleanField(label="Must be filled in", required=False)
    default = forms.CharField(label="Filled in at first", required=False)
    choices = forms.CharField(label="Choices", help_text="One a line", widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, data: Any, sentences: Sentences, number: str) -> None:
        super().__init__(data, sentences, prefix=f"variables-{number}")
        self.number = number


class ToolForm(Shown):
    """One tool of the catalogue, with a field for each of its settings."""

    enabled = forms.BooleanField(required=False)

    def __init__(self, data: Any, sentences: Sentences, tool: tools.Tool) -> None:
        super().__init__(data, sentences, prefix=f"tool-{tool.key}")
        self.tool = tool
        self.fields["enabled"].label = tool.name
        for field in tool.config_fields:
            widget = forms.Textarea(attrs={"rows": 3}) if field.kind == "lines" else forms.TextInput()
            self.fields[field.name] = forms.CharField(
                label=field.label, required=False, help_text=field.help, widget=widget
            )

    @property
    def settings(self) -> list[forms.BoundField]:
        """The fields of the tool's configuration."""
        return [self[field.name] for field in self.tool.config_fields]


class Builder:
    """All of the builder's forms over one set of values."""

    def __init__(self, data: QueryDict, models: Iterable[Model], sentences: Sentences | None = None) -> None:
        said = sentences or {}
        self.identity = IdentityForm(data, said)
        self.content = ContentForm(data, said, models)
        self.variables = [VariableForm(data, said, row) for row in rows_of(data)]
        self.blank_variable = VariableForm(_blank_row("__n__"), {}, "__n__")
        self.tools = [ToolForm(data, said, tool) for tool in tools.catalogue()]
        self.variable_names = [name for row in rows_of(data) if (name := data.get(f"variables-{row}-name", "").strip())]
        self.general = said.get("", [])


def _model_note(model: Model) -> str:
    window = f"{model.context_window // 1000:,}k tokens" if model.context_window else ""
    return " · ".join(part for part in (model.provider.name, model.description, window) if part)


def rows_of(data: Mapping[str, Any]) -> list[str]:
    """The numbers of the variables' rows, in the order in which they stand in the page."""
    found = data.getlist("row") if isinstance(data, QueryDict) else []
    return list(dict.fromkeys(row for row in found if row.isascii() and row.isdigit() and len(row) < 5))


def read(data: QueryDict) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was posted, as identity and definition."""
    identity = {name: data[name] for name in IDENTITY if name in data}
    definition = {
        "instructions": data.get("instructions", ""),
        "model": data.get("model") or None,
        "parameters": {name: data.get(name) or None for name in PARAMETERS},
        "variables": [_read_variable(data, row) for row in rows_of(data)],
        "tools": [{"key": tool.key, "config": _read_config(data, tool)} for tool in _chosen_tools(data)],
        "limits": {name: data.get(name) or None for name in LIMITS},
        "markdown": bool(data.get("markdown")),
    }
    return identity, definition


def _chosen_tools(data: QueryDict) -> list[tools.Tool]:
    """In the order of a normal definition."""
    chosen = [tool for tool in tools.catalogue() if data.get(f"tool-{tool.key}-enabled")]
    return sorted(chosen, key=lambda tool: tool.key)


def _read_variable(data: QueryDict, row: str) -> dict[str, Any]:
    prefix = f"variables-{row}-"
    return {
        **{name: data.get(f"{prefix}{name}", "") for name in VARIABLE},
        "required": bool(data.get(f"{prefix}required")),
        "choices": data.get(f"{prefix}choices", "").splitlines(),
    }


def _read_config(data: QueryDict, tool: tools.Tool) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for field in tool.config_fields:
        text = data.get(f"tool-{tool.key}-{field.name}", "")
        config[field.name] = text.splitlines() if field.kind == "lines" else text
    return config


def write(agent: Agent) -> QueryDict:
    """An agent's identity and draft as if they had been posted."""
    data = QueryDict(mutable=True)
    draft = agent.draft
    data.update({name: getattr(agent, name) for name in IDENTITY})
    data.update({"instructions": draft.get("instructions", ""), "model": draft.get("model") or ""})
    if draft.get("markdown", True):
        data["markdown"] = "on"
    for group, names in (("parameters", PARAMETERS), ("limits", LIMITS)):
        values = draft.get(group, {})
        data.update({name: str(values[name]) for name in names if values.get(name) is not None})
    for place, variable in enumerate(draft.get("variables", [])):
        _write_variable(data, str(place), variable)
    for chosen in draft.get("tools", []):
        data[f"tool-{chosen['key']}-enabled"] = "on"
        for name, value in chosen["config"].items():
            data[f"tool-{chosen['key']}-{name}"] = "\n".join(value) if isinstance(value, list) else str(value)
    return data


def _write_variable(data: QueryDict, row: str, variable: Mapping[str, Any]) -> None:
    data.appendlist("row", row)
    for name in VARIABLE:
        data[f"variables-{row}-{name}"] = _as_text(variable.get(name))
    data[f"variables-{row}-choices"] = "\n".join(variable.get("choices", []))
    if variable.get("required"):
        data[f"variables-{row}-required"] = "on"


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _blank_row(row: str) -> QueryDict:
    data = QueryDict(mutable=True)
    data[f"variables-{row}-kind"] = "text"
    data[f"variables-{row}-required"] = "on"
    return data


def rearranged(data: QueryDict, action: str) -> QueryDict:
    """The values after a press on one of the variables' buttons: add_variable, remove-3, up-3, down-3."""
    changed = data.copy()
    rows = rows_of(data)
    verb, _, row = action.partition("-")
    if verb == "add_variable" and len(rows) < MOST_VARIABLES:
        new = str(max((int(one) for one in rows), default=-1) + 1)
        rows.append(new)
        for name, value in _blank_row(new).items():
            changed[name] = str(value)
    elif verb == "remove" and row in rows:
        rows.remove(row)
    elif verb in {"up", "down"} and row in rows:
        place = rows.index(row)
        rows.insert(max(0, place + (-1 if verb == "up" else 1)), rows.pop(place))
    changed.setlist("row", rows)
    return changed


def by_input(fields: Sentences, data: QueryDict) -> dict[str, list[str]]:
    """Sentences by the name of the input that they belong to: `variables.0.name` becomes `variables-7-name`."""
    rows = rows_of(data)
    chosen = [tool.key for tool in _chosen_tools(data)]
    found: dict[str, list[str]] = {}
    for path, sentences in fields.items():
        found.setdefault(_input_name(path.split("."), rows, chosen), []).extend(sentences)
    return found


def _input_name(path: list[str], rows: list[str], chosen: list[str]) -> str:
    match path:
        case ["variables", place, name, *_] if int(place) < len(rows):
            return f"variables-{rows[int(place)]}-{name}"
        case ["tools", place, "config", name] if int(place) < len(chosen):
            return f"tool-{chosen[int(place)]}-{name}"
        case ["parameters" | "limits", name]:
            return name
        case [name] if name in {*IDENTITY, "instructions", "model", "markdown"}:
            return name
    return ""


def section_of(name: str) -> str:
    """The section of the builder in which an input stands."""
    if name in IDENTITY:
        return "identity"
    if name in {"model", "markdown", *PARAMETERS}:
        return "model"
    if name in LIMITS:
        return "limits"
    head = name.partition("-")[0]
    return {"variables": "variables", "tool": "tools"}.get(head, "instructions")
