"""Agents are made, tested, published and run."""

from __future__ import annotations

import hashlib
import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import signed_in

NOTES = "We open the new reading room on 3 May 2027. The budget is €12,000. Ines Vogt leads it. Chairs are late, which is a risk."


def stays(page: Page) -> None:
    """From here on the page must not be loaded anew."""
    page.evaluate("window.stayed = true")


def has_stayed(page: Page) -> bool:
    return bool(page.evaluate("window.stayed === true"))


def test_a_working_agent_is_built_from_a_template_in_under_ten_interactions(window, product):
    page = window("ben")
    page.goto("/agents/gallery/")
    taken = [
        page.get_by_role("link", name="Meeting minutes").click,
        page.get_by_role("link", name="Use this template").click,
        lambda: page.get_by_label("Name").fill("Minutes of the weavers"),
        page.get_by_role("button", name="Make agent").click,
        page.get_by_role("button", name="Publish v1").click,
        page.get_by_role("dialog", name="Publish version 1").get_by_role("button", name="Publish").click,
    ]
    for interaction in taken:
        interaction()

    assert len(taken) < 10
    expect(page.get_by_role("heading", level=1)).to_contain_text("Minutes of the weavers")
    page.get_by_role("link", name="Run", exact=True).click()
    page.get_by_label("Message").or_(page.get_by_label("What should the agent work on?")).fill(NOTES)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("banner").locator("..").get_by_text("Completed").first).to_be_visible()


def test_an_answers_form_is_built_by_keyboard_and_published_with_what_changed(window, product):
    uuid = product.api("maya", "POST", "agents", {"name": "Card reader", "template": "invoice-extractor"})["uuid"]
    product.api("maya", "POST", f"agents/{uuid}/publish", {"note": "First"})
    page = window("maya")
    page.goto(f"/agents/{uuid}/edit/")
    form = page.get_by_role("form", name="Agent")
    form.get_by_role("radio", name=re.compile("^Free text")).focus()
    page.keyboard.press("ArrowDown")
    expect(form.get_by_role("button", name="Add field")).to_be_visible()
    form.get_by_role("button", name="Add field").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("total")
    page.keyboard.press("Tab")
    page.keyboard.type("Number")
    slider = form.get_by_role("slider", name="Creativity")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(form.locator("output")).to_have_text("0.1")
    form.get_by_role("switch", name="Tell it today’s date").press("Space")
    expect(page.get_by_text(re.compile("^Draft saved"))).to_be_visible()
    expect(page.locator("[data-section=answer] [data-warn]")).to_be_visible()  # the built-in model fills in no forms

    form.get_by_role("radio", name=re.compile("^A form")).focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("[data-section=answer] [data-ok]")).to_be_visible()
    page.get_by_role("button", name="Publish v2").press("Enter")
    dialog = page.get_by_role("dialog", name="Publish version 2")
    expect(dialog.get_by_role("listitem")).to_have_text(["Creativity: 0 → 0.1.", "Knows today’s date now."])
    dialog.get_by_label("What is new").fill("Knows the date")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="v2: Knows the date")).to_be_visible()


def test_variables_are_inserted_at_the_cursor(window, product):
    uuid = product.api("maya", "POST", "agents", {"name": "Cursor", "draft": {"instructions": "Write  now."}})["uuid"]
    page = window("maya")
    page.goto(f"/agents/{uuid}/edit/")
    form = page.get_by_role("form", name="Agent")
    form.get_by_role("button", name="Add variable").click()
    page.keyboard.type("topic")
    text = form.get_by_role("textbox", name="Instructions")
    text.evaluate("here => { here.focus(); here.setSelectionRange(6, 6); }")
    form.get_by_role("button", name="topic", exact=True).click()
    expect(text).to_have_value("Write {{ topic }} now.")
    expect(page.locator("#variable-count")).to_have_text("1")


def test_the_builder_works_without_scripts(chromium, product):
    uuid = product.api("maya", "POST", "agents", {"name": "By hand", "template": "meeting-minutes"})["uuid"]
    state = signed_in(chromium, product, "maya")
    context = chromium.new_context(base_url=product.url, storage_state=state, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/agents/{uuid}/edit/")
    form = page.get_by_role("form", name="Agent")
    form.get_by_role("button", name="Add variable").click()
    form.get_by_role("group", name="Variable").last.get_by_label("Name", exact=True).fill("room")
    form.get_by_role("switch", name="Tell it today’s date").check()
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Review By hand")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("v1 of “By hand” is published.")).to_be_visible()
    context.close()


def test_from_a_template_to_a_downloaded_file(window, product):
    page = window("ben")
    page.goto("/agents/gallery/")
    page.get_by_role("link", name="Campaign brief writer").click()
    page.get_by_role("link", name="Use this template").click()
    page.get_by_label("Name").fill("Reading room brief")
    page.get_by_role("button", name="Make agent").click()
    page.get_by_role("button", name="Publish v1").click()
    page.get_by_role("dialog", name="Publish version 1").get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="Run", exact=True).click()
    page.get_by_label("Audience").fill("Readers in town")
    page.get_by_label("Budget in euro").fill("12000")
    page.get_by_label("Message").fill(NOTES)
    page.get_by_role("button", name="Run", exact=True).click()

    log = page.get_by_role("log", name="Log")
    expect(log).to_contain_text("Queued")
    stays(page)
    expect(page.get_by_role("banner").locator("..").get_by_text("Completed").first).to_be_visible()
    expect(log).to_contain_text("Completed")
    assert has_stayed(page)

    page.get_by_role("navigation", name="Run").get_by_role("link", name="Output").click()
    output = page.get_by_role("region", name="Output")
    expect(output).to_contain_text("reading room on 3 May 2027")
    page.get_by_role("navigation", name="Run").get_by_role("link", name=re.compile("Artifacts 1")).click()
    with page.expect_download() as downloading:
        page.get_by_role("region", name="Artifacts").get_by_role("link", name=re.compile(r"^Download \S+\.")).click()
    content = downloading.value.path().read_bytes()
    uuid = re.search(r"/runs/([0-9a-f-]{36})/", page.url)[1]
    kept = product.api("ben", "GET", f"runs/{uuid}/artifacts")
    assert [hashlib.sha256(content).hexdigest(), len(content)] == [kept[0]["sha256"], kept[0]["size_bytes"]]
    assert "reading room" in content.decode()


def test_a_draft_is_tested_beside_its_form(window, product):
    uuid = product.api("maya", "POST", "agents", {"name": "Loose thread", "template": "meeting-minutes"})["uuid"]
    page = window("maya")
    page.goto(f"/agents/{uuid}/edit/")
    stays(page)
    panel = page.get_by_role("region", name="Test")
    panel.get_by_label("Message").or_(panel.get_by_label("What should the agent work on?")).fill(NOTES)
    panel.get_by_role("button", name="Test the draft").click()

    expect(panel.get_by_role("log")).to_contain_text("Queued")
    expect(panel.get_by_role("log")).to_contain_text("Completed")
    expect(panel.get_by_text(re.compile(r"^[\d.]+ m?s · \d+ tokens"))).to_be_visible()
    assert has_stayed(page)


def test_the_builder_keeps_what_is_written_and_says_what_is_wrong(window, product, trouble):
    trouble.expect("status of 422")
    uuid = product.api("maya", "POST", "agents", {"name": "Half woven", "template": "social-posts"})["uuid"]
    page = window("maya")
    page.goto(f"/agents/{uuid}/edit/")
    form = page.get_by_role("form", name="Agent")
    form.get_by_role("textbox", name="Instructions").fill("Write about {{ colour }}.")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    expect(page.get_by_text(re.compile("colour.*declare|declare.*colour|colour"))).not_to_have_count(0)
    form.get_by_role("spinbutton", name="Model calls").fill("100000")
    expect(form.get_by_role("spinbutton", name="Model calls")).to_have_attribute("aria-invalid", "true")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()

    expect(form.get_by_role("textbox", name="Instructions")).to_have_value("Write about {{ colour }}.")


def test_wrong_values_are_said_beside_their_fields_and_nothing_is_lost(window, product, trouble):
    trouble.expect("status of 422")
    uuid = next(
        one["uuid"] for one in product.api("maya", "GET", "agents")["results"] if one["name"] == "Campaign brief writer"
    )
    page = window("maya")
    page.goto(f"/agents/{uuid}/run/")
    page.get_by_label("Audience").fill("")
    page.get_by_label("Budget in euro").fill("a lot")
    page.get_by_label("Message").fill(NOTES)
    page.get_by_role("button", name="Run", exact=True).click()

    expect(page.get_by_label("Audience")).to_have_accessible_description(re.compile("required"))
    expect(page.get_by_label("Audience")).to_be_focused()
    expect(page.get_by_label("Budget in euro")).to_have_accessible_description(re.compile("number"))
    expect(page.get_by_label("Budget in euro")).to_have_value("a lot")
    expect(page.get_by_label("Message")).to_have_value(NOTES)


def test_an_agent_is_started_by_keyboard_alone(window, product):
    page = window()
    page.goto("/sign-in/")
    for text in ("ben@mindloom.example", "\t", product.password("ben"), "\n"):
        page.keyboard.press({"\t": "Tab", "\n": "Enter"}[text]) if text.isspace() else page.keyboard.type(text)
    expect(page.get_by_role("heading", name="Hello, Ben Adler")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("Control+k")
    page.keyboard.type("run press")
    expect(page.get_by_role("option", selected=True)).to_have_text("Run Press release checker")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Run Press release checker")).to_be_visible()
    tab_to(page, "textbox", "Message optional")
    page.keyboard.type("The shuttle no longer sticks. Threads can be dyed.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("log", name="Log")).to_contain_text("Queued")


def tab_to(page: Page, role: str, name: str) -> None:
    """Press the Tab key until it has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True)
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.count() and wanted.first.evaluate("here => here === document.activeElement"):
            return
    raise AssertionError(f"The {role} {name!r} is not reached by the Tab key")


def test_a_bucket_with_a_long_name_does_not_widen_the_builder(window, product):
    name = "Quarterlyreports" * 5
    uuid = product.api("maya", "POST", "agents", {"name": "Reader of reports"})["uuid"]
    bucket = product.api("maya", "POST", "buckets", {"name": name})["uuid"]
    page = window("maya", width=390)
    page.goto(f"/agents/{uuid}/edit/")
    expect(page.get_by_label(name)).to_have_count(1)
    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    product.api("maya", "DELETE", f"buckets/{bucket}?confirm={name}")
    assert not is_wide
