"""The API's doors: tokens, signing up, oneself, and errors as problem documents."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import jwt
import pytest
from django.conf import settings as django_settings
from django.test import Client
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts import services
from accounts.models import User
from accounts.services.tokens import STAMP
from audit.models import Entry
from mindloom import wall
from tests.conftest import PASSWORD


def problem(response, status: int, code: str) -> dict:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"]) == (status, code)
    return body


def test_signing_in_gives_tokens_that_open_the_api(cast, api, tokens_of):
    tokens = tokens_of(cast.alice)

    assert tokens["expires_in"] == 900
    assert api(tokens["access"]).get("auth/me").json()["email"] == cast.alice.email


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(cast, api):
    wrong = api().post("auth/login", {"email": cast.alice.email, "password": "wrong"})
    unknown = api().post("auth/login", {"email": "nobody@example.org", "password": "wrong"})

    problem(wrong, 401, "invalid_credentials")
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)


def test_too_many_wrong_tries_are_locked_out_with_retry_after(cast, api, settings):
    answers = [
        api().post("auth/login", {"email": cast.alice.email, "password": "x"})
        for _ in range(settings.AXES_FAILURE_LIMIT)
    ]

    body = problem(answers[-1], 429, "locked_out")
    assert 0 < int(answers[-1]["Retry-After"]) <= 900
    assert "15 minutes" in body["detail"]
    problem(api().post("auth/login", {"email": cast.alice.email, "password": PASSWORD}), 429, "locked_out")


def test_pages_and_api_count_the_same_tries(cast, api, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        Client().post("/sign-in/", {"email": cast.alice.email, "password": "x"})

    problem(api().post("auth/login", {"email": cast.alice.email, "password": PASSWORD}), 429, "locked_out")


def test_one_place_may_try_only_so_often(cast, api):
    answers = [api().post("auth/login", {"email": f"a{n}@example.org", "password": "x"}) for n in range(21)]

    problem(answers[-1], 429, "too_many_requests")
    assert int(answers[-1]["Retry-After"]) >= 1


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\x7f", "x" * 5000])
def test_garbage_is_no_token(cast, api, token):
    response = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/auth/me")

    problem(response, 401, "token_invalid")


def test_without_a_token_the_answer_says_to_sign_in(db, api):
    response = api().get("auth/me")

    problem(response, 401, "not_signed_in")
    assert response["WWW-Authenticate"].startswith("Bearer")


def made(user: User, **claims: object) -> AccessToken:
    token = AccessToken()
    token["sub"], token[STAMP] = str(user.uuid), services.password_stamp(user)
    for name, value in claims.items():
        token[name] = value
    return token


def test_an_expired_token_says_so(cast, api):
    token = made(cast.alice)
    token.set_exp(lifetime=-timedelta(seconds=1))

    problem(api(str(token)).get("auth/me"), 401, "token_expired")


def test_an_unsigned_token_is_refused(cast, api):
    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    token = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(made(cast.ada).payload)}."

    problem(api(token).get("auth/me"), 401, "token_invalid")


def test_a_token_signed_with_another_key_is_refused(cast, api):
    token = jwt.encode(made(cast.ada).payload, "k" * 64, algorithm="HS256")

    problem(api(token).get("auth/me"), 401, "token_invalid")


def test_a_refresh_token_opens_nothing_by_itself(cast, api, tokens_of):
    problem(api(tokens_of(cast.alice)["refresh"]).get("auth/me"), 401, "token_invalid")


@pytest.mark.parametrize("claims", [{"sub": "x"}, {"sub": "1"}, {STAMP: ""}, {STAMP: None}])
def test_a_token_with_other_claims_is_refused(cast, api, claims):
    problem(api(str(made(cast.alice, **claims))).get("auth/me"), 401, "token_invalid")


def test_refreshing_gives_new_tokens_and_uses_the_old_one_up(cast, api, tokens_of):
    first = tokens_of(cast.alice)

    second = api().post("auth/refresh", {"refresh": first["refresh"]}).json()

    assert api(second["access"]).get("auth/me").status_code == 200
    problem(api().post("auth/refresh", {"refresh": first["refresh"]}), 401, "token_invalid")
    assert api().post("auth/refresh", {"refresh": second["refresh"]}).status_code == 200


def test_an_access_token_does_not_refresh(cast, api, tokens_of):
    problem(api().post("auth/refresh", {"refresh": tokens_of(cast.alice)["access"]}), 401, "token_invalid")


def test_an_expired_refresh_token_says_so(cast, api):
    token = RefreshToken()
    token["sub"], token[STAMP] = str(cast.alice.uuid), services.password_stamp(cast.alice)
    token.set_exp(lifetime=-timedelta(seconds=1))

    problem(api().post("auth/refresh", {"refresh": str(token)}), 401, "token_expired")


def test_signing_out_ends_the_refresh_token(cast, api, tokens_of):
    tokens = tokens_of(cast.alice)

    assert api().post("auth/logout", {"refresh": tokens["refresh"]}).status_code == 204

    problem(api().post("auth/refresh", {"refresh": tokens["refresh"]}), 401, "token_invalid")


def test_a_deactivated_person_s_tokens_are_over(cast, api, tokens_of):
    tokens = tokens_of(cast.alice)
    services.deactivate_person(actor=cast.ada, person=cast.alice)

    problem(api(tokens["access"]).get("auth/me"), 401, "token_invalid")
    problem(api().post("auth/refresh", {"refresh": tokens["refresh"]}), 401, "token_invalid")


def test_a_new_password_ends_all_tokens(cast, api, tokens_of):
    tokens = tokens_of(cast.alice)
    services.change_password(actor=cast.alice, current=PASSWORD, new="a wholly new pass phrase")

    problem(api(tokens["access"]).get("auth/me"), 401, "token_invalid")
    problem(api().post("auth/refresh", {"refresh": tokens["refresh"]}), 401, "token_invalid")


def test_no_token_is_kept_in_the_database(cast, tokens_of):
    tokens_of(cast.alice)

    assert list(OutstandingToken.objects.values_list("token", flat=True)) == [""]


def test_a_forgotten_password_is_reset_by_the_two_parts_of_the_link(cast, api, mailoutbox, link_in):
    known = api().post("auth/password/forgot", {"email": cast.alice.email})
    unknown = api().post("auth/password/forgot", {"email": "nobody@example.org"})
    uid, token = link_in(mailoutbox[0], "password/reset").strip("/").split("/")[-2:]
    body = {"uid": uid, "token": token, "password": "a wholly new pass phrase"}

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert api().post("auth/password/reset", body).status_code == 204
    problem(api().post("auth/password/reset", body), 400, "reset_link_invalid")


def registration(cast, **changes: object) -> dict:
    values = {"email": "zoe@corp.example", "password": PASSWORD, "name": "Zoe", "department": str(cast.marketing.uuid)}
    return values | changes


def test_signing_up_answers_the_same_for_a_known_address(cast, api):
    new = api().post("auth/register", registration(cast))
    known = api().post("auth/register", registration(cast, email=cast.alice.email))

    assert new.status_code == 202
    assert (new.status_code, new.content) == (known.status_code, known.content)


@pytest.mark.parametrize(
    "field", ["is_superuser", "is_staff", "role", "status", "uuid", "email_confirmed_at", "groups"]
)
def test_no_other_field_can_be_set_while_signing_up(cast, api, field):
    body = problem(api().post("auth/register", registration(cast, **{field: True})), 400, "invalid")

    assert body["fields"] == {field: ["There is no such field."]}
    assert not User.objects.filter(email="zoe@corp.example").exists()


@pytest.mark.parametrize(
    "field", ["is_superuser", "is_administrator", "role", "email", "departments", "password", "uuid"]
)
def test_no_other_field_of_oneself_can_be_changed(cast, api, tokens_of, field):
    client = api(tokens_of(cast.bob)["access"])

    body = problem(client.patch("auth/me", {"name": "Robert", field: "manager"}), 400, "invalid")

    assert list(body["fields"]) == [field]
    cast.bob.refresh_from_db()
    assert (cast.bob.name, cast.bob.is_superuser) == ("Bob", False)


def test_one_s_own_name_and_theme_can_be_changed(cast, api, tokens_of):
    response = api(tokens_of(cast.bob)["access"]).patch("auth/me", {"name": "Robert", "theme": "dark"})

    assert (response.json()["name"], response.json()["theme"]) == ("Robert", "dark")


def test_oneself_with_departments_and_roles(cast, api, tokens_of):
    services.ask_to_join(actor=cast.bob, department=cast.finance)

    me = api(tokens_of(cast.bob)["access"]).get("auth/me").json()

    assert [(one["name"], one["role"]) for one in me["departments"]] == [("Marketing", "member")]
    assert [one["name"] for one in me["pending"]] == ["Finance"]
    assert me["current_department"] == str(cast.marketing.uuid)


def test_a_role_that_changes_is_another_role_with_the_next_request(cast, api, tokens_of, in_marketing):
    client = api(tokens_of(cast.bob)["access"])
    membership = cast.bob.memberships.get()

    services.remove_member(actor=cast.alice, membership=membership)

    assert client.get("auth/me").json()["departments"] == []


def test_departments_to_sign_up_for_are_open_to_all_by_name_only(cast, api):
    found = api().get("departments").json()["results"]

    assert [one["name"] for one in found] == ["Finance", "Marketing"]
    assert all(set(one) == {"uuid", "name"} for one in found)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid"),
        (b"\xff\xfe", 400, "invalid"),
        (b"[" * 100_000, 400, "invalid"),
        (b"1" * 5000, 400, "invalid"),
        (b'{"email": NaN}', 400, "invalid"),
        (b"[]", 400, "invalid"),
        (b"null", 400, "invalid"),
        (b'{"email": "a\\u0000", "password": "x"}', 400, "invalid"),
        (b'{"email": "\\ud800", "password": "x"}', 400, "invalid"),
        (b'{"\\ud800": 1, "email": "a", "password": "x"}', 400, "invalid"),
        (b'{"email": {"a": 1}, "password": ["x"]}', 400, "invalid"),
        (b'{"email": "' + b"a" * 6_000_000 + b'"}', 413, "too_large"),
    ],
)
def test_a_strange_body_is_a_problem_document(db, api, body, status, code):
    problem(api().post("auth/login", body), status, code)


def test_nul_hidden_deep_inside_is_refused_beside_the_field(db, api):
    body = problem(api().post("auth/login", {"email": ["x", {"a": "b\x00"}], "password": "x"}), 400, "invalid")

    assert "NUL" in body["fields"]["email"][0]


def test_a_form_is_not_json(db):
    problem(Client().post("/api/v1/auth/login", {"email": "a"}), 415, "unsupported_media_type")


def test_another_method_is_a_problem_document(db, api):
    response = api().get("auth/login")

    assert "GET" in problem(response, 405, "method_not_allowed")["detail"]
    assert response["Allow"]


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
@pytest.mark.parametrize("path", ["/api/", "/api/v1/nothing", "/api/v1/agents/not-a-uuid"])
def test_an_address_that_does_not_exist_is_a_problem_document(db, method, path):
    client = Client(enforce_csrf_checks=True)

    problem(getattr(client, method)(path), 404, "not_found")


def test_a_session_needs_the_csrf_token_to_change_something(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice, backend="accounts.backends.EmailBackend")

    problem(client.patch("/api/v1/auth/me", {"name": "Eve"}, "application/json"), 403, "not_allowed")


def test_api_sign_ins_are_in_the_audit_trail(cast, api, tokens_of, seeing_all):
    tokens = tokens_of(cast.ada)
    for _ in range(3):
        api(tokens["access"]).get("auth/me")

    actions = list(Entry.objects.filter(actor_id=cast.ada.pk).order_by("id").values_list("action", flat=True))

    assert actions == ["signin.completed", "api.opened"]


def test_the_signing_key_is_long_enough():
    assert len(django_settings.SECRET_KEY) >= 32


def test_a_token_of_one_department_s_person_does_not_open_the_wall(cast, tokens_of, api):
    with wall.system("tests: nothing leaks from a request"):
        pass
    api(tokens_of(cast.ada)["access"]).get("auth/me")

    assert wall.current() == wall.NOTHING
