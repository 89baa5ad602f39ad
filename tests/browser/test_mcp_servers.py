"""The administrator adds an MCP server, and what it offers stands in the catalogue."""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.browser.test_pages import problems
from tests.fakes.mcp_server import FakeMcp

KEY = "Bearer a-key-of-the-desk"


@pytest.fixture
def desk():
    with FakeMcp(key=KEY) as server:
        yield server


def test_a_server_is_added_tested_shown_and_deleted(window, desk):
    page = window("ada")
    page.goto("/mcp-servers/new/")
    page.get_by_label("Name", exact=True).fill("Ticket desk")
    page.get_by_label("Short name").fill("desk")
    page.get_by_label("Address").fill(desk.url)
    page.get_by_role("textbox", name="Key optional", exact=True).fill(KEY)
    page.get_by_role("button", name="Add server").click()
    expect(page.get_by_role("heading", name="Ticket desk")).to_be_visible()
    page.get_by_role("button", name="Test", exact=True).click()

    expect(page.get_by_text("It works")).to_be_visible()
    expect(page.get_by_text("search_tickets")).to_be_visible()
    assert KEY not in page.content()
    page.evaluate(AXE_SCRIPT)
    assert problems(page) == []

    member = window("vera", width=390)
    member.goto("/tools/?q=ticket")
    member.get_by_role("link", name="Ticket desk").click()
    expect(member.get_by_text("tickets_close")).to_be_visible()
    member.evaluate(AXE_SCRIPT)
    assert problems(member) == []

    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete server").click()
    expect(page.get_by_text("is deleted")).to_be_visible()
