"""Calls a tool as a run does."""

from __future__ import annotations

from integrations import tools
from integrations.tools.base import OpenConnection
from mindloom.engine.ports import SavedArtifact, ToolError
from mindloom.engine.spec import ToolSpec


class Context:
    """A run that keeps what is saved."""

    def __init__(self):
        self.saved = []

    def save_artifact(self, name, content, media_type):
        self.saved.append((name, content, media_type))
        return SavedArtifact(uuid="1", name=name, media_type=media_type, size_bytes=len(content))

    def log(self, message, level="info"):
        pass

    def cancelled(self):
        return False


def opened(kind, values, name="Office"):
    return OpenConnection(kind=kind, name=name, values=values)


def functions(key, config=None, connection=None):
    return {one.info.name: one for one in tools.functions(ToolSpec(key=key, config=config or {}), connection)}


def call(key, function, context=None, config=None, connection=None, /, **arguments):
    return functions(key, config, connection)[function].call(arguments, context or Context())


def refusal(*given, **arguments):
    """The sentence with which a call is refused."""
    try:
        result = call(*given, **arguments)
    except ToolError as error:
        return str(error)
    raise AssertionError(f"It was not refused, but answered: {result}")
