"""Runs that ask, and teams at work, with a fake provider over HTTP."""

from __future__ import annotations

import pytest

from mindloom import wall
from mindloom.engine.ports import ToolFunction
from mindloom.engine.spec import MemberSpec, ModelSpec, TeamSpec, ToolInfo, ToolSpec
from runs import worker
from runs.models import Run
from tests import factories
from tests.engine.helpers import text_schema
from tests.fakes.openai_server import FakeModels

MAIL = {"to": "anna@example.org", "text": "Hello,\nhere is the plan."}


@pytest.fixture(scope="session")
def provider():
    with FakeModels() as server:
        yield server


@pytest.fixture
def sent(monkeypatch):
    """What the tools did: one sends mail and asks first, one asks a person for words."""
    done = []

    def send(arguments, context):
        done.append(arguments)
        return "sent"

    mail = ToolInfo(name="send_mail", description="Sends a mail", parameters=text_schema("to", "text"), effect="sends")
    ask = ToolInfo(name="ask_person", description="Asks", parameters=text_schema("question"), effect="reads")
    functions = [ToolFunction(info=mail, call=send, asks="approval"), ToolFunction(info=ask, call=send, asks="answer")]
    monkeypatch.setattr("runs.worker.ports.tools.functions", lambda spec, connection=None: functions)
    return done


@pytest.fixture
def queued(monkeypatch):
    """The ids of runs whose message was sent to the workers."""
    told = []
    monkeypatch.setattr("runs.services.deciding.send", told.append)
    monkeypatch.setattr("runs.services.starting.send", told.append)
    return told


@pytest.fixture
def asking(provider, cast, transactional_db, sent, queued):
    """Makes a run that asks with these calls of tools, and comes to its questions; then says "Done."."""

    def make(*calls, by=None, agent=None, **fields):
        calls = calls or ({"name": "send_mail", "arguments": MAIL},)
        name = f"asks-{len(provider.scripts)}"
        provider.script(name, [{"tool_calls": list(calls)}, {"text": "Done."}])
        model = ModelSpec(kind="openai_like", model=name, base_url=provider.url)
        with wall.system("tests: a run that asks"):
            agent = agent or factories.agent(cast.alice, cast.marketing, name=f"Clerk {name}")
            spec = factories.spec(name=agent.name, model=model, tools=(ToolSpec(key="x"),))
            run = factories.run(agent, by or cast.bob, spec=spec.to_json(), **fields)
            worker.execute(run.pk)
            run.refresh_from_db()
        assert run.state == "waiting", run.reason_message
        return run

    return make


@pytest.fixture
def team_run(provider, cast, transactional_db, sent):
    """Makes a run of a team: `team_run("coordinate", [leader turns], Writer=[turns], …)`, and carries it out."""

    def make(kind, leader, *, by=None, work=True, **members):
        number = len(provider.scripts)

        def model(part, turns):
            name = provider.script(f"team-{number}-{part}", list(turns))
            return ModelSpec(kind="openai_like", model=name, base_url=provider.url)

        with wall.system("tests: a run of a team"):
            agents = [factories.agent(cast.alice, cast.marketing, name=name) for name in members]
            team = factories.team(cast.alice, cast.marketing, *agents)
            specs = [
                MemberSpec(
                    agent=factories.spec(name=name, model=model(name, turns), tools=(ToolSpec(key="x"),)),
                    role=f"{name}s",
                )
                for name, turns in members.items()
            ]
            spec = TeamSpec(
                name=team.name,
                uuid=str(team.uuid),
                version=1,
                type=kind,
                model=model("leader", leader),
                members=tuple(specs),
                retries=0,
            )
            run = Run.objects.create(
                department=cast.marketing,
                team=team,
                team_version=team.published,
                spec=spec.to_json(),
                input="Begin",
                trigger="person",
                started_by=by or cast.bob,
            )
            if work:
                worker.execute(run.pk)
            run.refresh_from_db()
        return run

    return make
