"""Whose right to read is taken away in the middle of a run finds nothing from the next call on, however the run came about."""

from __future__ import annotations

import pytest

from accounts.models import Membership
from buckets import services
from mindloom import wall
from mindloom.engine.spec import MemberSpec, ModelSpec, TeamSpec
from runs import worker
from runs.models import Run, RunEvent, State, Trigger
from runs.worker import knowledge
from tests import factories
from tests.fakes.openai_server import FakeModels

TEXT = "# Parking\n\nParking costs five euros a day."
SEARCH = {"tool_calls": [{"name": "search_knowledge", "arguments": {"query": "parking costs"}}]}
TWICE = [SEARCH, SEARCH, {"text": "Done."}]


@pytest.fixture(scope="module")
def provider():
    with FakeModels() as server:
        yield server


@pytest.fixture
def make(provider, cast, bucket, add, transactional_db):
    """Makes a run of Bob's that searches twice: `make("agent")`, `make("team")`, `make("schedule")`."""
    add("parking.md", TEXT)

    def model(turns):
        name = provider.script(f"revoked-{len(provider.scripts)}", list(turns))
        return ModelSpec(kind="openai_like", model=name, base_url=provider.url)

    def made(kind):
        buckets = (str(bucket.uuid),)
        agent = factories.agent(cast.alice, cast.marketing, name="Reader")
        if kind != "team":
            trigger = Trigger.SCHEDULE if kind == "schedule" else Trigger.PERSON
            spec = factories.spec(name="Reader", model=model(TWICE), buckets=buckets)
            return factories.run(agent, cast.bob, spec=spec.to_json(), trigger=trigger)
        team = factories.team(cast.alice, cast.marketing, agent)
        ask = {"name": "delegate_task_to_member", "arguments": {"member_id": "reader", "task": "Look parking up"}}
        member = MemberSpec(agent=factories.spec(name="Reader", model=model(TWICE), buckets=buckets), role="Reads")
        leader = model([{"tool_calls": [ask]}, {"text": "Done."}])
        spec = TeamSpec(
            name=team.name, uuid=str(team.uuid), version=1, type="coordinate", model=leader, members=(member,)
        )
        return Run.objects.create(
            department=cast.marketing,
            team=team,
            team_version=team.published,
            spec=spec.to_json(),
            input="Begin",
            trigger=Trigger.PERSON,
            started_by=cast.bob,
        )

    return made


def leave(cast, bucket):
    Membership.objects.filter(user=cast.bob).delete()


def close(cast, bucket):
    services.update_bucket(actor=cast.alice, bucket=bucket, values={"visibility": "private"})


def go(cast, bucket):
    cast.bob.is_active = False
    cast.bob.save()


@pytest.mark.parametrize("revoke", [leave, close, go])
@pytest.mark.parametrize("kind", ["agent", "team", "schedule"])
def test_nothing_is_found_from_the_next_call_on(make, cast, bucket, monkeypatch, kind, revoke):
    look_up, counts = knowledge.retrieve, []

    def revoked_after_the_first(run, *args):
        found = look_up(run, *args)
        if not counts:
            with wall.system("tests: an administrator takes a right away"):
                revoke(cast, bucket)
        counts.append(len(found))
        return found

    monkeypatch.setattr("runs.worker.ports.knowledge.retrieve", revoked_after_the_first)
    with wall.system("tests: a run and its end"):
        run = make(kind)
        worker.execute(run.pk)
        run.refresh_from_db()
        told = RunEvent.objects.filter(run=run, type="knowledge.retrieved").order_by("seq")
        assert (run.state, counts) == (State.COMPLETED, [1, 0])
        assert [len(one.data["passages"]) for one in told] == [1, 0]
