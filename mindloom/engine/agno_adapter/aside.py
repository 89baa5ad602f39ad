"""Long results of tools, kept aside so that they do not fill the model's context; it can read on in them."""

from __future__ import annotations

from typing import Any

from mindloom.engine.ports import ToolError

ASIDE_FROM = 12_000
"""Characters from which a result is kept aside."""
SHOWN = 2_000
PAGE = 8_000


class Aside:
    """The results of one part, named r1, r2 and so on."""

    def __init__(self) -> None:
        self._results: dict[str, str] = {}

    def keep(self, text: str) -> str:
        """Keep a result, and return what the model reads instead."""
        name = f"r{len(self._results) + 1}"
        self._results[name] = text
        return (
            f"{text[:SHOWN]}\n\n[These are the first {SHOWN:,} of {len(text):,} characters. The rest is kept as {name}: "
            f'read on with read_result, from a character or from where a text stands ("find").]'
        )

    def read(self, arguments: dict[str, Any]) -> str:
        """A page of a result. Raises `ToolError` with what can be read."""
        text = self._results.get(arguments["result"])
        if text is None:
            raise ToolError(f"There is no such result. Results: {', '.join(self._results) or 'none'}.")
        begin = int(arguments.get("from") or 0)
        if wanted := str(arguments.get("find") or ""):
            place = text.lower().find(wanted.lower(), begin)
            if place < 0:
                raise ToolError(
                    f"“{wanted[:100]}” does not stand in {arguments['result']} from character {begin:,} on."
                )
            begin = max(0, place - PAGE // 8)
        if begin >= len(text):
            raise ToolError(f"{arguments['result']} has {len(text):,} characters.")
        end = min(len(text), begin + PAGE)
        return f"{text[begin:end]}\n\n[Characters {begin:,} to {end:,} of {len(text):,}.]"
