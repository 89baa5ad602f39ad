"""What holds for every tool."""

from __future__ import annotations

import lucide
import pytest
from jsonschema import Draft202012Validator

from integrations import tools
from integrations.tools.base import OpenConnection
from integrations.tools.connections import KINDS
from mindloom.engine.errors import EngineError
from mindloom.engine.spec import ToolSpec

OURS = list(tools._CATALOGUE.values())
STRENGTH = ("reads", "writes", "sends", "executes")


def offered(tool):
    return tool.functions(tools.Setup(config={}))


def test_there_are_tools_for_the_office():
    assert len(OURS) >= 20
    assert all(tools.find(tool.key) is tool for tool in OURS)


@pytest.mark.parametrize("tool", OURS, ids=lambda tool: tool.key)
def test_a_tool_says_what_it_is(tool):
    assert tool.name[0].isupper()
    assert tool.description.endswith(".")
    assert lucide._render_icon(tool.icon, 16)
    assert not tool.connection or tool.connection in KINDS
    for field in tool.config_fields:
        assert field.label
        field.read(None)


@pytest.mark.parametrize("tool", OURS, ids=lambda tool: tool.key)
def test_a_function_says_what_it_takes(tool):
    for one in offered(tool):
        assert one.info.description.endswith(".")
        Draft202012Validator.check_schema(one.info.parameters)
        assert one.info.parameters["additionalProperties"] is False
        assert set(one.info.parameters["required"]) <= one.info.parameters["properties"].keys()


@pytest.mark.parametrize("tool", [tool for tool in OURS if offered(tool)], ids=lambda tool: tool.key)
def test_a_tool_is_as_strong_as_its_strongest_function(tool):
    assert tool.effect == max((one.info.effect for one in offered(tool)), key=STRENGTH.index)


def test_what_sends_asks_first_unless_that_is_switched_off():
    for tool in OURS:
        assert (tool.effect == "sends") == (tool.ask_first != "never")


@pytest.mark.parametrize("key", ["artifact", "pdf", "calculator"])
def test_what_stays_in_the_run_need_not_ask_once_documents_were_read(key):
    assert not any(one.acts_outside for one in tools.functions(ToolSpec(key=key)))


def test_no_two_functions_have_the_same_name():
    names = [one.info.name for tool in OURS for one in offered(tool)]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("key", ["web_search", "sql", "email", "translate", "webhook"])
def test_a_tool_that_needs_a_connection_does_not_run_without(key):
    for connection in (None, OpenConnection(kind="other", name="Other", values={})):
        with pytest.raises(EngineError, match="needs a connection"):
            tools.functions(ToolSpec(key=key), connection)
