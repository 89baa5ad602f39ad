"""Everything that a run needs from the platform, fetched before it starts and in the reader's own thread."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mindloom.engine.agno_adapter import builtin
from mindloom.engine.agno_adapter.failures import Explainer
from mindloom.engine.errors import EngineError
from mindloom.engine.ports import Memories
from mindloom.engine.prompt import render
from mindloom.engine.runner import Resume
from mindloom.engine.spec import AgentSpec, TeamSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mindloom.engine.ports import Ports, ToolFunction
    from mindloom.engine.spec import MemorySpec, ModelSpec, OutputSpec, RunInput, Spec

MARKDOWN = "Use Markdown to format your answer."
REASONING = (
    "Before you act or answer, think the matter through step by step with the tool `think`; "
    "use it again whenever you have learned something."
)
_NO_ID = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A model that may be asked, with its key and the words for its failures."""

    spec: ModelSpec
    api_key: str
    explainer: Explainer


@dataclass(frozen=True, kw_only=True)
class PartPlan:
    """One agent at work in the run. `key` tells it from the others in the journal: "0" is the agent, or the team's leader."""

    key: str
    id: str
    name: str
    source: tuple[str, ...]
    system: str
    models: tuple[Choice, ...]
    tools: tuple[ToolFunction, ...]
    memory: MemorySpec
    output: OutputSpec | None
    retries: int
    role: str = ""
    buckets: tuple[str, ...] = ()
    asks_after_documents: bool = True


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run, ready to start."""

    run_id: str
    spec: Spec
    given: RunInput
    ports: Ports
    leader: PartPlan
    members: tuple[PartPlan, ...]
    memories: Memories
    resume: Resume


def prepare(spec: Spec, given: RunInput, *, run_id: str, ports: Ports, resume: Resume | None = None) -> Plan:
    """Render the instructions and open what the spec names. Raises `EngineError` when something is missing."""
    memories = ports.recall(spec.memory) if spec.memory.storage != "none" else Memories()
    if isinstance(spec, TeamSpec):
        leader = _part(spec, given, given.variables, ports, key="0", source=(spec.name,), memories=memories)
        members = tuple(_members(spec, given, ports))
    else:
        leader = _part(spec, given, given.variables, ports, key="0", source=(spec.name,), memories=memories)
        members = ()
    return Plan(
        run_id=run_id,
        spec=spec,
        given=given,
        ports=ports,
        leader=leader,
        members=members,
        memories=memories,
        resume=resume or Resume(),
    )


def _members(spec: TeamSpec, given: RunInput, ports: Ports) -> Iterator[PartPlan]:
    names: set[str] = set()
    for place, member in enumerate(spec.members, start=1):
        agent = member.agent
        if agent.name in names:
            raise EngineError(
                f'Two members of the team are called "{agent.name}". Rename one, so that they can be told apart.'
            )
        names.add(agent.name)
        if spec.type == "route" and spec.output is not None:
            agent = replace(agent, output=spec.output)  # the member's answer is the team's
        filled = {ours: given.variables[theirs] for ours, theirs in member.mapped.items() if theirs in given.variables}
        yield _part(
            agent,
            given,
            {**member.variables, **filled},
            ports,
            key=str(place),
            source=(spec.name, agent.name),
            memories=Memories(),
            role=member.role or agent.description,
        )


def _part(
    spec: Spec,
    given: RunInput,
    variables: Mapping[str, Any],
    ports: Ports,
    *,
    key: str,
    source: tuple[str, ...],
    memories: Memories,
    role: str = "",
) -> PartPlan:
    models = tuple(_choice(model, ports) for model in (spec.model, spec.fallback_model) if model is not None)
    # Only what passes the member's answer on has one of its own.
    output = None if isinstance(spec, TeamSpec) and spec.type == "route" else spec.output
    return PartPlan(
        key=key,
        id=_NO_ID.sub("-", spec.name.lower()).strip("-") or f"member-{key}",
        name=spec.name,
        source=source,
        system=_system(spec, given, variables, memories, output),
        models=models,
        tools=_tools(spec, ports),
        memory=spec.memory,
        output=output,
        retries=spec.retries,
        role=role,
        buckets=spec.buckets,
        asks_after_documents=isinstance(spec, TeamSpec) or spec.after_documents == "ask",
    )


def _choice(spec: ModelSpec, ports: Ports) -> Choice:
    api_key = ports.secret(spec.key_ref, spec.base_url) if spec.key_ref else ""
    provider = spec.provider or spec.kind
    return Choice(
        spec=spec, api_key=api_key, explainer=Explainer(provider, spec.model, (api_key, *spec.headers.values()))
    )


def _tools(spec: Spec, ports: Ports) -> tuple[ToolFunction, ...]:
    tools: dict[str, ToolFunction] = {}
    for tool in spec.tools if isinstance(spec, AgentSpec) else ():
        for function in ports.tools(tool):
            if function.info.name in tools:
                message = f'Two tools of the agent have a function "{function.info.name}". Take one of them away.'
                raise EngineError(message)
            tools[function.info.name] = function
    for function in builtin.functions(
        knowledge=bool(spec.buckets),
        thinking=spec.reasoning and spec.model.kind != "offline",
        offload=spec.memory.offload,
    ):
        tools.setdefault(function.info.name, function)
    return tuple(tools.values())


def _system(
    spec: Spec, given: RunInput, variables: Mapping[str, Any], memories: Memories, output: OutputSpec | None
) -> str:
    """What the author wrote, and after it what the settings of the agent ask for."""
    parts = [render(spec.instructions, variables)]
    if spec.markdown and output is None:
        parts.append(MARKDOWN)
    if spec.language:
        parts.append(f"Answer in {spec.language}.")
    if spec.dates and given.began:
        parts.append(f"It is {given.began}.")
    if spec.reasoning and spec.model.kind != "offline":
        parts.append(REASONING)
    if memories.summary:
        parts.append(f"What was said in this conversation before, in short:\n{memories.summary}")
    if memories.facts:
        facts = "\n".join(f"- {fact}" for fact in memories.facts)
        parts.append(f"What you know of the person from before; it may be out of date:\n{facts}")
    if output is not None:
        parts.append(
            "Your last message must be one JSON object and nothing else, without a code fence. "
            f"It must fit this JSON Schema:\n{json.dumps(output.schema, ensure_ascii=False)}"
        )
    return "\n\n".join(part for part in parts if part.strip())
