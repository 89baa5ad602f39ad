"""A real browser, a real product, and an eye on the browser's console."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from oidc_provider_mock import User as Known
from oidc_provider_mock import run_server_in_thread
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Playwright, expect, sync_playwright

from tests.browser.product import Product, running
from tests.fakes.openai_server import FakeModels

ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 20_000
"""How long a page may take on a busy machine."""


def pytest_collection_modifyitems(items):
    for item in items:
        if item.nodeid.startswith("tests/browser/"):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def product():
    rosa = {"email": "rosa@loomworks.example", "email_verified": True, "name": "Rosa Lind"}
    with run_server_in_thread(user_claims=[Known(sub="rosa", claims=rosa)]) as provider:
        issuer = f"http://localhost:{provider.server_port}"
        client = {"OIDC_CLIENT_ID": "mindloom", "OIDC_CLIENT_SECRET": "a secret", "OIDC_NAME": "Loom Works"}
        with running(OIDC_ISSUER=issuer, **client) as found:
            yield found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    found = getattr(item, "funcargs", {}).get("product")
    if report.failed and found is not None and found.process.log.exists():
        report.sections.append(("What the product said", found.process.output[-6000:]))
    return report


@pytest.fixture(scope="package")
def fake():
    """A provider that speaks OpenAI's protocol."""
    with FakeModels() as models:
        yield models


@pytest.fixture(scope="package")
def chromium():
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield _launch(playwright)


def _launch(playwright: Playwright) -> Any:
    return playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium", args=ARGUMENTS)


@dataclass
class Trouble:
    """What the browser complained about, but for what the test expects."""

    found: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, *patterns: str) -> None:
        self.expected += patterns

    def watch(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", self._broke)

    def leave(self, page: Page) -> None:
        """Hear no more of it."""
        page.remove_listener("console", self._heard)
        page.remove_listener("pageerror", self._broke)

    def _broke(self, error: Error) -> None:
        self.found.append(str(error))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.found.append(f"{message.location.get('url', '')}: {message.text}")

    @property
    def unexpected(self) -> list[str]:
        return [one for one in self.found if not any(re.search(pattern, one) for pattern in self.expected)]


@pytest.fixture
def trouble():
    """Console errors, page errors and violations of the page policy fail the test unless it expects them."""
    trouble = Trouble()
    yield trouble
    assert not trouble.unexpected, "\n".join(trouble.unexpected)


@pytest.fixture(scope="package")
def sessions():
    """Who has signed in already, as what the browser keeps of it."""
    return {}


@pytest.fixture
def window(chromium, product, sessions, trouble):
    """Opens a window in which a person is signed in; nobody when left out."""
    contexts: list[BrowserContext] = []

    def open_window(who: str | None = None, *, width: int = 1440, **options: Any) -> Page:
        page = window_of(chromium, product, sessions, who, width=width, **options)
        contexts.append(page.context)
        trouble.watch(page)
        return page

    yield open_window
    for context in contexts:
        context.close()


def window_of(
    chromium: Any, product: Product, sessions: dict[str, Any], who: str | None, *, width: int = 1440, **options: Any
) -> Page:
    if who and who not in sessions:
        sessions[who] = signed_in(chromium, product, who)
    context = chromium.new_context(
        base_url=options.pop("base_url", product.url),
        storage_state=sessions[who] if who else None,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        **options,
    )
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def signed_in(chromium: Any, product: Product, who: str) -> Any:
    context = chromium.new_context(base_url=product.url)
    page = context.new_page()
    sign_in(page, f"{who}@mindloom.example", product.password(who))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")
    state = context.storage_state()
    context.close()
    return state


def sign_in(page: Page, address: str, password: str) -> None:
    page.goto("/sign-in/")
    page.get_by_label("E-mail").fill(address)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.fixture(scope="package")
def models(chromium, product, fake):
    """The fake provider, added by the administrator; makes models that say what the test wants and gives their uuid."""
    context = chromium.new_context(base_url=product.url, storage_state=signed_in(chromium, product, "ada"))
    page = context.new_page()
    page.goto("/models/providers/new/?kind=openai_like")
    page.get_by_label("Name").fill("Laboratory")
    page.get_by_label("Address").fill(fake.url)
    page.get_by_role("button", name="Add provider").click()
    expect(page.get_by_role("heading", name="Laboratory")).to_be_visible()
    address = page.url

    def make(name: str, *turns: dict[str, Any]) -> str:
        fake.script(name, list(turns))
        page.goto(address)
        field = page.get_by_role("textbox", name="Model", exact=True)
        if not field.is_visible():
            page.get_by_text("Add a model by name").click()
        field.fill(name)
        page.get_by_role("button", name="Add model").click()
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
        return next(one["uuid"] for one in product.api("maya", "GET", "models") if one["model_id"] == name)

    make.address = address
    yield make
    context.close()
