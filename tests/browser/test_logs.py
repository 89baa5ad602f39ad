"""The log of a run: whole whatever breaks, found again by its links, folded and filtered."""

from __future__ import annotations

import random
import re
from hashlib import sha256

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product
from tests.browser.wire import wired

CUTS = 50
LONG_SUM = "+".join(["1"] * 15_000)
CALL = {"tool_calls": [{"name": "calculate", "arguments": {"expression": LONG_SUM}}]}
WORDS = [f"thread{place:04d} " for place in range(10_000)]


@pytest.fixture(scope="package")
def spinner(product, models):
    """An agent that calls a tool with something very long and then writes for longer than any test lasts."""
    model = models("spinner", CALL, {"text": WORDS, "pace_ms": 40})
    return product.agent(
        "maya", "Spinner", draft={"instructions": "Spin.", "model": model, "tools": [{"key": "calculator"}]}
    )


def copied(page: Page) -> str:
    """The whole log, by its button."""
    page.evaluate("navigator.clipboard.writeText('')")
    page.get_by_role("button", name="Copy log").click()
    expect(page.get_by_text("The whole log is copied.").last).to_be_visible()
    return page.evaluate("navigator.clipboard.readText()")


def downloaded(product: Product, run: str) -> tuple[str, str]:
    """The log's text, and the seal at its end."""
    product.api("maya", "GET", "auth/me")
    headers = {"Authorization": f"Bearer {product._tokens['maya']}"}
    text = httpx.get(f"{product.url}/api/v1/runs/{run}/log.txt", headers=headers, timeout=60).raise_for_status().text
    lines = text.splitlines(keepends=True)
    return "".join(lines[:-1]), lines[-1]


def test_fifty_cuts_a_new_redis_and_a_new_web_process_leave_no_gap_and_nothing_double(
    window, product, spinner, trouble
):
    trouble.expect("WebSocket", "Failed to load resource", "ERR_", "Failed to fetch", "NetworkError", "htmx", "fetch")
    run = product.run("maya", spinner)
    page = window("maya", permissions=["clipboard-read", "clipboard-write"])
    sockets: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda _: sockets.append(id(socket))))
    with wired(product.port) as wire:
        page.goto(f"{wire.url}/runs/{run}/")
        page.evaluate("window.stayed = true")
        for cut in range(CUTS):
            sockets.clear()
            for _ in range(2000):
                if sockets:
                    break
                page.wait_for_timeout(10)
            page.wait_for_timeout(random.uniform(0, 120))
            wire.cut()
            if cut == CUTS // 3:
                product.redis_dies()
            if cut == CUTS // 3 + 3:
                product.redis_is_back()
            if cut == CUTS // 2:
                product.web_process_dies()
        assert product.api("maya", "GET", f"runs/{run}")["state"] == "running", "the cuts came too late"
        product.api("maya", "POST", f"runs/{run}/cancel")
        product.run_ends("maya", run)
        expect(page.get_by_text(re.compile(r"^complete: ([\d,]+) of \1 events$"))).to_be_visible()
        seen = copied(page)
        assert page.evaluate("window.stayed")

    text, seal = downloaded(product, run)
    assert seen == text
    assert sha256(seen.encode()).hexdigest() in seal
    assert LONG_SUM in seen
    words = re.findall(r"thread\d+", seen)
    assert len(words) > CUTS
    assert words == [word.strip() for word in WORDS[: len(words)]]
    page.goto(f"{product.url}/runs/{run}/")
    assert copied(page) == text


EVENTS = 3000


@pytest.fixture(scope="module")
def long_run(product):
    """A run whose log is longer than what a page begins with."""
    agent = product.api("maya", "GET", "agents?q=Campaign+brief")["results"][0]["uuid"]
    return product.long_run("maya", agent, EVENTS)


@pytest.fixture
def opened(window, long_run):
    """Opens the page of the long run, and waits until all of its log is there."""

    def open_page(more: str = "", **options) -> Page:
        page = window("maya", **options)
        page.goto(f"/runs/{long_run}/{more}")
        expect(page.get_by_text(f"complete: {EVENTS:,} of {EVENTS:,} events")).to_be_visible()
        return page

    return open_page


def log_of(page: Page):
    return page.get_by_role("log", name="Log")


def marked(page: Page):
    return log_of(page).locator(".ln.on")


def step_of(page: Page, name: str):
    return page.get_by_role("region", name="Timeline").get_by_role("link", name=name).first


def test_a_link_leads_to_a_line_that_the_page_did_not_begin_with(opened):
    page = opened("#L44")
    expect(marked(page)).to_have_attribute("data-n", "44")
    expect(marked(page)).to_be_in_viewport()

    page.evaluate("location.hash = '#L2500-L2502'")
    expect(log_of(page).locator("#L2500")).to_be_in_viewport()
    page.evaluate("location.hash = '#L20'")
    expect(log_of(page).locator("#L20.on")).to_be_in_viewport()


def test_a_link_to_a_line_that_is_still_to_come_waits_for_it(window, product, spinner):
    run = product.run("maya", spinner)
    page = window("maya")
    page.goto(f"/runs/{run}/#L30")
    expect(marked(page)).to_be_in_viewport()
    expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Stop").click()
    product.run_ends("maya", run)


def test_a_step_of_the_timeline_shows_its_lines_by_mouse_and_by_keyboard(opened):
    page = opened()
    log = log_of(page)
    step_of(page, "fetch_page").click()
    expect(log).not_to_contain_text("calculate")
    expect(log).to_contain_text("fetch_page found 1")
    expect(page).to_have_url(re.compile(r"\?step=member%3AScout%2Ftool%3Afetch_page"))
    page.reload()
    expect(page.get_by_role("button", name="Show all steps")).to_contain_text("fetch_page")
    expect(log).not_to_contain_text("calculate")

    step_of(page, "Reviewer").focus()
    page.keyboard.press("Enter")
    expect(log).to_contain_text("calculate found 41")
    expect(log).not_to_contain_text("calculate found 12")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Show all steps")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/$"))


def test_a_step_can_be_chosen_without_scripts(window, long_run):
    page = window("maya", java_script_enabled=False)
    page.goto(f"/runs/{long_run}/")
    step_of(page, "fetch_page").click()
    expect(page.get_by_text("Lines of the chosen step")).to_be_visible()
    expect(page.get_by_role("region", name="Run log")).to_contain_text("fetch_page found 1")


def test_a_fold_tells_what_its_step_took_and_hides_its_lines(opened):
    page = opened("#L26")
    log = log_of(page)
    line = log.locator("#L45")
    expect(line).to_contain_text("calculate found")
    head = log.locator("#L44")
    expect(head).to_contain_text("20 ms")
    head.get_by_role("button", name="Lines of calculate").click()
    expect(line).to_have_count(0)
    expect(head.get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(line).to_be_visible()
    expect(log.locator(".ln.made", has_text="weaver-large").first).to_contain_text("280 ms · ")

    page.get_by_role("button", name="Fold all steps").click()
    expect(line).to_have_count(0)
    page.evaluate("location.hash = '#L45'")
    expect(line).to_be_in_viewport()


def test_what_is_far_away_is_found(opened):
    page = opened()
    page.keyboard.press("Escape")
    log_of(page).focus()
    page.keyboard.press("/")
    page.keyboard.type("thread00003")
    expect(log_of(page).get_by_text("thread00003")).to_be_in_viewport()
    expect(page.get_by_text("1/1")).to_be_visible()


def test_the_first_error_is_one_press_away(opened):
    page = opened()
    page.get_by_role("button", name=re.compile("^1 error, ")).click()
    expect(log_of(page).get_by_text("turn 50,")).to_be_in_viewport()
    expect(marked(page)).to_have_attribute("data-level", "error")


def test_times_are_shown_as_the_reader_likes_and_that_is_remembered(opened):
    page = opened("#L30")
    moment = re.compile(r"^\+\d:\d\d\.\d$")
    page.get_by_label("Times").select_option("Since start")
    expect(marked(page)).to_have_attribute("data-when", moment)
    page.reload()
    expect(marked(page)).to_have_attribute("data-when", moment)
    page.get_by_label("Times").select_option("UTC")
    expect(marked(page)).to_have_attribute("data-when", re.compile(r"Z$"))
    page.get_by_label("Times").select_option("Local time")


def test_a_long_result_is_shown_in_full_when_asked_for(window, product, spinner):
    run = product.run("maya", spinner)
    page = window("maya")
    page.goto(f"/runs/{run}/")
    log = log_of(page)
    expect(log).to_contain_text("thread0003")
    # Not by the page's button: its answer would still be on its way when the page is loaded again, and end that.
    product.api("maya", "POST", f"runs/{run}/cancel")
    product.run_ends("maya", run)
    page.reload()
    expect(page.get_by_text(re.compile("^complete"))).to_be_visible()
    call = log.locator(".ln", has_text="calculate(").first
    call.get_by_text("Details").click()
    whole = call.get_by_role("link", name=re.compile(r"Show all 30,0\d\d characters"))
    expect(whole).to_be_visible()
    whole.click()
    expect(whole).to_have_count(0)
    assert LONG_SUM in (call.locator("details").text_content() or "")
