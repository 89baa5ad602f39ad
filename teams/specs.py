"""From a team's version or draft to what the engine runs, and what keeps a team from being run now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from accounts.models import Department
from agents.definition import KINDS, check_values
from agents.definition import check as check_agent
from agents.definition.checking import raise_findings
from agents.definition.reading import Findings
from agents.models import Agent, AgentVersion
from agents.specs import agent_spec, shared_spec
from agents.specs import obstacles as agent_obstacles
from mindloom.engine.spec import MemberSpec, TeamSpec
from mindloom.web.errors import Invalid
from teams.definition import check
from teams.models import Team

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

    from accounts.models import User
    from teams.models import TeamVersion

_REACH = {Team.Visibility.PRIVATE.value: 0, Team.Visibility.DEPARTMENT.value: 1, Team.Visibility.EVERYONE.value: 2}
_FITS = {
    "text": {"text", "choice", "number", "date"},
    "long_text": {"text", "long_text", "choice", "number", "date"},
}
"""Kinds of the team's variables that a member's variable of a kind can take; otherwise its own only."""


@dataclass(frozen=True)
class Member:
    """A member as its rows are now: `version` is the one that would run, None when there is none."""

    agent: Agent
    version: AgentVersion | None
    may_run: bool
    """Whether the person that was asked about may run the agent; true when nobody was."""

    @property
    def variables(self) -> list[dict[str, Any]]:
        """The variables that the version declares."""
        return list(self.version.definition.get("variables", [])) if self.version is not None else []


def members_of(definition: Mapping[str, Any], actor: User | None = None) -> list[Member | None]:
    """The members' rows in their order; None for an agent that is gone or, with `actor`, that they may not see."""
    rows = definition.get("members", [])
    agents = Agent.objects.visible_to(actor) if actor is not None else Agent.objects.all()
    wanted = [one["agent"] for one in rows if one["agent"]]
    known = {str(agent.uuid): agent for agent in agents.filter(uuid__in=wanted).select_related("published", "owner")}
    pinned = {str(one.agent.uuid): one for one in _pinned(rows, known)}
    runnable = set(known)
    if actor is not None:
        found = Agent.objects.runnable_by(actor).filter(uuid__in=wanted).values_list("uuid", flat=True)
        runnable = {str(uuid) for uuid in found}
    members: list[Member | None] = []
    for row in rows:
        agent = known.get(row["agent"])
        if agent is None:
            members.append(None)
            continue
        version = agent.published if row["version"] is None else pinned.get(row["agent"])
        members.append(Member(agent, version, row["agent"] in runnable))
    return members


def _pinned(rows: Sequence[Mapping[str, Any]], known: Mapping[str, Agent]) -> QuerySet[AgentVersion]:
    """The versions that are named, in one query."""
    named = Q(pk__in=[])
    for row in rows:
        if row["version"] is not None and row["agent"] in known:
            named |= Q(agent=known[row["agent"]], number=row["version"])
    return AgentVersion.objects.filter(named).select_related("agent")


def team_spec(
    team: Team, version: TeamVersion | None = None, *, department_id: int | None = None, actor: User | None = None
) -> TeamSpec:
    """The complete spec of a version, or of the draft when there is none (version 0), for a run in a department.

    The department is the team's own unless another is given. With `actor`, who runs it must be able to run every member as well.
    Raises `Invalid` with the fields at fault.
    """
    definition = check(team.draft if version is None else version.definition)
    department = team.department_id if department_id is None else department_id
    raise_findings(obstacles(definition, department, actor))
    rows = zip(definition["members"], members_of(definition, actor), strict=True)
    return TeamSpec(
        name=team.name,
        uuid=str(team.uuid),
        version=version.number if version is not None else 0,
        description=team.description,
        type=definition["type"],
        members=tuple(_member_spec(row, member, department) for row, member in rows if member is not None),
        **shared_spec(definition),
    )


def _member_spec(row: Mapping[str, Any], member: Member, department_id: int) -> MemberSpec:
    sources = row["variables"]
    mapped = {name: source["from"] for name, source in sources.items() if "from" in source}
    own = [variable for variable in member.variables if variable["name"] not in mapped]
    values = {name: source["value"] for name, source in sources.items() if "value" in source}
    return MemberSpec(
        agent=agent_spec(member.agent, member.version, department_id=department_id),
        role=row["role"],
        variables=check_values(own, values),
        mapped=mapped,
    )


def obstacles(
    definition: Mapping[str, Any], department_id: int, actor: User | None = None, visibility: str = ""
) -> dict[str, list[str]]:
    """What keeps a definition in its normal form from being run in the department now, by field path.

    It is about rows: the leader's model, members that are gone, archived or not ready, variables that nothing fills in. With
    `actor`, the members must be theirs to run; with `visibility`, members must reach as many people as the team.
    """
    findings = Findings()
    department = Department.objects.get(pk=department_id)
    for path, sentences in agent_obstacles(definition, department_id, actor, department=department).items():
        for sentence in sentences:
            findings.add(path, sentence)
    rows = zip(definition["members"], members_of(definition, actor), strict=True)
    for place, (row, member) in enumerate(rows):
        path = f"members.{place}"
        sentence = _unusable(row, member, visibility)
        if sentence or member is None or member.version is None:
            findings.add(f"{path}.agent" if row["version"] is None else f"{path}.version", sentence)
            continue
        _find_troubles(path, member, department, actor, findings)
        _find_sources(f"{path}.variables", row["variables"], member, definition["variables"], findings)
    return findings.fields


def _unusable(row: Mapping[str, Any], member: Member | None, visibility: str) -> str:  # noqa: PLR0911 -- one way out for each reason
    """Why this agent cannot be a member at all, or nothing."""
    if member is None:
        return "This agent is gone, or you may not see it. Take it out of the team."
    agent = member.agent
    if agent.archived_at is not None:
        return f"{agent.name} is archived. Restore it, or take it out of the team."
    if member.version is None and row["version"] is None:
        return f"{agent.name} was never published. Publish it, or take it out of the team."
    if member.version is None:
        return f"{agent.name} has no version {row['version']}. Choose another version, or always the current one."
    if not member.may_run:
        return f"You may look at {agent.name} but not run it. Ask its owner, or take it out of the team."
    if visibility and _REACH[agent.visibility] < _REACH[visibility]:
        reach = "private" if agent.visibility == "private" else "for its department only"
        return f"{agent.name} is {reach}, but more people see this team. Share {agent.name}, or share the team less."
    return ""


def _find_troubles(path: str, member: Member, department: Department, actor: User | None, findings: Findings) -> None:
    """The member's own problems, under its name."""
    assert member.version is not None
    try:
        found = agent_obstacles(check_agent(member.version.definition), department.pk, actor, department=department)
    except Invalid as error:
        found = error.fields
    for field, sentences in found.items():
        for sentence in sentences:
            findings.add(f"{path}.agent", f"{member.agent.name}, {field.partition('.')[0]}: {sentence}")


def _find_sources(
    path: str,
    sources: Mapping[str, Mapping[str, Any]],
    member: Member,
    team_variables: Sequence[Mapping[str, Any]],
    findings: Findings,
) -> None:
    """Variables of the member that nothing fills in, and values and mappings that do not fit."""
    known = {variable["name"]: variable for variable in member.variables}
    offered = {variable["name"]: variable for variable in team_variables}
    for name in sources:
        if name not in known:
            has = ", ".join(known) or "none"
            findings.add(f"{path}.{name}", f"{member.agent.name} has no variable called {name}. Its variables: {has}.")
    for name, variable in known.items():
        source = sources.get(name, {})
        if "from" in source:
            given = offered.get(source["from"])
            sentence = _misfit(variable, given, member.agent.name) if given is not None else ""
        else:
            sentence = _wrong_value(variable, source.get("value"), member.agent.name)
        if sentence:
            findings.add(f"{path}.{name}", sentence)


def _wrong_value(variable: Mapping[str, Any], value: Any, agent: str) -> str:
    name = variable["name"]
    try:
        check_values([variable], {name: value})
    except Invalid as error:
        if value is None:
            return f"{agent} needs {variable['label']}. Fill in a value, or take it from a variable of the team."
        return " ".join(error.fields.get(f"variables.{name}", [error.message]))
    return ""


def _misfit(variable: Mapping[str, Any], given: Mapping[str, Any], agent: str) -> str:
    """Why a variable of the team cannot fill in the member's, or nothing."""
    theirs, ours = variable["kind"], given["kind"]
    if ours not in _FITS.get(theirs, {theirs}):
        from_kind, to_kind = KINDS[ours].lower(), KINDS[theirs].lower()
        return (
            f"{given['label']} is {from_kind}, but {agent} takes {to_kind} here. Choose another variable, or a value."
        )
    if theirs == "choice" and not set(given["choices"]) <= set(variable["choices"]):
        more = ", ".join(one for one in given["choices"] if one not in variable["choices"])
        return f"{agent} does not know these choices: {more}. Use the same choices in the team."
    if variable["required"] and not given["required"] and ours != "boolean" and given["default"] in {None, ""}:
        return f"{agent} needs {variable['label']}, but {given['label']} may stay empty. Let it be required, or give it a default."
    return ""
