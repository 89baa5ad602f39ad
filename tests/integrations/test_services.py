"""Providers, models and keys."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from integrations import services
from integrations.models import Model, ModelProvider
from mindloom import keyring
from mindloom.web.errors import Conflict, Invalid, NotAllowed, Unavailable
from tests.fakes.openai_server import FakeModels

pytestmark = pytest.mark.django_db
KEY = "sk-very-secret-key-1234"
OLD, NEW = b"a" * 32, b"b" * 32


@pytest.fixture
def provider(cast):
    return services.create_provider(actor=cast.ada, kind="openai", name="OpenAI", key=KEY)


@pytest.fixture
def fake():
    with FakeModels() as server:
        yield server


def ref(provider):
    return f"provider:{provider.uuid}"


def test_only_administrators_change_providers(cast, provider):
    for person in (cast.alice, cast.mallory, cast.nora):
        with pytest.raises(NotAllowed):
            services.set_key(actor=person, provider=provider, key="x" * 20)
        with pytest.raises(NotAllowed):
            services.create_provider(actor=person, kind="offline", name="Mine")


def test_a_key_is_kept_sealed_and_opens_for_runs(provider):
    provider.refresh_from_db()
    assert KEY not in provider.key_sealed
    assert provider.key_hint == "1234"
    assert services.open_secret(ref(provider), provider.base_url) == KEY


def test_a_key_is_never_in_the_audit_trail(provider, seeing_all):
    assert not [entry for entry in Entry.objects.all() if KEY in str(entry.data) or "secret" in entry.target_label]


def test_a_key_that_was_copied_to_another_row_does_not_open(cast, provider):
    other = services.create_provider(actor=cast.ada, kind="openai", name="Other")
    ModelProvider.objects.filter(pk=other.pk).update(key_sealed=provider.key_sealed)
    with pytest.raises(Unavailable, match="belongs to another place"):
        services.open_secret(ref(other), other.base_url)


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-6] + "AAAA==", lambda text: "1.k.", lambda text: "nonsense", lambda text: text + "é"]
)
def test_a_damaged_key_does_not_open(provider, damage):
    ModelProvider.objects.filter(pk=provider.pk).update(key_sealed=damage(provider.key_sealed))
    with pytest.raises(Unavailable):
        services.open_secret(ref(provider), provider.base_url)


@pytest.mark.parametrize(
    "name", ["provider:nonsense", "provider:", "", "other:6f1c", "provider:00000000-0000-0000-0000-000000000000"]
)
def test_a_secret_that_is_not_there_says_so(name):
    with pytest.raises(Unavailable):
        services.open_secret(name, "")


def test_keys_are_closed_anew_with_the_newest_key(cast, settings):
    settings.KEY_RING = {"old": OLD}
    made = services.create_provider(actor=cast.ada, kind="openai", name="OpenAI", key=KEY)
    settings.KEY_RING = {"new": NEW, "old": OLD}
    call_command("rotate_keys", stdout=io.StringIO())
    settings.KEY_RING = {"new": NEW}
    assert services.open_secret(ref(made), made.base_url) == KEY
    assert services.reseal() == 0


def test_a_key_ring_without_the_key_says_which_one_is_missing(provider, settings):
    settings.KEY_RING = {"other": NEW}
    with pytest.raises(Unavailable, match="not in KEY_RING"):
        services.open_secret(ref(provider), provider.base_url)
    settings.KEY_RING = {"newest": NEW}
    with pytest.raises(CommandError, match="not in KEY_RING"):
        call_command("rotate_keys", stdout=io.StringIO())


def test_a_new_key_can_be_made():
    out = io.StringIO()
    call_command("new_key", stdout=out)
    assert ":" in out.getvalue()


def test_the_same_secret_is_sealed_differently_each_time():
    place = keyring.Place("t", "r", "f")
    assert keyring.seal("x", place) != keyring.seal("x", place)


def test_an_address_that_changes_its_host_asks_for_the_key_again(cast, provider):
    with pytest.raises(Invalid) as caught:
        services.update_provider(actor=cast.ada, provider=provider, base_url="https://evil.example/v1")
    assert "key" in caught.value.fields
    provider.refresh_from_db()
    services.update_provider(
        actor=cast.ada, provider=provider, base_url="https://good.example/v1", key="another-key-9999"
    )
    assert provider.key_hint == "9999"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "OpenAI"}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"kind": "rocket"}, "kind"),
        ({"kind": "azure"}, "base_url"),
        ({"base_url": "ftp://x.example"}, "base_url"),
        ({"base_url": "https://user:pw@x.example"}, "base_url"),
        ({"headers": {"Authorization": "Bearer x"}}, "headers"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "headers"),
        ({"headers": ["x"]}, "headers"),
        ({"key": "two\nlines"}, "key"),
        ({"key": "x" * 5000}, "key"),
    ],
)
def test_a_provider_that_cannot_be_is_refused_at_its_field(cast, provider, values, field):
    given = {"kind": "openai", "name": "New"} | values
    with pytest.raises(Invalid) as caught:
        services.create_provider(actor=cast.ada, **given)
    assert field in caught.value.fields


def test_a_first_start_makes_the_offline_model_the_default(db, monkeypatch):
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    services.ensure_defaults()
    assert services.ensure_defaults() == []
    assert Model.objects.get(is_default=True).provider.kind == "offline"


def test_keys_of_the_environment_become_providers(db, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure-key-5678")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://us.example/")
    services.ensure_defaults()
    made = ModelProvider.objects.get(kind="openai")
    assert services.open_secret(ref(made), made.base_url) == KEY
    assert made.models.count() > 1
    assert ModelProvider.objects.get(kind="azure").base_url == "https://us.example"


def test_a_provider_that_was_removed_stays_removed(cast, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    services.ensure_defaults()
    services.delete_provider(actor=cast.ada, provider=ModelProvider.objects.get(kind="openai"))
    assert services.ensure_defaults() == []


def test_a_bad_key_in_the_environment_does_not_stop_the_start(db, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "two\nlines")
    services.ensure_defaults()
    assert not ModelProvider.objects.filter(kind="openai").exists()


def test_there_is_one_default_model(cast, provider):
    services.ensure_defaults()
    first = services.add_model(actor=cast.ada, provider=provider, model_id="gpt-x")
    services.set_default_model(actor=cast.ada, model=first)
    assert list(Model.objects.filter(is_default=True)) == [first]


def test_the_default_model_cannot_be_taken_away(cast, db):
    services.ensure_defaults()
    default = Model.objects.get(is_default=True)
    for attempt in (
        lambda: services.delete_model(actor=cast.ada, model=default),
        lambda: services.update_model(actor=cast.ada, model=default, is_enabled=False),
        lambda: services.delete_provider(actor=cast.ada, provider=default.provider),
        lambda: services.enable_provider(actor=cast.ada, provider=default.provider, enabled=False),
    ):
        with pytest.raises(Conflict, match="default"):
            attempt()


def test_a_model_that_is_off_cannot_be_the_default(cast, provider):
    model = services.add_model(actor=cast.ada, provider=provider, model_id="gpt-x")
    services.update_model(actor=cast.ada, model=model, is_enabled=False)
    with pytest.raises(Conflict, match="switched off"):
        services.set_default_model(actor=cast.ada, model=model)


@pytest.mark.parametrize(
    ("values", "field"),
    [({"model_id": ""}, "model_id"), ({"model_id": "gpt-x"}, "model_id"), ({"context_window": -1}, "context_window")],
)
def test_a_model_that_cannot_be_is_refused_at_its_field(cast, provider, values, field):
    services.add_model(actor=cast.ada, provider=provider, model_id="gpt-x")
    with pytest.raises(Invalid) as caught:
        services.add_model(actor=cast.ada, provider=provider, **({"model_id": "other"} | values))
    assert field in caught.value.fields


def test_a_provider_that_works_lists_its_models(cast, fake):
    made = services.create_provider(actor=cast.ada, kind="openai_like", name="Fake", base_url=fake.url, key=KEY)
    result = services.test_provider(actor=cast.ada, provider=made)
    assert result.ok, result.message
    assert "plain" in result.models
    new = services.sync_models(actor=cast.ada, provider=made)
    assert new
    assert not made.models.filter(is_enabled=True).exists()
    assert services.sync_models(actor=cast.ada, provider=made) == []


def test_a_provider_that_is_not_there_says_so_without_the_key(cast):
    made = services.create_provider(
        actor=cast.ada, kind="openai_like", name="Gone", base_url="http://127.0.0.1:9/v1", key=KEY
    )
    result = services.test_provider(actor=cast.ada, provider=made)
    assert not result.ok
    assert KEY not in result.message
    with pytest.raises(Unavailable):
        services.sync_models(actor=cast.ada, provider=made)


def test_a_provider_at_a_forbidden_address_is_not_called(cast, settings):
    settings.PROVIDER_ALLOWED_NETWORKS = []
    made = services.create_provider(actor=cast.ada, kind="openai_like", name="Inside", base_url="http://127.0.0.1:9/v1")
    assert "private or reserved" in services.test_provider(actor=cast.ada, provider=made).message


def test_a_key_is_not_opened_for_an_address_that_is_no_longer_the_providers(cast):
    provider = services.create_provider(
        actor=cast.ada, kind="openai_like", name="Own", base_url="https://a.example/v1", key=KEY
    )
    services.update_provider(actor=cast.ada, provider=provider, base_url="https://b.example/v1", key=KEY)

    assert services.open_secret(ref(provider), "https://b.example/v2") == KEY
    with pytest.raises(Unavailable, match="has changed since"):
        services.open_secret(ref(provider), "https://a.example/v1")


def test_a_provider_that_is_switched_off_lends_no_key(cast):
    provider = services.create_provider(
        actor=cast.ada, kind="openai_like", name="Own", base_url="https://a.example", key=KEY
    )
    services.enable_provider(actor=cast.ada, provider=provider, enabled=False)

    with pytest.raises(Unavailable, match="switched off"):
        services.open_secret(ref(provider), "https://a.example")
