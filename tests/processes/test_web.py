"""Web processes that die while people watch."""

from __future__ import annotations

import json
from urllib.request import Request, urlopen

import pytest

from tests.processes.harness import SLOW, answers, ended, under_way, until

pytestmark = pytest.mark.processes


def test_a_reader_whose_web_process_dies_sees_every_event_once(house, stage, live):
    house.worker()
    run = under_way(stage.start(SLOW | {"text": ["word "] * 60}))
    reader = live(run)
    until(lambda: len(reader.seen) > 3, "the reader sees the first lines")
    live.process.kill()
    house.web(live.port)
    ended(run)
    reader.reads_to_the_end()

    assert reader.broke
    assert reader.seen == list(range(1, run.last_seq + 1))


def test_the_events_of_the_api_are_those_of_the_live_log(house, stage, live):
    house.worker()
    run = stage.start(SLOW | {"text": ["word "] * 10})
    reader = live(run)
    ended(run)
    reader.reads_to_the_end()
    request = Request(f"http://127.0.0.1:{live.port}/api/v1/runs/{run.uuid}/events", headers={"Cookie": live.cookie})
    with urlopen(request, timeout=30) as answer:
        page = json.load(answer)

    assert [event["seq"] for event in page["events"]] == reader.seen
    assert page["complete"] is True


def test_the_web_process_is_not_ready_while_redis_is_away(house, live, redis_process):
    url = f"http://127.0.0.1:{live.port}"
    assert answers(f"{url}/readyz") == 200
    redis_process.kill()
    until(lambda: answers(f"{url}/readyz") == 503, "it says so")
    assert answers(f"{url}/livez") == 200
    redis_process.start()

    until(lambda: answers(f"{url}/readyz") == 200, "it is ready again")
