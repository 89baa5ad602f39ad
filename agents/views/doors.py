"""What the pages of agents share: which agent, what the person may do with it, and how it is said in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse

from accounts.models import Role
from accounts.queries import may
from agents.definition import AFTER_DOCUMENTS, KINDS, STORAGES, blank
from agents.definition.output import FIELD_KINDS, fields_of, named_fields
from agents.models import Agent
from agents.queries import told_names
from integrations import tools
from mindloom.web.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from accounts.middleware import Request
    from agents.models import AgentVersion


def visible(request: Request, uuid: UUID) -> Agent:
    """The agent, or 404."""
    agents = Agent.objects.visible_to(request.user).select_related("owner", "published", "department")
    return get_object_or_404(agents, uuid=uuid)


def editable(request: Request, uuid: UUID) -> Agent:
    """The agent; 404 when the person does not see it, 403 when they may not change it."""
    agent = visible(request, uuid)
    if not Agent.objects.editable_by(request.user).filter(pk=agent.pk).exists():
        raise NotAllowed("Only its owner and the department’s managers may change this agent. You can make a copy.")
    if not is_inside(request, agent):
        raise NotAllowed(f"This is an agent of {agent.department}. Switch to {agent.department} to change it.")
    return agent


def version_of(agent: Agent, number: int) -> AgentVersion:
    """The version with this number, or 404."""
    found = agent.versions.select_related("published_by").filter(number=number).first() if number < 2**31 else None
    if found is None:
        raise Http404
    return found


def is_inside(request: Request, agent: Agent) -> bool:
    """Whether the person works in the agent's department; others see of a shared agent only what is published."""
    return request.department is not None and request.department.pk == agent.department_id


def rights(request: Request, agent: Agent) -> dict[str, Any]:
    """What the person may do, for templates."""
    is_member = may_create(request)
    inside = is_inside(request, agent)
    is_own = agent.owner_id == request.user.pk or may(request.user, Role.MANAGER, agent.department_id)
    return {
        "is_inside": inside,
        "may_edit": inside and is_member and is_own,
        "may_run": is_member and agent.archived_at is None and agent.published_id is not None,
        "may_copy": is_member,
        "run_url": reverse_or_none("runs:start", agent.uuid),
        "talk_url": reverse_or_none("runs:converse", agent.uuid),
    }


def may_create(request: Request) -> bool:
    """Whether the person may make agents in the department they work in."""
    return request.department is not None and may(request.user, Role.MEMBER, request.department.pk)


def uses(agent: Agent) -> list[str]:
    """The addresses of fragments of higher apps that list what uses the agent."""
    return fragments(agent.uuid, "teams:using_agent", "schedules:of_agent", "workflows:using_agent")


def fragments(uuid: UUID, *names: str) -> list[str]:
    """The addresses of those that are installed."""
    return [address for name in names if (address := reverse_or_none(name, uuid))]


def reverse_or_none(name: str, *args: Any) -> str | None:
    """The address of a page of a higher app, which may not be installed."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return None


def described(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition in words for people."""
    definition = {**blank(), **definition}
    chosen = [(tools.find(one["key"]), one) for one in definition["tools"]]
    return {
        "definition": definition,
        "used_tools": [{"tool": tool, "asks": one.get("ask_first")} for tool, one in chosen if tool is not None],
        "variables": [{**one, "kind": KINDS[one["kind"]]} for one in definition["variables"]],
        "answer_fields": _answer_fields(definition["output"]),
        "settings": _settings(definition),
    }


def _answer_fields(output: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if output is None:
        return []
    rows = {row.name: row for row in fields_of(output["schema"]) or []}
    return [
        {"name": name, "row": rows.get(name), "kind": FIELD_KINDS[rows[name].kind] if name in rows else "by its schema"}
        for name in named_fields(output["schema"])
    ]


def _settings(definition: Mapping[str, Any]) -> list[tuple[str, str]]:
    memory, names = definition["memory"], told_names(definition)
    told = [("Model", names.model(definition["model"], "The default"))]
    if definition["fallback_model"]:
        told.append(("When it fails", names.model(definition["fallback_model"], "")))
    told.append(("Memory", STORAGES[memory["storage"]]))
    if memory["history_runs"]:
        told.append(("Earlier runs told again", str(memory["history_runs"])))
    if memory["person"]:
        told.append(("Remembers people", "Yes"))
    if definition["buckets"] and definition.get("after_documents") == "allow":
        told.append(("Tools after reading documents", AFTER_DOCUMENTS["allow"]))
    if definition["language"]:
        told.append(("Language", definition["language"]))
    if definition["reasoning"]:
        told.append(("Thinks step by step", "Yes"))
    if definition["output"]:
        told.append(("Answer", f"Form “{definition['output']['name']}”"))
    return told
