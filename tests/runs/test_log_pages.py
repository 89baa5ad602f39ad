"""The page of a run's log: what it begins with, what it fetches later, and its timeline."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from mindloom import wall
from mindloom.engine.events import LogWritten, ModelCalled, ToolCallFinished, ToolCallStarted
from runs.models import Guard, State, append
from tests import factories
from tests.benchmarks import logs

LIVE = Guard(states=(State.QUEUED, State.RUNNING))


@pytest.fixture
def run(cast):
    with wall.tenant([cast.marketing.pk]):
        return factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)


def write(run, *events):
    with wall.tenant([run.department_id]):
        for start in range(0, len(events), 500):
            append(run.pk, events[start : start + 500], guard=LIVE)
        run.refresh_from_db()


def script(page: str, name: str):
    """What a page has for its scripts."""
    return json.loads(re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page, re.DOTALL)[1])


def page_of(client, run, query: str = "", **headers) -> str:
    answer = client.get(reverse("runs:detail", args=[run.uuid]) + query, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def part_of(client, run, **query):
    return client.get(reverse("runs:log_part", args=[run.uuid]), query).json()


def test_a_long_log_begins_with_its_end_and_the_rest_is_fetched_without_gaps(run, client_as, cast):
    write(run, *[LogWritten(level="info", message=str(n)) for n in range(2500)])
    client = client_as(cast.carol)

    page = page_of(client, run)
    seen = [line["n"] for line in script(page, "run-lines")]
    first = int(re.search(r'first="(\d+)"', page)[1])
    assert seen == list(range(first + 1, 2501))
    assert 'after="2500"' in page
    earlier = part_of(client, run, after=first - 1000, upto=first)
    assert [line["n"] for line in earlier["lines"]] == list(range(first - 999, first + 1))
    assert (earlier["after"], earlier["last"]) == (first - 1000, first)


def test_a_short_log_is_in_its_page_as_a_whole(run, client_as, cast):
    write(run, *[LogWritten(level="info", message=str(n)) for n in range(20)])

    assert 'first="0"' in page_of(client_as(cast.bob), run)
    assert len(part_of(client_as(cast.bob), run)["lines"]) == 20


def test_what_stands_behind_a_line_is_told_in_full(run, client_as, cast):
    long = "row\n" * 20_000
    write(run, ToolCallFinished(call_id="c", tool="t", result=long, duration_ms=1))

    line = part_of(client_as(cast.bob), run)["lines"][0]
    answer = client_as(cast.bob).get(reverse("runs:log_line", args=[run.uuid, 1]))
    assert (line["cut"], len(line["more"])) == (80_000, 20_000)
    assert answer.content.decode() == long
    assert answer["Content-Type"].startswith("text/plain")
    assert client_as(cast.bob).get(reverse("runs:log_line", args=[run.uuid, 2])).status_code == 404


def test_nonsense_in_the_address_is_everything(run, client_as, cast):
    write(run, LogWritten(level="info", message="a"))
    assert [line["n"] for line in part_of(client_as(cast.bob), run, after="-1", upto="x")["lines"]] == [1]


def test_lines_say_their_step_and_steps_what_they_took(run, client_as, cast):
    called = ModelCalled(provider="p", model="loom-1", turn=1, duration_ms=1500, tokens_in=1200, tokens_out=30)
    started = ToolCallStarted(call_id="c", tool="fetch_page", arguments={}, effect="reads")
    write(run, called, started, ToolCallFinished(call_id="c", tool="fetch_page", result="x", duration_ms=400))

    part = part_of(client_as(cast.bob), run)
    assert [line["step"] for line in part["lines"]] == ["model-1", "tool-1", "tool-1"]
    notes = {step["key"]: step["note"] for step in part["steps"]}
    assert notes["model-1"] == "1.5 s · 1.2k in · 30 out · unpriced"
    assert set(notes) == {"run", "model-1", "tool-1"}


def test_the_timeline_is_in_the_page_and_each_step_is_a_link(run, client_as, cast):
    write(run, *logs.turn(0, datetime.now(UTC), ("Scout",)))
    client = client_as(cast.bob)

    page = page_of(client, run, "?step=tool-1")
    assert 'href="?step=model-1#run-log"' in page
    assert re.search(r'id="step-tool-1"[^>]*aria-current="true"', page)
    assert not re.search(r'id="step-tool-2"[^>]*aria-current', page)
    part = page_of(
        client, run, **{"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "section#run-timeline"}
    )
    assert part.lstrip().startswith('<section class="card" id="run-timeline"')
    assert "weaver-large" in part


def test_the_lines_of_a_step_can_be_read_without_scripts(run, client_as, cast):
    write(run, *logs.turn(0, datetime.now(UTC), ("Scout",)))

    without = re.search(
        r'<div class="no-script">(.*?)</div>', page_of(client_as(cast.bob), run, "?step=tool-1"), re.DOTALL
    )[1]
    assert "fetch_page" in without
    assert "calculate" not in without
    assert (
        "log.txt" in re.search(r'<div class="no-script">(.*?)</div>', page_of(client_as(cast.bob), run), re.DOTALL)[1]
    )


def test_many_steps_that_are_alike_share_a_row(run, client_as, cast):
    write(run, *list(logs.story(900, datetime.now(UTC), "Desk"))[:-1])

    page = page_of(client_as(cast.bob), run)
    rows = re.findall(r'wf-depth-(\d)".*?<b>([^<]*)</b>(?: <span>([^<]*)</span>)?', page, re.DOTALL)
    assert rows[:2] == [("0", run.target_name, ""), ("1", "Scout", "agent")]
    assert ("2", "fetch_page", "20 calls") in rows
    assert len(rows) < 20


def test_a_run_of_others_has_no_lines(run, client_as, cast):
    write(run, LogWritten(level="info", message="a"))
    for name, more in (("log_part", []), ("log_line", [1])):
        assert client_as(cast.mallory).get(reverse(f"runs:{name}", args=[run.uuid, *more])).status_code == 404


def test_a_run_without_events_has_a_page(run, client_as, cast):
    assert "Nothing has happened yet" in page_of(client_as(cast.bob), run)


@pytest.mark.parametrize("name", ["detail", "output", "artifacts", "metrics", "inputs"])
def test_head_and_rail_are_loaded_again_alone(run, client_as, cast, name):
    for part in ("run-top", "run-rail"):
        headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": f"div#{part}"}
        answer = client_as(cast.bob).get(reverse(f"runs:{name}", args=[run.uuid]), headers=headers)
        assert answer.content.decode().count(f'id="{part}"') == 1
        assert b"<!doctype" not in answer.content
