"""Signing out everywhere shuts what is open elsewhere."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in

SECONDS = 5.0
WORDS = [f"yarn{place:03d} " for place in range(600)]


@pytest.fixture(scope="module")
def yarn(product, models):
    """An agent that writes for about a minute."""
    model = models("yarn", {"text": WORDS, "pace_ms": 100})
    return product.agent("ben", "Yarn spinner", draft={"instructions": "Spin.", "model": model})


@pytest.fixture
def _signed_out(product, sessions):
    """Whoever needs Ben next signs in again: his tokens and the sessions that other tests share are over."""
    yield
    product.forget("ben")
    sessions.pop("ben", None)


@pytest.mark.usefixtures("_signed_out")
def test_ending_all_sessions_closes_an_open_live_log_within_five_seconds(window, product, yarn):
    watching, elsewhere = window(), window()
    for page in (watching, elsewhere):
        sign_in(page, "ben@mindloom.example", product.password("ben"))
        expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")
    watching.goto(f"/runs/{product.run('ben', yarn)}/")
    log = watching.get_by_role("log", name="Log")
    expect(log).to_contain_text("yarn003")

    elsewhere.goto("/profile/sessions/")
    elsewhere.get_by_role("button", name="Sign out everywhere").click()
    elsewhere.get_by_role("alertdialog").get_by_role("button", name="Sign out everywhere").click()
    expect(elsewhere.get_by_text("You are signed out everywhere")).to_be_visible()
    begun = time.monotonic()

    expect(watching.get_by_text("you may no longer see it")).to_be_visible(timeout=SECONDS * 1000)
    assert time.monotonic() - begun < SECONDS
    written = log.inner_text()
    watching.wait_for_timeout(1500)
    assert log.inner_text() == written
    watching.goto("/profile/")
    expect(watching.get_by_role("heading", name="Sign in")).to_be_visible()
