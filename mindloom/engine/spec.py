"""What decides a run, as frozen plain values that survive JSON: the snapshot kept with every run.

Secrets are never in a spec: `ModelSpec.key_ref` and `ToolSpec.connection_ref` name them, and `ports.Ports.secret` opens
them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
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
    ref: str = ""
    """The platform's own id of the model, a UUID; empty when it has none."""
    base_url: str = ""
    api_version: str = ""
    """Azure only."""
    key_ref: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    timeout_seconds: float = 120.0
    """How long one silence of the provider may last."""
    context_window: int = 0
    """Tokens that the model reads at most; 0 when nobody said."""

    @property
    def provider_key(self) -> int:
        """Names the account at the provider: what shares it shares its limits. 0 for the built-in model, which has none."""
        if self.kind == "offline":
            return 0
        account = f"{self.kind}\n{self.base_url}\n{self.key_ref}"
        return int.from_bytes(sha256(account.encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True, kw_only=True)
class ToolSpec:
    """One tool of the catalogue with the agent's configuration of it.

    `connection_ref` is "connection:<uuid>" or "". With `ask_first`, a person must agree before a function changes something.
    """

    key: str
    config: dict[str, Any] = field(default_factory=dict)
    connection_ref: str = ""
    ask_first: bool = False


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When the run is ended although it has not finished."""

    seconds: int = 600
    model_turns: int = 20
    tool_calls: int = 40
    tokens: int = 200_000


@dataclass(frozen=True, kw_only=True)
class PlaceSpec:
    """Where the run is carried out, and what it gets there; the engine does not look at it. `cpu` counts cores.

    Empty and 0: as the department, then the installation, says.
    """

    executor: Literal["", "celery", "kubernetes"] = ""
    cpu: float = 0
    memory_mb: int = 0


Storage = Literal["none", "postgresql", "redis"]
Window = Literal["stop", "drop", "summarise"]
TeamType = Literal["route", "coordinate", "collaborate"]
AfterDocuments = Literal["ask", "allow"]
"""What tools that act outside do once text of documents was read in the run, which may hide instructions."""


@dataclass(frozen=True, kw_only=True)
class MemorySpec:
    """What is remembered from one run to the next, and what happens when it gets too much for the model.

    `history_runs` earlier runs of the conversation are told again; `person` keeps facts about whoever runs it; `summary` sums up
    what is older than the history. `window`, when the model's context fills: stop with a sentence, drop the oldest, or have it
    summarised. `offload` keeps long tool results aside, where the model can look into them.
    """

    storage: Storage = "none"
    history_runs: int = 5
    person: bool = False
    summary: bool = False
    window: Window = "stop"
    offload: bool = False


@dataclass(frozen=True, kw_only=True)
class OutputSpec:
    """The form that the answer must have: a JSON Schema of type object."""

    name: str
    schema: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class AgentSpec:
    """An agent, complete. `instructions` is the template; variables are rendered into it by `prompt.render`.

    `retries` counts how often a model request that failed in passing is sent again. `language` is the answer's, "" for the
    question's. With `dates` the agent is told when the run began.
    """

    name: str
    uuid: str
    version: int
    model: ModelSpec
    fallback_model: ModelSpec | None = None
    instructions: str = ""
    description: str = ""
    tools: tuple[ToolSpec, ...] = ()
    after_documents: AfterDocuments = "ask"
    buckets: tuple[str, ...] = ()
    memory: MemorySpec = field(default_factory=MemorySpec)
    output: OutputSpec | None = None
    limits: Limits = field(default_factory=Limits)
    place: PlaceSpec = field(default_factory=PlaceSpec)
    markdown: bool = True
    reasoning: bool = False
    language: str = ""
    dates: bool = False
    retries: int = 2

    def to_json(self) -> dict[str, Any]:
        """The spec as JSON values."""
        return {"kind": "agent", **_written(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AgentSpec:
        """The spec of a stored snapshot. What a later release has put in is left out."""
        values = _opened(cls, data)
        values["tools"] = tuple(ToolSpec(**tool) for tool in values.get("tools", ()))
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class MemberSpec:
    """A member of a team: the agent as it is for this run, and its part.

    `variables` are the values of its own variables; those that come from the team's are named in `mapped`
    (member's name -> team's name) and filled in when the run starts.
    """

    agent: AgentSpec
    role: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    mapped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TeamSpec:
    """A team, complete: the leader's model and instructions, and the members in their order. `limits` hold for all together."""

    name: str
    uuid: str
    version: int
    type: TeamType
    model: ModelSpec
    members: tuple[MemberSpec, ...]
    fallback_model: ModelSpec | None = None
    instructions: str = ""
    description: str = ""
    buckets: tuple[str, ...] = ()
    memory: MemorySpec = field(default_factory=MemorySpec)
    output: OutputSpec | None = None
    limits: Limits = field(default_factory=Limits)
    place: PlaceSpec = field(default_factory=PlaceSpec)
    markdown: bool = True
    reasoning: bool = False
    language: str = ""
    dates: bool = False
    retries: int = 2

    def to_json(self) -> dict[str, Any]:
        """The spec as JSON values."""
        members = [{**asdict(member), "agent": member.agent.to_json()} for member in self.members]
        return {"kind": "team", **_written(self), "members": members}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TeamSpec:
        """The spec of a stored snapshot. What a later release has put in is left out."""
        values = _opened(cls, data)
        values["members"] = tuple(
            MemberSpec(**{**member, "agent": AgentSpec.from_json(member["agent"])}) for member in values["members"]
        )
        return cls(**values)


Spec = AgentSpec | TeamSpec


def spec_from_json(data: dict[str, Any]) -> Spec:
    """The agent or team of a stored snapshot."""
    return TeamSpec.from_json(data) if data.get("kind") == "team" else AgentSpec.from_json(data)


def models_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The models that a stored snapshot names, the leader's or the agent's own first."""
    parts = [data, *(member["agent"] for member in data.get("members", ()))]
    return [part[name] for part in parts for name in ("model", "fallback_model") if part.get(name)]


def provider_key(data: dict[str, Any]) -> int:
    """Whose limits hold a stored snapshot's run back before it starts: its first model's; 0 when another can take its place."""
    return 0 if data.get("fallback_model") else ModelSpec(**data["model"]).provider_key


def _written(spec: AgentSpec | TeamSpec) -> dict[str, Any]:
    """Its values, without those that came later and say nothing: a release that does not know them has to read it, too."""
    values = asdict(spec)
    if spec.place == PlaceSpec():
        del values["place"]
    return values


def _opened(cls: type[AgentSpec | TeamSpec], data: dict[str, Any]) -> dict[str, Any]:
    """The values that agents and teams share, as specs."""
    known = {one.name for one in fields(cls)}
    values = {name: value for name, value in data.items() if name in known}
    values["model"] = ModelSpec(**values["model"])
    if values.get("fallback_model"):
        values["fallback_model"] = ModelSpec(**values["fallback_model"])
    if values.get("output"):
        values["output"] = OutputSpec(**values["output"])
    values["limits"] = Limits(**values.get("limits", {}))
    values["place"] = PlaceSpec(**values.get("place", {}))
    values["memory"] = MemorySpec(**values.get("memory", {}))
    values["buckets"] = tuple(values.get("buckets", ()))
    return values


@dataclass(frozen=True, kw_only=True)
class RunInput:
    """What the person gave: the text, and the values of the variables. `began` is when, in words, for agents that are told."""

    text: str
    variables: dict[str, Any] = field(default_factory=dict)
    began: str = ""


@dataclass(frozen=True, kw_only=True)
class ToolInfo:
    """What a tool function looks like from outside, for catalogues and events."""

    name: str
    description: str
    parameters: dict[str, Any]
    effect: Effect
