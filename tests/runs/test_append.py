"""The one door for events: order, guard, totals, what PostgreSQL cannot keep."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from mindloom import wall
from mindloom.engine.events import ContentAdded, LogWritten, ModelCalled, RunCompleted, RunFailed, ToolCallStarted
from runs.models import Guard, Run, RunEvent, State, append
from runs.worker.endings import terminal_changes
from tests import factories

QUEUED = Guard(states=(State.QUEUED,))


def log(text: str) -> LogWritten:
    return LogWritten(level="info", message=text)


@pytest.fixture
def run(cast, in_marketing):
    return factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)


def test_events_are_numbered_from_one_without_gaps(run):
    append(run.pk, [log("a"), log("b")], guard=QUEUED)
    append(run.pk, [log("c")], guard=QUEUED)

    assert list(run.events.order_by("seq").values_list("seq", "data__message")) == [(1, "a"), (2, "b"), (3, "c")]


def test_a_write_whose_guard_fails_changes_nothing(run):
    assert append(run.pk, [log("late")], guard=Guard(states=(State.RUNNING,))) is None
    assert run.events.count() == 0


def test_a_worker_with_an_old_fence_cannot_write(run):
    append(run.pk, [log("claim")], guard=QUEUED, state=State.RUNNING, fence=2)

    assert append(run.pk, [log("ghost")], guard=Guard(states=(State.RUNNING,), fence=1)) is None


def test_totals_follow_from_the_events(run):
    call = ModelCalled(provider="p", model="m", turn=1, duration_ms=9, first_token_ms=4, tokens_in=10, tokens_out=3)
    tool = ToolCallStarted(call_id="1", tool="calculate", arguments={}, effect="reads")
    append(run.pk, [call, tool, call], guard=QUEUED)
    run.refresh_from_db()

    assert (run.tokens_in, run.tokens_out, run.model_calls, run.tool_calls, run.first_token_ms) == (20, 6, 2, 1, 4)


def test_nul_characters_and_lone_surrogates_are_left_out(run):
    append(run.pk, [log("a\x00b\ud800c")], guard=QUEUED)

    assert run.events.get().data["message"] == "ab?c"


def test_numbers_that_are_none_are_kept_as_words(run):
    call = ToolCallStarted(
        call_id="1", tool="t", arguments={"a": float("nan"), "b": [float("-inf")], "c": "NaN"}, effect="reads"
    )
    append(run.pk, [call], guard=QUEUED)

    assert run.events.get().data["arguments"] == {"a": "nan", "b": ["-inf"], "c": "NaN"}


def test_an_event_never_changes(run):
    append(run.pk, [log("a")], guard=QUEUED)

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        RunEvent.objects.filter(run=run).update(data={"message": "b"})


def test_a_run_that_has_ended_stays_as_it_ended(run):
    done = RunCompleted(output="yes")
    append(run.pk, [done], guard=QUEUED, finished_at=datetime.now(UTC), **terminal_changes(done))

    with pytest.raises(IntegrityError, match="stays as it ended"), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(state=State.FAILED)


@pytest.mark.django_db(transaction=True)
def test_a_cursor_misses_nothing_while_many_write(cast):
    with wall.tenant([cast.marketing.pk]):
        run = factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)
    seen: list[int] = []
    writing = threading.Event()
    writing.set()

    def write(number: int) -> None:
        with wall.tenant([cast.marketing.pk]):
            for place in range(20):
                append(run.pk, [ContentAdded(block=number, text=str(place)), log("x")], guard=QUEUED)
        connection.close()

    def read() -> None:
        with wall.tenant([cast.marketing.pk]):
            while writing.is_set() or RunEvent.objects.filter(run=run).after(seen[-1] if seen else 0).exists():
                seen.extend(
                    RunEvent.objects.filter(run=run).after(seen[-1] if seen else 0).values_list("seq", flat=True)
                )
        connection.close()

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=[number]) for number in range(6)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    reader.join()

    assert seen == list(range(1, 6 * 20 * 2 + 1))


@pytest.mark.django_db(transaction=True)
def test_finish_against_reaper_never_makes_two_ends(cast):
    with wall.tenant([cast.marketing.pk]):
        agent = factories.agent(cast.alice, cast.marketing)
        running = [factories.run(agent, cast.bob, state=State.RUNNING, fence=1) for _ in range(200)]
    guard = Guard(states=(State.RUNNING,), fence=1)
    barrier = threading.Barrier(2)
    won: list[object] = []

    def end(event: RunCompleted | RunFailed) -> None:
        with wall.tenant([cast.marketing.pk]):
            for run in running:
                barrier.wait()
                won.append(
                    append(run.pk, [event], guard=guard, finished_at=datetime.now(UTC), **terminal_changes(event))
                )
        connection.close()

    rivals = [
        threading.Thread(target=end, args=[RunCompleted(output="done")]),
        threading.Thread(target=end, args=[RunFailed(kind="lost", message="gone")]),
    ]
    for thread in rivals:
        thread.start()
    for thread in rivals:
        thread.join()

    with wall.tenant([cast.marketing.pk]):
        assert sum(result is not None for result in won) == 200
        assert RunEvent.objects.filter(run__in=running).count() == 200
        assert set(Run.objects.filter(pk__in=[run.pk for run in running]).values_list("last_seq", flat=True)) == {1}
