"""The API's teams."""

from __future__ import annotations

import pytest

from agents import services as agents
from mindloom import wall
from teams import services
from teams.models import Team
from tests import factories

pytestmark = pytest.mark.django_db
CHANGES = ("team_publish", "team_duplicate", "team_archive", "team_restore", "team_transfer", "team_restore_version")
BODIES = {"team_transfer": {"owner": "alice@example.org"}, "team_restore_version": {"number": 1}}


def test_a_team_is_made_with_members(api, cast, draft):
    answer = api(cast.bob, "post", "teams", {"name": "Desk", "type": "route", "draft": {**draft, "type": "route"}})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["type"], body["department"]) == ("route", str(cast.marketing.uuid))
    assert body["draft"]["members"][1]["variables"] == {"topic": {"from": "subject"}}
    assert answer.headers["Location"].endswith(body["uuid"])


def test_viewers_and_people_without_a_department_may_not_make_teams(api, cast):
    assert api(cast.carol, "post", "teams", {"name": "A"}).status_code == 403
    assert api(cast.nora, "post", "teams", {"name": "A"}).status_code == 403
    assert api(None, "get", "teams").status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "A", "type": "swarm"}, "type"),
        ({"name": "A", "colour": 1}, "colour"),
        ({"name": "A", "category": "Tech"}, "category"),
        ({"name": "A", "draft": {"tools": []}}, "tools"),
        ({"name": "A", "draft": {"members": [{"agent": "x"}]}}, "members.0.agent"),
        ({"name": "A", "draft": {"instructions": "a\x00"}}, "draft"),
        ({"name": "A", "draft": []}, "draft"),
    ],
)
def test_what_does_not_fit_is_named(api, cast, body, field):
    answer = api(cast.bob, "post", "teams", body)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]


def test_a_repeated_request_makes_one_team(api, cast, in_marketing):
    answers = [api(cast.bob, "post", "teams", {"name": "Once"}, **{"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Team.objects.filter(name="Once").count() == 1


def test_the_list_is_filtered(api, cast, team):
    for query, found in (({}, 1), ({"type": "route"}, 0), ({"q": "desk"}, 1), ({"archived": "true"}, 0)):
        assert len(api(cast.carol, "get", "teams", query).json()["results"]) == found, query
    assert api(cast.carol, "get", "teams", {"type": "swarm"}).status_code == 400


@pytest.mark.parametrize("person", ["mallory", "carol"])
def test_who_may_not_change_a_team(api, cast, published, person):
    wanted = {"mallory": 404, "carol": 403}[person]
    for name in CHANGES:
        answer = api(getattr(cast, person), "post", name, BODIES.get(name, {}), published.uuid)
        assert answer.status_code == wanted, name
    for method in ("patch", "delete"):
        assert api(getattr(cast, person), method, "team", {}, published.uuid).status_code == wanted


def test_fields_that_are_left_out_keep_their_values(api, cast, team):
    body = api(cast.bob, "patch", "team", {"draft": {"type": "collaborate"}}, team.uuid).json()
    assert body["draft"]["type"] == "collaborate"
    assert len(body["draft"]["members"]) == 2


def test_what_is_not_ready_is_told_by_its_path(api, cast, team, writer):
    with wall.tenant([cast.marketing.pk]):
        agents.archive_agent(actor=cast.bob, agent=writer)
    answer = api(cast.bob, "post", "team_publish", {}, team.uuid)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["members.1.agent"])


def test_versions_differences_and_going_back(api, cast, published):
    api(
        cast.bob,
        "patch",
        "team",
        {"draft": {"type": "route", "instructions": "Hand {{ subject }} on."}},
        published.uuid,
    )
    told = api(cast.carol, "get", "team_compare", {}, published.uuid).json()
    assert (told["before"], told["after"]) == ("1", "draft")
    assert told["changes"][0] == "Type: Coordinate → Route."
    assert told["lines"]
    assert api(cast.carol, "get", "team_compare", {"from": "9"}, published.uuid).status_code == 404
    assert api(cast.bob, "post", "team_publish", {"note": "Second"}, published.uuid).json()["number"] == 2
    versions = api(cast.carol, "get", "team_versions", None, published.uuid).json()["results"]
    assert [(one["number"], one["note"]) for one in versions] == [(2, "Second"), (1, "First")]
    body = api(cast.bob, "post", "team_restore_version", {"number": 1}, published.uuid).json()
    assert (body["draft"]["type"], body["version"], body["has_changes"]) == ("coordinate", 2, True)


def test_a_team_goes_out_and_in_as_a_file(api, cast, published):
    file = api(cast.carol, "get", "team_export", None, published.uuid)
    assert file.headers["Content-Type"].startswith("application/yaml")
    api(cast.bob, "delete", "team", None, published.uuid)
    answer = api(cast.bob, "post", "team_import", {"file": file.content.decode()})
    assert answer.status_code == 201
    assert (answer.json()["draft_digest"], answer.json()["notes"]) == (published.draft_digest, [])
    refused = api(cast.bob, "post", "team_import", {"file": "format: other"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["format"])


def test_handing_over_copying_and_archiving(api, cast, team):
    assert api(cast.bob, "post", "team_transfer", {"owner": cast.carol.email}, team.uuid).status_code == 400
    assert api(cast.bob, "post", "team_transfer", {"owner": cast.alice.email}, team.uuid).json()["owner"] == "Alice"
    copy = api(cast.bob, "post", "team_duplicate", {"name": "Copy"}, team.uuid).json()
    assert (copy["owner"], copy["name"]) == ("Bob", "Copy")
    assert api(cast.bob, "post", "team_archive", {}, copy["uuid"]).json()["archived_at"]
    assert api(cast.bob, "post", "team_restore", {}, copy["uuid"]).json()["archived_at"] is None


def test_people_of_other_departments_get_what_is_published_and_no_draft(api, cast, published, researcher, writer):
    with wall.tenant([cast.marketing.pk]):
        for agent in (researcher, writer):
            agents.update_draft(actor=cast.bob, agent=agent, visibility="everyone")
        services.update_draft(actor=cast.bob, team=published, visibility="everyone", definition={"type": "route"})
    body = api(cast.mallory, "get", "team", None, published.uuid).json()
    assert (body["draft"], body["published"]["type"]) == (None, "coordinate")
    assert api(cast.mallory, "get", "team_compare", {"to": "draft"}, published.uuid).status_code == 404
    where = {"department": str(cast.finance.uuid)}
    copy = api(cast.mallory, "post", "team_duplicate", where, published.uuid).json()
    assert (copy["draft"]["type"], copy["department"]) == ("coordinate", where["department"])


def test_other_departments_learn_nothing_of_the_draft_of_a_shared_team(client_as, cast):
    with wall.system("tests: share a team"):
        agents = [factories.agent(cast.alice, cast.marketing, name=name, visibility="everyone") for name in ("A", "B")]
        team = factories.team(cast.alice, cast.marketing, *agents, visibility="everyone")
        published = team.published.digest
        Team.objects.filter(pk=team.pk).update(draft={**team.draft, "type": "route"}, draft_digest="changed")
    client = client_as(cast.mallory)
    for shown in (client.get("/api/v1/teams").json()["results"][0], client.get(f"/api/v1/teams/{team.uuid}").json()):
        assert (shown["type"], shown["draft_digest"], shown["has_changes"]) == ("coordinate", published, False)
