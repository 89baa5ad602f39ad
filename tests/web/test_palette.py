"""What the command palette asks for when it is opened."""

from __future__ import annotations

import pytest

from mindloom import wall
from tests import factories


@pytest.fixture
def agents(cast, db):
    with wall.system("tests: agents to jump to"):
        scout = factories.agent(cast.alice, cast.marketing, name="Scout")
        factories.agent(cast.mallory, cast.finance, name="Ledger")
        return scout


def offered(browser):
    return {one["label"]: one["href"] for one in browser.get("/commands").json()["commands"]}


def test_agents_are_offered_by_name_to_those_who_see_them(agents, cast, client_as):
    assert offered(client_as(cast.bob)) == {
        "Scout": f"/agents/{agents.uuid}/",
        "Run Scout": f"/agents/{agents.uuid}/run/",
    }
    assert set(offered(client_as(cast.mallory))) == {"Ledger", "Run Ledger"}


def test_who_may_not_run_is_not_offered_to(agents, cast, client_as):
    assert set(offered(client_as(cast.carol))) == {"Scout"}


def test_a_page_does_not_wait_for_them(agents, cast, client_as):
    assert "Run Scout" not in client_as(cast.bob).get("/").content.decode().partition('id="commands"')[2]
