"""What every page's frame shows: navigation, departments, commands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from accounts.models import Role
from accounts.queries import may
from agents.models import Agent
from features.queries import switched_off
from notifications.queries import unread_words
from teams.models import Team

if TYPE_CHECKING:
    from django.http import HttpRequest

_SECTIONS = {
    "tools": "tools",
    "tool": "tools",
    "connections": "connections",
    "connection": "connections",
} | dict.fromkeys(("servers", "server"), "servers")
"""Entries of the sidebar for the pages of one app, by the first word of a page's name."""

_HIDDEN_BY = {"conversations": ("conversations",), "webhooks": ("webhooks",), "mcp_servers": ("servers",)}
"""Entries of the sidebar that are left out while a feature is off."""

PALETTE_AGENTS = 40
"""Agents that can be jumped to by name: those that changed last."""
PALETTE_TEAMS = 20
"""The same of teams."""


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context processor behind `templates/base.html`; empty for people who are not signed in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    department = getattr(request, "department", None)
    off = {key for name in switched_off() for key in _HIDDEN_BY.get(name, ())}
    shown = [
        {**group, "items": [one for one in group["items"] if one["key"] not in off]}
        for group in _groups(user, department)
    ]
    groups = [group for group in shown if group["items"]]
    match = request.resolver_match
    section = match.namespace if match else ""
    if match and section == "accounts":
        # One app, two entries; the profile belongs to neither.
        section = (match.url_name or "").replace("department_", "departments_").partition("_")[0]
    if match and section == "runs" and (match.url_name or "").startswith(("conversation", "turn")):
        section = "conversations"
    if match and match.view_name == "runs:retention":
        section = "retention"
    if match and match.view_name == "integrations:allowed":
        section = "departments"
    elif match and section == "administration":
        section = "audit" if (match.url_name or "").startswith("audit") else section
    if match and section == "integrations":
        section = _SECTIONS.get((match.url_name or "").partition("_")[0], section)
    return {
        "shell": {
            "department": department,
            "departments": [
                {"slug": one.slug, "name": one.name, "current": department is not None and one.pk == department.pk}
                for one in getattr(request, "departments", ())
            ],
            "nav": groups,
            "section": section or "home",
            "commands": partial(_commands, groups),  # asked for by whole pages, not by fragments
            "commands_url": reverse("commands"),
            "unread": partial(unread_words, user),
            "switch_url": reverse("accounts:switch_department"),
            "sign_out_url": reverse("accounts:sign_out"),
            "profile_url": reverse("accounts:profile"),
        }
    }


def _groups(user: Any, department: Any) -> list[dict[str, Any]]:
    groups = [
        {
            "title": "",
            "items": [
                _item("Home", "home", "house", "home"),
                _item("Runs", "runs:list", "activity", "runs"),
                _item("Conversations", "runs:conversations", "messages-square", "conversations"),
            ],
        },
        {
            "title": "Build",
            "items": [
                _item("Agents", "agents:list", "bot", "agents"),
                _item("Teams", "teams:list", "users-round", "teams"),
                _item("Content buckets", "buckets:list", "library", "buckets"),
                _item("Tools", "integrations:tools", "wrench", "tools"),
            ],
        },
        {
            "title": "Automate",
            "items": [
                _item("Schedules", "schedules:list", "calendar-clock", "schedules"),
                _item("Connections", "integrations:connections", "plug", "connections"),
            ],
        },
    ]
    administration = []
    if department is not None and may(user, Role.MANAGER, department.pk):
        administration.append(_item("People", "accounts:people", "users", "people"))
        administration.append(_item("Sign-in rules", "accounts:sign_in_rules", "shield-check", "sign"))
        administration.append(_item("Webhooks", "webhooks:list", "webhook", "webhooks"))
        administration.append(_item("Audit trail", "administration:audit", "scroll-text", "audit"))
        administration.append(_item("Retention", "runs:retention", "archive", "retention", department.uuid))
    elif user.is_administrator:
        administration.append(_item("Audit trail", "administration:audit", "scroll-text", "audit"))
    if user.is_administrator:
        administration.append(_item("Overview", "administration:overview", "gauge", "administration"))
        administration.append(_item("Everybody", "accounts:everyone", "contact", "everyone"))
        administration.append(_item("Departments", "accounts:departments", "building-2", "departments"))
        administration.append(_item("Models", "integrations:list", "cpu", "integrations"))
        administration.append(_item("MCP servers", "integrations:servers", "server", "servers"))
        administration.append(_item("Django admin", "admin:index", "shield", "admin"))
    if administration:
        groups.append({"title": "Administration", "items": administration})
    return groups


def _item(label: str, route: str, icon: str, key: str, *parts: object) -> dict[str, Any]:
    return {"label": label, "href": reverse(route, args=parts), "icon": icon, "key": key}


def _commands(groups: list[dict[str, Any]]) -> dict[str, Any]:
    """What the command palette offers on every page, and the icons that it needs."""
    listed = _page_commands(groups)
    return {"listed": listed, "icons": sorted({"bot", "play", "users-round"} | {command["icon"] for command in listed})}


def named_commands(user: Any) -> list[dict[str, str]]:
    """What the palette asks for when it is opened: agents and teams by name. Pages need not wait for them."""
    return [*_agent_commands(user), *_team_commands(user)]


def _agent_commands(user: Any) -> list[dict[str, str]]:
    agents = Agent.objects.visible_to(user).active().order_by("-updated_at")
    found = agents.values_list("uuid", "name", "department_id", "published_id")[:PALETTE_AGENTS]
    opened = [{"label": name, "href": reverse("agents:detail", args=[uuid]), "icon": "bot"} for uuid, name, *_ in found]
    runs = [
        {"label": f"Run {name}", "href": reverse("runs:start", args=[uuid]), "icon": "play"}
        for uuid, name, department, published in found
        if published is not None and may(user, Role.MEMBER, department)
    ]
    return [*opened, *runs]


def _team_commands(user: Any) -> list[dict[str, str]]:
    teams = Team.objects.visible_to(user).active().order_by("-updated_at").values_list("uuid", "name")[:PALETTE_TEAMS]
    return [
        {"label": name, "href": reverse("teams:detail", args=[uuid]), "icon": "users-round"} for uuid, name in teams
    ]


def _page_commands(groups: list[dict[str, Any]]) -> list[dict[str, str]]:
    keys = {"home": "G H", "runs": "G R", "agents": "G A", "teams": "G T"}
    pages = [
        {"label": item["label"], "href": item["href"], "icon": item["icon"], "keys": keys.get(item["key"], "")}
        for group in groups
        for item in group["items"]
    ]
    return [
        *pages,
        {"label": "New agent", "href": reverse("agents:gallery"), "icon": "plus", "keys": "N A"},
        {"label": "New team", "href": reverse("teams:create"), "icon": "plus", "keys": "N T"},
        {"label": "New content bucket", "href": reverse("buckets:create"), "icon": "plus", "keys": ""},
        {"label": "New schedule", "href": reverse("schedules:create"), "icon": "plus", "keys": ""},
        {"label": "New connection", "href": reverse("integrations:connection_create"), "icon": "plus", "keys": ""},
        {"label": "Notifications", "href": reverse("notifications:list"), "icon": "bell", "keys": "G N"},
        {"label": "Profile", "href": reverse("accounts:profile"), "icon": "user", "keys": ""},
    ]
