"""The form of an answer: asked of the provider where it can be, and checked here in any case.

Agno takes an answer that it cannot read as one that went well, with text where the object should be.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

from mindloom.engine.agno_adapter.agno_setup import Message, ModelResponse
from mindloom.engine.plain import value_of

if TYPE_CHECKING:
    from mindloom.engine.spec import OutputSpec

_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?```\s*\Z", re.DOTALL)
_LONGEST_SENTENCE = 300
_NAME = re.compile(r"[^A-Za-z0-9_-]+")


class Form:
    """What one answer must look like. `value` is the checked object of the last answer that fits, None before."""

    def __init__(self, spec: OutputSpec) -> None:
        self._spec = spec
        self._validator = Draft202012Validator(spec.schema)
        self.value: Any = None

    @property
    def response_format(self) -> dict[str, Any]:
        """The form in OpenAI's words. Not `strict`: that would forbid optional fields, and it is checked here."""
        name = _NAME.sub("_", self._spec.name)[:60] or "answer"
        return {"type": "json_schema", "json_schema": {"name": name, "schema": self._spec.schema}}

    def problem(self, pieces: list[ModelResponse]) -> str:
        """What is wrong with an answer, in a sentence; "" for one that fits, and for a turn that calls tools."""
        if any(piece.tool_calls for piece in pieces):
            return ""
        text = _text(pieces)
        try:
            value = value_of(text)
        except (ValueError, RecursionError) as error:
            return f"It is not JSON: {str(error)[:120]}."
        wrong = best_match(self._validator.iter_errors(value))
        if wrong is None:
            self.value = value
            return ""
        where = ".".join(str(step) for step in wrong.absolute_path)
        return f"{where + ': ' if where else ''}{wrong.message[:_LONGEST_SENTENCE]}."

    def sent_back(self, pieces: list[ModelResponse], problem: str) -> list[Message]:
        """The answer and what to do about it, as the next messages."""
        return [
            Message(role="assistant", content=_text(pieces) or "(nothing)"),
            Message(
                role="user",
                content=f"That does not fit the JSON Schema. {problem} Answer with the whole corrected JSON object only.",
            ),
        ]


def _text(pieces: list[ModelResponse]) -> str:
    text = "".join(piece.content for piece in pieces if isinstance(piece.content, str))
    fenced = _FENCE.match(text)
    return fenced.group(1) if fenced else text.strip()
