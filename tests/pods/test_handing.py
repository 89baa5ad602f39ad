"""A pod is handed the secrets of its run and no others, and opens them as everybody does; it has no key to open more."""

from __future__ import annotations

import json

import pytest

from audit.models import Entry
from integrations import services as integrations
from mindloom import keyring, wall
from mindloom.engine.spec import ModelSpec, ToolSpec
from runs.worker.pods.handing import HANDED, handed_to
from runs.worker.ports import RunPorts
from runs.worker.redact import Redactor
from tests import factories

ADDRESS = "https://one.example/v1"
KEY, OTHER, PASSWORD = "sk-secret-one-1234", "sk-secret-two-5678", "mail-password-4321"


@pytest.fixture
def provider(cast, transactional_db):
    made = {"actor": cast.ada, "kind": "openai_like"}
    integrations.create_provider(name="Other", base_url="https://two.example/v1", key=OTHER, **made)
    return integrations.create_provider(name="Own", base_url=ADDRESS, key=KEY, **made)


@pytest.fixture
def run(cast, provider, settings):
    """A run with a model that has a key and a tool that has a connection."""
    settings.KUBERNETES_DATABASE_URL = "postgresql://mindloom:db%40password@db/mindloom"
    settings.KUBERNETES_REDIS_URL = "redis://redis/0?password=redis-password"
    with wall.tenant([cast.marketing.pk]):
        mail = factories.connection(cast.alice, cast.marketing)
        model = ModelSpec(kind="openai_like", model="m", base_url=ADDRESS, key_ref=f"provider:{provider.uuid}")
        tools = (ToolSpec(key="send-email", connection_ref=f"connection:{mail.uuid}"),)
        spec = factories.spec(model=model, tools=tools).to_json()
        yield factories.run(factories.agent(cast.alice, cast.marketing), cast.bob, spec=spec)


def handed(run):
    return json.loads(handed_to(run).files[HANDED])


def test_what_the_run_opens_is_handed_and_nothing_else(run, provider):
    found = handed(run)
    assert sorted(found.values()) == sorted([KEY, PASSWORD])
    assert found[f"integrations_modelprovider/{provider.uuid}/key"] == KEY
    assert OTHER not in handed_to(run).files[HANDED]


def test_the_pod_opens_what_it_was_handed_without_a_key(run, provider, settings):
    settings.HANDED_SECRETS, settings.KEY_RING = handed(run), {}
    ports = RunPorts(run, Redactor())

    assert ports.secret(f"provider:{provider.uuid}", ADDRESS) == KEY
    other = keyring.Place("integrations_modelprovider", "another", "key")
    with pytest.raises(keyring.KeyringError, match="was not handed to the pod"):
        keyring.open_("1.k1.abc", other)
    with pytest.raises(keyring.KeyringError, match="keeps no secrets"):
        keyring.seal("new", other)


def test_the_trail_says_what_was_handed_when_it_was_handed(cast, run, provider, settings):
    handed_to(run).note(run)
    with wall.system("tests: the trail"):
        entries = list(Entry.objects.filter(action="secret.used").values_list("actor_label", "data__secret"))
    assert {actor for actor, _ in entries} == {cast.bob.email}
    assert f"provider:{provider.uuid}" in {secret for _, secret in entries}

    settings.HANDED_SECRETS = handed(run)
    with wall.system("tests: the trail"):
        before = Entry.objects.count()
    RunPorts(run, Redactor()).secret(f"provider:{provider.uuid}", ADDRESS)
    with wall.system("tests: the trail"):
        assert Entry.objects.count() == before, "a pod cannot add to the chain"


def test_what_may_not_be_opened_is_left_out_and_the_run_says_why(cast, run, provider):
    integrations.enable_provider(actor=cast.ada, provider=provider, enabled=False)
    assert list(handed(run).values()) == [PASSWORD]


def test_passwords_in_addresses_are_kept_out_of_logs_too(run):
    found = handed_to(run).secrets
    assert {KEY, PASSWORD, "db@password", "db%40password", "redis-password"} <= set(found)
