"""The organisation's own sign-in, against a real provider that runs here."""

from __future__ import annotations

from importlib import import_module
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from oidc_provider_mock import run_server_in_thread

from accounts import services
from accounts.models import ExternalIdentity, User
from accounts.providers import _client
from tests.accounts.test_second_factor import CODE, code_of, enrol
from tests.conftest import PASSWORD

START, BACK = reverse("accounts:single_sign_on"), reverse("accounts:single_sign_on_back")


@pytest.fixture(scope="module")
def server():
    with run_server_in_thread() as running:
        yield f"http://localhost:{running.server_port}"


@pytest.fixture(autouse=True)
def provider(server, settings, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = server, "mindloom", "a secret"
    settings.OIDC_NAME = "the Loom Works account"
    yield server
    _client.cache_clear()


def knows(server: str, subject: str, **claims: object) -> None:
    httpx.put(f"{server}/users/{subject}", json=claims).raise_for_status()


def leave(client: Client, path: str = START) -> str:
    """The address at the provider that the browser is sent to."""
    answer = client.get(path)
    assert answer.status_code == 302, answer.content
    return answer["Location"]


def agree(address: str, subject: str) -> str:
    """What the browser brings back, once the person has signed in at the provider."""
    answer = httpx.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def come_in(client: Client, subject: str, path: str = START):
    back = urlsplit(agree(leave(client, path), subject))
    return client.get(f"{back.path}?{back.query}")


def is_in(client) -> bool:
    return client.get(reverse("accounts:profile")).status_code == 200


def test_the_sign_in_page_offers_it(cast):
    assert "Sign in with the Loom Works account" in Client().get(reverse("accounts:sign_in")).content.decode()


def test_without_a_provider_there_is_none(cast, settings):
    settings.OIDC_ISSUER = ""

    assert "Loom Works" not in Client().get(reverse("accounts:sign_in")).content.decode()
    assert Client().get(START).status_code == 404
    assert Client().get(BACK).status_code == 404


def test_the_browser_leaves_with_state_nonce_and_a_challenge(cast):
    asked = parse_qs(urlsplit(leave(Client())).query)

    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert asked["redirect_uri"] == [f"http://127.0.0.1:8000{BACK}"]


def test_a_known_address_is_linked_and_the_page_that_was_asked_for_opens(cast, provider):
    User.objects.filter(pk=cast.alice.pk).update(email_confirmed_at="2026-01-01T00:00Z")
    knows(provider, "s-1", email=cast.alice.email, email_verified=True, name="Alice")
    client = Client()

    assert come_in(client, "s-1", f"{START}?next=/people/")["Location"] == "/people/"
    assert is_in(client)
    assert ExternalIdentity.objects.get().user == cast.alice
    assert Client().post("/sign-in/", {"email": cast.alice.email, "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_it_never_leads_to_another_site(cast, provider, target):
    knows(provider, "s-2", email="new2@example.org", email_verified=True)

    assert come_in(Client(), "s-2", f"{START}?next={target}")["Location"] == "/"


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_the_provider_did_not_verify_opens_nothing(cast, provider, verified):
    knows(provider, "s-3", email=cast.ada.email, email_verified=verified)
    client = Client()

    answer = come_in(client, "s-3")

    assert answer.status_code == 403
    assert "has not verified" in answer.content.decode()
    assert not is_in(client)


def test_who_signed_up_with_somebody_s_address_loses_the_account_to_its_owner(cast, provider):
    thief = Client()
    thief.force_login(cast.bob, backend="accounts.backends.EmailBackend")
    _, token = services.make_token(actor=cast.bob, name="Mine", scopes=["read"], days=1)
    knows(provider, "s-4", email=cast.bob.email.upper(), email_verified=True)
    owner = Client()

    come_in(owner, "s-4")

    assert is_in(owner)
    assert not is_in(thief)
    assert Client().post("/sign-in/", {"email": cast.bob.email, "password": PASSWORD}).status_code == 422
    assert Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/auth/me").status_code == 401


def test_a_new_person_belongs_where_their_domain_does(cast, provider, seeing_all):
    cast.marketing.email_domains = ["corp.example"]
    cast.marketing.save()
    knows(provider, "s-5", email="zoe@corp.example", email_verified=True, name="Zoe Quint")
    client = Client()
    come_in(client, "s-5")

    zoe = User.objects.by_address("zoe@corp.example")
    assert (zoe.name, zoe.has_usable_password(), is_in(client)) == ("Zoe Quint", False, True)
    assert [(one.department.name, one.status) for one in zoe.memberships.all()] == [("Marketing", "active")]


def test_an_installation_can_make_no_accounts(cast, provider, settings):
    settings.OIDC_SIGN_UP = False
    knows(provider, "s-6", email="new6@example.org", email_verified=True)

    assert come_in(Client(), "s-6").status_code == 403
    assert User.objects.by_address("new6@example.org") is None


def test_the_same_person_comes_back_under_another_address(cast, provider):
    knows(provider, "s-7", email="before@example.org", email_verified=True)
    come_in(Client(), "s-7")
    knows(provider, "s-7", email="after@example.org", email_verified=False)

    assert come_in(Client(), "s-7").status_code == 302
    assert User.objects.by_address("after@example.org") is None


def test_a_deactivated_person_stays_out(cast, provider):
    User.objects.filter(pk=cast.bob.pk).update(is_active=False, email_confirmed_at="2026-01-01T00:00Z")
    knows(provider, "s-8", email=cast.bob.email, email_verified=True)
    client = Client()

    assert come_in(client, "s-8").status_code == 403
    assert not is_in(client)


@pytest.mark.parametrize(("trusted", "location"), [(False, CODE), (True, "/")])
def test_the_second_step_is_ours_unless_the_provider_is_trusted_with_it(cast, provider, settings, trusted, location):
    settings.OIDC_TRUST_SECOND_FACTOR = trusted
    User.objects.filter(pk=cast.alice.pk).update(email_confirmed_at="2026-01-01T00:00Z")
    cast.alice.refresh_from_db()
    secret, _ = enrol(cast.alice)
    knows(provider, "s-9", email=cast.alice.email, email_verified=True)
    client = Client()

    assert come_in(client, "s-9")["Location"] == location
    if not trusted:
        assert client.post(CODE, {"code": code_of(secret)}).status_code == 302
    assert is_in(client)


def test_an_answer_belongs_to_the_browser_that_asked_and_works_once(cast, provider):
    knows(provider, "s-10", email="new10@example.org", email_verified=True)
    client, other = Client(), Client()
    back = urlsplit(agree(leave(client), "s-10"))

    assert other.get(f"{back.path}?{back.query}").status_code == 400
    assert client.get(f"{back.path}?{back.query}").status_code == 302
    client.post(reverse("accounts:sign_out"))
    assert client.get(f"{back.path}?{back.query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["", "code=x", "code=x&state=y", "error=access_denied", "state=%00", "code=" + "x" * 3000, "iss=evil"]
)
def test_made_up_answers_are_refused(cast, query):
    client = Client()
    leave(client)

    assert client.get(f"{BACK}?{query}").status_code == 400
    assert not is_in(client)


def test_a_code_of_another_sign_in_is_refused(cast, provider):
    knows(provider, "s-11", email="new11@example.org", email_verified=True)
    victim, attacker = Client(), Client()
    state = parse_qs(urlsplit(leave(victim)).query)["state"][0]
    code = parse_qs(urlsplit(agree(leave(attacker), "s-11")).query)["code"][0]

    assert victim.get(BACK, {"code": code, "state": state}).status_code == 400
    assert not is_in(victim)


def test_a_statement_of_another_issuer_or_for_another_client_is_refused(cast, provider, settings, monkeypatch):
    knows(provider, "s-12", email="new12@example.org", email_verified=True)
    # The package's name is the view's, too.
    views = import_module("accounts.views.single_sign_on")
    for change in ({"iss": {"essential": True, "value": "https://other.example"}}, {"aud": {"value": "another"}}):
        wanted = {"iss": {"essential": True}} | change
        monkeypatch.setattr(views, "wanted_claims", lambda wanted=wanted: wanted)
        assert come_in(Client(), "s-12").status_code == 400


def test_a_provider_that_is_away_is_said(cast, settings):
    settings.OIDC_ISSUER = "http://127.0.0.1:9"

    answer = Client().get(START)

    assert answer.status_code == 400
    assert "did not answer" in answer.content.decode()


def test_people_without_a_password_prove_themselves_by_a_fresh_sign_in(cast, provider, time_machine_at):
    knows(provider, "s-13", email="new13@example.org", email_verified=True)
    client = Client()
    come_in(client, "s-13")
    assert client.post(reverse("accounts:app_start")).status_code == 302
    time_machine_at(11 * 60)
    assert client.post(reverse("accounts:app_start")).status_code == 422
