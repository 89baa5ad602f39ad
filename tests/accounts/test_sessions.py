"""What is open in one's name is seen and ended; what ends takes everything with it."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import BrowserSession
from accounts.queries import browser_sessions_of, ended_key, refresh_tokens_of
from accounts.services.people import note_confirmed
from tests.conftest import PASSWORD

PAGE = reverse("accounts:sessions")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


def browser(user, agent: str = FIREFOX, address: str = "10.1.2.3") -> Client:
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    client.post(reverse("accounts:sign_in"), {"email": user.email, "password": PASSWORD})
    assert is_in(client)
    return client


def is_in(client) -> bool:
    return client.get(reverse("accounts:profile")).status_code == 200


def test_a_session_says_device_address_and_last_use(cast):
    page = browser(cast.alice).get(PAGE).content.decode()

    assert "Firefox on Linux" in page
    assert "10.1.2.3" in page
    assert "This one" in page


def test_one_session_is_ended_and_the_others_go_on(cast):
    here, there = browser(cast.alice), browser(cast.alice)
    other = browser_sessions_of(cast.alice).exclude(session_key=here.session.session_key).get()

    here.post(reverse("accounts:session_end", args=[other.uuid]))

    assert (is_in(here), is_in(there)) == (True, False)


def test_ending_the_session_one_is_in_signs_out(cast):
    here = browser(cast.alice)

    response = here.post(reverse("accounts:session_end", args=[browser_sessions_of(cast.alice).get().uuid]))

    assert response["Location"] == reverse("accounts:sign_in")
    assert not is_in(here)


def test_all_others_end(cast):
    here, there, third = (browser(cast.alice) for _ in range(3))
    here.post(reverse("accounts:sessions_end_others"))

    assert [is_in(one) for one in (here, there, third)] == [True, False, False]


def test_everything_ends_at_once_with_the_tokens_of_the_api(cast, tokens_of, api):
    here, there, tokens = browser(cast.alice), browser(cast.alice), tokens_of(cast.alice)

    assert here.post(reverse("accounts:sessions_end_all"))["Location"] == reverse("accounts:sign_in")

    assert not is_in(here)
    assert not is_in(there)
    assert api(tokens["access"]).get("auth/me").status_code == 401
    assert api().post("auth/refresh", {"refresh": tokens["refresh"]}).status_code == 401
    assert is_in(browser(cast.alice))


def test_nobody_ends_a_session_of_somebody_else(cast, tokens_of, api):
    alice, bob = browser(cast.alice), browser(cast.bob)
    uuid = browser_sessions_of(cast.alice).get().uuid

    bob.post(reverse("accounts:session_end", args=[uuid]))
    assert api(tokens_of(cast.bob)["access"]).send("DELETE", f"auth/sessions/{uuid}").status_code == 404
    assert is_in(alice)


def test_a_refresh_token_is_seen_and_ended(cast, tokens_of, api):
    here, tokens = browser(cast.alice), tokens_of(cast.alice)
    found = refresh_tokens_of(cast.alice).get()
    assert "Refresh token" in here.get(PAGE).content.decode()
    browser(cast.bob).post(reverse("accounts:refresh_token_end", args=[found.pk]))
    assert refresh_tokens_of(cast.alice).exists()

    here.post(reverse("accounts:refresh_token_end", args=[found.pk]))

    assert api().post("auth/refresh", {"refresh": tokens["refresh"]}).status_code == 401


@pytest.mark.parametrize("how", ["password", "reset", "deactivation"])
def test_nothing_stays_open_after(cast, tokens_of, api, how, mailoutbox, link_in):
    note_confirmed(cast.alice)
    client, tokens = browser(cast.alice), tokens_of(cast.alice)
    _, text = services.make_token(actor=cast.alice, name="Script", scopes=["read"], days=1)
    if how == "password":
        services.change_password(actor=cast.alice, current=PASSWORD, new="a wholly new pass phrase")
    elif how == "reset":
        services.request_password_reset(email=cast.alice.email)
        uid, token = link_in(mailoutbox[-1], "password/reset").strip("/").split("/")[-2:]
        services.reset_password(uid=uid, token=token, password="a wholly new pass phrase")
    else:
        services.deactivate_person(actor=cast.ada, person=cast.alice)

    assert not is_in(client)
    assert not BrowserSession.objects.filter(user=cast.alice).exists()
    assert api(tokens["access"]).get("auth/me").status_code == 401
    assert api(text).get("auth/me").status_code == (401 if how == "deactivation" else 200)


def test_a_person_who_comes_back_finds_no_token_of_before(cast, api):
    _, text = services.make_token(actor=cast.alice, name="Script", scopes=["read"], days=1)
    services.deactivate_person(actor=cast.ada, person=cast.alice)
    services.reactivate_person(actor=cast.ada, person=cast.alice)

    assert api(text).get("auth/me").status_code == 401


def test_changing_the_password_keeps_one_session_that_is_still_listed(cast):
    here = browser(cast.alice)
    here.post(reverse("accounts:password_change"), {"current": PASSWORD, "new": "a wholly new pass phrase"})

    assert is_in(here)
    assert browser_sessions_of(cast.alice).get().device_label == "Firefox on Linux"


@pytest.mark.parametrize("agent", ["", "x" * 5000, "\x00\x1b[31m", "<script>alert(1)</script>"])
def test_strange_devices_are_kept_as_plain_text(cast, agent):
    page = browser(cast.alice, agent).get(PAGE)

    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()


def test_ending_marks_the_person_for_connections_that_stay_open(cast, django_capture_on_commit_callbacks):
    browser(cast.alice)
    with django_capture_on_commit_callbacks(execute=True):
        services.end_everything(actor=cast.alice)

    assert cache.get(ended_key(cast.alice.pk))
    assert not cache.get(ended_key(cast.bob.pk))


def test_a_session_of_a_stranger_is_nobody_s(db):
    client = Client()
    client.post(reverse("accounts:passkey_options"))

    assert BrowserSession.objects.get().user is None


def test_sessions_that_ran_out_are_forgotten_and_others_stay(cast):
    here = browser(cast.alice)
    Client().post(reverse("accounts:passkey_options"))
    BrowserSession.objects.filter(user=None).update(expire_date="2026-01-01T00:00Z")

    assert services.forget_old_sessions() == 1
    assert is_in(here)
