"""Errors that end a run, in words for the person who started it."""

from __future__ import annotations

from mindloom.engine.events import FailureKind


class EngineError(Exception):
    """The run cannot go on. `message` says what happened and what to do; `permanent` is false where trying again may
    help.
    """

    def __init__(self, message: str, *, kind: FailureKind = "agent_error", permanent: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.kind: FailureKind = kind
        self.permanent = permanent
