"""The pages of teams, through the browser's door."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from agents import services as agents
from mindloom import wall
from teams import services
from teams.forms import write
from teams.models import Team

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


def url(name, team, *more):
    return reverse(f"teams:{name}", args=[team.uuid, *more])


def form_of(team, **changes):
    """What the builder would post."""
    data = write(team)
    data["draft_digest"] = team.draft_digest
    for name, value in changes.items():
        data[name.replace("__", "-")] = value
    return data


def post(client, address, data, **headers):
    return client.post(address, data.urlencode(), content_type=FORM, headers=headers)


def stored(team):
    with wall.system("tests: look behind the scenes"):
        return Team.objects.select_related("published").get(pk=team.pk)


def test_the_list_shows_teams_with_their_members(client_as, cast, published):
    page = client_as(cast.carol).get(reverse("teams:list")).content.decode()
    assert "Press desk" in page
    assert "Researcher" in page
    assert "Coordinate" in page


def test_the_list_of_another_department_is_empty(client_as, cast, published):
    page = client_as(cast.mallory).get(reverse("teams:list")).content.decode()
    assert "Press desk" not in page
    assert "No teams yet" in page


def test_the_list_narrows_to_a_fragment(client_as, cast, team):
    page = client_as(cast.bob).get(
        reverse("teams:list"), {"q": "nothing like it"}, headers=PART | {"HX-Target": "div#teams"}
    )
    assert b"No team matches" in page.content
    assert b"<html" not in page.content


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("type=coordinate", True),
        ("type=route", False),
        ("show=archived", False),
        ("show=mine", True),
        ("q=a%00b", False),
        ("page=x", True),
        ("type=%00", True),
        ("show=all", True),
    ],
)
def test_the_filters(client_as, cast, team, query, shown):
    page = client_as(cast.bob).get(f"{reverse('teams:list')}?{query}")
    assert page.status_code == 200
    assert (b'class="cover"' in page.content) == shown


def test_the_list_asks_as_often_for_20_teams_as_for_one(
    client_as, cast, published, in_marketing, django_assert_max_num_queries
):
    client = client_as(cast.bob)
    client.get(reverse("teams:list"))
    with django_assert_max_num_queries(30) as one:
        client.get(reverse("teams:list"))
    for _ in range(19):
        services.duplicate_team(actor=cast.bob, team=published)
    with django_assert_max_num_queries(30) as many:
        client.get(reverse("teams:list"))
    assert len(many) == len(one)


def test_a_team_is_made_with_a_type_and_a_name(client_as, cast, models, seeing_all):
    client = client_as(cast.bob)
    assert client.get(reverse("teams:create")).content.count(b"team-diagram") >= 3
    answer = client.post(reverse("teams:create"), {"type": "route", "name": "Front door"})
    made = Team.objects.get(name="Front door")
    assert answer.headers["Location"] == url("edit", made)
    assert (made.draft["type"], made.owner) == ("route", cast.bob)


@pytest.mark.parametrize("given", [{}, {"name": ""}, {"name": "A", "type": "swarm"}, {"name": "A", "icon": "x"}])
def test_what_is_wrong_is_said_beside_the_field(client_as, cast, models, given):
    page = client_as(cast.bob).post(reverse("teams:create"), given)
    assert page.status_code == 422
    assert b"field-error" in page.content


def test_the_details_say_who_does_what(client_as, cast, published):
    page = client_as(cast.carol).get(url("detail", published)).content.decode()
    assert "Coordinate: the leader gives parts to Researcher and Writer, then writes the answer." in page
    assert "Finds the facts" in page
    assert "Topic: from the team’s Subject" in page
    assert "Edit" not in page


@pytest.mark.parametrize("name", ["edit", "publish", "compare", "versions", "export", "transfer", "detail"])
def test_the_pages_of_a_team_open(client_as, cast, published, name):
    assert client_as(cast.alice).get(url(name, published)).status_code == 200


def test_the_builder_shows_what_the_draft_holds(client_as, cast, team, writer):
    page = client_as(cast.bob).get(url("edit", team)).content.decode()
    assert "Work on {{ subject }}." in page
    assert f'value="{writer.uuid}"' in page
    assert "Team: Subject" in page
    assert page.count('<li class="member"') == 2


def test_saving_what_is_shown_changes_nothing(client_as, cast, team):
    answer = post(client_as(cast.bob), url("edit", team), form_of(team))
    assert answer.status_code == 302
    assert stored(team).draft_digest == team.draft_digest


def test_autosaving_says_what_is_missing(client_as, cast, team):
    client = client_as(cast.bob)
    ready = post(client, url("autosave", team), form_of(team)).json()
    assert ready["notes"] == {}
    data = form_of(team, **{"members-1-from-topic": ""})
    answer = post(client, url("autosave", team), data).json()
    assert "Writer needs Topic" in answer["notes"]["members"][0]
    assert stored(team).draft["members"][1]["variables"] == {}


def test_a_wrong_value_is_told_by_its_input(client_as, cast, team):
    answer = post(client_as(cast.bob), url("autosave", team), form_of(team, **{"members-0-role": "x" * 301}))
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["members-0-role"]


def test_two_windows_do_not_overwrite_each_other(client_as, cast, team):
    data = form_of(team, type="route")
    with wall.tenant([cast.marketing.pk]):
        services.update_draft(actor=cast.alice, team=team, definition={**team.draft, "type": "collaborate"})
    answer = post(client_as(cast.bob), url("autosave", team), data)
    assert (answer.status_code, answer.json()["code"]) == (409, "draft_changed")


def test_members_are_added_moved_and_taken_out_without_javascript(client_as, cast, team, make_agent):
    client, checker = client_as(cast.bob), make_agent("Checker", "style")
    data = form_of(team, action="add_member", new_member=str(checker.uuid))
    page = post(client, url("edit", team), data).content.decode()
    assert "Style comes from" in page
    assert page.index("Researcher</a>") < page.index("Checker</a>")

    data["members-2-agent"] = str(checker.uuid)
    data.setlist("member", ["0", "1", "2"])
    data["action"] = "up_member-1"
    page = post(client, url("edit", team), data).content.decode()
    assert page.index("Writer</a>") < page.index("Researcher</a>")

    data["action"] = "remove_member-0"
    page = post(client, url("edit", team), data).content.decode()
    assert "Researcher</a>" not in page
    assert stored(team).draft == team.draft, "nothing is kept before it is saved"


def test_members_come_as_a_fragment_for_htmx(client_as, cast, team, make_agent):
    checker = make_agent("Checker")
    data = form_of(team, action="add_member", new_member=str(checker.uuid))
    page = post(client_as(cast.bob), url("edit", team), data, **PART, **{"HX-Target": "div#member-part"})
    assert b"Checker" in page.content
    assert b"<html" not in page.content
    assert b"Researcher, Writer and Checker" in page.content


def test_only_agents_that_may_be_run_are_offered(client_as, cast, team, make_agent):
    make_agent("Checker")
    make_agent("Loose", published=False)
    make_agent("Secret", owner=cast.alice, visibility="private")
    data = form_of(team, action="find_member", member_search="e")
    page = post(
        client_as(cast.bob), url("edit", team), data, **PART, **{"HX-Target": "div#new-member"}
    ).content.decode()
    assert "Checker" in page
    assert not any(name in page for name in ("Loose", "Secret", "Writer"))
    data["member_search"] = "zzz"
    page = post(
        client_as(cast.bob), url("edit", team), data, **PART, **{"HX-Target": "div#new-member"}
    ).content.decode()
    assert "No agent matches" in page


def test_no_more_members_than_the_setting_says(client_as, cast, team, make_agent, settings):
    settings.TEAM_MAX_MEMBERS = 2
    checker = make_agent("Checker")
    page = post(
        client_as(cast.bob), url("edit", team), form_of(team, action="add_member", new_member=str(checker.uuid))
    ).content.decode()
    assert "2 members are the most" in page
    assert "Checker</a>" not in page


@pytest.mark.parametrize(
    "action", ["up_member-9", "remove_member-x", "down_member-", "add_member", "fly_member-1", "up-9"]
)
def test_a_button_that_does_not_exist_changes_nothing(client_as, cast, team, action):
    page = post(client_as(cast.bob), url("edit", team), form_of(team, action=action))
    assert page.status_code == 200
    assert page.content.count(b'<li class="member"') == 2


@pytest.mark.parametrize("value", ["not-a-uuid", "00000000-0000-4000-8000-000000000000", "\x00"])
def test_an_agent_that_does_not_exist_is_shown_as_gone(client_as, cast, team, value):
    data = form_of(team, action="add_member", new_member=value)
    page = post(client_as(cast.bob), url("edit", team), data)
    assert page.status_code == 200
    assert b"An agent that is gone" in page.content


def test_publishing_shows_what_is_not_ready_beside_its_field(client_as, cast, team, writer):
    with wall.tenant([cast.marketing.pk]):
        agents.archive_agent(actor=cast.bob, agent=writer)
    page = client_as(cast.bob).post(url("publish", team))
    assert page.status_code == 422
    assert "Writer is archived" in page.content.decode()
    assert not stored(team).published


def test_publishing_and_going_back(client_as, cast, team):
    client = client_as(cast.bob)
    assert client.post(url("publish", team), {"note": "First"}).status_code == 302
    post(client, url("edit", team), form_of(stored(team), type="route"))
    client.post(url("publish", team))
    assert stored(team).published.number == 2
    assert "Type: Coordinate → Route." in client.get(url("compare", team), {"from": "1", "to": "2"}).content.decode()
    client.post(url("restore_version", team, 1))
    assert stored(team).draft["type"] == "coordinate"
    review = client.get(url("publish", team)).content.decode()
    assert "Type: Route → Coordinate." in review
    client.post(url("discard", team))
    assert stored(team).draft["type"] == "route"


@pytest.mark.parametrize("query", ["from=9", "from=x&to=1", "to=99999999999999", "from=draft&to=%00"])
def test_versions_that_do_not_exist_cannot_be_compared(client_as, cast, published, query):
    assert client_as(cast.bob).get(f"{url('compare', published)}?{query}").status_code == 404


def test_a_team_goes_out_and_in_as_a_file(client_as, cast, published):
    client = client_as(cast.bob)
    file = client.get(url("export", published))
    assert file.headers["Content-Disposition"] == 'attachment; filename="Press desk.yaml"'
    upload = SimpleUploadedFile("team.yaml", file.content)
    answer = client.post(reverse("teams:import"), {"file": upload})
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Press desk (copy)" in page


@pytest.mark.parametrize("content", [b"", b"a: [", b"format: mindloom/agent\n", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(client_as, cast, models, content):
    page = client_as(cast.bob).post(reverse("teams:import"), {"file": SimpleUploadedFile("x.yaml", content)})
    assert page.status_code == 422
    assert b"The file was not imported" in page.content


def test_the_owner_hands_a_team_over(client_as, cast, team):
    client = client_as(cast.bob)
    assert client.post(url("transfer", team), {"owner": str(cast.carol.uuid)}).status_code == 422
    assert client.post(url("transfer", team), {"owner": str(cast.alice.uuid)}).status_code == 302
    assert stored(team).owner == cast.alice


def test_archive_restore_duplicate_and_delete(client_as, cast, team):
    client = client_as(cast.bob)
    client.post(url("archive", team))
    assert stored(team).archived_at
    assert client.get(url("edit", team)).headers["Location"] == url("detail", team)
    client.post(url("restore", team))
    client.post(url("duplicate", team))
    client.post(url("delete", team))
    with wall.system("tests: look behind the scenes"):
        assert list(Team.objects.values_list("name", flat=True)) == ["Press desk (copy)"]


def test_the_teams_that_use_an_agent(client_as, cast, published, writer, make_agent):
    client = client_as(cast.bob)
    address = reverse("teams:using_agent", args=[writer.uuid])
    assert b"Press desk" in client.get(address).content
    part = client.get(address, headers=PART)
    assert b"Press desk" in part.content
    assert b"<html" not in part.content
    assert b"Press desk" not in client_as(cast.mallory).get(address).content
    assert b"No team uses" in client.get(reverse("teams:using_agent", args=[make_agent("Lone").uuid])).content


def test_a_team_for_everyone_is_read_elsewhere_and_its_draft_is_not(client_as, cast, published, researcher, writer):
    with wall.tenant([cast.marketing.pk]):
        for agent in (researcher, writer):
            agents.update_draft(actor=cast.bob, agent=agent, visibility="everyone")
        services.update_draft(
            actor=cast.bob,
            team=published,
            visibility="everyone",
            definition={**published.draft, "instructions": "Secret plan"},
        )
    client = client_as(cast.mallory)
    page = client.get(url("detail", published)).content.decode()
    assert "Shared by Marketing" in page
    assert "Secret plan" not in page
    assert "Secret plan" not in client.get(url("export", published)).content.decode()
    assert client.get(url("edit", published)).status_code == 403
    assert client.get(url("compare", published), {"from": "draft"}).status_code == 404
    client.post(url("duplicate", published))
    with wall.tenant([cast.finance.pk]):
        copy = Team.objects.get(owner=cast.mallory)
    assert copy.draft["instructions"] == "Work on {{ subject }}."
