"""The builder's form: what a person fills in, to and from a definition.

`teams.definition` is the one validator; as with agents, the forms show values and sentences. What agents and teams share is
shown by `agents.forms`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict

from agents.forms import Sentences, SharedBuilder, Shown, read_shared, shared_input, shared_section, write_shared
from agents.forms import rearranged as rearranged_shared
from agents.forms.rows import Wrong
from agents.forms.shown import as_text, moved, next_number, numbered
from teams.definition import LONGEST_ROLE, TYPES
from teams.models import Team
from teams.services import ICONS

if TYPE_CHECKING:
    from agents.models import Agent
    from integrations.models import Model
    from teams.specs import Member

IDENTITY = ("name", "description", "icon", "visibility")
_YES_NO = [("", "–"), ("yes", "Yes"), ("no", "No")]


class IdentityForm(Shown):
    """How people find the team."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = forms.CharField(
        label="What it does", required=False, max_length=300, help_text="One sentence, shown in lists."
    )
    icon = forms.ChoiceField(choices=[(name, name.replace("-", " ").capitalize()) for name in ICONS])
    visibility = forms.ChoiceField(
        label="Who sees it",
        widget=forms.RadioSelect,
        choices=[
            (Team.Visibility.DEPARTMENT.value, "Department\nEveryone in the department may run it"),
            (Team.Visibility.EVERYONE.value, "Everyone\nPeople of every department may run it"),
            (Team.Visibility.PRIVATE.value, "Private\nOnly you and the managers"),
        ],
    )


class TypeForm(Shown):
    """How the members work together."""

    type = forms.ChoiceField(
        label="Type",
        widget=forms.RadioSelect,
        choices=[(one.key, f"{one.name}\n{one.sentence}") for one in TYPES],
    )


@dataclass(frozen=True)
class Source:
    """Where one variable of a member gets its value, as two fields."""

    variable: Mapping[str, Any]
    origin: forms.BoundField
    value: forms.BoundField


class MemberForm(Shown):
    """One member: its version, its role, and where its variables get their values."""

    version = forms.ChoiceField(required=True, widget=forms.Select(attrs={"data-version": ""}))
    role = forms.CharField(
        label="Role in the team",
        required=False,
        max_length=LONGEST_ROLE,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "What the leader should know, such as: finds sources."}),
    )

    def __init__(
        self,
        data: Any,
        sentences: Sentences,
        number: str,
        member: Member | None,
        versions: Sequence[int],
        offered: Iterable[tuple[str, str]],
    ) -> None:
        super().__init__(data, sentences, prefix=f"members-{number}")
        self.number, self.member = number, member
        self.uuid = data.get(f"members-{number}-agent", "")
        current = member.agent.published if member is not None else None
        choices = [("", f"Always the current one ({current})" if current else "Always the current one")]
        choices += [(str(one), f"v{one}, also when there is a newer one") for one in versions]
        chosen = str(data.get(f"members-{number}-version") or "")
        if chosen not in dict(choices):
            choices.append((chosen, f"v{chosen}, which is gone"))
        self.fields["version"].choices = choices  # type: ignore[attr-defined]
        self._variables = member.variables if member is not None else []
        origins = [("", "Fill in here"), *((name, f"Team: {label}") for name, label in offered)]
        for variable in self._variables:
            self._add_source(variable, origins)

    def _add_source(self, variable: Mapping[str, Any], origins: Sequence[tuple[str, str]]) -> None:
        name, chosen = variable["name"], str(self.data.get(f"{self.prefix}-from-{variable['name']}") or "")
        known = list(origins)
        if chosen not in dict(known):
            known.append((chosen, f"{chosen}, which the team does not have"))
        attrs = {"data-team-variables": ""}
        self.fields[f"from-{name}"] = forms.ChoiceField(
            label=f"{variable['label']} comes from", choices=known, required=True, widget=forms.Select(attrs=attrs)
        )
        self.fields[f"value-{name}"] = _value_field(variable)

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.member.agent.name if self.member is not None else "the agent that is gone"

    @property
    def sources(self) -> list[Source]:
        """The variables with their two fields."""
        return [Source(one, self[f"from-{one['name']}"], self[f"value-{one['name']}"]) for one in self._variables]

    @property
    def troubles(self) -> list[str]:
        """What is wrong with the agent itself."""
        return list(self._sentences.get(f"{self.prefix}-agent", []))


def _value_field(variable: Mapping[str, Any]) -> forms.Field:
    kind, default = variable["kind"], variable["default"]
    label = f"{variable['label']}, value"
    needed = bool(variable["required"]) and default in (None, "") and kind != "boolean"
    if kind in {"choice", "boolean"}:
        choices = _YES_NO if kind == "boolean" else [("", "–"), *((one, one) for one in variable["choices"])]
        return forms.ChoiceField(label=label, choices=choices, required=needed)
    usual = {"placeholder": f"Usually: {default}"} if default not in (None, "") else {}
    widgets: dict[str, forms.Widget] = {
        "long_text": forms.Textarea(attrs={"rows": 2, **usual}),
        "number": forms.NumberInput(attrs={"step": "any", **usual}),
        "date": forms.DateInput(attrs={"type": "date"}),
    }
    return forms.CharField(label=label, required=needed, widget=widgets.get(kind, forms.TextInput(attrs=usual)))


def read_members(data: QueryDict) -> list[dict[str, Any]]:
    """The members that were posted."""
    return [_read_member(data, f"members-{row}-") for row in numbered(data, "member")]


def _read_member(data: QueryDict, prefix: str) -> dict[str, Any]:
    variables: dict[str, dict[str, Any]] = {}
    for key in data:
        if key.startswith(f"{prefix}from-"):
            name = key.removeprefix(f"{prefix}from-")
            origin = data.get(key)
            variables[name] = {"from": origin} if origin else {"value": data.get(f"{prefix}value-{name}", "")}
    version = data.get(f"{prefix}version", "")
    return {
        "agent": data.get(f"{prefix}agent") or None,
        "version": version or None,
        "role": data.get(f"{prefix}role", ""),
        "variables": variables,
    }


def write_members(data: QueryDict, members: Sequence[Mapping[str, Any]]) -> None:
    """The members of a draft as if they had been posted."""
    for place, member in enumerate(members):
        data.appendlist("member", str(place))
        prefix = f"members-{place}-"
        data[f"{prefix}agent"] = member["agent"] or ""
        data[f"{prefix}version"] = str(member["version"] or "")
        data[f"{prefix}role"] = member["role"]
        for name, source in member["variables"].items():
            data[f"{prefix}from-{name}"] = source.get("from", "")
            data[f"{prefix}value-{name}"] = as_text(source.get("value"))


def rearranged(data: QueryDict, action: str, most: int) -> QueryDict:
    """The values after a press on a row's button: add_member, remove_member-3, up_member-3, down_member-3, and the shared ones."""
    verb, _, row = action.partition("-")
    if not verb.endswith("_member"):
        return rearranged_shared(data, action)
    changed = data.copy()
    rows = numbered(data, "member")
    if verb == "add_member" and len(rows) < most and (uuid := data.get("new_member", "")):
        new = next_number(rows)
        rows.append(new)
        changed[f"members-{new}-agent"] = uuid
    elif verb != "add_member":
        rows = moved(rows, verb.removesuffix("_member"), row)
    changed.setlist("member", rows)
    return changed


@dataclass(frozen=True)
class Chooser:
    """The agents that can be added, as far as they match what was searched for."""

    text: str
    agents: Sequence[Agent]
    has_more: bool


class Builder(SharedBuilder):
    """All of the team builder's forms over one set of values."""

    def __init__(
        self,
        data: QueryDict,
        models: Iterable[Model],
        members: Sequence[Member | None],
        versions: Mapping[int, Sequence[int]],
        sentences: Sentences | None = None,
    ) -> None:
        super().__init__(data, models, sentences)
        said = sentences or {}
        self.identity = IdentityForm(data, said)
        self.type = TypeForm(data, said)
        self.about_members = said.get("members", [])
        offered = _offered(data)
        self.members = [
            MemberForm(data, said, row, member, versions.get(member.agent.pk, []) if member else [], offered)
            for row, member in zip(numbered(data, "member"), members, strict=True)
        ]


def _offered(data: QueryDict) -> list[tuple[str, str]]:
    """The team's variables, as a member's can come from them."""
    prefixes = [f"variables-{row}-" for row in numbered(data, "row")]
    named = [(data.get(f"{one}name", "").strip(), data.get(f"{one}label", "").strip()) for one in prefixes]
    return [(name, label or name) for name, label in named if name]


def read(data: QueryDict) -> tuple[dict[str, Any], dict[str, Any], Wrong]:
    """What was posted, as identity and definition, and sentences by input about what the form cannot make sense of."""
    identity = {name: data[name] for name in IDENTITY if name in data}
    definition, wrong = read_shared(data)
    definition["type"] = data.get("type") or None
    definition["members"] = read_members(data)
    return identity, definition, wrong


def write(team: Team) -> QueryDict:
    """A team's identity and draft as if they had been posted."""
    data = QueryDict(mutable=True)
    data.update({name: getattr(team, name) for name in IDENTITY})
    data["type"] = team.draft.get("type", "coordinate")
    write_shared(data, team.draft)
    write_members(data, team.draft.get("members", []))
    return data


def by_input(fields: Sentences, data: QueryDict) -> dict[str, list[str]]:
    """Sentences by the name of the input that they belong to: `members.0.role` becomes `members-7-role`."""
    rows = numbered(data, "member")
    found: dict[str, list[str]] = {}
    for path, sentences in fields.items():
        found.setdefault(_input_name(path.split("."), rows, data), []).extend(sentences)
    return found


def _input_name(path: list[str], rows: Sequence[str], data: QueryDict) -> str:
    match path:
        case ["members", place, "variables", name, *_] if int(place) < len(rows):
            kind = "from" if data.get(f"members-{rows[int(place)]}-from-{name}") else "value"
            return f"members-{rows[int(place)]}-{kind}-{name}"
        case ["members", place, name, *_] if int(place) < len(rows):
            return f"members-{rows[int(place)]}-{name}"
        case ["members", *_]:
            return "members"
        case [name] if name in {*IDENTITY, "type"} or name in data:
            return name
    return shared_input(path, data)


def section_of(name: str) -> str:
    """The section of the builder in which an input stands."""
    if name in IDENTITY:
        return "sharing" if name == "visibility" else "identity"
    if name == "type" or name.partition("-")[0] == "members":
        return "type" if name == "type" else "members"
    return shared_section(name) or "instructions"
