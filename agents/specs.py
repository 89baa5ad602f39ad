"""From an agent's version or draft to what the engine runs, and what keeps a definition from being run now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.models import Department
from agents.definition import check, problems
from agents.definition.checking import raise_findings
from agents.definition.parts import NO_PLACE
from agents.definition.reading import Findings
from buckets.queries import choices_for
from integrations import tools
from integrations.models import Connection, Model, ProviderKind, Purpose
from mindloom.engine.spec import AgentSpec, Limits, MemorySpec, ModelSpec, OutputSpec, PlaceSpec, ToolSpec
from mindloom.web.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User
    from agents.models import Agent, AgentVersion


def agent_spec(agent: Agent, version: AgentVersion | None = None, *, department_id: int | None = None) -> AgentSpec:
    """The complete spec of a version, or of the draft when there is none (version 0), for a run in a department.

    The department is the agent's own unless another is given: an agent that is shared with everyone runs where its runner
    works. Raises `Invalid` with the fields at fault: an unfinished draft, a tool or connection that is gone or of another
    department, a model that is gone or switched off.
    """
    definition = check(agent.draft if version is None else version.definition)
    department = agent.department_id if department_id is None else department_id
    raise_findings(obstacles(definition, department))
    return AgentSpec(
        name=agent.name,
        uuid=str(agent.uuid),
        version=version.number if version is not None else 0,
        description=agent.description,
        tools=tool_specs(definition, department),
        after_documents=definition["after_documents"],
        **shared_spec(definition),
    )


def shared_spec(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `AgentSpec` and `TeamSpec` share, from a checked definition."""
    fallback, output = definition["fallback_model"], definition["output"]
    place = definition.get("place", NO_PLACE)
    return {
        "instructions": definition["instructions"],
        "model": model_spec(definition["model"], definition["parameters"], "model"),
        "fallback_model": model_spec(fallback, definition["parameters"], "fallback_model") if fallback else None,
        "buckets": tuple(definition["buckets"]),
        "memory": MemorySpec(**definition["memory"]),
        "output": OutputSpec(**output) if output else None,
        "limits": Limits(**definition["limits"]),
        "place": PlaceSpec(**{name: value for name, value in place.items() if value is not None}),
        **{name: definition[name] for name in ("markdown", "reasoning", "language", "dates", "retries")},
    }


def model_spec(uuid: str | None, parameters: Mapping[str, Any], field: str = "model") -> ModelSpec:
    """The model with this uuid, the default for None, as the engine reaches it. Raises `Invalid` about `field`."""
    model = find_model(uuid, field)
    provider = model.provider
    return ModelSpec(
        kind=ProviderKind(provider.kind).value,  # type: ignore[arg-type] # the choices are the engine's kinds
        model=model.model_id,
        provider=provider.name,
        ref=str(model.uuid),
        base_url=provider.base_url,
        api_version=provider.api_version,
        key_ref=f"provider:{provider.uuid}" if provider.key_sealed else "",
        headers=dict(provider.headers),
        parameters=dict(parameters),
        context_window=model.context_window or 0,
    )


def tool_specs(definition: Mapping[str, Any], department_id: int) -> tuple[ToolSpec, ...]:
    """The tools of a checked definition for a run in the department. Raises `Invalid` for connections it may not use."""
    findings = Findings()
    _find_connections(definition, Department.objects.get(pk=department_id), None, findings)
    raise_findings(findings.fields)
    return tuple(
        ToolSpec(
            key=tool["key"],
            config=tool["config"],
            connection_ref=f"connection:{tool['connection']}" if tool["connection"] else "",
            ask_first=tool["ask_first"],
        )
        for tool in definition["tools"]
    )


def obstacles(
    definition: Mapping[str, Any],
    department_id: int,
    actor: User | None = None,
    *,
    department: Department | None = None,
) -> dict[str, list[str]]:
    """What keeps a checked definition from being run in the department now, by field path.

    It is about rows: models that are gone, that cannot do what is asked, what the department may not use, connections. With `actor`,
    connections must be theirs to use as well. `department` is its row, for who asks about many definitions.
    """
    findings = Findings()
    here = department or Department.objects.get(pk=department_id)
    model = _model_or_finding(definition["model"], "model", findings)
    fallback = definition["fallback_model"]
    second = _model_or_finding(fallback, "fallback_model", findings) if fallback else None
    if model is not None and second is not None and model.pk == second.pk:
        findings.add("fallback_model", f"“{model.label}” is the default model already. Choose another one to step in.")
    if model is not None:
        _find_misfits(definition, model, findings)
    _find_refused(definition, here, {"model": model, "fallback_model": second}, findings)
    _find_place(definition.get("place", NO_PLACE), here, findings)
    if "tools" in definition:
        _find_connections(definition, here, actor, findings)
    if actor is not None and definition["buckets"]:
        # Only when somebody publishes: what a run may read is asked at every search.
        offered = {str(one.uuid) for one in choices_for(actor, department_id)}
        for place, uuid in enumerate(definition["buckets"]):
            if uuid not in offered:
                findings.add(f"buckets.{place}", "This bucket is gone, or not yours to read. Take it away.")
    return findings.fields


def unready(draft: Mapping[str, Any], department_id: int, actor: User | None = None) -> dict[str, list[str]]:
    """Everything that keeps a draft from being published now, by field path; empty when nothing does."""
    found = problems(draft)
    try:
        normal = check(draft, complete=False)
    except Invalid:
        return found
    for path, sentences in obstacles(normal, department_id, actor).items():
        found.setdefault(path, sentences)
    return found


def find_model(uuid: str | None, field: str = "model") -> Model:
    """The model with this uuid, or the default for None. Raises `Invalid` about `field` when it cannot be used now."""
    if uuid is None:
        model = Model.objects.usable().filter(is_default=True).first()
        if model is None:
            raise _refusal(
                field,
                "There is no default model that is switched on. Choose a model, or ask an administrator to set a default.",
            )
        return model
    model = Model.objects.select_related("provider").filter(uuid=uuid).first()
    if model is None:
        raise _refusal(field, "The chosen model is gone. Choose another one.")
    if model.purpose != Purpose.CHAT:
        raise _refusal(field, f"“{model.label}” is for finding passages by meaning. Choose another model.")
    if not model.is_enabled:
        raise _refusal(
            field, f"The model “{model.label}” is switched off. Choose another one, or ask an administrator."
        )
    if not model.provider.is_enabled:
        raise _refusal(
            field,
            f"The provider “{model.provider.name}” is switched off. Choose another model, or ask an administrator.",
        )
    return model


def _refusal(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, fields={field: [sentence]})


def _model_or_finding(uuid: str | None, field: str, findings: Findings) -> Model | None:
    try:
        return find_model(uuid, field)
    except Invalid as error:
        findings.add(field, error.message)
        return None


def _find_misfits(definition: Mapping[str, Any], model: Model, findings: Findings) -> None:
    """What the definition asks of a model that cannot do it."""
    memory = definition["memory"]
    if model.provider.kind == ProviderKind.OFFLINE:
        cannot = f"“{model.label}” is no language model and cannot"
        if memory["person"]:
            findings.add("memory.person", f"{cannot} find out what is worth remembering. Switch this off.")
        if memory["summary"]:
            findings.add("memory.summary", f"{cannot} write summaries. Switch this off.")
        if memory["window"] == "summarise":
            findings.add("memory.window", f"{cannot} sum anything up. Choose to stop.")
        if definition["output"] is not None:
            findings.add("output", f"{cannot} fill in a form. Choose another model, or let the answer be free text.")
    elif memory["window"] != "stop" and not model.context_window:
        findings.add(
            "memory.window",
            f"Nobody knows how much “{model.label}” can read, so it cannot be seen when that is full. Choose to stop, or "
            "ask an administrator to enter the model’s context window.",
        )


def _find_refused(
    definition: Mapping[str, Any], department: Department, models: Mapping[str, Model | None], findings: Findings
) -> None:
    """Models and tools that the department may not use."""
    for field, model in models.items():
        if model is not None and department.allowed_models is not None and model.uuid not in department.allowed_models:
            findings.add(
                field,
                f"{department} may not use “{model.label}”. Choose another model, or ask an administrator to allow it.",
            )
    for place, row in enumerate(definition.get("tools", ())):
        tool = tools.find(row["key"])
        if tool is not None and not tools.allowed(tool, department.allowed_tools):
            findings.add(
                f"tools.{place}.key",
                f"{department} may not use {tool.name}. Take it away, or ask an administrator to allow it.",
            )


def _find_place(place: Mapping[str, Any], department: Department, findings: Findings) -> None:
    """A place that is not there, or more of it than the department may have."""
    if place["executor"] == "kubernetes" and not settings.KUBERNETES_EXECUTOR_IMAGE:
        findings.add("place.executor", "There are no pods here: nobody has set Kubernetes up. Choose a worker.")
    cpu, memory = department.pod_limits
    if (place["cpu"] or 0) > cpu:
        findings.add("place.cpu", f"A run of {department} may have {cpu:g} CPU. Ask for no more.")
    if (place["memory_mb"] or 0) > memory:
        findings.add("place.memory_mb", f"A run of {department} may have {memory} MB. Ask for no more.")


def _find_connections(
    definition: Mapping[str, Any], department: Department, actor: User | None, findings: Findings
) -> None:
    """Connections that are gone, or that the department or the actor may not use."""
    chosen = [tool["connection"] for tool in definition["tools"] if tool["connection"]]
    if not chosen:
        return
    seen = {str(one.uuid): one for one in Connection.objects.select_related("department").filter(uuid__in=chosen)}
    usable = (
        None
        if actor is None
        else {str(uuid) for uuid in Connection.objects.usable_by(actor).values_list("uuid", flat=True)}
    )
    for place, row in enumerate(definition["tools"]):
        tool = tools.find(row["key"])
        if tool is None or not row["connection"]:
            continue
        sentence = _misfit(tool, seen.get(row["connection"]), department)
        if not sentence and usable is not None and row["connection"] not in usable:
            sentence = f"You may not use the connection “{seen[row['connection']]}”. Choose another one."
        if sentence:
            findings.add(f"tools.{place}.connection", sentence)


def _misfit(tool: tools.Tool, connection: Connection | None, department: Department) -> str:
    """Why a tool cannot work through the connection in this department, or nothing."""
    if connection is None:
        return (
            f"The connection that {tool.name} used is gone, or is not one of {department}. Choose a connection of "
            f"{department}."
        )
    if connection.department_id != department.pk:
        return (
            f"{tool.name} uses the connection “{connection}” of {connection.department}, and the run would be one of "
            f"{department}. Choose a connection of {department}."
        )
    if connection.kind != tool.connection:
        return f"The connection “{connection}” is of another kind than {tool.name} needs. Choose another one."
    if not connection.is_enabled:
        return f"The connection “{connection}” is switched off. Choose another one, or switch it on."
    return ""
