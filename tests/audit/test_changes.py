"""Entries say what was before and after, and hold no secret."""

from __future__ import annotations

import json

import pytest

from accounts.services import departments, set_retention, update_profile
from agents import services as agents
from audit.models import Entry
from audit.services import difference
from integrations import services as integrations
from tests import factories
from webhooks import services as webhooks


def newest(action):
    return Entry.objects.filter(action=action).latest("id").data


def test_only_what_differs_is_kept_and_long_texts_are_cut():
    found = difference({"a": 1, "b": "x", "c": None}, {"a": 1, "b": "y" * 9_000, "c": {"d": (1, 2)}})
    assert found["before"] == {"b": "x", "c": None}
    assert found["after"]["c"] == {"d": [1, 2]}
    assert found["after"]["b"].endswith("… (9,000 characters)")


def test_a_department_and_its_retention(cast, seeing_all):
    departments.update_department(actor=cast.ada, department=cast.marketing, name="Sales")
    assert newest("department.updated") == {"before": {"name": "Marketing"}, "after": {"name": "Sales"}}
    set_retention(actor=cast.alice, department=cast.marketing, runs=9, events=None, files=None)
    assert newest("retention.changed") == {"before": {"keep_runs_days": None}, "after": {"keep_runs_days": 9}}


def test_a_profile_and_an_agents_name(cast, in_marketing, seeing_all):
    update_profile(actor=cast.bob, name="Robert")
    assert newest("profile.updated") == {"before": {"name": "Bob"}, "after": {"name": "Robert"}}
    agent = factories.agent(cast.alice, cast.marketing)
    agents.update_draft(actor=cast.alice, agent=agent, definition=agent.draft | {"instructions": "Other"})
    assert "instructions" in newest("agent.edited")["draft"]


@pytest.fixture
def provider(cast, seeing_all):
    return integrations.create_provider(
        actor=cast.ada, kind="openai_like", name="Own", base_url="https://one.example/v1", key="sk-secret-one-1234"
    )


def test_a_provider_without_its_headers_and_keys(cast, provider):
    integrations.update_provider(
        actor=cast.ada,
        provider=provider,
        base_url="https://two.example/v1",
        headers={"X-Key": "topsecret"},
        key="sk-secret-two-1234",
    )
    found = newest("provider.changed")
    assert found["before"] == {"base_url": "https://one.example/v1"}
    assert "headers" in found["fields"]
    everything = json.dumps(list(Entry.objects.values_list("data", flat=True)))
    assert "topsecret" not in everything
    assert "sk-secret" not in everything


def test_a_webhook_without_its_address(cast, seeing_all, settings):
    webhook = factories.webhook(cast.alice, cast.marketing)
    webhooks.update_webhook(
        actor=cast.alice,
        webhook=webhook,
        values={"url": "https://hooks.example.org/token-1234", "states": ["completed"]},
    )
    found = newest("webhook.changed")
    assert found["after"] == {"states": ["completed"]}
    assert "token-1234" not in json.dumps(found)
    assert found["host"] == "hooks.example.org"
