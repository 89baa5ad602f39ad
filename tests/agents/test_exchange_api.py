"""The API's ways with versions, files, owners and what is shared."""

from __future__ import annotations

import pytest
import yaml
from django.urls import reverse

from agents import services
from agents.models import Agent
from mindloom import wall

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(client_as):
    """call(user, "get", "agent_export", agent.uuid, version=1) with a route's name; the rest is the query or the body."""

    def ask(user, method, name, *args, headers=None, **values):
        client, address = client_as(user), reverse(f"api:{name}", args=args)
        if method == "get":
            return client.get(address, values)
        return client.post(address, values, content_type="application/json", headers=headers or {})

    return ask


@pytest.fixture
def shared(cast, published):
    with wall.tenant([cast.marketing.pk]):
        services.update_draft(
            actor=cast.bob, agent=published, definition={"instructions": "Secret"}, visibility="everyone"
        )
    return published


def test_an_exported_agent_can_be_imported(call, cast, published):
    file = call(cast.carol, "get", "agent_export", published.uuid)
    assert file.headers["Content-Type"].startswith("application/yaml")
    assert file.headers["Content-Disposition"] == 'attachment; filename="digest.agent.yaml"'
    made = call(cast.bob, "post", "agent_import", file=file.content.decode())
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["notes"]) == ("Digest (copy)", [])
    assert made.json()["draft_digest"] == published.draft_digest
    assert made.headers["Location"].endswith(made.json()["uuid"])


def test_an_import_that_is_repeated_makes_one_agent(call, cast, published, in_marketing):
    text = call(cast.bob, "get", "agent_export", published.uuid).content.decode()
    answers = [call(cast.bob, "post", "agent_import", file=text, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Agent.objects.count() == 2


def test_what_is_wrong_with_a_file_is_named_by_path(call, cast, models):
    text = "format: mindloom/agent\nformat_version: 1\nname: A\ndefinition: {retries: many}\n"
    answer = call(cast.bob, "post", "agent_import", file=text)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["definition.retries"])


@pytest.mark.parametrize("body", [{}, {"file": 5}, {"file": "a", "owner": "me"}, {"file": ""}])
def test_an_import_without_a_file_is_refused(call, cast, models, body):
    assert call(cast.bob, "post", "agent_import", **body).status_code == 400


def test_an_earlier_version_is_exported_by_its_number(call, cast, published):
    with wall.tenant([cast.marketing.pk]):
        services.update_draft(actor=cast.bob, agent=published, definition={"instructions": "New"})
    file = call(cast.bob, "get", "agent_export", published.uuid, version="1")
    assert "Write about" in yaml.safe_load(file.content)["definition"]["instructions"]
    for version in ("9", "x", "-1", "99999999999"):
        assert call(cast.bob, "get", "agent_export", published.uuid, version=version).status_code == 404


def test_what_changed_is_said_and_shown(call, cast, published):
    with wall.tenant([cast.marketing.pk]):
        services.update_draft(actor=cast.bob, agent=published, definition={**published.draft, "dates": True})
    told = call(cast.carol, "get", "agent_compare", published.uuid).json()
    assert told == {"before": "1", "after": "draft", "changes": ["Knows today’s date now."], "lines": []}
    same = call(cast.carol, "get", "agent_compare", published.uuid, to="1", **{"from": "1"}).json()
    assert same["changes"] == []
    for side in ("2", "x", "0", "٣"):
        assert call(cast.carol, "get", "agent_compare", published.uuid, to=side).status_code == 404


def test_an_earlier_version_is_restored(call, cast, published):
    with wall.tenant([cast.marketing.pk]):
        services.update_draft(actor=cast.bob, agent=published, definition={"instructions": "New"})
    back = call(cast.bob, "post", "agent_restore_version", published.uuid, number=1).json()
    assert (back["has_changes"], back["draft"]["instructions"]) == (False, "Write about {{ topic }}.")
    assert call(cast.bob, "post", "agent_restore_version", published.uuid, number=7).status_code == 404
    assert call(cast.bob, "post", "agent_restore_version", published.uuid, number="first").status_code == 400


def test_an_agent_is_handed_over_by_address(call, cast, agent):
    for stranger in (cast.mallory.email, cast.carol.email, "nobody@example.org"):
        answer = call(cast.bob, "post", "agent_transfer", agent.uuid, owner=stranger)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["owner"])
    assert call(cast.bob, "post", "agent_transfer", agent.uuid, owner=cast.alice.email).json()["owner"] == "Alice"
    assert call(cast.bob, "post", "agent_transfer", agent.uuid, owner=cast.bob.email).status_code == 403


def test_others_see_of_a_shared_agent_what_is_published(call, cast, shared):
    seen = call(cast.mallory, "get", "agent", shared.uuid).json()
    assert seen["draft"] == seen["published"]
    assert seen["has_changes"] is False
    assert "Secret" not in str(seen)
    assert "Secret" not in call(cast.mallory, "get", "agent_export", shared.uuid).content.decode()
    assert call(cast.mallory, "get", "agent_compare", shared.uuid, to="draft").status_code == 404
    assert [one["name"] for one in call(cast.mallory, "get", "agents").json()["results"]] == ["Digest"]
    assert "Secret" in str(call(cast.bob, "get", "agent", shared.uuid).json())


def test_others_copy_a_shared_agent_into_their_department(call, cast, shared):
    answer = call(cast.mallory, "post", "agent_duplicate", shared.uuid, department=str(cast.finance.uuid))
    assert answer.status_code == 201
    assert answer.json()["department"] == str(cast.finance.uuid)
    assert call(cast.mallory, "post", "agent_duplicate", shared.uuid).status_code == 403
    wrong = call(cast.mallory, "post", "agent_duplicate", shared.uuid, department=str(cast.marketing.uuid))
    assert wrong.status_code == 400


def test_memory_output_and_language_are_set_and_read(client_as, cast, agent):
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    draft = {
        "memory": {"storage": "postgresql", "summary": True},
        "output": {"name": "Note", "schema": schema},
        "language": "German",
    }
    address = reverse("api:agent", args=[agent.uuid])
    answer = client_as(cast.bob).patch(address, {"draft": draft}, content_type="application/json").json()
    assert (answer["draft"]["memory"]["history_runs"], answer["draft"]["output"]["schema"]) == (5, schema)
    wrong = client_as(cast.bob).patch(
        address, {"draft": {"output": {"name": "Note", "schema": {"type": "array"}}}}, content_type="application/json"
    )
    assert list(wrong.json()["fields"]) == ["output.schema.type"]
