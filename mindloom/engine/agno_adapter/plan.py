"""Everything that a run needs from the platform, fetched before it starts and in the reader's own thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mindloom.engine.agno_adapter.failures import Explainer
from mindloom.engine.errors import EngineError
from mindloom.engine.prompt import render

if TYPE_CHECKING:
    from mindloom.engine.ports import Ports, ToolFunction
    from mindloom.engine.spec import AgentSpec, RunInput

MARKDOWN = "Use Markdown to format your answer."


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run, ready to start."""

    run_id: str
    spec: AgentSpec
    given: RunInput
    ports: Ports
    system: str
    tools: tuple[ToolFunction, ...]
    api_key: str
    explainer: Explainer


def prepare(spec: AgentSpec, given: RunInput, *, run_id: str, ports: Ports) -> Plan:
    """Render the instructions and open what the spec names. Raises `EngineError` when something is missing."""
    system = render(spec.instructions, given.variables)
    if spec.markdown:
        system = f"{system}\n\n{MARKDOWN}".strip()
    tools: dict[str, ToolFunction] = {}
    for tool in spec.tools:
        for function in ports.tools(tool):
            if function.info.name in tools:
                message = f'Two tools of the agent have a function "{function.info.name}". Take one of them away.'
                raise EngineError(message)
            tools[function.info.name] = function
    api_key = ports.secret(spec.model.key_ref) if spec.model.key_ref else ""
    provider = spec.model.provider or spec.model.kind
    return Plan(
        run_id=run_id,
        spec=spec,
        given=given,
        ports=ports,
        system=system,
        tools=tuple(tools.values()),
        api_key=api_key,
        explainer=Explainer(provider, spec.model.model, (api_key, *spec.model.headers.values())),
    )
