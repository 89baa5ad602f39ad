"""Prices of models, for administrators: on a page, and in the API."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from audit.models import Entry
from integrations import services
from integrations.models import Model
from mindloom import wall


@pytest.fixture
def model(cast, seeing_all):
    provider = services.create_provider(
        actor=cast.ada, kind="openai_like", name="Own", base_url="https://one.example/v1", key="sk-secret-one-1234"
    )
    return Model.objects.create(provider=provider, model_id="m", label="Big one")


@pytest.fixture
def api(cast):
    client = APIClient()
    client.force_login(cast.ada, backend="accounts.backends.EmailBackend")
    return client


def test_a_price_is_added_listed_and_shown(api, model, cast, client_as):
    address = f"/api/v1/models/{model.uuid}/prices"
    assert "No price" in client_as(cast.ada).get("/administration/prices/").content.decode()
    made = api.post(address, {"input_price": "2.5", "output_price": "10"}, format="json")
    assert made.status_code == 201
    assert made.json()["set_by"] == cast.ada.email
    assert [one["uuid"] for one in api.get(address).json()] == [made.json()["uuid"]]
    page = client_as(cast.ada).get("/administration/prices/").content.decode()
    assert '<td class="num">2.5</td>' in page
    with wall.system("tests: the trail"):
        assert Entry.objects.filter(action="model.price_added", actor_id=cast.ada.pk).exists()


def test_a_price_of_later_is_taken_back_and_one_that_holds_is_not(api, model):
    address = f"/api/v1/models/{model.uuid}/prices"
    later = {"valid_from": "2999-01-01T00:00:00Z", "input_price": "1", "output_price": "1"}
    made = api.post(address, later, format="json").json()
    assert api.delete(f"{address}/{made['uuid']}").status_code == 204
    now = api.post(address, {"input_price": "1", "output_price": "1"}, format="json").json()
    assert api.delete(f"{address}/{now['uuid']}").status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"input_price": "-1", "output_price": "1"},
        {"input_price": "1"},
        {"input_price": "1", "output_price": "1", "x": 1},
    ],
)
def test_wrong_prices_are_refused(api, model, wrong):
    assert api.post(f"/api/v1/models/{model.uuid}/prices", wrong, format="json").status_code == 400
