"""The demonstration: three departments, people with each role, agents from the gallery and two runs that really ran."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Department, Membership, Role, User
from agents import services as agents
from agents.gallery import TEMPLATES
from agents.models import Agent
from audit.services import record
from integrations.services import ensure_defaults
from mindloom import wall
from runs import services as runs
from runs import worker
from runs.models import Run, Trigger
from teams import services as teams
from teams.models import Team

if TYPE_CHECKING:
    from pathlib import Path

ADMINISTRATOR = ("ada@mindloom.example", "Ada Novak")
PEOPLE = {
    "Marketing": (
        ("maya@mindloom.example", "Maya Ortiz"),
        ("ben@mindloom.example", "Ben Adler"),
        ("vera@mindloom.example", "Vera Holm"),
    ),
    "Finance": (
        ("finn@mindloom.example", "Finn Berg"),
        ("lena@mindloom.example", "Lena Costa"),
        ("omar@mindloom.example", "Omar Haddad"),
    ),
    "Tech": (
        ("tara@mindloom.example", "Tara Singh"),
        ("niko@mindloom.example", "Niko Laine"),
        ("iris@mindloom.example", "Iris Chen"),
    ),
}
ROLES = (Role.MANAGER, Role.MEMBER, Role.VIEWER)
AGENTS_EACH = 3
TEAM_DEPARTMENT = "Marketing"
TEAM_MEMBERS: tuple[tuple[str, str, dict[str, dict[str, str]]], ...] = (
    ("Campaign brief writer", "Writes the brief from the notes.", {"audience": {"from": "audience"}}),
    ("Social post planner", "Plans the posts that go with the brief.", {}),
    ("Press release checker", "Checks what will be published, and says what must change.", {}),
)
"""Agent, role, and where its variables come from."""


def seed() -> None:
    """Make what is missing. Stops half-way only between steps that are whole, so a second start goes on."""
    ensure_defaults()
    path = settings.DATA_DIR / "demo-sign-ins.txt"
    if not User.objects.exists():
        _make_people(path)
    if not path.exists():
        return  # an installation with people of its own
    with wall.system("demonstration: agents of three departments"):
        for department in Department.objects.filter(name__in=PEOPLE).order_by("id"):
            _make_agents(department)
            _make_team(department)
        _make_runs()


@transaction.atomic
def _make_people(path: Path) -> None:
    passwords = {
        email: _password() for email, *_ in [ADMINISTRATOR, *(one for team in PEOPLE.values() for one in team)]
    }
    lines = ["Demonstration sign-ins (kept in the data folder):"]
    email, name = ADMINISTRATOR
    User.objects.create_superuser(email, passwords[email], name=name)
    lines.append(f"  {email:<24} {passwords[email]:<16} Administrator")
    with wall.system("demonstration: members of three departments"):
        for title, people in PEOPLE.items():
            department = Department.objects.create(name=title, slug=title.lower())
            for (email, name), role in zip(people, ROLES, strict=True):
                user = User.objects.create_user(email, passwords[email], name=name, email_confirmed_at=timezone.now())
                Membership.objects.create(user=user, department=department, role=role, status=Membership.Status.ACTIVE)
                lines.append(f"  {email:<24} {passwords[email]:<16} {title}, {role.label.lower()}")
    record(actor=None, action="demo.seeded")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")


def _password() -> str:
    # Three groups that can be read out and typed; no look-alike characters.
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(3))


def _make_agents(department: Department) -> None:
    manager = User.objects.get(email=PEOPLE[department.name][0][0])
    ours = [template for template in TEMPLATES if template.category == department.name]
    for template in ours[:AGENTS_EACH]:
        if Agent.objects.filter(department=department, name=template.name).exists():
            continue
        agent = agents.create_agent(
            actor=manager, department_id=department.pk, name=template.name, template=template.key
        )
        agents.publish_agent(actor=manager, agent=agent, note="First version, from the gallery")


def _make_team(department: Department) -> None:
    """Put the department's agents together, in the first department."""
    if department.name != TEAM_DEPARTMENT or Team.objects.filter(department=department).exists():
        return
    manager = User.objects.get(email=PEOPLE[department.name][0][0])
    known = {agent.name: agent for agent in Agent.objects.filter(department=department).exclude(published=None)}
    members = [
        {"agent": str(known[name].uuid), "role": role, "variables": variables}
        for name, role, variables in TEAM_MEMBERS
        if name in known
    ]
    if len(members) < len(TEAM_MEMBERS):
        return
    team = teams.create_team(
        actor=manager,
        department_id=department.pk,
        name="Campaign desk",
        type="coordinate",
        description="Turns notes about a campaign into a brief, posts and a checked press release.",
        definition={
            "instructions": "Prepare the campaign for {{ audience }}. Let each member do its part, then put the parts together.",
            "variables": [{"name": "audience", "label": "Audience", "default": "Existing customers"}],
            "members": members,
        },
    )
    teams.publish_team(actor=manager, team=team, note="First version")


def _make_runs() -> None:
    """Run the first agent of Marketing and of Finance on their template's sample, here and now."""
    for title in ("Marketing", "Finance"):
        manager = User.objects.get(email=PEOPLE[title][0][0])
        agent = Agent.objects.filter(department__name=title).exclude(published=None).order_by("id").first()
        if agent is None or Run.objects.filter(agent=agent).exists():
            continue
        template = next(one for one in TEMPLATES if one.name == agent.name)
        run = runs.start_run(
            actor=manager,
            target=agent,
            text=template.sample_input,
            variables=template.sample_values,
            trigger=Trigger.SEED,
        )
        worker.execute(run.pk)
