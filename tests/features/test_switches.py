"""What an administrator switches off is refused everywhere at once, and nothing leads there any more."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from audit.models import Entry
from buckets.services import add_source
from buckets.worker.fetching import claim_source, source_waits
from features.queries import FEATURES
from features.services import switch_feature
from integrations import tools
from integrations.models import McpServer
from mindloom import wall
from mindloom.web.errors import NotAllowed, NotFound
from runs import services as runs
from tests import factories
from webhooks import services as webhooks
from webhooks.models import Delivery
from webhooks.worker import claim


def off(cast, name):
    assert switch_feature(actor=cast.ada, name=name, on=False)


def api_of(person):
    client = APIClient()
    if person is not None:
        client.force_login(person, backend="accounts.backends.EmailBackend")
    return client


def test_switching_is_for_administrators_and_leaves_a_trace_with_before_and_after(cast, seeing_all):
    with pytest.raises(NotAllowed):
        switch_feature(actor=cast.alice, name="webhooks", on=False)
    with pytest.raises(NotFound):
        switch_feature(actor=cast.ada, name="gravity", on=False)
    off(cast, "webhooks")
    assert not switch_feature(actor=cast.ada, name="webhooks", on=False)
    entry = Entry.objects.get(action="feature.switched")
    assert entry.data == {"before": {"on": True}, "after": {"on": False}}


def test_the_page_switches_off_and_on(cast, client_as):
    client = client_as(cast.ada)
    page = client.post("/administration/features/", {"name": "sign_up", "on": "0"}, follow=True).content.decode()
    assert "Sign-up: switched off." in page
    assert "Switched by ada@example.org" in page
    client.post("/administration/features/", {"name": "sign_up", "on": "1"})
    assert client_as(None).get("/sign-up/").status_code == 200
    assert client.post("/administration/features/", {"name": "x\0", "on": "0"}).status_code == 404


def test_closed_sign_up(cast, client_as):
    off(cast, "sign_up")
    assert client_as(None).get("/sign-up/").status_code == 403
    assert client_as(None).post("/sign-up/", {}).status_code == 403
    assert "/sign-up/" not in client_as(None).get("/sign-in/").content.decode()
    given = {"email": "new@example.org", "password": "a long new phrase", "name": "New"}
    answer = api_of(None).post("/api/v1/auth/register", given | {"department": str(cast.marketing.uuid)}, format="json")
    assert answer.status_code == 403
    assert answer.json()["code"] == "switched_off"


def test_no_conversations(cast, client_as, in_marketing):
    agent = factories.agent(cast.alice, cast.marketing)
    begun = runs.start_conversation(actor=cast.bob, target=agent)
    off(cast, "conversations")
    with pytest.raises(NotAllowed, match="Run the agent instead"):
        runs.start_conversation(actor=cast.bob, target=agent)
    with pytest.raises(NotAllowed):
        runs.say(actor=cast.bob, conversation=begun, text="Hello")
    assert 'href="/conversations/"' not in client_as(cast.bob).get("/").content.decode()
    assert client_as(cast.bob).get(f"/conversations/{begun.uuid}/").status_code == 200


def test_no_openai_api(cast):
    off(cast, "openai_api")
    answer = api_of(cast.bob).get("/v1/models")
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "switched_off"


def test_no_mcp_servers(cast, in_marketing, client_as):
    McpServer.objects.create(name="House tools", slug="house", url="http://127.0.0.1:9/mcp")
    assert any(one.key == "mcp-house" for one in tools.catalogue())
    off(cast, "mcp_servers")
    assert not any(one.key == "mcp-house" for one in tools.catalogue())
    assert 'href="/mcp-servers/"' not in client_as(cast.ada).get("/").content.decode()


def test_nothing_of_the_web_is_fetched(cast, in_marketing, client_as):
    bucket = factories.bucket(cast.alice, cast.marketing)
    add_source(actor=cast.alice, bucket=bucket, url="https://example.org/news")
    off(cast, "web_sources")
    assert not source_waits()
    assert claim_source() is None
    with pytest.raises(NotAllowed, match="Upload files instead"):
        add_source(actor=cast.alice, bucket=bucket, url="https://example.org/more")
    assert "From the web" not in client_as(cast.alice).get(f"/buckets/{bucket.uuid}/").content.decode()
    switch_feature(actor=cast.ada, name="web_sources", on=True)
    assert source_waits()


def test_webhooks_wait(cast, in_marketing, client_as):
    webhook = factories.webhook(cast.alice, cast.marketing)
    Delivery.objects.update(state="pending", finished_at=None, next_attempt_at=webhook.created_at)
    off(cast, "webhooks")
    assert claim() is None
    with pytest.raises(NotAllowed):
        webhooks.test_webhook(actor=cast.alice, webhook=webhook)
    assert 'href="/webhooks/"' not in client_as(cast.alice).get("/").content.decode()
    switch_feature(actor=cast.ada, name="webhooks", on=True)
    with wall.tenant([cast.marketing.pk]):
        assert claim() is not None


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_says_what_is_missing_without_it(name):
    feature = FEATURES[name]
    assert feature.without.endswith(".")
    assert "switched off" in feature.refusal or "closed" in feature.refusal
