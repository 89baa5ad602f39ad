"""Functions that the engine itself offers: looking into the buckets, thinking aloud, reading a long result again.

They are carried out in `toolbox`, which knows the run; here stands what the model is told of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from mindloom.engine.ports import ToolContext, ToolFunction
from mindloom.engine.spec import ToolInfo

KNOWLEDGE = "search_knowledge"
THINK = "think"
READ_RESULT = "read_result"


def functions(*, knowledge: bool, thinking: bool, offload: bool) -> Iterator[ToolFunction]:
    """The functions for an agent with these settings."""
    if knowledge:
        yield _function(
            KNOWLEDGE,
            "Search the documents that this agent may read. Returns passages with numbers; cite them as [1], [2].",
            {"query": {"type": "string", "description": "What to look for, in words of the documents"}},
        )
    if thinking:
        yield _function(
            THINK,
            "Think step by step before acting or answering. Nobody but you acts on it.",
            {"thought": {"type": "string", "description": "Your reasoning"}},
        )
    if offload:
        yield _function(
            READ_RESULT,
            "Read on in a long result that was kept aside.",
            {
                "result": {"type": "string", "description": "The result's name, such as r1"},
                "from": {"type": "integer", "minimum": 0, "description": "The first character to read"},
                "find": {"type": "string", "description": "Begin where this text stands first"},
            },
            required=("result",),
        )


def _function(
    name: str, description: str, properties: dict[str, dict[str, Any]], required: tuple[str, ...] | None = None
) -> ToolFunction:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(required or properties),
        "additionalProperties": False,
    }
    info = ToolInfo(name=name, description=description, parameters=parameters, effect="reads")
    return ToolFunction(info=info, call=in_toolbox)


def is_builtin(function: ToolFunction | None) -> bool:
    """Whether it is one of these, and not a tool of the catalogue with the same name."""
    return function is not None and function.call is in_toolbox


def in_toolbox(arguments: dict[str, Any], context: ToolContext) -> NoReturn:
    """Stands for what `toolbox` does."""
    raise AssertionError("carried out by the toolbox")
