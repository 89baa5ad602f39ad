"""The agent builder's form: what a person fills in, to and from a definition.

`agents.definition` is the one validator. The forms here show values and sentences, so the same draft means the same thing in a
page, in the API and in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from agents import gallery
from agents.definition import blank
from agents.forms.rows import Wrong
from agents.forms.settings import CautionForm
from agents.forms.shared import SharedBuilder, read_shared, shared_input, shared_section, write_shared
from agents.forms.shown import Sentences, Shown
from agents.models import Agent
from integrations import tools
from integrations.models import Connection, Model

IDENTITY = ("name", "description", "icon", "category", "visibility")
VISIBILITY = [
    (Agent.Visibility.DEPARTMENT.value, "Department\nEveryone in the department may run it"),
    (Agent.Visibility.PRIVATE.value, "Private\nOnly you and the managers"),
    (Agent.Visibility.EVERYONE.value, "Everyone\nMembers of all departments may run what is published"),
]


class IdentityForm(Shown):
    """How people find the agent."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = forms.CharField(
        label="What it does", required=False, max_length=300, help_text="One sentence, shown in lists and to teams."
    )
    icon = forms.ChoiceField(choices=[(name, name.replace("-", " ").capitalize()) for name in gallery.ICONS])
    category = forms.CharField(required=False, max_length=40, widget=forms.TextInput(attrs={"list": "categories"}))
    visibility = forms.ChoiceField(label="Who sees it", widget=forms.RadioSelect, choices=VISIBILITY)


class ToolForm(Shown):
    """One tool of the catalogue, with a field for each of its settings."""

    enabled = forms.BooleanField(required=False)

    def __init__(
        self, data: Any, sentences: Sentences, tool: tools.Tool, connections: Iterable[Connection] = ()
    ) -> None:
        super().__init__(data, sentences, prefix=f"tool-{tool.key}")
        self.tool = tool
        self.fields["enabled"].label = tool.name
        for field in tool.config_fields:
            self.fields[field.name] = forms.CharField(
                label=field.label, required=False, help_text=field.help, widget=_widget(field.kind)
            )
        self.use = UseForm(data, sentences, tool, connections)

    @property
    def settings(self) -> list[forms.BoundField]:
        """The connection, the fields of the tool's configuration, and whether it asks first."""
        own = [self[field.name] for field in self.tool.config_fields]
        before = [self.use["connection"]] if "connection" in self.use.fields else []
        return [*before, *own, *([self.use["ask_first"]] if "ask_first" in self.use.fields else [])]

    @property
    def is_chosen(self) -> bool:
        """Whether the agent has it."""
        return bool(self["enabled"].value())

    @property
    def lacks_connection(self) -> bool:
        """Whether it needs a connection and there is none of its kind to choose."""
        return bool(self.tool.connection) and not (self.use.has_connections or self.tool.connection_optional)


def _widget(kind: str) -> forms.Widget:
    if kind == "long":
        return forms.Textarea(attrs={"rows": 6, "class": "code", "spellcheck": "false"})
    return forms.Textarea(attrs={"rows": 3}) if kind == "lines" else forms.TextInput()


class UseForm(Shown):
    """Through which connection a tool works, and whether it asks first."""

    def __init__(self, data: Any, sentences: Sentences, tool: tools.Tool, connections: Iterable[Connection]) -> None:
        super().__init__(data, sentences, prefix=f"use-{tool.key}")
        fitting = [one for one in connections if one.kind == tool.connection]
        self.has_connections = bool(fitting)
        if tool.connection:
            chosen = str(data.get(f"use-{tool.key}-connection") or "")
            nothing = "No connection" if tool.connection_optional else "Choose a connection"
            choices = [("", nothing), *((str(one.uuid), one.name) for one in fitting)]
            if chosen not in dict(choices):
                choices.append((chosen, "A connection that is gone, or not yours to use"))
            self.fields["connection"] = forms.ChoiceField(choices=choices)
        if tool.ask_first != "never":
            always = tool.ask_first == "always"
            self.fields["ask_first"] = forms.BooleanField(
                label="Ask a person first",
                required=False,
                disabled=always,
                help_text="Always on: somebody has to approve every time."
                if always
                else "The run waits until somebody approves.",
            )


class Builder(SharedBuilder):
    """All of the agent builder's forms over one set of values."""

    def __init__(
        self,
        data: QueryDict,
        models: Iterable[Model],
        sentences: Sentences | None = None,
        connections: Iterable[Connection] = (),
        allowed_tools: Sequence[str] | None = None,
    ) -> None:
        super().__init__(data, models, sentences)
        said, offered = sentences or {}, list(connections)
        self.identity = IdentityForm(data, said)
        self.caution = CautionForm(data, said)
        forms_of_tools = [ToolForm(data, said, tool, offered) for tool in tools.catalogue()]
        # One that the department may no longer use stays until somebody takes it away.
        self.tools = [form for form in forms_of_tools if form.is_chosen or tools.allowed(form.tool, allowed_tools)]

    @property
    def chosen_tools(self) -> list[ToolForm]:
        """Those that the agent has."""
        return [form for form in self.tools if form.is_chosen]

    @property
    def other_tools(self) -> list[ToolForm]:
        """The rest of the catalogue."""
        return [form for form in self.tools if not form.is_chosen]


def read(data: QueryDict) -> tuple[dict[str, Any], dict[str, Any], Wrong]:
    """What was posted, as identity and definition, and sentences by input about what the form cannot make sense of."""
    identity = {name: data[name] for name in IDENTITY if name in data}
    definition, wrong = read_shared(data)
    definition["after_documents"] = data.get("after_documents", "")
    definition["tools"] = [_read_tool(data, tool) for tool in _chosen_tools(data)]
    return identity, definition, wrong


def _chosen_tools(data: QueryDict) -> list[tools.Tool]:
    """In the order of a normal definition."""
    chosen = [tool for tool in tools.catalogue() if data.get(f"tool-{tool.key}-enabled")]
    return sorted(chosen, key=lambda tool: tool.key)


def _read_tool(data: QueryDict, tool: tools.Tool) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for field in tool.config_fields:
        text = data.get(f"tool-{tool.key}-{field.name}", "").replace("\r\n", "\n")
        config[field.name] = text.splitlines() if field.kind == "lines" else text
    chosen: dict[str, Any] = {
        "key": tool.key,
        "config": config,
        "connection": data.get(f"use-{tool.key}-connection") or None,
    }
    if tool.ask_first in {"off", "on"}:
        # A tool that was switched on just now has not shown its own switch yet.
        is_shown = f"use-{tool.key}-shown" in data
        chosen["ask_first"] = bool(data.get(f"use-{tool.key}-ask_first")) if is_shown else None
    return chosen


def write(agent: Agent) -> QueryDict:
    """An agent's identity and draft as if they had been posted."""
    data = QueryDict(mutable=True)
    data.update({name: getattr(agent, name) for name in IDENTITY})
    write_shared(data, agent.draft)
    data["after_documents"] = {**blank(), **agent.draft}["after_documents"]
    for tool in tools.catalogue():
        data[f"use-{tool.key}-shown"] = "1"
        if tool.ask_first in {"on", "always"}:
            data[f"use-{tool.key}-ask_first"] = "on"
    for chosen in agent.draft.get("tools", []):
        _write_tool(data, chosen)
    return data


def _write_tool(data: QueryDict, chosen: Mapping[str, Any]) -> None:
    key = chosen["key"]
    data[f"tool-{key}-enabled"] = "on"
    for name, value in chosen["config"].items():
        data[f"tool-{key}-{name}"] = "\n".join(value) if isinstance(value, list) else str(value)
    data[f"use-{key}-connection"] = chosen.get("connection") or ""
    data.pop(f"use-{key}-ask_first", None)
    if chosen.get("ask_first"):
        data[f"use-{key}-ask_first"] = "on"


def by_input(fields: Sentences, data: QueryDict) -> dict[str, list[str]]:
    """Sentences by the name of the input that they belong to: `variables.0.name` becomes `variables-7-name`."""
    chosen = [tool.key for tool in _chosen_tools(data)]
    found: dict[str, list[str]] = {}
    for path, sentences in fields.items():
        found.setdefault(_input_name(path.split("."), chosen, data), []).extend(sentences)
    return found


def _input_name(path: list[str], chosen: list[str], data: QueryDict) -> str:
    match path:
        case ["tools", place, "config", name] if int(place) < len(chosen):
            return f"tool-{chosen[int(place)]}-{name}"
        case ["tools", place, "connection" | "ask_first" as name] if int(place) < len(chosen):
            return f"use-{chosen[int(place)]}-{name}"
        case ["tools", place, *_] if int(place) < len(chosen):
            return f"tool-{chosen[int(place)]}-enabled"
        case [name] if name in IDENTITY or name == "after_documents":
            return name
    return shared_input(path, data)


def section_of(name: str) -> str:
    """The section of the builder in which an input stands."""
    if name in IDENTITY:
        return "sharing" if name == "visibility" else "identity"
    if name.partition("-")[0] in {"tool", "use"} or name == "after_documents":
        return "tools"
    return shared_section(name) or "instructions"
