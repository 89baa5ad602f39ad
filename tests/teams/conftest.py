"""A team of Marketing, its members, and the model they use."""

from __future__ import annotations

import pytest
from django.urls import reverse

from agents import services as agents
from integrations.services import ensure_defaults
from mindloom import wall
from teams import services


@pytest.fixture
def models(db):
    ensure_defaults()


@pytest.fixture
def make_agent(cast, models):
    """Makes a published agent of Marketing: make_agent("Writer", "topic", owner=…)."""

    def make(name, *variables, owner=None, published=True, visibility="department", **definition):
        uses = " ".join(f"{{{{ {one} }}}}" for one in variables)
        content = {"instructions": f"Do your part. {uses}", "variables": [{"name": one} for one in variables]}
        with wall.tenant([cast.marketing.pk]):
            agent = agents.create_agent(
                actor=owner or cast.bob,
                department_id=cast.marketing.pk,
                name=name,
                definition=content | definition,
                visibility=visibility,
            )
            if published:
                agents.publish_agent(actor=owner or cast.bob, agent=agent)
                agent.refresh_from_db()
        return agent

    return make


@pytest.fixture
def researcher(make_agent):
    return make_agent("Researcher")


@pytest.fixture
def writer(make_agent):
    return make_agent("Writer", "topic")


@pytest.fixture
def draft(researcher, writer):
    """A definition that is ready: the writer's topic is the team's subject."""
    return {
        "type": "coordinate",
        "instructions": "Work on {{ subject }}.",
        "variables": [{"name": "subject", "label": "Subject"}],
        "members": [
            {"agent": str(researcher.uuid), "role": "Finds the facts"},
            {"agent": str(writer.uuid), "role": "Writes", "variables": {"topic": {"from": "subject"}}},
        ],
    }


@pytest.fixture
def team(cast, draft):
    """Bob's team, not published yet."""
    with wall.tenant([cast.marketing.pk]):
        return services.create_team(
            actor=cast.bob, department_id=cast.marketing.pk, name="Press desk", definition=draft
        )


@pytest.fixture
def published(cast, team):
    with wall.tenant([cast.marketing.pk]):
        services.publish_team(actor=cast.bob, team=team, note="First")
        team.refresh_from_db()
    return team


@pytest.fixture
def api(client_as):
    """Calls the API as a person: api(user, "post", "teams", body) with a route name and its uuid."""

    def call(user, method, name, body=None, *args, **headers):
        client = client_as(user)
        address = reverse(f"api:{name}", args=args)
        if method in {"get", "delete"}:
            return getattr(client, method)(address, body or {}, headers=headers)
        return getattr(client, method)(
            address, body if body is not None else {}, content_type="application/json", headers=headers
        )

    return call
