"""How long departments keep things, and the nightly clearing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction

from accounts.services import set_retention
from audit.models import Entry
from mindloom import wall
from mindloom.engine.events import ContentAdded, ContentCompleted, ReasoningAdded, RunCompleted
from mindloom.web.errors import Invalid, NotAllowed
from runs import services
from runs.models import Conversation, Guard, RetentionReport, Run, RunArtifact, RunEvent, State, append
from tests import factories
from tests.api.stage import asking, finished

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 60.0


@pytest.fixture
def agent(cast, in_marketing, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return factories.agent(cast.alice, cast.marketing)


def aged(run, days):
    """The run, as if it had ended so many days ago."""
    when = datetime.now(UTC) - timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE runs_run DISABLE TRIGGER runs_run_immutable")
        cursor.execute("UPDATE runs_run SET finished_at = %s WHERE id = %s", [when, run.pk])
        cursor.execute("ALTER TABLE runs_run ENABLE TRIGGER runs_run_immutable")
    run.refresh_from_db()
    return run


@pytest.fixture
def ended(cast, agent):
    return lambda days=0, **fields: aged(finished(factories.run(agent, cast.bob, **fields)), days)


@pytest.fixture
def talkative(cast, agent):
    """A run whose log has the pieces of one finished text, of one that was cut off, and other events."""

    def make(days):
        run = factories.run(agent, cast.bob)
        append(run.pk, [], guard=Guard(states=(State.QUEUED,)), state=State.RUNNING, fence=1)
        events = [
            *(ContentAdded(block=1, text=word, source=("A",)) for word in ("a", "b", "c")),
            ContentAdded(block=1, text="of another", source=("B",)),
            ContentCompleted(block=1, text="abc", source=("A",)),
            ReasoningAdded(block=2, text="cut off", source=("A",)),
            RunCompleted(output="abc"),
        ]
        ends = {"state": State.COMPLETED, "finished_at": datetime.now(UTC), "output": "abc"}
        append(run.pk, events, guard=Guard(states=(State.RUNNING,)), **ends)
        return aged(run, days)

    return make


def keep(cast, **days):
    set_retention(actor=cast.alice, department=cast.marketing, **({"runs": None, "events": None, "files": None} | days))


def with_file(run, content=b"plan"):
    path = default_storage.save(f"runs/{run.uuid}/a", ContentFile(content))
    return RunArtifact.objects.create(
        run=run,
        department=run.department,
        name="a.txt",
        media_type="text/plain",
        size_bytes=len(content),
        file=path,
    )


def report(cast):
    return RetentionReport.objects.get(department=cast.marketing)


def test_without_a_number_everything_is_kept(cast, ended):
    ended(5000)
    services.clear(seconds=LONG)
    assert Run.objects.count() == 1
    assert report(cast).finished_at is not None


def test_old_runs_go_and_young_ones_stay(cast, ended):
    keep(cast, runs=30)
    old, young = ended(31), ended(29)
    services.clear(seconds=LONG)
    assert list(Run.objects.values_list("pk", flat=True)) == [young.pk]
    assert not RunEvent.objects.filter(run_id=old.pk).exists()
    assert (report(cast).runs, report(cast).events) == (1, 3)


def test_the_installation_decides_where_the_department_says_nothing(cast, ended, settings):
    settings.KEEP_RUNS_DAYS = 10
    ended(11)
    services.clear(seconds=LONG)
    assert not Run.objects.exists()


def test_zero_keeps_for_ever_against_the_installation(cast, ended, settings):
    settings.KEEP_RUNS_DAYS = 10
    keep(cast, runs=0)
    ended(1000)
    services.clear(seconds=LONG)
    assert Run.objects.exists()


def test_pinned_runs_are_kept_whole(cast, ended, talkative):
    keep(cast, runs=1, events=1, files=1)
    run = talkative(100)
    with_file(run)
    services.pin_run(actor=cast.bob, run=run)
    services.clear(seconds=LONG)
    assert (run.events.count(), run.artifacts.count()) == (7, 1)


def test_runs_that_have_not_ended_are_never_touched(cast, agent):
    keep(cast, runs=1, events=1, files=1)
    queued = factories.run(agent, cast.bob)
    waiting, _ = asking(factories.run(agent, cast.bob))
    with_file(waiting)
    Run.objects.update(queued_at=datetime.now(UTC) - timedelta(days=500))
    services.clear(seconds=LONG)
    assert set(Run.objects.values_list("pk", flat=True)) == {queued.pk, waiting.pk}
    assert waiting.artifacts.exists()


def test_turns_of_a_conversation_in_use_are_kept_and_old_conversations_go_whole(cast, agent, ended):
    keep(cast, runs=30)
    used, quiet = (Conversation.objects.create(department=cast.marketing, owner=cast.bob, agent=agent) for _ in "ab")
    kept = ended(100, conversation=used, trigger="conversation")
    ended(100, conversation=quiet, trigger="conversation")
    Conversation.objects.filter(pk=quiet.pk).update(updated_at=datetime.now(UTC) - timedelta(days=99))
    services.clear(seconds=LONG)
    assert list(Run.objects.values_list("pk", flat=True)) == [kept.pk]
    assert list(Conversation.objects.all()) == [used]


def test_pieces_of_whole_texts_go_and_all_else_stays(cast, talkative, client_as):
    keep(cast, events=30)
    run = talkative(31)
    services.clear(seconds=LONG)
    run.refresh_from_db()
    left = [(event.seq, event.type) for event in run.events.order_by("seq")]

    assert left == [(4, "content.added"), (5, "content.completed"), (6, "reasoning.added"), (7, "run.completed")]
    assert (run.events_pruned, run.last_seq) == (3, 7)
    assert run.events_pruned_at is not None
    assert report(cast).events == 3
    page = client_as(cast.bob).get(f"/api/v1/runs/{run.uuid}/events?after=2").json()
    assert [event["seq"] for event in page["events"]] == [4, 5, 6, 7]
    assert page["complete"] is True


def test_a_log_is_pruned_once(cast, talkative):
    keep(cast, events=30)
    run = talkative(31)
    services.clear(seconds=LONG)
    RetentionReport.objects.all().delete()
    services.clear(seconds=LONG)
    run.refresh_from_db()
    assert run.events_pruned == 3


def test_old_files_go_and_their_page_says_so(cast, ended, client_as):
    keep(cast, files=30)
    run = ended(31)
    path = with_file(run).file.name
    services.clear(seconds=LONG)
    run.refresh_from_db()

    assert not default_storage.exists(path)
    assert (report(cast).files, report(cast).bytes_freed) == (1, 4)
    shown = client_as(cast.bob).get(f"/runs/{run.uuid}/artifacts/").content.decode()
    assert "by the department's retention" in shown or "by the department&#x27;s retention" in shown


def test_other_departments_are_not_touched(cast, ended, agent):
    keep(cast, runs=1)
    with wall.tenant([cast.finance.pk]):
        theirs = aged(finished(factories.run(factories.agent(cast.mallory, cast.finance), cast.mallory)), 100)
    services.clear(seconds=LONG)
    with wall.tenant([cast.finance.pk]):
        assert Run.objects.filter(pk=theirs.pk).exists()


def test_a_clearing_that_is_interrupted_goes_on(cast, ended, monkeypatch):
    monkeypatch.setattr("runs.worker.clearing.RUNS_AT_ONCE", 2)
    keep(cast, runs=1)
    for _ in range(5):
        ended(10)
    asked = iter([False, False, True])
    services.clear(seconds=LONG, stopped=lambda: next(asked, True))

    assert Run.objects.count() == 3
    assert report(cast).finished_at is None
    services.clear(seconds=LONG)
    assert Run.objects.count() == 0
    assert report(cast).runs == 5


def test_a_night_is_cleared_once(cast, ended):
    services.clear(seconds=LONG)
    keep(cast, runs=1)
    ended(10)
    services.clear(seconds=LONG)
    assert Run.objects.exists()


def test_a_missed_night_is_caught_up(cast, ended, settings):
    keep(cast, runs=1)
    ended(10)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with wall.system("tests: the last night there was"):
        RetentionReport.objects.create(
            department=cast.marketing, night=yesterday - timedelta(days=3), finished_at=datetime.now(UTC)
        )
    services.clear(seconds=LONG)
    assert not Run.objects.exists()


def test_an_error_is_written_down_and_the_rest_goes_on(cast, ended, talkative, monkeypatch):
    keep(cast, runs=1000, events=1)
    run = talkative(10)
    broken = (("runs", lambda *_: 1 / 0), *services.retention._STEPS[1:])
    monkeypatch.setattr("runs.services.retention._STEPS", broken)
    services.clear(seconds=LONG)
    run.refresh_from_db()
    assert (report(cast).errors, run.events_pruned) == (1, 3)
    assert "ZeroDivisionError" in report(cast).last_error


def test_of_a_log_nothing_else_can_be_removed(cast, ended, talkative):
    run = talkative(1)
    with pytest.raises(IntegrityError, match="Of a log only"), transaction.atomic():
        RunEvent.objects.filter(run_id=run.pk, type="run.completed").delete()
    with pytest.raises(IntegrityError, match="stays as it ended"), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(last_seq=3)


def test_managers_set_the_days_on_the_page_and_see_what_would_go(cast, ended, client_as):
    ended(50)
    client, address = client_as(cast.alice), f"/departments/{cast.marketing.uuid}/retention/"
    counted = client.post(address, {"runs": "30", "events": "", "files": "", "action": "count"})
    assert '<dt>Whole runs</dt><dd class="num">1</dd>' in counted.content.decode()
    cast.marketing.refresh_from_db()
    assert cast.marketing.keep_runs_days is None

    assert client.post(address, {"runs": "30", "events": "7", "files": "", "action": "save"}).status_code == 302
    cast.marketing.refresh_from_db()
    assert (cast.marketing.keep_runs_days, cast.marketing.keep_events_days) == (30, 7)


def test_a_wrong_number_stays_in_its_field(cast, client_as):
    answer = client_as(cast.alice).post(f"/departments/{cast.marketing.uuid}/retention/", {"runs": "-4"})
    assert answer.status_code == 422
    assert 'value="-4"' in answer.content.decode()
    assert "Write a number of days" in answer.content.decode()


def test_the_api_sets_days_and_shows_reports(cast, ended, client_as):
    ended(50)
    client, address = client_as(cast.alice), f"/api/v1/departments/{cast.marketing.uuid}/retention"
    changed = client.patch(address, {"runs": 30}, content_type="application/json").json()
    assert changed["own"] == {"runs": 30, "events": None, "files": None}
    assert changed["would_go"]["runs"] == 1
    services.clear(seconds=LONG)
    assert client.get(f"{address}/reports").json()["results"][0]["runs"] == 1
    assert (
        "What was removed each night" in client.get(f"/departments/{cast.marketing.uuid}/retention/").content.decode()
    )


def test_setting_days_is_for_managers_and_written_down(cast, seeing_all):
    with pytest.raises(NotAllowed):
        set_retention(actor=cast.bob, department=cast.marketing, runs=1, events=None, files=None)
    with pytest.raises(Invalid):
        set_retention(actor=cast.alice, department=cast.marketing, runs=40_000, events=None, files=None)
    keep(cast, runs=9)
    assert Entry.objects.get(action="retention.changed").data["after"]["keep_runs_days"] == 9
