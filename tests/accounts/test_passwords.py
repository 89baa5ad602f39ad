"""Changing and resetting passwords."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.models import User
from audit.models import Entry
from tests.accounts.authenticators import Device
from tests.accounts.test_passkeys import at_home, browser, make, prove
from tests.conftest import PASSWORD

NEW = "a wholly new pass phrase"


def change(client: Client, current: str = PASSWORD, new: str = NEW):
    return client.post(reverse("accounts:password_change"), {"current": current, "new": new})


def test_changing_the_password_keeps_this_session_and_ends_the_others(cast, client_as):
    here, there = client_as(cast.alice), client_as(cast.alice)

    assert change(here).status_code == 302

    assert here.get(reverse("accounts:profile")).status_code == 200
    assert there.get(reverse("accounts:profile")).status_code == 302


def test_the_old_password_is_asked_for(cast, client_as):
    response = change(client_as(cast.alice), current="guess")

    assert response.status_code == 422
    assert "This is not your password" in response.content.decode()


@pytest.mark.parametrize(
    ("new", "sentence"), [("short", "too short"), (PASSWORD, "the password you have"), ("x" * 10_000, "256")]
)
def test_a_bad_new_password_is_refused_with_a_sentence(cast, client_as, new, sentence):
    response = change(client_as(cast.alice), new=new)

    assert response.status_code == 422
    assert sentence in response.content.decode()


def forgot(email: str):
    return Client().post(reverse("accounts:password_forgot"), {"email": email})


@pytest.mark.parametrize("has_one", [True, False])
def test_who_has_no_password_is_not_asked_to_change_it(cast, client_as, has_one):
    if not has_one:
        cast.bob.set_unusable_password()
        cast.bob.save()
    page = client_as(cast.bob).get(reverse("accounts:security")).text

    assert (reverse("accounts:password_change") in page) is has_one
    assert ("password only" in page, "single sign-on only" in page) == (has_one, not has_one)


def test_known_and_unknown_addresses_get_the_same_answer(cast, mailoutbox):
    known, unknown = forgot(cast.alice.email), forgot("nobody@example.org")

    assert (known.status_code, known["Location"], known.content) == (
        unknown.status_code,
        unknown["Location"],
        unknown.content,
    )
    assert [mail.to for mail in mailoutbox] == [[cast.alice.email]]


@pytest.mark.parametrize("email", ["", "x" * 300, "a\x00b@example.org"])
def test_a_strange_address_is_an_answer_not_a_failure(db, email):
    assert forgot(email).status_code == 422


def test_a_mailed_link_sets_a_new_password_once(cast, mailoutbox, link_in):
    forgot(cast.alice.email)
    path = link_in(mailoutbox[0], "password/reset")

    assert Client().get(path).status_code == 200
    assert Client().post(path, {"password": NEW}).status_code == 302
    assert Client().post(path, {"password": "yet another phrase"}).status_code == 410
    cast.alice.refresh_from_db()
    assert cast.alice.check_password(NEW)


def test_a_reset_ends_sessions_and_confirms_the_address(cast, client_as, mailoutbox, link_in):
    client = client_as(cast.alice)
    forgot(cast.alice.email)

    Client().post(link_in(mailoutbox[0], "password/reset"), {"password": NEW})

    assert client.get(reverse("accounts:profile")).status_code == 302
    cast.alice.refresh_from_db()
    assert cast.alice.email_confirmed_at is not None


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_reset_of_an_account_whose_address_was_never_confirmed_lets_its_maker_in_no_more(
    cast, client_as, api, mailoutbox, link_in, confirmed
):
    """A stranger signs up with Alice's address, and leaves themselves ways in before she comes."""
    if confirmed:
        User.objects.filter(pk=cast.alice.pk).update(email_confirmed_at=timezone.now())
    device = Device()
    make(at_home(client_as, cast.alice), device)
    _, token = services.make_token(actor=cast.alice, name="Back door", scopes=["write"], days=300)
    forgot(cast.alice.email)

    Client().post(link_in(mailoutbox[-1], "password/reset"), {"password": NEW})

    assert prove(browser(), device).status_code == (302 if confirmed else 422)
    assert api(token).get("auth/me").status_code == (200 if confirmed else 401)


def test_a_reset_opens_a_locked_account(cast, settings, mailoutbox, link_in):
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        client.post(reverse("accounts:sign_in"), {"email": cast.alice.email, "password": "wrong"})
    forgot(cast.alice.email)
    Client().post(link_in(mailoutbox[0], "password/reset"), {"password": NEW})

    answer = client.post(reverse("accounts:sign_in"), {"email": cast.alice.email, "password": NEW})

    assert answer.status_code == 302


@pytest.mark.parametrize(
    "path", ["/password/reset/x/y/", "/password/reset/%00/%00/", f"/password/reset/{'0' * 32}/a-b/"]
)
def test_a_made_up_link_says_that_it_does_not_work(db, path):
    assert Client().get(path).status_code == 410


def test_a_deactivated_person_gets_no_link(cast, mailoutbox):
    cast.alice.is_active = False
    cast.alice.save()

    forgot(cast.alice.email)

    assert mailoutbox == []


def test_no_password_and_no_link_is_in_the_audit_trail(cast, client_as, seeing_all, mailoutbox, link_in):
    forgot(cast.alice.email)
    Client().post(link_in(mailoutbox[0], "password/reset"), {"password": NEW})

    rows = str(list(Entry.objects.values()))

    assert "password.reset" in rows
    assert NEW not in rows
    assert link_in(mailoutbox[0], "password/reset").split("/")[-2] not in rows
