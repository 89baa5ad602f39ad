"""The page of a run with a long log, in a real browser: how soon it is there, how it follows, how quickly it finds.

The page counts for itself: when its first lines were drawn, what kept it busy for longer than 50 ms (the browser's *long tasks*), how
long a search took until its first hit was in the middle of the log.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime

from django.core.management import call_command
from playwright.sync_api import Page, expect, sync_playwright

from mindloom import wall
from runs.models import Run
from runs.signals import ring
from tests import factories
from tests.benchmarks import logs, people
from tests.benchmarks.house import House, free_port
from tests.benchmarks.report import Row

OPEN_MS, BUSY_MS, FIND_MS = 1000, 100, 100
EVENTS_A_SECOND = 50
ROUNDS = 5
NEEDLES = ("thread00007", "thread00", "programmes", "row of a long table", "zzzz")
"""One hit near the beginning, some hundreds, thousands, hits in folded texts, none."""
WATCH = """
window.seen = { busy: [], drawn: 0, whole: 0 };
new PerformanceObserver((list) => { for (const one of list.getEntries()) seen.busy.push([one.startTime, one.duration]); }).observe({ type: 'longtask', buffered: true });
new MutationObserver(() => {
  if (!seen.drawn && document.querySelector('.ln')) requestAnimationFrame(() => setTimeout(() => { seen.drawn ||= performance.now(); }));
  if (!seen.whole && document.querySelector('[data-whole]')?.textContent.match(/^complete|so far$/)) seen.whole = performance.now();
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


def measure(house: House, *, events: int, seconds: int) -> list[Row]:
    """A finished run of so many events is opened and searched; one that has as many already is followed."""
    with wall.system("benchmark"):
        owner = people.person()
        agent = people.agent(owner, "http://127.0.0.1:9/v1", "none")
        finished, live = (factories.run(agent, owner, **logs.under_way(events)) for _ in range(2))
        for run in (finished, live):
            logs.write(run, list(logs.story(events + (run is live), run.queued_at, run.target_name)))
        logs.end(finished)
    call_command("collectstatic", verbosity=0, interactive=False)
    port = free_port()
    house.web(port)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium",
            args=["--headless=new", "--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page(base_url=f"http://127.0.0.1:{port}", viewport={"width": 1440, "height": 900})
        page.set_default_timeout(60_000)
        _sign_in(page)
        page.add_init_script(WATCH)
        rows = [_opened(page, finished, events), _found(page), _followed(page, live, events, seconds)]
        browser.close()
    return rows


def _sign_in(page: Page) -> None:
    page.goto("/sign-in/")
    page.get_by_label("E-mail").fill(people.EMAIL)
    page.get_by_label("Password", exact=True).fill(people.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def _opened(page: Page, run: Run, events: int) -> Row:
    drawn, whole, busy = [], [], []
    for _ in range(ROUNDS + 1):
        page.goto(f"/runs/{run.uuid}/")
        expect(page.get_by_text(f"complete: {events:,} of {events:,} events")).to_be_visible(timeout=60_000)
        page.wait_for_timeout(300)
        seen = page.evaluate("window.seen")
        drawn.append(seen["drawn"])
        whole.append(seen["whole"])
        busy.append(max((took for _, took in seen["busy"]), default=0))
    # The first time the server and the browser fill their caches.
    first, drawn, whole = drawn[0], sorted(drawn[1:]), sorted(whole[1:])
    return Row(
        f"A run of {events:,} events: from the click to the log's last lines",
        f"{drawn[ROUNDS // 2]:.0f} ms (most {drawn[-1]:.0f}; the very first time {first:.0f})",
        f"the whole log is in the page after {whole[ROUNDS // 2]:.0f} ms; longest task {max(busy[1:]):.0f} ms",
        f"≤ {OPEN_MS} ms",
        drawn[-1] <= OPEN_MS,
    )


def _found(page: Page) -> Row:
    box = page.get_by_role("searchbox", name="Find in log")
    for needle in NEEDLES:
        before = page.evaluate("performance.getEntriesByName('log-find').length")
        box.fill(needle)
        until = time.monotonic() + 30
        while page.evaluate("performance.getEntriesByName('log-find').length") == before and time.monotonic() < until:
            page.wait_for_timeout(20)
    took = page.evaluate("performance.getEntriesByName('log-find').map((one) => one.duration)")
    box.fill("")
    return Row(
        "The same: a search over all lines, until the first hit is in the middle",
        f"most {max(took):.0f} ms of {len(took)} searches",
        ", ".join(f"{needle} {ms:.0f}" for needle, ms in zip(NEEDLES, took, strict=False)),
        f"≤ {FIND_MS} ms",
        max(took) <= FIND_MS and len(took) == len(NEEDLES),
    )


def _followed(page: Page, run: Run, before: int, seconds: int) -> Row:
    page.goto(f"/runs/{run.uuid}/")
    expect(page.get_by_text(f"{before:,} events so far")).to_be_visible(timeout=60_000)
    page.wait_for_timeout(1000)
    since = page.evaluate("performance.now()")
    writer = threading.Thread(target=_write, args=(run, seconds), name="writer")
    writer.start()
    after = before + seconds * EVENTS_A_SECOND
    try:
        expect(page.get_by_text(f"{after:,} events so far")).to_be_visible(timeout=(seconds + 30) * 1000)
    finally:
        writer.join()
    took = page.evaluate("performance.now()") - since
    busy = [ms for at, ms in page.evaluate("window.seen.busy") if at >= since]
    return Row(
        f"The same: it follows {EVENTS_A_SECOND} events a second for {seconds} s",
        f"longest task {max(busy, default=0):.0f} ms, {len(busy)} longer than 50 ms",
        f"all there {took / 1000 - seconds:.1f} s after the last was written",
        f"none over {BUSY_MS} ms",
        max(busy, default=0) <= BUSY_MS,
    )


def _write(run: Run, seconds: int) -> None:
    """As a worker does: what came in a tenth of a second together."""
    from django.db import connections

    with wall.system("benchmark"):
        number, made, ticks = 5000, [], seconds * 10
        for tick in range(ticks):
            began = time.monotonic()
            each = EVENTS_A_SECOND // 10
            while len(made) < each:
                made += logs.turn(number, datetime.now(UTC), (run.target_name,))
                number += 1
            now, part = datetime.now(UTC), made[:each]
            made = made[each:]
            logs.write(run, [type(one)(**(one.data() | {"at": now, "source": one.source})) for one in part])
            ring(run.uuid)
            if tick < ticks - 1:
                time.sleep(max(0.0, 0.1 - (time.monotonic() - began)))
    connections.close_all()
