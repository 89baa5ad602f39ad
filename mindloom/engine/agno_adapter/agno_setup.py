"""Imports Agno the way we want it: without telemetry, without prompts in logs, without output of its own.

Agno reads its environment and sets up its loggers while it is imported, so every other module here imports it through
this one.
"""

from __future__ import annotations

import logging
import os

os.environ["AGNO_TELEMETRY"] = "false"
for _name in ("agno", "agno-team", "agno-workflow"):
    # Agno keeps handlers that are there before it, and would print prompts and provider answers to stdout otherwise.
    # What matters of its messages reaches the run's own events.
    _logger = logging.getLogger(_name)
    _logger.addHandler(logging.NullHandler())
    _logger.propagate = False

from agno.agent import Agent  # noqa: E402 - only after the lines above
from agno.metrics import MessageMetrics  # noqa: E402
from agno.models.base import Model  # noqa: E402
from agno.models.message import Message  # noqa: E402
from agno.models.response import ModelResponse  # noqa: E402
from agno.team import Team, TeamMode  # noqa: E402
from agno.tools.function import Function, FunctionCall  # noqa: E402
from agno.utils.functions import get_function_call  # noqa: E402

__all__ = [
    "Agent",
    "Function",
    "FunctionCall",
    "Message",
    "MessageMetrics",
    "Model",
    "ModelResponse",
    "Team",
    "TeamMode",
    "function_call",
]


def function_call(name: str, arguments: str, functions: dict[str, Function]) -> FunctionCall:
    """A call of one of Agno's own functions. Raises `LookupError` for one that it does not have."""
    call = get_function_call(name=name, arguments=arguments, functions=functions)
    if call is None:
        raise LookupError(name)
    return call
