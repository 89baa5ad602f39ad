"""Passkeys: made on a device, and good for signing in without a password."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Passkey
from accounts.services.passkeys import Site
from tests.accounts.authenticators import MADE, PRESENT, VERIFIED, Device
from tests.conftest import PASSWORD

ADD, PROVE, OPTIONS = (reverse(f"accounts:{name}") for name in ("passkey_add", "sign_in_passkey", "passkey_options"))


def browser() -> Client:
    return Client(SERVER_NAME="localhost")


def at_home(client_as, user) -> Client:
    client = client_as(user)
    client.defaults["SERVER_NAME"] = "localhost"
    return client


def make(client, device, *, name="My laptop", password=PASSWORD, **how):
    options = json.loads(client.get(ADD).context["options"])
    return client.post(ADD, {"name": name, "password": password, "answer": device.create(options, **how)})


def prove(client, device, **how):
    options = client.post(OPTIONS).json()
    return client.post(PROVE, {"answer": device.prove(options, **how)})


@pytest.fixture
def device(cast, client_as):
    """Alice's."""
    made = Device()
    shown = make(at_home(client_as, cast.alice), made)
    assert len(shown.context["codes"]) == 10
    return made


def test_a_passkey_signs_in_without_password_and_code(cast, device):
    client = browser()

    assert prove(client, device)["Location"] == "/"
    assert client.get(reverse("accounts:profile")).context["user"] == cast.alice


def test_with_a_passkey_the_password_alone_is_not_enough(cast, device):
    client = browser()
    client.post(reverse("accounts:sign_in"), {"email": cast.alice.email, "password": PASSWORD, "next": "/people/"})

    assert client.get("/").status_code == 302
    assert prove(client, device)["Location"] == "/people/"


def test_an_answer_works_once(cast, device):
    client, other = browser(), browser()
    options = client.post(OPTIONS).json()
    answer = device.prove(options)
    other.cookies["mindloom_session"] = client.cookies["mindloom_session"].value

    assert client.post(PROVE, {"answer": answer}).status_code == 302
    assert other.post(PROVE, {"answer": answer}).status_code == 422


def test_an_answer_to_another_browser_s_question_is_refused(device):
    first, second = browser(), browser()
    answer = device.prove(first.post(OPTIONS).json())
    second.post(OPTIONS)

    assert second.post(PROVE, {"answer": answer}).status_code == 422


@pytest.mark.parametrize(
    "how",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:81"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"count": 0},
        {"count": -1},
    ],
    ids=str,
)
def test_what_does_not_add_up_is_refused(device, how):
    device.count = 5
    prove(browser(), device)

    assert prove(browser(), device, **how).status_code == 422


def test_another_key_under_the_same_name_is_refused(device):
    forged = Device()
    forged.id = device.id

    assert prove(browser(), forged).status_code == 422


def test_a_device_that_does_not_count_works_again_and_again(cast, client_as):
    synced = Device()
    make(at_home(client_as, cast.bob), synced)

    assert [prove(browser(), synced, count=0).status_code for _ in range(2)] == [302, 302]


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", "x", '{"id": 1}', "\x00", "[" * 30_000, '{"rawId": "eA", "response": {}}']
)
def test_garbage_is_refused_not_a_failure(cast, answer):
    client = browser()
    client.post(OPTIONS)

    assert client.post(PROVE, {"answer": answer}).status_code == 422
    assert client.post(PROVE, {"answer": answer}).status_code == 422


def test_a_deactivated_person_s_passkey_opens_nothing(cast, device):
    cast.alice.is_active = False
    cast.alice.save()

    assert prove(browser(), device).status_code == 422


@pytest.mark.parametrize(
    "how",
    [{"password": "guess"}, {"name": " "}, {"flags": PRESENT | MADE}, {"origin": "https://evil.example"}],
    ids=str,
)
def test_a_passkey_that_is_not_right_is_not_kept(cast, client_as, how):
    assert make(at_home(client_as, cast.bob), Device(), **how).status_code == 422
    assert not Passkey.objects.exists()


def test_the_same_passkey_is_not_kept_for_a_second_person(cast, client_as, device):
    assert make(at_home(client_as, cast.bob), device).status_code == 422


def test_a_passkey_of_somebody_else_cannot_be_removed(cast, client_as, device):
    passkey = Passkey.objects.get()
    address = reverse("accounts:passkey_remove", args=[passkey.uuid])

    at_home(client_as, cast.bob).post(address, {"password": PASSWORD})
    assert Passkey.objects.exists()
    at_home(client_as, cast.alice).post(address, {"password": PASSWORD})
    assert not Passkey.objects.exists()
    cast.alice.refresh_from_db()
    assert cast.alice.second_factor_at is None


@pytest.mark.parametrize(
    ("origin", "able"),
    [
        ("https://loom.example.org", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("https://[::1]", False),
        ("http://loom.example.org", False),
    ],
)
def test_passkeys_are_offered_where_browsers_make_them(origin, able):
    assert Site(origin).can_have_passkeys is able
