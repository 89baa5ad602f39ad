"""What can be switched, and how it stands. Asked of the database every time, so that a switch holds at once, in every process."""

from __future__ import annotations

from dataclasses import dataclass

from features.models import Switch
from mindloom.web.errors import NotAllowed


@dataclass(frozen=True)
class Feature:
    """A part that can be switched off: its name, what it is called, what happens without it, and how that is refused."""

    name: str
    label: str
    without: str
    refusal: str


FEATURES = {
    one.name: one
    for one in (
        Feature(
            "sign_up",
            "Sign-up",
            "Nobody can make an account; invitations still work.",
            "Sign-up is closed. Ask an administrator or a manager of your department for an account.",
        ),
        Feature(
            "conversations",
            "Conversations",
            "Nobody can begin one or say something; what was said stays.",
            "Conversations are switched off. Run the agent instead, or ask an administrator.",
        ),
        Feature(
            "openai_api",
            "The OpenAI-compatible API",
            "Every request below /v1/ is refused.",
            "The OpenAI-compatible API is switched off. Use /api/v1/, or ask an administrator.",
        ),
        Feature(
            "mcp_servers",
            "MCP servers",
            "Agents get no tools of MCP servers; runs that need one fail and say so.",
            "MCP servers are switched off. Ask an administrator.",
        ),
        Feature(
            "web_sources",
            "Pages and feeds of the web in content buckets",
            "No address is added or fetched; documents that were fetched stay.",
            "Fetching pages of the web is switched off. Upload files instead, or ask an administrator.",
        ),
        Feature(
            "webhooks",
            "Webhooks",
            "Nothing is sent; messages wait and are sent when it is on again.",
            "Webhooks are switched off. Ask an administrator.",
        ),
    )
}


def is_on(name: str) -> bool:
    """Whether the feature may be used now."""
    return not Switch.objects.filter(name=name, is_on=False).exists()


def switched_off() -> set[str]:
    """The names of all that may not be used now."""
    return set(Switch.objects.filter(is_on=False).values_list("name", flat=True))


def check_on(name: str) -> None:
    """Raises `NotAllowed` with the feature's own sentence when it is off."""
    if not is_on(name):
        raise NotAllowed(FEATURES[name].refusal, code="switched_off")
