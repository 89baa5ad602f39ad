"""From an agent's version or draft to what the engine runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents.definition import check
from integrations.models import Model, ProviderKind
from mindloom.engine.spec import AgentSpec, Limits, ModelSpec, ToolSpec
from mindloom.web.errors import Invalid

if TYPE_CHECKING:
    from agents.models import Agent, AgentVersion


def agent_spec(agent: Agent, version: AgentVersion | None = None) -> AgentSpec:
    """The complete spec of a version, or of the draft when there is none (version 0).

    Raises `Invalid` with the fields at fault: an unfinished draft, a tool that is gone, a model that is gone or switched off.
    """
    definition = check(agent.draft if version is None else version.definition)
    return AgentSpec(
        name=agent.name,
        uuid=str(agent.uuid),
        version=version.number if version is not None else 0,
        description=agent.description,
        instructions=definition["instructions"],
        model=_model_spec(definition),
        tools=tuple(ToolSpec(key=tool["key"], config=tool["config"]) for tool in definition["tools"]),
        limits=Limits(**definition["limits"]),
        markdown=definition["markdown"],
    )


def model_of(definition: dict[str, Any]) -> Model:
    """The model that a definition names, or the default. Raises `Invalid` when it cannot be used now."""
    wanted = definition.get("model")
    if wanted is None:
        model = Model.objects.usable().filter(is_default=True).first()
        if model is None:
            raise _refusal(
                "There is no default model that is switched on. Choose a model, or ask an administrator to set a default."
            )
        return model
    model = Model.objects.select_related("provider").filter(uuid=wanted).first()
    if model is None:
        raise _refusal("The chosen model is gone. Choose another one.")
    if not model.is_enabled:
        raise _refusal(f"The model “{model.label}” is switched off. Choose another one, or ask an administrator.")
    if not model.provider.is_enabled:
        raise _refusal(
            f"The provider “{model.provider.name}” is switched off. Choose another model, or ask an administrator."
        )
    return model


def _refusal(sentence: str) -> Invalid:
    return Invalid(sentence, fields={"model": [sentence]})


def _model_spec(definition: dict[str, Any]) -> ModelSpec:
    model = model_of(definition)
    provider = model.provider
    return ModelSpec(
        kind=ProviderKind(provider.kind).value,  # type: ignore[arg-type] # the choices are the engine's kinds
        model=model.model_id,
        provider=provider.name,
        base_url=provider.base_url,
        api_version=provider.api_version,
        key_ref=f"provider:{provider.uuid}" if provider.key_sealed else "",
        headers=dict(provider.headers),
        parameters=dict(definition["parameters"]),
    )
