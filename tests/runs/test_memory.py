"""What agents remember from run to run, in PostgreSQL and in Redis, and that nobody else's runs are told it."""

from __future__ import annotations

import pytest
import redis
from django.conf import settings

from mindloom import wall
from mindloom.engine.spec import MemorySpec, ModelSpec
from runs import services, worker
from runs.models import Conversation, PersonMemory, Run, State
from tests import factories
from tests.fakes.openai_server import FakeModels

STORAGES = ("postgresql", "redis")


@pytest.fixture(scope="module")
def fake():
    with FakeModels() as server:
        yield server


@pytest.fixture
def run_of(fake, transactional_db):
    """Carries out a run: what it was told by the model's request, and what the fake model learns of it."""

    def run(agent, person, text, memory, *, conversation=None, learns="[]", **fields):
        name = f"memory-{memory.storage}"
        fake.script(name, [{"text": f"Answer to {text}"}, {"text": learns}], "request")
        spec = factories.spec(
            uuid=str(agent.uuid), model=ModelSpec(kind="openai_like", model=name, base_url=fake.url), memory=memory
        )
        before = len(fake.requests)
        with wall.system("tests: a run of any department"):
            made = factories.run(agent, person, spec=spec.to_json(), input=text, conversation=conversation, **fields)
            worker.execute(made.pk)
            made.refresh_from_db()
        assert made.state == State.COMPLETED, made.reason_message
        return made, fake.requests[before]["body"]["messages"]

    return run


@pytest.fixture
def scout(cast):
    with wall.system("tests: an agent"):
        return factories.agent(cast.alice, cast.marketing, name="Memo")


def conversation(agent, owner):
    with wall.system("tests: a conversation"):
        return Conversation.objects.create(department=agent.department, owner=owner, agent=agent)


def said(messages):
    return [one["content"] for one in messages if one["role"] != "system"]


def test_a_conversation_is_told_its_earlier_turns_and_no_more_than_it_keeps(run_of, scout, cast):
    talk, memory = conversation(scout, cast.bob), MemorySpec(storage="postgresql", history_runs=2)
    for text in ("one", "two", "three"):
        run_of(scout, cast.bob, text, memory, conversation=talk)
    _, told = run_of(scout, cast.bob, "four", memory, conversation=talk)
    assert said(told) == ["two", "Answer to two", "three", "Answer to three", "four"]


def test_turns_that_failed_or_were_replaced_are_not_told(run_of, scout, cast):
    talk, memory = conversation(scout, cast.bob), MemorySpec(storage="postgresql")
    old, _ = run_of(scout, cast.bob, "old", memory, conversation=talk)
    with wall.system("tests: replace a turn"):
        Run.objects.filter(pk=old.pk).update(replaced=True)
    _, told = run_of(scout, cast.bob, "new", memory, conversation=talk)
    assert said(told) == ["new"]


def test_another_conversation_is_told_nothing_of_it(run_of, scout, cast):
    memory = MemorySpec(storage="postgresql")
    run_of(scout, cast.bob, "one", memory, conversation=conversation(scout, cast.bob))
    _, told = run_of(scout, cast.bob, "two", memory, conversation=conversation(scout, cast.bob))
    assert said(told) == ["two"]


def test_a_run_outside_of_conversations_has_no_history_in_rows(run_of, scout, cast):
    memory = MemorySpec(storage="postgresql")
    run_of(scout, cast.bob, "one", memory)
    assert said(run_of(scout, cast.bob, "two", memory)[1]) == ["two"]


def test_short_term_memory_tells_a_person_what_they_said_lately(run_of, scout, cast):
    memory = MemorySpec(storage="redis", history_runs=1)
    for text in ("one", "two"):
        run_of(scout, cast.bob, text, memory)
    assert said(run_of(scout, cast.bob, "three", memory)[1]) == ["two", "Answer to two", "three"]


def test_short_term_memory_ends_by_itself(run_of, scout, cast):
    run_of(scout, cast.bob, "one", MemorySpec(storage="redis"))
    client = redis.Redis.from_url(settings.REDIS_URL)
    keys = list(client.scan_iter(f"{settings.REDIS_PREFIX}:memory:{cast.marketing.pk}:agent:{scout.pk}:*"))
    assert keys
    assert all(0 < client.ttl(key) <= settings.SHORT_TERM_MEMORY_HOURS * 3600 for key in keys)


def test_a_teams_short_term_memory_has_a_key_of_its_own(cast, scout):
    with wall.system("tests: a team"):
        team = factories.team(cast.alice, cast.marketing, scout)
        made = factories.run(scout, cast.bob)
        Run.objects.filter(pk=made.pk).update(agent=None, agent_version=None, team=team)
        made.refresh_from_db()
        worker.memory.exchanged(made, MemorySpec(storage="redis"), "Yes")
        client = redis.Redis.from_url(settings.REDIS_URL)
    prefix = f"{settings.REDIS_PREFIX}:memory:{cast.marketing.pk}:team:{team.pk}:person:{cast.bob.pk}"
    assert client.llen(f"{prefix}:said") == 1


@pytest.mark.parametrize("storage", STORAGES)
def test_facts_are_told_to_the_person_they_are_about(run_of, scout, cast, storage):
    memory = MemorySpec(storage=storage, person=True)
    run_of(scout, cast.bob, "I like tea", memory, learns='["Likes tea."]')
    _, told = run_of(scout, cast.bob, "Hello", memory)
    assert "- Likes tea." in told[0]["content"]


@pytest.mark.parametrize("storage", STORAGES)
def test_nothing_is_told_to_another_person_agent_or_department(run_of, scout, cast, storage):
    memory = MemorySpec(storage=storage, person=True)
    run_of(scout, cast.bob, "My secret", memory, learns='["Keeps a secret."]')
    with wall.system("tests: other agents"):
        other = factories.agent(cast.alice, cast.marketing, name="Other")
        foreign = factories.agent(cast.mallory, cast.finance, name="Memo")
    for agent, person in ((scout, cast.alice), (other, cast.bob), (foreign, cast.mallory), (foreign, cast.bob)):
        _, told = run_of(agent, person, "Hello", memory)
        assert "secret" not in str(told).lower(), (agent, person)


def test_a_shared_agent_remembers_a_person_in_each_department_apart(run_of, scout, cast):
    memory = MemorySpec(storage="postgresql", person=True)
    with wall.system("tests: share it"):
        type(scout).objects.filter(pk=scout.pk).update(visibility="everyone")
    run_of(scout, cast.bob, "x", memory, learns='["Keeps a secret."]')
    _, told = run_of(scout, cast.bob, "Hello", memory, department=cast.finance)
    assert "secret" not in str(told).lower()


def test_facts_replace_what_was_known(run_of, scout, cast):
    memory = MemorySpec(storage="postgresql", person=True)
    run_of(scout, cast.bob, "a", memory, learns='["Likes tea."]')
    run_of(scout, cast.bob, "b", memory, learns='["Likes coffee."]')
    with wall.system("tests: look"):
        assert PersonMemory.objects.get(person=cast.bob).facts == ["Likes coffee."]


def test_what_is_older_than_the_history_is_summed_up_once(run_of, scout, cast):
    talk, memory = conversation(scout, cast.bob), MemorySpec(storage="postgresql", history_runs=1, summary=True)
    run_of(scout, cast.bob, "one", memory, conversation=talk)
    run_of(scout, cast.bob, "two", memory, conversation=talk)
    run_of(scout, cast.bob, "three", memory, conversation=talk, learns="They counted to one.")
    _, told = run_of(scout, cast.bob, "four", memory, conversation=talk, learns="They counted to two.")
    assert "They counted to one." in told[0]["content"]
    assert said(told) == ["three", "Answer to three", "four"]
    with wall.system("tests: look"):
        talk.refresh_from_db()
    assert talk.summary == "They counted to two."


def test_without_redis_the_run_goes_on_and_says_that_nothing_is_remembered(run_of, scout, cast, monkeypatch):
    monkeypatch.setattr("runs.worker.memory.settings.REDIS_URL", "redis://127.0.0.1:1/0")
    made, _ = run_of(scout, cast.bob, "Hello", MemorySpec(storage="redis"))
    with wall.system("tests: look"):
        logged = made.events.filter(type="log.written").get()
    assert "could not be reached" in logged.data["message"]


def test_secrets_are_not_remembered(run_of, scout, cast, monkeypatch):
    monkeypatch.setattr("runs.worker.redact.Redactor.text", lambda self, value: value.replace("hunter2", "•••"))
    memory = MemorySpec(storage="postgresql", person=True)
    run_of(scout, cast.bob, "x", memory, learns='["The password is hunter2."]')
    with wall.system("tests: look"):
        assert PersonMemory.objects.get(person=cast.bob).facts == ["The password is •••."]


def test_what_was_taken_back_is_not_told_again_by_short_term_memory(run_of, scout, cast):
    talk, memory = conversation(scout, cast.bob), MemorySpec(storage="redis")
    old, _ = run_of(scout, cast.bob, "old", memory, conversation=talk)
    with wall.system("tests: replace a turn"):
        Run.objects.filter(pk=old.pk).update(replaced=True)
    _, told = run_of(scout, cast.bob, "new", memory, conversation=talk)
    assert said(told) == ["new"]


def test_a_deleted_conversation_leaves_nothing_in_short_term_memory(run_of, scout, cast):
    talk = conversation(scout, cast.bob)
    run_of(scout, cast.bob, "one", MemorySpec(storage="redis"), conversation=talk)
    client = redis.Redis.from_url(settings.REDIS_URL)
    pattern = f"{settings.REDIS_PREFIX}:memory:{cast.marketing.pk}:agent:{scout.pk}:conversation:{talk.pk}:*"
    assert list(client.scan_iter(pattern))
    with wall.tenant([cast.marketing.pk]):
        services.delete_conversation(actor=cast.bob, conversation=talk)
    assert not list(client.scan_iter(pattern))
