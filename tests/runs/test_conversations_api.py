"""Scripts talk with agents by the API."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.services import issue_tokens
from runs import services, worker
from runs.models import Run
from tests import factories
from tests.runs.test_conversations import answered


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch):
    monkeypatch.setattr("runs.services.starting.send", lambda *_: None)
    monkeypatch.setattr(worker.steward, "watch", lambda *_: None)


@pytest.fixture
def agent(cast, in_marketing):
    return factories.agent(cast.alice, cast.marketing)


@pytest.fixture
def talk(agent, cast):
    return services.start_conversation(actor=cast.bob, target=agent)


@pytest.fixture
def api(cast):
    def client(person=None):
        token = issue_tokens(actor=person or cast.bob)["access"]
        return Client(headers={"Authorization": f"Bearer {token}"}, content_type="application/json")

    return client


def post(client, path, body):
    return client.post(path, body, content_type="application/json")


def test_a_script_talks_turn_by_turn(api, agent):
    client = api()
    made = post(client, "/api/v1/conversations", {"agent": str(agent.uuid)})
    assert made.status_code == 201
    messages = made.json()["links"]["messages"]
    run = post(client, messages, {"text": "One"})
    assert (run.status_code, run.json()["state"]) == (201, "queued")
    assert post(client, messages, {"text": "Two"}).json()["code"] == "conversation_busy"
    answered(Run.objects.get(), "Yes.")
    again = post(client, made.json()["links"]["self"] + "/resend", {"run": run.json()["uuid"], "text": "One, please"})
    answered(Run.objects.get(uuid=again.json()["uuid"]), "Gladly.")
    turns = client.get(messages).json()["results"]
    assert [(one["asked"], one["answered"], one["state"]) for one in turns] == [("One, please", "Gladly.", "completed")]


@pytest.mark.parametrize("body", [{}, {"agent": "x", "team": "y"}, {"agent": "x", "mood": "good"}])
def test_a_script_names_one_partner_and_nothing_unknown(api, agent, body):
    assert post(api(), "/api/v1/conversations", body).status_code == 400


def test_a_script_may_not_go_on_with_somebody_elses(api, talk, cast):
    path = f"/api/v1/conversations/{talk.uuid}/messages"
    assert post(api(cast.alice), path, {"text": "Me too"}).status_code == 403
    assert post(api(cast.carol), path, {"text": "Me too"}).status_code == 404


def test_a_run_of_elsewhere_cannot_be_resent_here(api, talk, agent, cast):
    other = services.start_conversation(actor=cast.bob, target=agent)
    run = answered(services.say(actor=cast.bob, conversation=other, text="Elsewhere"))
    answer = post(api(), f"/api/v1/conversations/{talk.uuid}/resend", {"run": str(run.uuid), "text": "Here"})
    assert answer.status_code == 400
    assert "no such run" in answer.text
