"""What becomes of a run when something dies under it: the rows of the table in docs/runs.md, each with real processes.

Two things are held each time: the log is whole, and what went out went out exactly as often as it should.
"""

from __future__ import annotations

import json
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection, connections

from integrations import services as integrations
from mindloom import wall
from mindloom.environment import BASE_DIR
from runs import services
from runs.models import Approval, JournalEntry, Reason, Run, State
from tests import servers
from tests.processes.harness import HELLO, SLOW, ended, types, under_way, until

pytestmark = pytest.mark.processes

SOON = {"RUN_HEARTBEAT_STALE_SECONDS": 5}
POST = {"tool_calls": [{"name": "post_to_webhook", "arguments": {"text": "The plan is ready."}}]}
LOOK = {"tool_calls": [{"name": "calculate", "arguments": {"expression": "6 * 7"}}]}


class Outside:
    """A receiver of messages: it counts what comes in, and can keep the sender waiting for its answer."""

    def __init__(self) -> None:
        self.received: list[dict] = []
        self.answers = threading.Event()
        self.answers.set()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(json.loads(body))

            def do_GET(self) -> None:
                self.answer({"path": self.path})

            def answer(self, received: dict) -> None:
                outside.received.append(received)
                outside.answers.wait(60)
                try:
                    self.send_response(200)
                    self.send_header("Content-Type", "text/html")
                    self.send_header("Content-Length", "20")
                    self.end_headers()
                    self.wfile.write(b"<p>All is well.</p>\n")
                except OSError:
                    return  # the sender is dead

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.answers.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def outside():
    receiver = Outside()
    yield receiver
    receiver.close()


@pytest.fixture
def poster(stage, outside):
    """Bob's run of an agent that posts to the receiver without asking first, then says that it is done."""

    def start(*turns):
        hook = integrations.create_connection(
            actor=stage.cast.alice,
            department_id=stage.cast.marketing.pk,
            kind="webhook",
            name="Chat",
            values={"url": outside.url},
        )
        tools = [{"key": "webhook", "config": {}, "connection": str(hook.uuid), "ask_first": False}]
        return stage.start(*(turns or (POST, {"text": "Done."})), tools=tools)

    return start


@contextmanager
def row_held(run):
    """Somebody holds the run's row, so that nothing of it can be written meanwhile."""
    free, held = threading.Event(), threading.Event()

    def hold():
        with wall.system("tests: hold a row"), connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT id FROM runs_run WHERE id = %s FOR UPDATE", [run.pk])
            held.set()
            free.wait(60)
            cursor.execute("COMMIT")
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert held.wait(30)
        try:
            yield
        finally:
            free.set()
            holding.result()


def blocked():
    """Whether somebody waits for a row of a run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%runs_run%%'"
            " AND datname = current_database()"
        )
        return cursor.fetchone()[0]


def asks(run):
    """Wait until the run asks a person; the question."""

    def waits():
        run.refresh_from_db()
        assert not run.is_terminal, run.reason_message
        return run.state == State.WAITING

    until(waits, f"run {run.pk} asks")
    return run.approvals.get(state=Approval.State.OPEN)


def test_killed_before_it_took_the_run(house, stage):
    """The run stays in the queue; the message is sent again."""
    first = house.worker(WORKER_CONCURRENCY=1)
    busy = under_way(stage.start(SLOW))
    run = stage.start(HELLO)
    first.kill()
    house.worker(**SOON)
    house.scheduler(**SOON)

    assert ended(run).state == State.COMPLETED
    assert types(run).count("run.started") == 1
    services.stop_run(actor=stage.cast.bob, run=busy)


def test_killed_while_it_took_the_run(house, stage):
    """Taking is one statement: it has happened, or it has not."""
    run = stage.start(HELLO)
    with row_held(run):
        worker = house.worker()
        until(blocked, "the worker is about to take it")
        worker.kill()
    house.worker(**SOON)
    house.scheduler(**SOON)

    assert ended(run).state == State.COMPLETED
    assert len(stage.fake.bodies(run.spec["model"]["model"])) == 1


def test_killed_between_two_events(house, stage):
    """It goes on where it was: what the model said is not asked again, the tool is not called again."""
    worker = house.worker()
    run = stage.start(LOOK, SLOW | {"text": ["word "] * 60}, tools=[{"key": "calculator", "config": {}}])
    until(lambda: "content.added" in types(run), "the second turn is under way")
    worker.kill()
    assert JournalEntry.objects.filter(run=run).exists()
    house.worker(**SOON)
    house.scheduler(**SOON)

    assert ended(run).state == State.COMPLETED
    assert run.restarts == 1
    assert types(run).count("tool_call.started") == 1
    assert types(run).count("run.started") == 2
    assert len(stage.fake.bodies(run.spec["model"]["model"])) == 3, "the turn that broke off is asked again, no other"
    assert not JournalEntry.objects.filter(run=run).exists()


@pytest.mark.parametrize(("says", "times"), [("happened", 1), ("did_not_happen", 2)])
def test_killed_while_a_tool_sent_something(house, stage, poster, outside, says, times):
    """Nobody but a person can know whether it went out, so a person is asked; nothing is sent by itself again."""
    outside.answers.clear()
    worker = house.worker()
    run = poster()
    until(lambda: outside.received, "the message is out, its answer is not")
    worker.kill()
    house.worker(**SOON)
    house.scheduler(**SOON)
    question = asks(run)

    assert (question.kind, question.tool, question.effect) == ("check", "post_to_webhook", "sends")
    assert question.message.startswith("Did post_to_webhook go out?")
    assert len(outside.received) == 1
    outside.answers.set()
    services.decide(actor=stage.cast.bob, approval=question, decision=says)
    assert ended(run).state == State.COMPLETED
    assert len(outside.received) == times
    told = stage.fake.bodies(run.spec["model"]["model"])[-1]["messages"][-1]["content"]
    assert ("confirmed it" in told) == (says == "happened")


def test_killed_after_a_tool_had_sent_something(house, stage, poster, outside):
    """Its answer was kept, so it is neither sent again nor asked about."""
    worker = house.worker()
    run = poster(POST, SLOW | {"text": ["word "] * 60})
    until(lambda: "content.added" in types(run), "the turn after it is under way")
    worker.kill()
    house.worker(**SOON)
    house.scheduler(**SOON)

    assert ended(run).state == State.COMPLETED
    assert len(outside.received) == 1


def test_killed_in_a_tool_that_only_reads(house, stage, outside):
    """It is called again."""
    outside.answers.clear()
    worker = house.worker()
    with_page = {"tool_calls": [{"name": "fetch_page", "arguments": {"url": outside.url}}]}
    run = stage.start(with_page, {"text": "Read."}, tools=[{"key": "web_page", "config": {}}])
    until(lambda: outside.received, "the page is asked for")
    worker.kill()
    outside.answers.set()
    house.worker(**SOON)
    house.scheduler(**SOON)

    assert ended(run).state == State.COMPLETED
    assert len(outside.received) == 2
    assert types(run).count("tool_call.started") == 2
    assert types(run).count("tool_call.failed") == 1, "the call that was cut off has an end, too"


def test_killed_after_the_last_event_and_before_the_end(house, stage):
    worker = house.worker()
    run = stage.start({"text": ["word "] * 12, "pace_ms": 100})
    until(lambda: "content.added" in types(run), "it writes")
    with row_held(run):
        until(blocked, "it wants to write")
        worker.kill()
    house.worker(**SOON)
    house.scheduler(**SOON)

    assert ended(run).state == State.COMPLETED
    assert run.output == "word " * 12


def test_a_run_that_loses_its_worker_each_time_is_given_up(house, stage):
    house.scheduler(RUN_RESTARTS=1, **SOON)
    run = stage.start(SLOW)
    for attempt in (1, 2):
        worker = house.worker(RUN_RESTARTS=1, **SOON)
        until(lambda attempt=attempt: under_way(run).fence == attempt, f"it is tried for the {attempt}. time")
        worker.kill()
    ended(run)

    assert (run.state, run.reason, run.restarts) == (State.FAILED, Reason.LOST, 1)
    assert "started again once" in run.reason_message


def test_redis_is_gone_for_a_while(house, stage, redis_process):
    """Runs under way go on; what is started meanwhile is taken when it is back."""
    house.worker()
    house.scheduler()
    run = under_way(stage.start(SLOW | {"text": ["word "] * 80}))
    redis_process.kill()
    late = stage.start(HELLO)
    assert ended(run).state == State.COMPLETED
    redis_process.start()

    assert ended(late).state == State.COMPLETED


def test_the_database_is_restarted(house, stage):
    """The worker waits for it and goes on; its log has no gap."""
    if servers.embedded_servers is None:
        pytest.skip("DATABASE_URL names a server that is not ours to restart")
    house.worker()
    run = under_way(stage.start(SLOW | {"text": ["word "] * 60}))
    restart_database()

    assert ended(run).state == State.COMPLETED
    assert run.output == "word " * 60


def restart_database():
    connections.close_all()
    folder = servers.embedded_servers.data_dir / "postgres"
    servers.embedded_servers._postgres.stop()
    assert folder.exists()
    servers.embedded_servers._start_postgres()


@pytest.mark.parametrize("seconds", [7200, -7200])
def test_the_clock_of_the_worker_s_machine_jumps(house, stage, seconds):
    """Nobody takes the run for dead or late, and what the run says of itself is right."""
    says = house.folder / "seconds"
    worker = house.worker(PYTHONPATH=BASE_DIR / "tests" / "fakes" / "jump", CLOCK_JUMPS_BY=says, **SOON)
    house.scheduler(**SOON)
    run = under_way(stage.start(SLOW | {"text": ["word "] * 100}, seconds=120))
    says.write_text(f"{seconds}")
    worker.says("The clock jumped")

    assert ended(run).state == State.COMPLETED
    assert (run.restarts, types(run).count("run.started")) == (0, 1)
    assert 0 < run.duration_ms < 120_000
    assert ended(stage.start(HELLO)).state == State.COMPLETED, "the worker goes on"


def test_a_deploy_in_the_middle_hands_the_run_to_the_next_worker(house, stage):
    """SIGTERM: it works on for the set time, then gives back what can go on elsewhere, and says so."""
    worker = house.worker(WORKER_DRAIN_SECONDS=1)
    run = stage.start(LOOK, SLOW | {"text": ["word "] * 40}, tools=[{"key": "calculator", "config": {}}])
    until(lambda: "content.added" in types(run), "the second turn is under way")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
    run.refresh_from_db()
    assert (run.state, run.restarts) == (State.QUEUED, 0)
    assert "shut down" in run.reason_message
    house.worker()
    house.scheduler()

    assert ended(run).state == State.COMPLETED
    assert types(run).count("tool_call.started") == 1


def test_a_deploy_while_a_tool_sends_something_asks(house, stage, poster, outside):
    outside.answers.clear()
    worker = house.worker(WORKER_DRAIN_SECONDS=1)
    run = poster()
    until(lambda: outside.received, "the message is out, its answer is not")
    worker.signal(signal.SIGTERM)
    question = asks(run)
    outside.answers.set()

    assert question.kind == "check"
    assert len(outside.received) == 1
    services.stop_run(actor=stage.cast.bob, run=Run.objects.get(pk=run.pk))
    assert ended(run).state == State.CANCELLED
