"""Definitions as YAML files that people carry from one installation to another: no secrets, and names instead of uuids.

What a file is made of is the same for agents and teams; a `Format` says what is particular to one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from agents.definition.checking import raise_findings
from agents.definition.reading import Findings, clean_name
from mindloom.web.errors import Invalid

LARGEST_FILE = 1_000_000
_MOST_VALUES, _DEEPEST = 20_000, 40
_FIRST = (
    "instructions",
    "key",
    "name",
    "label",
    "type",
    "kind",
    "members",
    "model",
    "fallback_model",
    "variables",
    "tools",
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null")}


@dataclass(frozen=True, kw_only=True)
class Format:
    """A kind of file. `name` stands in it; `identity` are the fields beside the definition."""

    word: str
    name: str
    version: int
    identity: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class File:
    """What a file holds: fields as they were written, to be checked like anything that people send."""

    identity: dict[str, Any]
    definition: dict[str, Any]
    digest: str


@dataclass(frozen=True)
class ModelName:
    """How a file names a model: by the provider's name and its own; `label` is for the reader."""

    label: str
    provider: str
    model: str


@dataclass(frozen=True)
class ConnectionName:
    """How a file names a connection; whoever imports it chooses one of theirs."""

    kind: str
    name: str


AGENT = Format(word="agent", name="mindloom/agent", version=1, identity=("name", "description", "icon", "category"))


def write_file(form: Format, identity: Mapping[str, str], definition: Mapping[str, Any], digest: str) -> str:
    """The file's text. `definition` names models and connections; see `named`."""
    document = {
        "format": form.name,
        "format_version": form.version,
        **{name: identity[name] for name in form.identity},
        "digest": digest,
        "definition": _ordered(definition),
    }
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _ordered(value: Any) -> Any:
    """What people look for first stands first, the rest by name: the same content is the same file."""
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
        return {name: _ordered(value[name]) for name in names}
    return [_ordered(one) for one in value] if isinstance(value, list) else value


def read_file(form: Format, data: bytes) -> File:
    """What a file holds. Raises `Invalid` with a sentence about the file, or with fields by their path in it."""
    document = _parsed(data, form.word)
    _check_format(form, document)
    findings = Findings()
    given = findings.mapping("", document, ("format", "format_version", *form.identity, "digest", "definition"))
    digest = findings.text("digest", given.get("digest"), 64)
    if digest and not _DIGEST.fullmatch(digest):
        findings.add("digest", "This must be a SHA-256 in hexadecimal, or be left out.")
    if not isinstance(given.get("definition"), dict):
        findings.add("definition", f"The file says nothing about what the {form.word} is made of.")
    raise_findings(findings.fields)
    return File(
        identity={name: given[name] for name in form.identity if given.get(name) is not None},
        definition=given["definition"],
        digest=digest,
    )


def named(
    definition: Mapping[str, Any], models: Mapping[str, ModelName], connections: Mapping[str, ConnectionName]
) -> dict[str, Any]:
    """A stored definition with names in place of the uuids of models and connections."""
    portable = dict(definition)
    for field in ("model", "fallback_model"):
        portable[field] = _told(models.get(definition[field])) if definition[field] else None
    if "tools" in definition:
        portable["tools"] = [
            {**tool, "connection": _told(connections.get(tool["connection"])) if tool["connection"] else None}
            for tool in definition["tools"]
        ]
    return portable


def unnamed(
    definition: Mapping[str, Any], find_model: Callable[[ModelName], str | None]
) -> tuple[dict[str, Any], list[str]]:
    """A file's definition as it is stored here, and sentences about what has to be chosen again. Raises `Invalid`."""
    findings, notes = Findings(), []
    stored = dict(definition)
    for field in ("model", "fallback_model"):
        name = _name_of(ModelName, field, definition.get(field), findings)
        stored[field] = find_model(name) if name else None
        if name and stored[field] is None:
            instead = "The default model is used instead." if field == "model" else "No other model steps in."
            notes.append(f"The model “{name.label or name.model}” of {name.provider} is not here. {instead}")
    if isinstance(definition.get("tools"), list):
        stored["tools"] = [
            _without_connection(f"tools.{place}", tool, findings, notes)
            for place, tool in enumerate(definition["tools"])
        ]
    raise_findings(findings.fields)
    return stored, notes


@contextmanager
def inside_file() -> Iterator[None]:
    """Findings about a definition get the path that they have in the file: `definition.variables.0.name`."""
    try:
        yield
    except Invalid as error:
        raise_findings({f"definition.{path}" if path else "definition": said for path, said in error.fields.items()})
        raise


def _without_connection(path: str, tool: Any, findings: Findings, notes: list[str]) -> Any:
    if not isinstance(tool, dict):
        return tool  # the definition's reader says what is wrong with it
    name = _name_of(ConnectionName, f"{path}.connection", tool.get("connection"), findings)
    if name:
        notes.append(f"The connection “{name.name}” has to be chosen again under Tools.")
    return {**tool, "connection": None}


def _told(name: ModelName | ConnectionName | None) -> dict[str, str] | None:
    return dict(vars(name)) if name else None


def _name_of(kind: type[Any], path: str, value: Any, findings: Findings) -> Any:
    """A model's or connection's name, or None when there is none or it is wrong."""
    if value is None:
        return None
    fields = tuple(kind.__dataclass_fields__)
    before = len(findings.fields)
    given = findings.mapping(path, value, fields)
    name = kind(**{one: findings.text(f"{path}.{one}", given.get(one), 200) for one in fields})
    return name if len(findings.fields) == before else None


def _check_format(form: Format, document: Any) -> None:
    if not isinstance(document, dict) or not isinstance(document.get("format"), str):
        raise _refused(f"This is no file of Mindloom: it does not begin with “format: {form.name}”.", "format")
    if document["format"] != form.name:
        raise _refused(
            f"This file holds “{clean_name(document['format'])}”, and only “{form.name}” can be imported here.",
            "format",
        )
    version = document.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _refused("The file does not say which version of the format it has, such as 1.", "format_version")
    if version > form.version:
        raise _refused(
            f"A newer Mindloom wrote this file (version {version} of the format; {form.version} is the newest that is "
            "read here). Update this installation, then import it.",
            "format_version",
        )


def _parsed(data: bytes, word: str) -> Any:
    if len(data) > LARGEST_FILE:
        raise _refused(f"The file has {len(data):,} bytes; {LARGEST_FILE:,} are the most.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused("The file is no text in UTF-8. Export it again, or save it as UTF-8.") from None
    if not text.strip():
        raise _refused("The file is empty.")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 -- a safe loader that takes even less
    except _TooMuch as error:
        raise _refused(f"The file cannot be read as an {word}: {error}" if word[0] in "aeiou" else str(error)) from None
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise _refused(f"The file is no valid YAML{line}: {clean_name(error.problem or error.context)}.") from None
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _refused(f"The file is no valid YAML: {clean_name(error)}.") from None


def _refused(sentence: str, field: str = "file") -> Invalid:
    return Invalid(sentence, fields={field: [sentence]})


class _TooMuch(Exception):
    """The file uses something of YAML that is not taken."""


class _Loader(yaml.SafeLoader):
    """JSON's values only: no aliases, which can blow up, no tags, no names twice, bounded depth and number of values."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._values = self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise _TooMuch("it refers from one place to another (with *), which is not read.")
        self._values += 1
        self._depth += 1
        if self._values > _MOST_VALUES or self._depth > _DEEPEST:
            raise _TooMuch("it has too many values, or is nested too deep.")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 -- PyYAML's
        if node.tag not in _PLAIN_TAGS:
            raise _TooMuch(f"line {node.start_mark.line + 1} has the tag {clean_name(node.tag)}, which is not read.")
        return super().construct_object(node, deep)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 -- PyYAML's
        names: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key.value, str):
                raise _TooMuch(f"the name in line {key.start_mark.line + 1} is no text.")
            if key.value in names:
                raise _TooMuch(
                    f"“{clean_name(key.value)}” stands there twice, again in line {key.start_mark.line + 1}."
                )
            names.add(key.value)
        return super().construct_mapping(node, deep)


# A date stays the text that it is in JSON, and << is no merge.
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in found if tag in _PLAIN_TAGS]
    for letter, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, so that people can read and compare them; no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
