"""What a benchmark found, and its table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    figure: str
    ratio: str = ""
    target: str = ""
    met: bool | None = None
    """None where there is no target."""

    def markdown(self) -> str:
        """As a line of a Markdown table."""
        verdict = {True: "met", False: "**not met**", None: ""}[self.met]
        return f"| {self.what} | {self.figure} | {self.ratio} | {self.target} | {verdict} |"


HEAD = "| What | Figure | Against | Target | |\n|---|---|---|---|---|"


def table(rows: list[Row]) -> str:
    """The whole table."""
    return "\n".join([HEAD, *(row.markdown() for row in rows)])
