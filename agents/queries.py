"""Reads of agents that pages and API share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.text import slugify

from accounts.models import Role, User
from accounts.queries import may, roles_of
from agents.definition import exchange, textdiff
from agents.definition.checking import upgraded
from agents.definition.difference import Names, sentences
from agents.definition.exchange import ConnectionName, ModelName
from agents.models import Agent
from buckets.queries import choices_for
from integrations.models import Connection, Model
from mindloom.web.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any
    from uuid import UUID

    from agents.models import AgentQuerySet, AgentVersion


DRAFT = "draft"


@dataclass(frozen=True)
class Filters:
    """What a list of agents is narrowed by."""

    text: str = ""
    category: str = ""
    show: str = ""
    """"mine", "shared" by other departments, "archived", or "" for all that are in use."""


def listed(user: User, filters: Filters) -> AgentQuerySet:
    """The agents a person sees, with what a list shows of them, the last changed first."""
    agents = Agent.objects.visible_to(user).select_related("owner", "published", "department")
    agents = agents.defer("draft", "published__definition")
    agents = agents.exclude(archived_at=None) if filters.show == "archived" else agents.active()
    if filters.show == "mine":
        agents = agents.filter(owner=user)
    if filters.show == "shared":
        agents = agents.exclude(department__in=list(roles_of(user)))
    if filters.category:
        agents = agents.filter(category=filters.category)
    if filters.text:
        agents = agents.filter(Q(name__icontains=filters.text) | Q(description__icontains=filters.text))
    return agents.order_by("-updated_at", "-id")


def categories(user: User) -> list[str]:
    """The categories in use among the agents a person sees."""
    found = Agent.objects.visible_to(user).active().exclude(category="").order_by("category")
    return list(found.values_list("category", flat=True).distinct())


def using_tool(user: User, key: str) -> AgentQuerySet:
    """Agents in use, among those the person sees, whose published version or draft has the tool."""
    return _using(user, {"key": key})


def using_connection(user: User, uuid: UUID) -> AgentQuerySet:
    """Agents in use, among those the person sees, whose published version or draft works through the connection."""
    return _using(user, {"connection": str(uuid)})


def using_bucket(user: User, uuid: UUID) -> AgentQuerySet:
    """Agents in use, among those the person sees, whose published version or draft reads the bucket."""
    return _with(user, {"buckets": [str(uuid)]})


def _using(user: User, tool: Mapping[str, Any]) -> AgentQuerySet:
    return _with(user, {"tools": [tool]})


def _with(user: User, part: Mapping[str, Any]) -> AgentQuerySet:
    found = Agent.objects.visible_to(user).active()
    found = found.filter(Q(draft__contains=part) | Q(published__definition__contains=part))
    return found.select_related("department").only("uuid", "name", "icon", "department__name").order_by(Lower("name"))


@dataclass(frozen=True)
class BucketRow:
    """A bucket that can be ticked in a builder."""

    uuid: str
    name: str
    note: str
    is_chosen: bool
    is_gone: bool = False


def bucket_rows(user: User, department_id: int, chosen: Iterable[str]) -> list[BucketRow]:
    """The buckets that the person can let an agent or team of the department read, and those that it reads already."""
    ticked = set(chosen)
    rows = [
        BucketRow(
            str(one.uuid),
            one.name,
            one.description if one.department_id == department_id else f"Shared by {one.department}. {one.description}",
            str(one.uuid) in ticked,
        )
        for one in choices_for(user, department_id)
    ]
    gone = sorted(ticked - {row.uuid for row in rows})
    note = "Nothing is found in it. Take it away."
    return rows + [BucketRow(uuid, "A bucket that is gone, or not yours to read", note, True, True) for uuid in gone]


def connections_for(user: User, department_id: int) -> list[Connection]:
    """The connections that the person's agents of the department may work through, by name."""
    return list(Connection.objects.usable_by(user).filter(department=department_id).order_by("name"))


def has_changes(agent: Agent) -> bool:
    """Whether the draft differs from what is published."""
    return agent.published is not None and agent.published.digest != agent.draft_digest


@dataclass(frozen=True)
class Side:
    """One side of a comparison: "draft" or a version's number, and what stood there."""

    key: str
    label: str
    definition: Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """What changed: in sentences, and of the instructions line by line."""

    changes: list[str]
    lines: list[textdiff.Line]


def compared(agent: Agent, before: str, after: str, *, inside: bool) -> tuple[Side, Side]:
    """Both sides; without a name what is published, and the draft. The draft is only for people `inside` the department.

    Raises `NotFound` for a version that is not there.
    """
    published = str(agent.published.number) if agent.published else DRAFT
    sides = (before or published, after or (DRAFT if inside else published))
    first, second = (_side(agent, key, inside=inside) for key in sides)
    return first, second


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """What changed from one definition to another."""
    old, new = upgraded(dict(before)), upgraded(dict(after))
    changes = sentences(old, new, told_names(old, new))
    return Difference(changes, textdiff.lines(old["instructions"], new["instructions"]))


def _side(agent: Agent, key: str, *, inside: bool) -> Side:
    if key == DRAFT and inside:
        return Side(DRAFT, "draft", agent.draft)
    number = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else 0
    found = agent.versions.filter(number=number).first() if number else None
    if found is None:
        raise NotFound("There is no such version, or not for you.")
    return Side(key, str(found), found.definition)


def file_name(agent: Agent) -> str:
    """What the exported file is called."""
    return f"{slugify(agent.name) or 'agent'}.{exchange.AGENT.word}.yaml"


def agent_file(agent: Agent, version: AgentVersion | None = None) -> str:
    """The YAML file of the agent's draft, or of a version."""
    definition = upgraded(agent.draft if version is None else version.definition)
    identity = {name: getattr(agent, name) for name in exchange.AGENT.identity}
    told = exchange.named(definition, *file_names(definition))
    return exchange.write_file(exchange.AGENT, identity, told, version.digest if version else agent.draft_digest)


def heirs(agent: Agent) -> list[User]:
    """The people who could own the agent: active members and managers of its department, by name."""
    people = User.objects.filter(
        is_active=True, memberships__department=agent.department_id, memberships__status="active"
    )
    return [one for one in people.distinct().order_by("name", "email") if may(one, Role.MEMBER, agent.department_id)]


def told_names(*definitions: Mapping[str, Any]) -> Names:
    """What the models and connections of some definitions are called, for differences."""
    models, connections = _uuids(definitions)
    return Names(
        models=_by_uuid(Model.objects.filter(uuid__in=models).values_list("uuid", "label")),
        connections=_by_uuid(Connection.objects.filter(uuid__in=connections).values_list("uuid", "name")),
    )


def file_names(definition: Mapping[str, Any]) -> tuple[dict[str, ModelName], dict[str, ConnectionName]]:
    """How a file names the models and connections of a definition, by uuid."""
    models, connections = _uuids([definition])
    found = Model.objects.filter(uuid__in=models).values_list("uuid", "label", "provider__name", "model_id")
    linked = Connection.objects.filter(uuid__in=connections).values_list("uuid", "kind", "name")
    return (
        {str(uuid): ModelName(label, provider, model) for uuid, label, provider, model in found},
        {str(uuid): ConnectionName(kind, name) for uuid, kind, name in linked},
    )


def model_named(name: ModelName) -> str | None:
    """The uuid of the model that a file names, if it can be used here."""
    found = Model.objects.usable().filter(provider__name=name.provider, model_id=name.model).first()
    return str(found.uuid) if found else None


def _uuids(definitions: Iterable[Mapping[str, Any]]) -> tuple[set[str], set[str]]:
    models = {one.get(field) for one in definitions for field in ("model", "fallback_model")}
    tools = [tool for one in definitions for tool in one.get("tools", [])]
    return {uuid for uuid in models if uuid}, {tool["connection"] for tool in tools if tool.get("connection")}


def _by_uuid(rows: Iterable[tuple[Any, str]]) -> dict[str, str]:
    return {str(uuid): name for uuid, name in rows}
