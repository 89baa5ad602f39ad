"""An agent of Marketing, and the model it uses."""

from __future__ import annotations

import pytest

from agents import services
from integrations.services import ensure_defaults
from mindloom import wall

DRAFT = {
    "instructions": "Write about {{ topic }}.",
    "variables": [{"name": "topic", "label": "Topic", "kind": "text"}],
    "tools": [{"key": "calculator"}],
}


@pytest.fixture
def models(db):
    ensure_defaults()


@pytest.fixture
def agent(cast, models):
    """Bob's agent, not published yet."""
    with wall.tenant([cast.marketing.pk]):
        return services.create_agent(actor=cast.bob, department_id=cast.marketing.pk, name="Digest", definition=DRAFT)


@pytest.fixture
def published(cast, agent):
    with wall.tenant([cast.marketing.pk]):
        services.publish_agent(actor=cast.bob, agent=agent, note="First")
        agent.refresh_from_db()
    return agent
