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
WORDS = [f"thread{place:04d} " for place in range(1000)]


@pytest.fixture(scope="package")
def spinner(product, models):
    """An agent that calls a tool with something very long and then writes for forty seconds."""
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
        product.run_ends("maya", run)
        expect(page.get_by_text(re.compile(r"^complete: ([\d,]+) of \1 events$"))).to_be_visible()
        seen = copied(page)
        assert page.evaluate("window.stayed")

    text, seal = downloaded(product, run)
    assert seen == text
    assert sha256(seen.encode()).hexdigest() in seal
    assert LONG_SUM in seen
    assert re.findall(r"thread\d+", seen) == [word.strip() for word in WORDS]
    page.goto(f"{product.url}/runs/{run}/")
    assert copied(page) == text
