"""What a run may spend, all of its agents together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mindloom.engine.errors import EngineError

if TYPE_CHECKING:
    from mindloom.engine.events import FailureKind
    from mindloom.engine.spec import Limits

Fail = Callable[[str, "FailureKind"], EngineError]


class Budget:
    """Counts turns, tool calls and tokens. Raises what `fail` makes of the sentence when one is used up."""

    def __init__(self, limits: Limits, fail: Fail) -> None:
        self._limits = limits
        self._fail = fail
        self._turns = 0
        self._tool_calls = 0
        self.tokens = 0

    @property
    def left(self) -> int:
        """Tokens that may still be spent."""
        return self._limits.tokens - self.tokens

    def turn(self) -> None:
        """Count a question to a model."""
        limit = self._limits.model_turns
        if self._turns >= limit:
            raise self._fail(
                f"The agent asked its model {limit} times without finishing, the most that it may. "
                "Make its instructions clearer, or raise its limit of model turns.",
                "budget",
            )
        self._turns += 1

    def tool_call(self) -> None:
        """Count a call of a tool."""
        limit = self._limits.tool_calls
        if self._tool_calls >= limit:
            raise self._fail(
                f"The agent called tools {limit} times without finishing, the most that it may. "
                "Make its instructions clearer, or raise its limit of tool calls.",
                "budget",
            )
        self._tool_calls += 1

    def spend(self, tokens: int, *, check: bool = False) -> None:
        """Count tokens; with `check`, refuse to go on when there were too many."""
        self.tokens += tokens
        if check and self.tokens > self._limits.tokens:
            raise self.over(0)

    def over(self, more: int) -> EngineError:
        """What to raise when the tokens and `more` of them under way are too many."""
        return self._fail(
            f"The run used about {self.tokens + more:,} tokens; the agent may use {self._limits.tokens:,}. "
            "Give it less to read, or raise its limit of tokens.",
            "budget",
        )
