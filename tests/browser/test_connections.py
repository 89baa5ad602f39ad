"""A member connects the department's mail server and finds out that it does not answer."""

from __future__ import annotations

from playwright.sync_api import expect

SECRET = "a password of the office"


def test_a_connection_is_made_and_tested_by_keyboard(window, trouble):
    page = window("maya")
    page.goto("/connections/new/")
    page.get_by_role("link", name="Mail server").press("Enter")
    page.get_by_label("Name", exact=True).fill("Post office")
    page.get_by_label("Host").fill("127.0.0.1")
    page.get_by_label("Port").fill("9")
    page.get_by_role("textbox", name="Password").fill(SECRET)
    page.get_by_label("Sender").fill("nobody")
    trouble.expect("status of 422")
    page.get_by_role("button", name="Make connection").press("Enter")

    expect(page.get_by_label("Sender")).to_be_focused()
    expect(page.get_by_text("is not an e-mail address")).to_be_visible()
    page.get_by_label("Sender").fill("nobody@example.org")
    page.get_by_role("textbox", name="Password").fill(SECRET)
    page.get_by_role("button", name="Make connection").press("Enter")

    expect(page.get_by_role("heading", name="Post office")).to_be_visible()
    page.get_by_role("button", name="Test", exact=True).press("Enter")
    expect(page.get_by_text("It does not work")).to_be_visible()
    expect(page.locator("#last-test")).to_contain_text("failed")
    assert SECRET not in page.content()

    page.get_by_role("button", name="More actions").press("Enter")
    page.get_by_role("button", name="Delete").press("Enter")
    page.get_by_role("alertdialog").get_by_role("button", name="Delete connection").press("Enter")
    expect(page.get_by_text("is deleted")).to_be_visible()


def test_tools_are_found_while_one_types(window):
    page = window("vera")
    page.goto("/tools/")
    page.get_by_label("Search tools").press_sequentially("arithmetic sum")
    page.get_by_label("Search tools").fill("calculate")
    expect(page.get_by_role("heading", name="Read web pages")).to_have_count(0)
    page.get_by_role("link", name="Calculator").click()
    expect(page.get_by_text("expression", exact=True)).to_be_visible()
