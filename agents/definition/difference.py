"""What changed from one definition to another, in sentences for people.

What agents and teams share is told by `shared_sentences`; `sentences` tells all of an agent's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from agents.definition.output import FIELD_KINDS, fields_of, named_fields
from agents.definition.parts import EXECUTORS, STORAGES, WINDOWS
from agents.definition.values import KINDS
from integrations import tools

Definition = Mapping[str, Any]
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SENTENCE = re.compile(r"[^\s.!?](?:[^\n.!?]|[.!?](?=\S))*[.!?]?")
_PARAMETERS = {"temperature": "Creativity", "max_tokens": "Longest answer", "top_p": "Word choice"}
_LIMITS = {
    "seconds": "Seconds per run",
    "model_turns": "Model calls per run",
    "tool_calls": "Tool calls per run",
    "tokens": "Tokens per run",
}
_VERBS = ("Send", "Search", "Query", "Read", "Save", "Ask", "Translate", "Post", "Convert", "Work")


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the things are called that a definition names by uuid."""

    models: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)

    def model(self, uuid: str | None, missing: str) -> str:
        """The model's name; `missing` when none is named."""
        return self.models.get(uuid, "a model that is gone") if uuid else missing

    def connection(self, uuid: str | None) -> str:
        """The connection's name."""
        return self.connections.get(uuid, "a connection that is gone") if uuid else "none"


def sentences(before: Definition, after: Definition, names: Names) -> list[str]:
    """Everything that changed of an agent, what it may do first."""
    return [*_tools(before, after, names), *_after_documents(before, after), *shared_sentences(before, after, names)]


def shared_sentences(before: Definition, after: Definition, names: Names) -> list[str]:
    """What changed of the settings that agents and teams share."""
    return [
        *_instructions(before["instructions"], after["instructions"]),
        *_model(before, after, names),
        *_variables(before["variables"], after["variables"]),
        *_buckets(before["buckets"], after["buckets"]),
        *_memory(before["memory"], after["memory"]),
        *_output(before["output"], after["output"]),
        *_switches(before, after),
        *_numbers(before["limits"], after["limits"], _LIMITS, ""),
        *_place(before.get("place") or {}, after.get("place") or {}),
    ]


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what is counted, such as “two sentences”."""
    return f"{in_words(number)} {one if number == 1 else many or one + 's'}"


def in_words(number: int) -> str:
    """Numbers up to ten as words."""
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number:,}"


def _instructions(before: str, after: str) -> Iterator[str]:
    if before == after:
        return
    old, new = _SENTENCE.findall(before), _SENTENCE.findall(after)
    added = removed = changed = 0
    for kind, i, j, k, m in SequenceMatcher(a=old, b=new).get_opcodes():
        if kind == "equal":
            continue
        both = min(j - i, m - k)
        changed, removed, added = changed + both, removed + (j - i - both), added + (m - k - both)
    told = [(number, verb) for number, verb in ((added, "added"), (removed, "removed"), (changed, "changed")) if number]
    words = [f"{counted(told[0][0], 'sentence')} {told[0][1]}"] if told else ["only spaces and line breaks changed"]
    words += [f"{in_words(number)} {verb}" for number, verb in told[1:]]
    yield f"Instructions: {', '.join(words)}."


def _model(before: Definition, after: Definition, names: Names) -> Iterator[str]:
    if before["model"] != after["model"]:
        old, new = (names.model(one["model"], "the default model") for one in (before, after))
        yield f"Model: {old} → {new}."
    old, new = before["fallback_model"], after["fallback_model"]
    if old != new:
        name = names.model(new, "")
        yield f"When the model fails, {name} steps in." if new else "No other model steps in any more."
    yield from _numbers(before["parameters"], after["parameters"], _PARAMETERS, "the model’s own")


def _numbers(before: Definition, after: Definition, labels: Mapping[str, str], missing: str) -> Iterator[str]:
    for name, label in labels.items():
        if before.get(name) != after.get(name):
            old, new = (missing if one.get(name) is None else f"{one[name]:,}" for one in (before, after))
            yield f"{label}: {old} → {new}."


def _place(before: Definition, after: Definition) -> Iterator[str]:
    if before.get("executor", "") != after.get("executor", ""):
        yield f"Runs are now carried out: {EXECUTORS[after.get('executor', '')].lower()}."
    yield from _numbers(before, after, {"cpu": "CPU of a pod", "memory_mb": "Megabytes of a pod"}, "the usual")


def _variables(before: list[Definition], after: list[Definition]) -> Iterator[str]:
    old, new = ({one["name"]: one for one in rows} for rows in (before, after))
    for name, one in new.items():
        if name not in old:
            yield f"New variable “{one['label']}”, {_must(one)}."
        elif changes := list(_of_variable(old[name], one)):
            yield f"Variable “{one['label']}”: {', '.join(changes)}."
    for name, one in old.items():
        if name not in new:
            yield f"Variable “{one['label']}” removed."
    kept = [name for name in new if name in old]
    if kept != [name for name in old if name in new]:
        yield "The variables stand in another order."


def _must(variable: Definition) -> str:
    return "must be filled in" if variable["required"] and variable["default"] in (None, "") else "may stay empty"


def _of_variable(old: Definition, new: Definition) -> Iterator[str]:
    if old["label"] != new["label"]:
        yield f"was called “{old['label']}”"
    if old["kind"] != new["kind"]:
        yield f"{KINDS[old['kind']].lower()} → {KINDS[new['kind']].lower()}"
    if _must(old) != _must(new):
        yield f"now {_must(new)}"
    if old["default"] != new["default"]:
        yield f"filled in at first: {_plain(old['default'])} → {_plain(new['default'])}"
    if old["choices"] != new["choices"]:
        yield f"choices are now {', '.join(new['choices']) or 'none'}"
    if old["help"] != new["help"]:
        yield "another explanation"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "nothing"
    text = str(value) if value not in (None, "") else "nothing"
    return text if len(text) <= 60 else f"{text[:57]}…"


def _tools(before: Definition, after: Definition, names: Names) -> Iterator[str]:
    old, new = ({one["key"]: one for one in rows["tools"]} for rows in (before, after))
    for key, one in new.items():
        if key not in old:
            yield f"May now {_what_it_does(key)}{', after asking a person' if one['ask_first'] else ''}."
    for key in old:
        if key not in new:
            yield f"May no longer {_what_it_does(key)}."
    for key, one in new.items():
        if key in old:
            yield from _of_tool(key, old[key], one, names)


def _after_documents(before: Definition, after: Definition) -> Iterator[str]:
    if before["after_documents"] != after["after_documents"]:
        asks = after["after_documents"] == "ask"
        verb = "ask a person first once" if asks else "no longer ask a person when"
        yield f"Tools that send or write {verb} documents were read."


def _what_it_does(key: str) -> str:
    tool = tools.find(key)
    if tool is None:
        return f"use the tool “{key}”"
    if tool.name.startswith(_VERBS):
        return tool.name[0].lower() + tool.name[1:]
    return f"use {tool.name} ({tool.effect})"


def _of_tool(key: str, old: Definition, new: Definition, names: Names) -> Iterator[str]:
    tool = tools.find(key)
    name = tool.name if tool else key
    if old["ask_first"] != new["ask_first"]:
        yield f"{name} now asks a person first." if new["ask_first"] else f"{name} no longer asks a person first."
    if old["connection"] != new["connection"]:
        yield f"{name}: connection {names.connection(old['connection'])} → {names.connection(new['connection'])}."
    labels = {one.name: one.label for one in tool.config_fields} if tool else {}
    for setting in {**old["config"], **new["config"]}:
        one, other = old["config"].get(setting), new["config"].get(setting)
        if one != other:
            yield f"{name}, {labels.get(setting, setting).lower()}: {_plain(one)} → {_plain(other)}."


def _buckets(before: list[str], after: list[str]) -> Iterator[str]:
    added, removed = (len(set(one) - set(other)) for one, other in ((after, before), (before, after)))
    if added:
        yield f"{counted(added, 'content bucket').capitalize()} attached."
    if removed:
        yield f"{counted(removed, 'content bucket').capitalize()} taken away."


def _memory(before: Definition, after: Definition) -> Iterator[str]:
    if before["storage"] != after["storage"]:
        yield f"Memory: {STORAGES[before['storage']].lower()} → {STORAGES[after['storage']].lower()}."
    if before["history_runs"] != after["history_runs"]:
        yield f"Earlier runs told again: {before['history_runs']} → {after['history_runs']}."
    if before["person"] != after["person"]:
        yield "Remembers people now." if after["person"] else "Remembers nothing about people any more."
    if before["summary"] != after["summary"]:
        yield "Sums up long conversations now." if after["summary"] else "Sums up conversations no longer."
    if before["window"] != after["window"]:
        yield f"When the model can read no more: {WINDOWS[before['window']].lower()} → {WINDOWS[after['window']].lower()}."
    if before["offload"] != after["offload"]:
        yield "Puts long tool results aside now." if after["offload"] else "Keeps long tool results in view again."


def _output(before: Definition | None, after: Definition | None) -> Iterator[str]:
    if before == after:
        return
    if after is None:
        yield "Answers are free text again."
        return
    new = after["schema"]
    if before is None:
        yield f"Answers now have a form: {', '.join(named_fields(new)) or 'no fields yet'}."
        return
    old = before["schema"]
    if before["name"] != after["name"]:
        yield f"The answer’s form was called “{before['name']}”, now “{after['name']}”."
    olds, news = old.get("properties", {}), new.get("properties", {})
    yield from (f"Answer: new field “{name}”{_kind_of(new, name)}." for name in named_fields(new) if name not in olds)
    yield from (f"Answer: field “{name}” removed." for name in named_fields(old) if name not in news)
    musts = set(old.get("required", ())), set(new.get("required", ()))
    for name in named_fields(new):
        if name in olds and (olds[name] != news[name] or (name in musts[0]) != (name in musts[1])):
            yield f"Answer: field “{name}” changed{_kind_of(new, name)}."


def _kind_of(schema: Definition, name: str) -> str:
    row = next((one for one in fields_of(schema) or [] if one.name == name), None)
    if row is None:
        return ""
    many = "list of: " if row.is_list else ""
    return f" ({many}{FIELD_KINDS[row.kind].lower()}{'' if row.required else ', may be missing'})"


def _switches(before: Definition, after: Definition) -> Iterator[str]:
    said = {
        "reasoning": ("Thinks step by step before answering now.", "No longer thinks step by step before answering."),
        "markdown": ("Answers are shown as Markdown.", "Answers are shown as plain text."),
        "dates": ("Knows today’s date now.", "Is no longer told the date."),
    }
    for name, (on, off) in said.items():
        if before[name] != after[name]:
            yield on if after[name] else off
    if before["language"] != after["language"]:
        old, new = (one["language"] or "the question’s" for one in (before, after))
        yield f"Language of answers: {old} → {new}."
    if before["retries"] != after["retries"]:
        yield f"Tries again after a failed request: {before['retries']} → {after['retries']}."
