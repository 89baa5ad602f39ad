"""The pages of providers and models, and the API's models and tools."""

from __future__ import annotations

import pytest
from django.urls import reverse

from integrations import services
from integrations.models import Model, ModelProvider
from tests.fakes.openai_server import FakeModels

pytestmark = pytest.mark.django_db
KEY = "sk-very-secret-key-1234"


@pytest.fixture
def provider(cast):
    services.ensure_defaults()
    return services.create_provider(
        actor=cast.ada, kind="openai_like", name="House", base_url="https://models.example/v1", key=KEY
    )


@pytest.fixture
def ada(client_as, cast):
    return client_as(cast.ada)


def url(name, row):
    return reverse(f"integrations:{name}", args=[row.uuid])


@pytest.mark.parametrize("name", ["list", "create"])
def test_only_administrators_come_in(client_as, cast, name):
    for person in (cast.alice, cast.bob, cast.nora):
        assert client_as(person).get(reverse(f"integrations:{name}")).status_code == 403


@pytest.mark.parametrize("name", ["test", "sync", "enable", "remove_key", "delete", "add_model"])
def test_nobody_else_changes_a_provider(client_as, cast, provider, name):
    assert client_as(cast.alice).post(url(name, provider)).status_code == 403
    provider.refresh_from_db()
    assert provider.key_sealed


def test_the_list_shows_providers_and_never_the_key(ada, provider):
    page = ada.get(reverse("integrations:list")).content.decode()
    assert "House" in page
    assert "…1234" in page
    assert KEY not in page


def test_the_kind_is_chosen_first(ada):
    assert b"Ollama" in ada.get(reverse("integrations:create")).content
    page = ada.get(reverse("integrations:create"), {"kind": "azure"}).content
    assert b"API version" in page
    assert b"API version" not in ada.get(reverse("integrations:create"), {"kind": "openai"}).content


def test_a_provider_is_added(ada):
    answer = ada.post(reverse("integrations:create"), {"kind": "openai", "name": "OpenAI", "key": KEY})
    made = ModelProvider.objects.get(name="OpenAI")
    assert answer.url == url("provider", made)


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "openai", "name": "O"},
        {"kind": "azure", "name": "A", "key": KEY},
        {"kind": "openai", "name": "a\x00", "key": KEY},
    ],
)
def test_what_is_missing_is_asked_for(ada, data):
    assert ada.post(reverse("integrations:create"), data).status_code == 422


def test_the_key_is_never_in_a_page(ada, provider):
    page = ada.get(url("provider", provider)).content.decode()
    assert KEY not in page
    assert "…1234" in page
    page = ada.post(url("provider", provider), {"name": "", "base_url": provider.base_url, "key": KEY}).content.decode()
    assert KEY not in page


def test_a_name_that_is_taken_is_said_beside_the_name(ada, provider):
    page = ada.post(reverse("integrations:create"), {"kind": "openai", "name": "House", "key": KEY})
    assert page.status_code == 422
    assert b"already exists" in page.content


def test_an_empty_key_keeps_the_one_there_is(ada, provider):
    ada.post(
        url("provider", provider), {"name": "Renamed", "base_url": provider.base_url, "key": "", "headers": "X-Team: a"}
    )
    provider.refresh_from_db()
    assert (provider.name, provider.key_hint, provider.headers) == ("Renamed", "1234", {"X-Team": "a"})


def test_models_are_added_switched_and_made_the_default(ada, provider):
    ada.post(url("add_model", provider), {"model_id": "big", "supports_tools": "on"})
    model = Model.objects.get(model_id="big")
    ada.post(url("default", model))
    model.refresh_from_db()
    assert model.is_default
    ada.post(url("enable_model", model), {"enabled": "0"})
    model.refresh_from_db()
    assert model.is_enabled
    offline = Model.objects.get(model_id="offline")
    ada.post(url("default", offline))
    ada.post(url("enable_model", model), {"enabled": "0"})
    model.refresh_from_db()
    assert not model.is_enabled
    ada.post(url("delete_model", model))
    assert not Model.objects.filter(pk=model.pk).exists()


def test_a_model_is_renamed(ada, provider, cast):
    model = services.add_model(actor=cast.ada, provider=provider, model_id="big")
    assert ada.get(url("model", model)).status_code == 200
    ada.post(url("model", model), {"model_id": "big", "label": "The big one", "context_window": "9"})
    model.refresh_from_db()
    assert (model.label, model.context_window, model.supports_tools) == ("The big one", 9, False)
    assert ada.post(url("model", model), {"model_id": "", "context_window": "x"}).status_code == 422


def test_the_test_button_shows_what_the_provider_says(ada, cast):
    with FakeModels() as fake:
        made = services.create_provider(actor=cast.ada, kind="openai_like", name="Fake", base_url=fake.url)
        headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#test-result"}
        assert b"It works" in ada.post(url("test", made), headers=headers).content
        ada.post(url("sync", made))
    assert made.models.exists()
    assert b"It does not work" in ada.post(url("test", made), headers=headers).content


def test_a_provider_is_switched_off_loses_its_key_and_is_deleted(ada, provider):
    ada.post(url("enable", provider), {"enabled": "0"})
    ada.post(url("remove_key", provider))
    provider.refresh_from_db()
    assert (provider.is_enabled, provider.key_sealed, provider.key_hint) == (False, "", "")
    ada.post(url("delete", provider))
    assert not ModelProvider.objects.filter(pk=provider.pk).exists()


def test_the_admin_shows_providers_without_keys(ada, provider):
    page = ada.get(reverse("admin:integrations_modelprovider_change", args=[provider.pk])).content.decode()
    assert "House" in page
    assert provider.key_sealed not in page
    assert ada.get(reverse("admin:integrations_model_changelist")).status_code == 200


def test_the_api_lists_usable_models_without_addresses_and_keys(client_as, cast, provider):
    services.add_model(actor=cast.ada, provider=provider, model_id="big")
    answer = client_as(cast.carol).get(reverse("api:models"))
    assert [one["label"] for one in answer.json()] == ["Offline", "big"]
    assert b"models.example" not in answer.content
    assert b"1234" not in answer.content


def test_the_api_lists_tools_with_their_functions(client_as, cast):
    tools = {one["key"]: one for one in client_as(cast.bob).get(reverse("api:tools")).json()}
    assert tools["calculator"]["functions"][0]["name"] == "calculate"
    assert tools["web_page"]["settings"][0]["name"] == "sites"
    assert client_as(None).get(reverse("api:tools")).status_code == 401
