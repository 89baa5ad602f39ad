"""The part of a builder that agents and teams share: its forms, to and from a definition, and where a finding belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.http import QueryDict

from agents.definition import blank
from agents.definition.parts import NO_PLACE
from agents.forms.rows import (
    FieldForm,
    VariableForm,
    Wrong,
    blank_field,
    blank_variable,
    field_input,
    read_output,
    read_variables,
    write_output,
    write_variables,
)
from agents.forms.settings import AnswerForm, InstructionsForm, LimitsForm, MemoryForm, ModelForm, PlaceForm
from agents.forms.shown import Sentences, numbered
from integrations.models import Model

PARAMETERS = ("temperature", "max_tokens", "top_p")
LIMITS = ("seconds", "model_turns", "tool_calls", "tokens")
PLACE = ("executor", "cpu", "memory_mb")
SWITCHES = ("reasoning", "dates", "markdown")
MEMORY = ("storage", "history_runs", "window")
MEMORY_SWITCHES = ("person", "summary", "offload")
PLAIN = ("instructions", "model", "fallback_model", "language", "retries", *SWITCHES)
_MODEL = {"model", "fallback_model", "retries", "reasoning", "dates", *PARAMETERS}
_HEADS = {"bucket": "knowledge", "variables": "variables", "memory": "memory", "fields": "answer", "place": "limits"}


class SharedBuilder:
    """The forms over one set of values that agents and teams have in common."""

    def __init__(self, data: QueryDict, models: Iterable[Model], sentences: Sentences | None = None) -> None:
        said = sentences or {}
        self.content = InstructionsForm(data, said)
        self.variables = [VariableForm(data, said, row) for row in numbered(data, "row")]
        self.blank_variable = VariableForm(blank_variable("__n__"), {}, "__n__")
        self.variable_names = [
            name for row in numbered(data, "row") if (name := data.get(f"variables-{row}-name", "").strip())
        ]
        self.model = ModelForm(data, said, models)
        self.memory = MemoryForm(data, said)
        self.answer = AnswerForm(data, said)
        self.fields = [FieldForm(data, said, row) for row in numbered(data, "field")]
        self.blank_field = FieldForm(blank_field("__n__"), {}, "__n__")
        self.limits = LimitsForm(data, said)
        self.place = PlaceForm(data, said) if settings.KUBERNETES_EXECUTOR_IMAGE else None
        self.buckets = data.getlist("bucket")
        self.tokens = about_tokens(data.get("instructions", ""))
        self.general = said.get("", [])


def about_tokens(text: str) -> int:
    """How many tokens a text has, about: models differ, and four letters a token is usual."""
    return -(-len(text) // 4)


def read_shared(data: QueryDict) -> tuple[dict[str, Any], Wrong]:
    """The shared settings that were posted, and sentences by input about what the form cannot make sense of."""
    wrong: Wrong = {}
    parameters = {name: data.get(name) or None for name in PARAMETERS}
    if data.get("temperature_auto"):
        parameters["temperature"] = None
    definition = {
        "instructions": data.get("instructions", ""),
        "model": data.get("model") or None,
        "fallback_model": data.get("fallback_model") or None,
        "parameters": parameters,
        "variables": read_variables(data),
        "buckets": data.getlist("bucket"),
        "memory": {name: data.get(f"memory-{name}") or None for name in MEMORY}
        | {name: bool(data.get(f"memory-{name}")) for name in MEMORY_SWITCHES},
        "output": read_output(data, wrong),
        "language": data.get("language", ""),
        "retries": data.get("retries") or None,
        "limits": {name: data.get(name) or None for name in LIMITS},
        "place": {name: data.get(f"place-{name}") or None for name in PLACE},
        **{name: bool(data.get(name)) for name in SWITCHES},
    }
    return definition, wrong


def write_shared(data: QueryDict, draft: Mapping[str, Any]) -> None:
    """The shared settings of a draft as if they had been posted."""
    usual = blank()
    draft = {**usual, **draft}
    memory = {**usual["memory"], **draft["memory"]}
    data["instructions"] = draft["instructions"]
    data["model"], data["fallback_model"] = draft["model"] or "", draft["fallback_model"] or ""
    data["language"], data["retries"] = draft["language"], str(draft["retries"])
    data.update({name: "on" for name in SWITCHES if draft[name]})
    for name in (*PARAMETERS, *LIMITS):
        value = {**draft["parameters"], **draft["limits"]}.get(name)
        if value is not None:
            data[name] = str(value)
    if "temperature" not in data:
        data["temperature"], data["temperature_auto"] = "1", "on"
    place = NO_PLACE | draft.get("place", {})
    data.update({f"place-{name}": str(place[name]) for name in PLACE if place[name] is not None})
    data.update({f"memory-{name}": str(memory[name]) for name in MEMORY})
    if memory["storage"] == "none" and not memory["history_runs"]:
        data["memory-history_runs"] = ""  # so that choosing where memory is kept brings the usual history
    data.update({f"memory-{name}": "on" for name in MEMORY_SWITCHES if memory[name]})
    data.setlist("bucket", draft["buckets"])
    write_variables(data, draft["variables"])
    write_output(data, draft["output"])


def shared_input(path: list[str], data: QueryDict) -> str:
    """The name of the input that a finding about a shared setting belongs to; "" for none."""
    rows = numbered(data, "row")
    match path:
        case ["variables", place, name, *_] if int(place) < len(rows):
            return f"variables-{rows[int(place)]}-{name}"
        case ["parameters" | "limits", name]:
            return name
        case ["memory" | "place" as part, name]:
            return f"{part}-{name}"
        case ["output", *_]:
            return field_input(path, data)
        case [name] if name in PLAIN or name == "output_schema" or name.startswith("fields-"):
            return name
    return "bucket" if path[:1] == ["buckets"] else ""


def shared_section(name: str) -> str:
    """The section of the builder in which an input of a shared setting stands; "" for others."""
    if name in _MODEL:
        return "model"
    if name in LIMITS:
        return "limits"
    if name in {"language", "markdown"} or name.startswith("output_"):
        return "answer"
    return _HEADS.get(name.partition("-")[0], "instructions" if name == "instructions" else "")
