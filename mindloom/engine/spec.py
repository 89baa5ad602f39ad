"""What decides a run, as frozen plain values that survive JSON: the snapshot kept with every run.

Secrets are never in a spec: `ModelSpec.key_ref` and `ToolSpec.connection_ref` name them, and `ports.Ports.secret` opens
them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mindloom.engine.events import Effect

ModelKind = Literal["offline", "openai", "openai_like", "azure", "anthropic", "ollama"]


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """The model and where it is reached. `parameters` are only those the person set (`temperature`, `max_tokens`,
    `top_p`).
    """

    kind: ModelKind
    model: str
    provider: str = ""
    """The provider's name, as people see it."""
    base_url: str = ""
    api_version: str = ""
    """Azure only."""
    key_ref: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    timeout_seconds: float = 120.0
    """How long one silence of the provider may last."""


@dataclass(frozen=True, kw_only=True)
class ToolSpec:
    """One tool of the catalogue with the agent's configuration of it."""

    key: str
    config: dict[str, Any] = field(default_factory=dict)
    connection_ref: str = ""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When the run is ended although it has not finished."""

    seconds: int = 600
    model_turns: int = 20
    tool_calls: int = 40
    tokens: int = 200_000


@dataclass(frozen=True, kw_only=True)
class AgentSpec:
    """An agent, complete. `instructions` is the template; variables are rendered into it by `prompt.render`."""

    name: str
    uuid: str
    version: int
    model: ModelSpec
    instructions: str = ""
    description: str = ""
    tools: tuple[ToolSpec, ...] = ()
    limits: Limits = field(default_factory=Limits)
    markdown: bool = True

    def to_json(self) -> dict[str, Any]:
        """The spec as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AgentSpec:
        """The spec of a stored snapshot. Raises `TypeError` for fields that are not a spec's."""
        values = dict(data)
        values["model"] = ModelSpec(**values["model"])
        values["tools"] = tuple(ToolSpec(**tool) for tool in values.get("tools", ()))
        values["limits"] = Limits(**values.get("limits", {}))
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class RunInput:
    """What the person gave: the text, and the values of the agent's variables."""

    text: str
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ToolInfo:
    """What a tool function looks like from outside, for catalogues and events."""

    name: str
    description: str
    parameters: dict[str, Any]
    effect: Effect
