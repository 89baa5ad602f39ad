"""Route x scope: a personal token does what its person may, within its scope, and nothing else."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import PersonalToken
from accounts.services import make_token
from tests.api.test_route_matrix import API, PEOPLE, ROWS, put_away, send, stage  # noqa: F401 -- a fixture

RUN = {
    "api:runs",
    "api:run_cancel",
    "api:run_retry",
    "api:runs_cancel",
    "api:runs_retry",
    "api:approval_decide",
    "api:conversations",
    "api:conversation_messages",
    "api:conversation_resend",
    "openai:chat_completions",
}
"""Routes whose writes start, stop or answer runs."""
NEVER = {"api:own_sessions", "api:own_session", "api:own_sessions_end", "api:own_tokens", "api:own_token"}
"""Routes that no personal token opens."""
OPEN = {
    "POST api:register",
    "POST api:login",
    "POST api:refresh",
    "POST api:logout",
    "POST api:password_forgot",
    "POST api:password_reset",
    "GET api:departments",
    "GET openai:nothing",
}
"""Requests that ask nobody who they are."""
CALLS = [row for row in ROWS if row[1].startswith(API)]
SCOPES = (["read"], ["read", "run"], ["read", "write"])


def wanted(method: str, route: str) -> str:
    if route in NEVER:
        return "never"
    if method == "GET":
        return "read"
    return "run" if route in RUN else "write"


def visit(stage, person, scopes, method, route):  # noqa: F811
    with transaction.atomic():
        _, text = make_token(actor=getattr(stage.cast, person), name="Script", scopes=scopes, days=1)
        client = Client(headers={"Authorization": f"Bearer {text}"})
        answer = send(client, stage, method, route)
        code = "" if answer.streaming or answer.status_code != 403 else said(answer)
        if answer.streaming:
            put_away(answer)
        transaction.set_rollback(True)
    return str(answer.status_code), code


def said(answer) -> str:
    body = answer.json()
    return body["error"]["code"] if "error" in body else body["code"]


@pytest.mark.parametrize("row", CALLS, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_token_does_what_its_scope_and_its_person_may(stage, row):  # noqa: F811
    method, route, *statuses = row
    expected = dict(zip(PEOPLE, statuses, strict=True))
    for scopes in SCOPES:
        for person in ("alice", "carol") if scopes == ["read"] or route in RUN else ("alice",):
            status, code = visit(stage, person, scopes, method, route)
            if f"{method} {route}" in OPEN or wanted(method, route) in scopes:
                assert (status, code != "token_scope") == (expected[person], True), (person, scopes)
            else:
                assert (status, code) == ("403", "token_scope"), (person, scopes)


def test_the_administrator_s_reading_token_changes_nothing(stage):  # noqa: F811
    for method, route, *_ in CALLS:
        if method != "GET" and f"{method} {route}" not in OPEN:
            assert visit(stage, "ada", ["read"], method, route) == ("403", "token_scope"), (method, route)


@pytest.mark.parametrize("scopes", SCOPES, ids=str)
def test_a_token_makes_no_tokens(stage, scopes):  # noqa: F811
    body = {"name": "More", "scopes": ["read", "run", "write"], "days": 365}
    _, text = make_token(actor=stage.cast.alice, name="Script", scopes=scopes, days=1)
    before = PersonalToken.objects.count()
    answer = Client(headers={"Authorization": f"Bearer {text}"}).post("/api/v1/auth/tokens", body, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "token_scope")
    assert PersonalToken.objects.count() == before
