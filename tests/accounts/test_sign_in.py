"""Signing in and out through the pages."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from tests.conftest import PASSWORD


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str):
    return client.post(reverse("accounts:sign_in"), {"email": email, "password": password, **more})


def test_a_person_signs_in_with_address_and_password(cast):
    client = Client()

    response = sign_in(client, cast.alice.email)

    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.get("/").status_code == 200


def test_the_page_is_open_to_strangers(db):
    assert Client().get(reverse("accounts:sign_in")).status_code == 200


def test_somebody_signed_in_goes_on_from_the_sign_in_page(cast, client_as):
    assert client_as(cast.alice).get(reverse("accounts:sign_in") + "?next=/profile/")["Location"] == "/profile/"


def test_case_and_blanks_of_the_address_do_not_matter(cast):
    assert sign_in(Client(), "  ALICE@Example.ORG ").status_code == 302


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(cast):
    wrong = sign_in(Client(), cast.alice.email, "not it at all")
    unknown = sign_in(Client(), "nobody@example.org", "not it at all")

    assert wrong.status_code == unknown.status_code == 422
    assert without_tokens(wrong) == without_tokens(unknown).replace("nobody@example.org", cast.alice.email)


def without_tokens(response) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|X-CSRFToken": "\w+"', "", response.content.decode())


def test_a_look_alike_address_is_nobody(cast):
    assert sign_in(Client(), "\N{CYRILLIC SMALL LETTER A}lice@example.org").status_code == 422


@pytest.mark.parametrize(
    "typed", ["\N{KELVIN SIGN}is", "k\N{LATIN SMALL LETTER DOTLESS I}s", "ki\N{LATIN SMALL LETTER LONG S}"]
)
def test_letters_that_case_rules_turn_into_others_are_nobody(cast, typed):
    cast.alice.email = "kis@example.org"
    cast.alice.save()

    assert sign_in(Client(), f"{typed}@example.org").status_code == 422


@pytest.mark.parametrize("email", ["a\x00@example.org", "x" * 5000, "", "\ud7ff", "' OR 1=1 --"])
def test_a_strange_address_is_an_answer_not_a_failure(cast, email):
    assert sign_in(Client(), email).status_code == 422


@pytest.mark.parametrize("password", ["x" * 10_000, "a\x00b", ""])
def test_a_strange_password_is_an_answer_not_a_failure(cast, password):
    assert sign_in(Client(), cast.alice.email, password).status_code == 422


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "http:///evil.example",
        "\x00/profile/",
    ],
)
def test_signing_in_never_leads_to_another_site(cast, target):
    assert sign_in(Client(), cast.alice.email, next=target)["Location"] == "/"


@pytest.mark.parametrize("target", ["x", "%", "profile", "?a=1", "9" * 400, "home"])
def test_what_is_no_address_leads_to_the_start_page(cast, client_as, target):
    assert sign_in(Client(), cast.alice.email, next=target)["Location"] == "/"
    assert client_as(cast.alice).get(reverse("accounts:sign_in"), {"next": target})["Location"] == "/"


def test_signing_in_leads_back_to_the_page_that_asked(cast):
    assert sign_in(Client(), cast.alice.email, next="/profile/?a=1")["Location"] == "/profile/?a=1"


def test_a_deactivated_person_cannot_sign_in(cast):
    cast.alice.is_active = False
    cast.alice.save()

    assert sign_in(Client(), cast.alice.email).status_code == 422


def test_the_session_of_a_deactivated_person_is_over(cast, client_as):
    client = client_as(cast.alice)
    cast.alice.is_active = False
    cast.alice.save()

    assert client.get(reverse("accounts:profile")).status_code == 302


def test_signing_out_needs_a_post(cast, client_as):
    assert client_as(cast.alice).get(reverse("accounts:sign_out")).status_code == 405


def test_signing_out_ends_the_session(cast, client_as):
    client = client_as(cast.alice)

    client.post(reverse("accounts:sign_out"))

    assert client.get(reverse("accounts:profile")).status_code == 302


def test_after_too_many_wrong_tries_the_answer_is_429_with_the_minutes(cast, settings):
    client = Client()
    answers = [sign_in(client, cast.alice.email, "wrong") for _ in range(settings.AXES_FAILURE_LIMIT)]

    last = answers[-1]

    assert [one.status_code for one in answers[:-1]] == [422] * (settings.AXES_FAILURE_LIMIT - 1)
    assert last.status_code == 429
    assert 0 < int(last["Retry-After"]) <= 15 * 60
    assert "Try again in 15 minutes" in last.content.decode()


def test_the_right_password_does_not_open_a_locked_account(cast, settings):
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, cast.alice.email.upper(), "wrong")

    assert sign_in(client, cast.alice.email).status_code == 429


def test_a_lock_from_one_place_does_not_shut_the_person_out_elsewhere(cast, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(Client(REMOTE_ADDR="10.9.9.9"), cast.alice.email, "wrong")

    assert sign_in(Client(), cast.alice.email).status_code == 302


def test_a_header_does_not_change_where_a_try_came_from(cast, settings):
    for n in range(settings.AXES_FAILURE_LIMIT):
        sign_in(Client(headers={"X-Forwarded-For": f"10.0.0.{n}"}), cast.alice.email, "wrong")

    assert sign_in(Client(headers={"X-Forwarded-For": "10.0.0.99"}), cast.alice.email).status_code == 429


def test_sign_ins_and_failures_are_in_the_audit_trail_without_the_password(cast, seeing_all):
    sign_in(Client(), cast.alice.email, "a secret guess")
    sign_in(Client(), cast.alice.email)

    entries = list(Entry.objects.order_by("id").values_list("action", "actor_label", "actor_id"))

    assert ("signin.failed", cast.alice.email, None) in entries
    assert ("signin.completed", cast.alice.email, cast.alice.pk) in entries
    assert "guess" not in str(list(Entry.objects.values()))
