"""Personal tokens: made once, kept as a digest, bounded in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.models import PersonalToken
from audit.models import Entry
from mindloom.web.errors import Conflict
from tests.conftest import PASSWORD

PAGE = reverse("accounts:tokens")


def made(user, **changes):
    return services.make_token(actor=user, **({"name": "Script", "scopes": ["write"], "days": 30} | changes))


def test_a_token_is_shown_once_and_kept_as_a_digest(cast, client_as, seeing_all):
    client = client_as(cast.alice)
    page = client.post(PAGE, {"name": "Nightly", "days": "30", "scopes": ["run"]})
    text = page.context["text"]

    assert text.startswith("mlt_")
    assert text in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert text not in client.get(PAGE).content.decode()
    assert text not in str(list(PersonalToken.objects.values())) + str(list(Entry.objects.values()))


def test_a_token_opens_the_api_in_its_person_s_name_and_its_use_is_noted(cast, api):
    token, text = made(cast.alice)

    assert api(text).get("auth/me").json()["email"] == cast.alice.email
    token.refresh_from_db()
    assert token.last_used_at is not None


def test_no_page_opens_to_a_token(cast, api):
    _, text = made(cast.ada)

    assert api(text).client.get("/profile/").status_code == 302
    assert api(text).client.get("/admin/").status_code == 302


def test_an_expired_and_a_revoked_token_are_refused(cast, api):
    token, text = made(cast.alice)
    PersonalToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert api(text).get("auth/me").json()["code"] == "token_invalid"
    other, text = made(cast.alice)
    services.revoke_token(actor=cast.alice, uuid=other.uuid)
    assert api(text).get("auth/me").status_code == 401


def test_nobody_revokes_a_token_of_somebody_else(cast, client_as, api, tokens_of):
    token, text = made(cast.alice)
    client_as(cast.ada).post(reverse("accounts:token_revoke", args=[token.uuid]))
    answer = api(tokens_of(cast.bob)["access"]).send("DELETE", f"auth/tokens/{token.uuid}")

    assert answer.status_code == 404
    assert api(text).get("auth/me").status_code == 200


def test_the_api_makes_lists_and_revokes_tokens(cast, api, tokens_of):
    script = api(tokens_of(cast.alice)["access"])
    answer = script.post("auth/tokens", {"name": "CI", "scopes": ["run"], "days": 7})
    listed = script.get("auth/tokens").json()["results"]

    assert answer.status_code == 201
    assert answer.json()["scopes"] == ["read", "run"]
    assert [one["name"] for one in listed] == ["CI"]
    assert "token" not in listed[0]
    assert script.send("DELETE", f"auth/tokens/{listed[0]['uuid']}").status_code == 204
    assert api(answer.json()["token"]).get("auth/me").status_code == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("name", "a\x00b"),
        ("scopes", ["admin"]),
        ("scopes", ["read"] * 99),
        ("days", 0),
        ("days", 10**9),
        ("user", 1),
        ("digest", "x"),
        ("expires_at", "2999-01-01"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(cast, api, tokens_of, field, value):
    body = {"name": "CI", "scopes": ["run"], "days": 7} | {field: value}

    answer = api(tokens_of(cast.alice)["access"]).post("auth/tokens", body)

    assert answer.status_code == 400
    assert [name.partition(".")[0] for name in answer.json()["fields"]] == [field]
    assert not PersonalToken.objects.exists()


def test_there_is_an_end_to_how_many(cast, monkeypatch):
    monkeypatch.setattr("accounts.services.personal_tokens.MOST_TOKENS", 1)
    made(cast.alice)
    with pytest.raises(Conflict):
        made(cast.alice)


def test_a_token_stops_no_earlier_than_the_person_and_no_later(cast, api, in_marketing):
    _, text = made(cast.bob)
    services.remove_member(actor=cast.alice, membership=cast.bob.memberships.get())

    assert api(text).get("agents").json()["results"] == []
    assert api(text).get("auth/me").json()["departments"] == []


@pytest.mark.parametrize("text", ["mlt_", "mlt_" + "x" * 5000, "mlt_\xff", "mlt_' OR 1=1"])
def test_made_up_tokens_are_refused(cast, api, text):
    assert api(text).get("auth/me").status_code == 401


def test_a_token_does_not_sign_in_or_change_the_password(cast, api):
    _, text = made(cast.alice)

    assert api().post("auth/refresh", {"refresh": text}).status_code == 401
    assert api().post("auth/login", {"email": cast.alice.email, "password": text}).status_code == 401
    assert api().post("auth/login", {"email": cast.alice.email, "password": PASSWORD}).status_code == 200
