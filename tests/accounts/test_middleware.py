"""What is said when the database cannot say who asks."""

from __future__ import annotations

import pytest
from django.db import OperationalError


def away(*_):
    raise OperationalError("couldn't get a connection after 10.00 sec")


@pytest.fixture
def browser(client_as, cast, monkeypatch):
    """Bob's; the database goes away after he has signed in."""
    signed_in = client_as(cast.bob)
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore._get_session_from_db", away)
    return signed_in


def test_without_the_database_a_page_says_so(browser):
    answer = browser.get("/runs/")

    assert answer.status_code == 503
    assert "Nothing was lost; try again in a minute" in answer.content.decode()
    assert answer["Retry-After"] == "10"


def test_without_the_database_the_api_answers_with_a_problem(browser):
    answer = browser.get("/api/v1/runs")

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_a_view_that_finds_no_connection_says_so(client_as, cast, monkeypatch):
    browser = client_as(cast.bob)
    monkeypatch.setattr("mindloom.pages.pending_of", away)
    # The frame of pages asks the database, too; the page that says so does without.
    monkeypatch.setattr("mindloom.shell.may", away)

    assert browser.get("/").status_code == 503
