"""Runs are watched, stopped, repeated, and seen by those who may."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product

WORDS = [f"thread{place:03d} " for place in range(160)]


@pytest.fixture(scope="package")
def weaver(product, models):
    """An agent that writes for about eight seconds."""
    model = models("weaver", {"text": WORDS, "pace_ms": 50})
    return product.agent("maya", "Weaver", draft={"instructions": "Weave.", "model": model})


def tabs(page: Page):
    return page.get_by_role("navigation", name="Run")


def lines(page: Page) -> list[str]:
    return page.get_by_role("log", name="Log").locator("[data-n]").all_inner_texts()


def test_a_run_is_stopped(window, product, weaver):
    page = window("maya")
    page.goto(f"/runs/{product.run('maya', weaver)}/")
    expect(page.get_by_role("log", name="Log")).to_contain_text("thread003")
    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_role("log", name="Log")).to_contain_text("Stopped by Maya Ortiz")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.get_by_role("log", name="Log")).not_to_contain_text("thread159")


def test_the_list_stays_where_it_is_and_marked_runs_are_stopped_together(window, product, weaver):
    runs = [product.run("maya", weaver) for _ in range(2)]
    page = window("maya")
    page.goto("/runs/?view=live")
    boxes = [page.locator(f"#run-{run}").get_by_role("checkbox") for run in runs]
    for box in boxes:
        box.check()
    expect(page.get_by_text("2 runs marked")).to_be_visible()
    with page.expect_response(lambda answer: "top=" in answer.url, timeout=20_000):
        another = product.run("maya", weaver)
    newer = page.get_by_role("status").get_by_role("link", name=re.compile(r"^\d+ new runs?$"))
    expect(newer).to_be_visible()
    expect(page.locator(f"#run-{another}")).to_have_count(0)
    for box in boxes:
        expect(box).to_be_checked()

    page.get_by_role("group", name="The marked runs").get_by_role("button", name="Stop").click()
    expect(page.get_by_text(re.compile("^Stopped (one run|2 runs)"))).to_be_visible()
    expect(page.locator(f"#run-{runs[0]}")).to_have_count(0)
    expect(page.locator(f"#run-{another}")).to_be_visible()


def test_a_run_is_repeated_with_the_same_input(window, product):
    run = first_run(product)
    page = window("maya")
    page.goto(f"/runs/{run}/")
    page.get_by_role("button", name="Run again").click()
    page.wait_for_url(re.compile(rf"/runs/(?!{run})"))
    expect(page.get_by_role("log", name="Log")).to_contain_text("Completed")
    expect(page.get_by_role("complementary", name="Summary")).to_contain_text("Repeats")
    tabs(page).get_by_role("link", name="Inputs").click()

    expect(page.get_by_role("region", name="Variables")).to_contain_text("Cyclists in cities")


def test_the_log_is_whole_although_the_web_process_dies_in_the_middle(window, product, weaver, trouble):
    trouble.expect(
        "WebSocket connection to", "Failed to load resource", "ERR_", "Failed to fetch", "NetworkError", "htmx"
    )
    run = product.run("maya", weaver)
    page = window("maya")
    page.goto(f"/runs/{run}/")
    page.evaluate("window.stayed = true")
    log = page.get_by_role("log", name="Log")
    expect(log).to_contain_text("thread010")
    product.web_process_dies()
    expect(page.get_by_text("Reconnecting…")).to_be_visible()
    product.web_process_is_back()
    expect(log).to_contain_text("Completed")
    expect(page.get_by_text("Finished").first).to_be_visible()
    seen = lines(page)
    assert page.evaluate("window.stayed")

    assert re.findall(r"thread\d+", " ".join(seen)) == [word.strip() for word in WORDS]
    page.reload()
    expect(log).to_contain_text("Completed")
    assert lines(page) == seen


def test_a_model_of_a_provider_streams_calls_a_tool_and_is_accounted_for(window, product, models):
    call = {"name": "calculate", "arguments": {"expression": "19 * 21"}}
    model = models(
        "counting",
        {"tool_calls": [call], "usage": {"prompt_tokens": 120, "completion_tokens": 8, "total_tokens": 128}},
        {
            "text": ["It ", "makes ", "**399**", "."],
            "pace_ms": 300,
            "usage": {"prompt_tokens": 150, "completion_tokens": 12, "total_tokens": 162},
        },
    )
    agent = product.agent(
        "maya", "Counter", draft={"instructions": "Count.", "model": model, "tools": [{"key": "calculator"}]}
    )
    page = window("maya")
    page.goto(f"/agents/{agent}/run/")
    page.get_by_label("What should the agent work on?").fill("How much is 19 times 21?")
    page.get_by_role("button", name="Run", exact=True).click()

    log = page.get_by_role("log", name="Log")
    expect(log).to_contain_text("calculate(expression=")
    expect(log).to_contain_text("19 * 21 = 399")
    expect(log).to_contain_text("It makes **399**.")
    expect(log).to_contain_text("Completed")
    page.get_by_role("link", name="Output").click()
    expect(page.get_by_role("region", name="Output").locator("strong")).to_have_text("399")
    expect(page.get_by_text("270 in · 20 out")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text="290")).to_be_visible()


def test_a_viewer_reads_but_finds_nothing_to_run(window, product):
    page = window("vera")
    page.goto("/")
    page.get_by_role("link", name="Campaign brief writer", exact=True).first.click()
    expect(page.get_by_role("region", name="Output")).to_contain_text("Lumen")
    for path in ("/", "/agents/", "/runs/", f"/runs/{first_run(product)}/"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("main").get_by_role("link", name=re.compile(r"^Run\b"))).to_have_count(0)
        expect(page.get_by_role("main").get_by_role("button", name=re.compile("^Run|New agent"))).to_have_count(0)


def test_an_outsider_finds_nothing_at_the_run_s_address(window, product, trouble):
    trouble.expect("status of 404")
    page = window("lena")
    answer = page.goto(f"/runs/{first_run(product)}/")

    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def first_run(product: Product) -> str:
    """The run of the demonstration in Marketing."""
    return product.api("maya", "GET", "runs")["results"][-1]["uuid"]


def test_filters_are_fetched_when_they_are_opened(window, product):
    page = window("maya")
    page.goto("/runs/")
    expect(page.get_by_role("combobox", name="Trigger")).to_have_count(0)
    page.get_by_text("Filters", exact=True).click()
    page.get_by_role("combobox", name="Trigger").select_option("api")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page).to_have_url(re.compile("trigger=api"))
    expect(page.get_by_role("link", name="Take the filter away: Trigger the API")).to_be_visible()
    page.get_by_text("Filters", exact=False).first.click()
    expect(page.get_by_role("combobox", name="Trigger")).to_have_value("api")
