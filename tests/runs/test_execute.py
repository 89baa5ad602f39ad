"""Carrying runs out, with a runner that plays a script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from mindloom import wall
from mindloom.engine.errors import EngineError
from mindloom.engine.events import (
    ArtifactSaved,
    ContentAdded,
    ContentCompleted,
    LogWritten,
    ModelCalled,
    RunCompleted,
    RunFailed,
    ToolCallFinished,
)
from mindloom.engine.scripted import ScriptedRunner
from runs import services, worker
from runs.models import Reason, Run, State
from runs.worker import recorder
from runs.worker.recorder import merged
from runs.worker.redact import MASK, Redactor
from tests import factories


@pytest.fixture
def run(cast, in_marketing, monkeypatch):
    # The steward has a connection of its own, which does not see what this test has not committed.
    monkeypatch.setattr(worker.steward, "watch", lambda *_: None)
    return factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)


def types(run: Run) -> list[str]:
    return list(run.events.order_by("seq").values_list("type", flat=True))


def test_a_run_is_carried_out_to_its_end(run):
    script = [
        ContentAdded(block=1, text="Hel"),
        ContentAdded(block=1, text="lo"),
        ContentCompleted(block=1, text="Hello"),
        RunCompleted(output="Hello"),
    ]

    assert worker.execute(run.pk, ScriptedRunner(script))
    run.refresh_from_db()
    assert (run.state, run.output) == (State.COMPLETED, "Hello")
    assert types(run)[0] == "run.started"
    assert types(run)[-2:] == ["content.completed", "run.completed"]


def test_half_a_character_in_the_answer_does_not_lose_the_answer(run):
    assert worker.execute(run.pk, ScriptedRunner([RunCompleted(output="Grüße \ud83d\x00")]))
    run.refresh_from_db()
    assert (run.state, run.output) == (State.COMPLETED, "Grüße ?")
    assert types(run) == ["run.started", "run.completed"]


@pytest.mark.parametrize("lost", [1, 2])
def test_a_write_whose_answer_is_lost_with_the_connection_is_not_made_twice(run, monkeypatch, lost):
    written, write = [], recorder.append

    def cut_off(*args, **kwargs):
        result = write(*args, **kwargs)
        written.append(args)
        if len(written) == lost:
            raise OperationalError("server closed the connection unexpectedly")
        return result

    monkeypatch.setattr(recorder, "append", cut_off)
    monkeypatch.setattr(recorder, "RETRY_SECONDS", (0, 0))
    call = ModelCalled(provider="p", model="m", turn=1, duration_ms=9, tokens_in=10, tokens_out=3)
    line = LogWritten(level="info", message="once")
    worker.execute(run.pk, ScriptedRunner([call, line, RunCompleted(output="Hello")]))

    run.refresh_from_db()
    assert types(run) == ["run.started", "model.called", "log.written", "run.completed"]
    assert (run.state, run.tokens_in, run.usage.count()) == (State.COMPLETED, 10, 1)


def test_a_log_has_one_end_also_when_the_first_could_not_be_written(run, monkeypatch):
    changes = recorder.terminal_changes
    monkeypatch.setattr(
        recorder,
        "terminal_changes",
        lambda event: changes(event) | ({"output": object()} if event.type == "run.completed" else {}),
    )

    worker.execute(run.pk, ScriptedRunner([RunCompleted(output="Hello")]))
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert types(run) == ["run.started", "run.failed"]


def test_a_message_delivered_twice_makes_one_run(run):
    script = ScriptedRunner([RunCompleted(output="once")])

    assert [worker.execute(run.pk, script), worker.execute(run.pk, script)] == [True, False]
    assert types(run) == ["run.started", "run.completed"]


def test_a_message_for_a_run_that_is_gone_is_harmless(db):
    assert worker.execute(987_654, ScriptedRunner([])) is False


def test_what_breaks_in_mindloom_ends_the_run_with_a_sentence(run):
    class Broken:
        def run(self, *args, **kwargs):
            raise RuntimeError("boom")

    worker.execute(run.pk, Broken())
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.FAILED, Reason.SYSTEM_ERROR)
    assert "boom" not in run.reason_message


def test_an_engine_error_says_what_to_do(run):
    class Refusing:
        def run(self, *args, **kwargs):
            raise EngineError("The tool “mail” is switched off. Choose another.", kind="rejected")

    worker.execute(run.pk, Refusing())
    run.refresh_from_db()
    assert (run.reason, run.reason_message) == (Reason.REJECTED, "The tool “mail” is switched off. Choose another.")


def test_a_runner_that_ends_without_a_word_fails_the_run(run):
    class Silent:
        def run(self, *args, **kwargs):
            return iter(())

    class Handle:
        def run(self, *args, **kwargs):
            return self

        def __iter__(self):
            return iter(())

        def cancel(self, message):
            pass

    worker.execute(run.pk, Handle())
    run.refresh_from_db()
    assert run.state == State.FAILED


def test_a_worker_that_lost_its_run_writes_no_more(run):
    class Thief:
        def run(self, *args, **kwargs):
            return self

        def __iter__(self):
            yield LogWritten(level="info", message="mine")
            Run.objects.filter(pk=run.pk).update(fence=9)
            yield LogWritten(level="info", message="ghost")
            yield RunCompleted(output="ghost")

        def cancel(self, message):
            self.cancelled = message

    worker.execute(run.pk, Thief())
    run.refresh_from_db()
    assert run.state == State.RUNNING
    assert types(run) == ["run.started", "log.written"]


def test_neighbouring_pieces_of_one_text_become_one_event():
    pieces = [
        ContentAdded(block=1, text="a"),
        ContentAdded(block=1, text="b"),
        ContentAdded(block=2, text="c"),
        ContentAdded(block=2, text=""),
    ]

    assert [(event.block, event.text) for event in merged(pieces)] == [(1, "ab"), (2, "c")]


@pytest.mark.parametrize("cut", range(1, 15))
def test_a_secret_is_masked_wherever_the_stream_is_cut(cut):
    redactor = Redactor()
    redactor.add("sk-secret-value")
    text = "say sk-secret-value now"
    pieces = [ContentAdded(block=1, text=text[:cut]), ContentAdded(block=1, text=text[cut:])]

    shown = "".join(redactor.event(piece).text for piece in pieces)
    assert "secret" not in shown
    assert redactor.event(ContentCompleted(block=1, text=text)).text == f"say {MASK} now"


def test_a_secret_is_masked_deep_inside_an_event():
    redactor = Redactor()
    redactor.add("sk-secret-value")
    event = ToolCallFinished(call_id="1", tool="t", result='{"k": ["sk-secret-value"]}', duration_ms=1)

    assert redactor.event(event).result == f'{{"k": ["{MASK}"]}}'


def test_a_file_of_a_run_is_kept_with_its_checksum(run):
    class Saving:
        def run(self, spec, given, *, run_id, ports, resume=None):
            saved = ports.save_artifact("../../etc/pass wd.txt", b"content", "text/plain")
            self.events = [
                ArtifactSaved(
                    artifact=saved.uuid, name=saved.name, media_type=saved.media_type, size_bytes=saved.size_bytes
                ),
                RunCompleted(output="ok"),
            ]
            return self

        def __iter__(self):
            return iter(self.events)

        def cancel(self, message):
            pass

    worker.execute(run.pk, Saving())
    artifact = run.artifacts.get()
    assert (artifact.name, artifact.size_bytes) == ("pass wd.txt", 7)
    assert artifact.sha256.startswith("ed7002b439e9ac84")
    with artifact.file.open() as file:
        assert file.read() == b"content"


@pytest.mark.parametrize("silent_for", [31, 3600])
def test_the_reaper_ends_runs_whose_worker_vanished_when_none_may_be_restarted(run, silent_for, settings):
    settings.RUN_RESTARTS = 0
    long_ago = datetime.now(UTC) - timedelta(seconds=silent_for)
    Run.objects.filter(pk=run.pk).update(state=State.RUNNING, fence=1, heartbeat_at=long_ago, claimed_by="w1")

    assert worker.reap() == 1
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.FAILED, Reason.LOST)
    assert "w1" in run.reason_message
    assert types(run) == ["run.failed"]


def test_the_reaper_leaves_runs_alone_whose_worker_lives(run):
    Run.objects.filter(pk=run.pk).update(state=State.RUNNING, fence=1, heartbeat_at=datetime.now(UTC))

    assert worker.reap() == 0


def test_a_run_that_was_being_stopped_when_its_worker_vanished_is_stopped(run):
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    Run.objects.filter(pk=run.pk).update(
        state=State.RUNNING,
        fence=1,
        heartbeat_at=long_ago,
        cancel_requested_at=long_ago,
        cancel_message="Stopped by Bob.",
    )
    worker.reap()
    run.refresh_from_db()
    assert (run.state, run.reason_message) == (State.CANCELLED, "Stopped by Bob.")


def test_a_run_past_its_deadline_is_ended_although_its_worker_lives(run):
    now = datetime.now(UTC)
    Run.objects.filter(pk=run.pk).update(
        state=State.RUNNING, fence=1, heartbeat_at=now, deadline_at=now - timedelta(seconds=1)
    )
    worker.reap()
    run.refresh_from_db()
    assert run.reason == Reason.TIMEOUT


def test_lost_messages_are_found_once_in_a_while(run):
    Run.objects.filter(pk=run.pk).update(sent_at=datetime.now(UTC) - timedelta(minutes=1))

    assert worker.stale_queued() == [run.pk]
    assert worker.stale_queued() == []


def test_a_queued_run_is_stopped_at_once(run, cast):
    services.stop_run(actor=cast.bob, run=run)

    assert run.state == State.CANCELLED
    assert run.reason_message == "Stopped by Bob."


def test_a_running_run_is_asked_to_stop(run, cast):
    Run.objects.filter(pk=run.pk).update(state=State.RUNNING, fence=1, heartbeat_at=datetime.now(UTC))

    services.stop_run(actor=cast.alice, run=run)
    assert run.cancel_requested_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_stop_request_reaches_a_run_whose_model_is_silent(cast):
    import threading

    with wall.tenant([cast.marketing.pk]):
        run = factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)
    thread = threading.Thread(
        target=worker.execute, args=[run.pk, ScriptedRunner([30.0, RunFailed(kind="timeout", message="")])]
    )
    thread.start()
    with wall.tenant([cast.marketing.pk]):
        while not Run.objects.filter(pk=run.pk, state=State.RUNNING).exists():
            thread.join(0.05)
        services.stop_run(actor=cast.bob, run=run)
        thread.join(5)
        run.refresh_from_db()
        assert (run.state, run.reason_message) == (State.CANCELLED, "Stopped by Bob.")
