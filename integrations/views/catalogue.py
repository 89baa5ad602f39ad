"""Pages of the tool catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from accounts.models import Role
from accounts.queries import may
from integrations import tools
from integrations.models import Connection
from integrations.tools.connections import KINDS
from integrations.views.doors import plain, reverse_or_none
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.middleware import Request
    from integrations.tools.connections import ConnectionKind
    from mindloom.engine.spec import ToolInfo

EFFECTS = ("reads", "writes", "sends", "executes")
ASKING = {
    "never": "It changes nothing outside, so no permission is asked for.",
    "off": "Whoever builds the agent can have a person asked first.",
    "on": "A person is asked first, unless whoever builds the agent switches that off.",
    "always": "A person is always asked first.",
}
_KINDS_OF_SETTING = {"text": "text", "lines": "a list, one a line", "long": "a longer text"}
_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no",
    "object": "named values",
    "null": "nothing",
}


@dataclass(frozen=True)
class Card:
    """A tool as the list shows it."""

    tool: tools.Tool
    functions: tuple[ToolInfo, ...]
    kind: ConnectionKind | None
    is_remote: bool

    @property
    def asks_first(self) -> bool:
        """Whether a person is asked unless somebody decides otherwise."""
        return self.tool.ask_first in {"on", "always"}

    def matches(self, text: str) -> bool:
        """Whether every word stands in its name, its sentence or its functions."""
        about = " ".join((self.tool.name, self.tool.description, *(one.name for one in self.functions))).casefold()
        return all(word in about for word in text.casefold().split())


@login_required
@require_safe
def tool_list(request: Request) -> HttpResponse:
    text = plain(request.GET.get("q", ""))
    effect = request.GET.get("effect", "")
    effect = effect if effect in EFFECTS else ""
    cards = [_card(tool) for tool in tools.catalogue()]
    found = [card for card in cards if card.matches(text)]
    counts = {one: sum(card.tool.effect == one for card in found) for one in EFFECTS}
    context = {
        "cards": [card for card in found if not effect or card.tool.effect == effect],
        "text": text,
        "effect": effect,
        "effects": [{"effect": one, "count": count} for one, count in counts.items()],
        "total": len(found),
    }
    return render_page(request, "integrations/tools.html", context, partials={"tools": "results"})


@login_required
@require_safe
def tool_detail(request: Request, key: str) -> HttpResponse:
    tool = tools.find(key)
    if tool is None:
        raise Http404
    card = _card(tool)
    connections = Connection.objects.usable_by(request.user).filter(kind=tool.connection).order_by("name")
    context = {
        "card": card,
        "tool": tool,
        "functions": [{"info": one, "parameters": parameters(one.parameters)} for one in card.functions],
        "settings": [{"field": one, "kind": _KINDS_OF_SETTING[one.kind]} for one in tool.config_fields],
        "asking": ASKING[tool.ask_first],
        "connections": connections if tool.connection else [],
        "may_connect": request.department is not None and may(request.user, Role.MEMBER, request.department.pk),
        "using_url": reverse_or_none("agents:using_tool", tool.key),
    }
    return render_page(request, "integrations/tool.html", context)


def parameters(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The arguments that a JSON schema describes, in words. It may come from a server that writes what it likes."""
    properties = schema.get("properties")
    required = schema.get("required")
    return [
        {
            "name": str(name),
            "kind": in_words(part),
            "is_required": isinstance(required, list) and name in required,
            "description": str(part.get("description", "")) if isinstance(part, dict) else "",
        }
        for name, part in (properties.items() if isinstance(properties, dict) else ())
    ]


def in_words(part: Any, depth: int = 0) -> str:
    """What a value may be, such as "text" or "list of whole numbers"."""
    if not isinstance(part, dict) or depth > 3:
        return "anything"
    choices = part.get("enum")
    if isinstance(choices, list) and choices:
        return f"one of: {', '.join(map(str, choices[:12]))}{' and others' if len(choices) > 12 else ''}"
    for several in ("anyOf", "oneOf"):
        if isinstance(part.get(several), list):
            found = [in_words(one, depth + 1) for one in part[several] if one != {"type": "null"}]
            return " or ".join(dict.fromkeys(found)) or "anything"
    kind = part.get("type")
    if isinstance(kind, list):
        return " or ".join(_WORDS.get(str(one), str(one)) for one in kind if one != "null") or "anything"
    if kind == "array":
        return f"list of: {in_words(part.get('items'), depth + 1)}" if part.get("items") else "list"
    return _WORDS.get(str(kind), "anything")


def _card(tool: tools.Tool) -> Card:
    return Card(tool, tuple(tools.infos(tool)), KINDS.get(tool.connection), tools.is_remote(tool))
