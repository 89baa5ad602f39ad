"""docs/tools.md says what the catalogue is."""

from __future__ import annotations

from integrations import tools
from integrations.tools.connections import KINDS
from tests.architecture.sources import table

ASKS = {"never": "no", "off": "if switched on", "on": "yes, unless switched off", "always": "always"}


def test_the_page_lists_the_tools_as_they_are():
    written = [(row[0], row[1].strip("`"), *row[2:]) for row in table("tools.md", "## Catalogue")]
    expected = []
    for tool in tools._CATALOGUE.values():
        functions = ", ".join(f"`{one.info.name}`" for one in tool.functions(tools.Setup(config={})))
        connection = KINDS[tool.connection].name if tool.connection else "none"
        connection += " (if wanted)" if tool.connection_optional else ""
        expected.append(
            (
                tool.name,
                tool.key,
                tool.description,
                functions or "one for each operation",
                tool.effect,
                connection,
                ASKS[tool.ask_first],
            )
        )
    strip = [tuple(cell.replace("`", "") for cell in row) for row in written]
    assert strip == [tuple(cell.replace("`", "") for cell in row) for row in expected]


def test_the_page_lists_the_kinds_of_connections_as_they_are():
    written = [tuple(cell.strip("`").lower() for cell in row) for row in table("tools.md", "## Connections")]
    assert written == [
        (kind.name.lower(), key, kind.description.lower(), ", ".join(field.label.lower() for field in kind.fields))
        for key, kind in KINDS.items()
    ]
