"""The administrator adds providers."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import expect

KEY = "sk-wrong-0123456789abcdef"


class Refusing(BaseHTTPRequestHandler):
    """Refuses every key, and repeats it in the refusal."""

    def do_GET(self) -> None:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        body = json.dumps(
            {"error": {"message": f"Incorrect API key provided: {key}. Ask for another.", "code": "invalid_api_key"}}
        ).encode()
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def refusing():
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def add(page, name: str, address: str, key: str) -> None:
    page.goto("/models/")
    page.get_by_role("link", name="Add provider").first.click()
    page.get_by_role("link", name="OpenAI-compatible").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Address").fill(address)
    page.get_by_label("Key", exact=True).or_(page.get_by_role("textbox", name="Key optional")).first.fill(key)
    page.get_by_role("button", name="Add provider").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_a_provider_is_added_and_tested(window, fake):
    page = window("ada")
    add(page, "House models", fake.url, "sk-right-key-9876")
    page.get_by_role("button", name="Test", exact=True).click()

    expect(page.get_by_text("It works")).to_be_visible()
    expect(page.get_by_text("House models works and lists")).to_be_visible()
    page.get_by_role("button", name="List models").click()
    expect(page.get_by_role("link", name="echo", exact=True)).to_be_visible()


def test_a_bad_key_is_told_in_the_provider_s_words_without_the_key(window, product, refusing):
    page = window("ada")
    add(page, "Locked door", refusing, KEY)
    page.get_by_role("button", name="Test", exact=True).click()

    expect(page.get_by_text("It does not work")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Incorrect API key provided")
    assert KEY not in page.content()
    assert KEY not in product.process.output
