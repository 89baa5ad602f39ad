"""A trail with entries of two departments and of none."""

from __future__ import annotations

import pytest

from audit.services import record, remote_address
from mindloom import wall
from tests import factories


@pytest.fixture
def made(cast):
    """Entries by name."""
    with wall.system("tests: a trail"):
        scout = factories.agent(cast.alice, cast.marketing, name="Scout")
        vault = factories.agent(cast.mallory, cast.finance, name="Vault")
        at = remote_address.set("10.9.8.7")
        entries = {
            "changed": record(
                actor=cast.alice,
                action="agent.changed",
                target=scout,
                before={"name": "Scot", "icon": "bot"},
                after={"name": "Scout", "icon": "bot"},
            ),
            "published": record(actor=cast.bob, action="agent.published", target=scout, number=3),
            "finance": record(actor=cast.mallory, action="agent.published", target=vault),
            "nobody": record(actor=None, action="demo.seeded"),
        }
        remote_address.reset(at)
    return entries
