"""Pages of versions, files, owners and what is shared."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from agents import services
from agents.models import Agent
from mindloom import wall
from tests import factories

pytestmark = pytest.mark.django_db


def url(name, agent, *more):
    return reverse(f"agents:{name}", args=[agent.uuid, *more])


def text_of(answer):
    return answer.content.decode()


@pytest.fixture
def second(cast, published):
    """The agent with a second version and a draft after it."""
    with wall.tenant([cast.marketing.pk]):
        for instructions in ("Write two pages about {{ topic }}.", "A secret plan about {{ topic }}."):
            if instructions.startswith("A secret"):
                services.publish_agent(actor=cast.bob, agent=published, note="Longer")
            services.update_draft(
                actor=cast.bob, agent=published, definition={**published.draft, "instructions": instructions}
            )
            published.refresh_from_db()
    return published


def test_versions_are_listed_with_their_notes(client_as, cast, second):
    page = text_of(client_as(cast.carol).get(url("versions", second)))
    assert "v2: Longer" in page
    assert "v1: First" in page
    assert "Restore into the draft" not in page
    assert "Restore into the draft" in text_of(client_as(cast.bob).get(url("versions", second)))


def test_any_two_can_be_compared(client_as, cast, second):
    client = client_as(cast.carol)
    page = text_of(client.get(url("compare", second), {"from": "1", "to": "2"}))
    assert "Instructions: one sentence changed." in page
    assert re.search(r"<ins>\s*two pages\s*</ins>", page)
    assert "From v2 to draft" in text_of(client.get(url("compare", second)))
    assert "Nothing: both are the same." in text_of(client.get(url("compare", second), {"from": "2", "to": "2"}))


@pytest.mark.parametrize("side", ["3", "0", "x", "-1", "9" * 30, "draft\x00"])
def test_a_version_that_is_not_there_is_not_compared(client_as, cast, second, side):
    assert client_as(cast.carol).get(url("compare", second), {"to": side}).status_code == 404


def test_an_agent_that_was_never_published_has_nothing_to_compare(client_as, cast, agent):
    assert "Nothing: both are the same." in text_of(client_as(cast.bob).get(url("compare", agent)))
    assert "No version yet" in text_of(client_as(cast.bob).get(url("versions", agent)))


def test_markup_in_instructions_stays_text(client_as, cast, agent, in_marketing):
    services.update_draft(actor=cast.bob, agent=agent, definition={"instructions": "a"})
    services.publish_agent(actor=cast.bob, agent=agent)
    services.update_draft(actor=cast.bob, agent=agent, definition={"instructions": "<script>alert(1)</script>"})
    page = text_of(client_as(cast.bob).get(url("compare", agent)))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_an_earlier_version_is_restored_from_the_page(client_as, cast, second, in_marketing):
    answer = client_as(cast.bob).post(url("restore_version", second, 1))
    assert answer.url == url("edit", second)
    second.refresh_from_db()
    assert second.draft["instructions"] == "Write about {{ topic }}."
    assert client_as(cast.bob).post(url("restore_version", second, 9)).status_code == 404


def test_a_file_goes_out_and_comes_in(client_as, cast, second, in_marketing):
    client = client_as(cast.bob)
    file = client.get(url("export", second))
    assert file.headers["Content-Disposition"] == 'attachment; filename="digest.agent.yaml"'
    answer = client.post(reverse("agents:import"), {"file": SimpleUploadedFile("a.yaml", file.content)})
    made = Agent.objects.get(name="Digest (copy)")
    assert answer.url == url("edit", made)
    assert made.draft_digest == second.draft_digest


def test_a_file_that_is_refused_says_why(client_as, cast, models):
    client, address = client_as(cast.bob), reverse("agents:import")
    for content, said in (
        (b"", "The file is empty"),
        (b"a: 1", "This is no file of Mindloom"),
        (b"format: mindloom/agent\nformat_version: 9\n", "A newer Mindloom wrote this file"),
        (b"format: mindloom/agent\nformat_version: 1\nname: A\ndefinition: {retries: x}", "definition.retries"),
        (b"#" * 1_000_001, "1,000,000 are the most"),
    ):
        page = client.post(address, {"file": SimpleUploadedFile("a.yaml", content)})
        assert page.status_code == 422
        assert said in text_of(page)
    assert "Choose a file" in text_of(client.post(address))


def test_an_agent_is_handed_over_on_its_page(client_as, cast, agent, in_marketing):
    client = client_as(cast.bob)
    assert "Alice" in text_of(client.get(url("transfer", agent)))
    for wrong in ("", str(cast.mallory.uuid), str(cast.carol.uuid), "x"):
        assert client.post(url("transfer", agent), {"owner": wrong}).status_code == 422
    assert client.post(url("transfer", agent), {"owner": str(cast.alice.uuid)}).url == url("detail", agent)
    agent.refresh_from_db()
    assert agent.owner == cast.alice


def test_archiving_asks_first(client_as, cast, agent, in_marketing):
    client = client_as(cast.bob)
    assert "What uses it stops working" in text_of(client.get(url("archive", agent)))
    assert client.get(url("detail", agent)).status_code == 200
    client.post(url("archive", agent))
    assert Agent.objects.get(pk=agent.pk).archived_at


def test_agents_that_use_a_tool_or_a_connection_are_listed(client_as, cast, agent, in_marketing):
    connection = str(uuid4())
    Agent.objects.filter(pk=agent.pk).update(draft={"tools": [{"key": "calculator", "connection": connection}]})
    client = client_as(cast.carol)
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div"}
    for address in (
        reverse("agents:using_tool", args=["calculator"]),
        reverse("agents:using_connection", args=[connection]),
    ):
        assert "Digest" in text_of(client.get(address))
        fragment = text_of(client.get(address, headers=headers))
        assert "Digest" in fragment
        assert "<html" not in fragment
    assert "No agent uses this" in text_of(client.get(reverse("agents:using_tool", args=["rocket"])))
    assert "Digest" not in text_of(client_as(cast.mallory).get(reverse("agents:using_tool", args=["calculator"])))


@pytest.fixture
def shared(cast, second):
    with wall.tenant([cast.marketing.pk]):
        services.update_draft(actor=cast.bob, agent=second, visibility="everyone")
    return second


def test_another_department_reads_of_a_shared_agent_what_is_published(client_as, cast, shared):
    client = client_as(cast.mallory)
    for name in ("detail", "versions", "compare", "export"):
        page = client.get(url(name, shared))
        assert page.status_code == 200
        assert "secret plan" not in text_of(page)
    assert client.get(url("compare", shared), {"to": "draft"}).status_code == 404
    assert client.get(url("export", shared), {"version": "1"}).status_code == 404
    page = text_of(client.get(url("detail", shared)))
    assert "Shared by Marketing" in page
    assert "v2" in page
    assert "v1: First" not in page


@pytest.mark.parametrize("name", ["edit", "autosave", "publish", "discard", "transfer", "archive", "restore", "delete"])
def test_another_department_changes_nothing_of_it(client_as, cast, shared, name):
    assert client_as(cast.mallory).post(url(name, shared)).status_code == 403


def test_another_department_copies_it(client_as, cast, shared):
    client_as(cast.mallory).post(url("duplicate", shared))
    with wall.tenant([cast.finance.pk]):
        copy = Agent.objects.get(department=cast.finance)
    assert copy.draft["instructions"] == "Write two pages about {{ topic }}."


def test_the_list_shows_what_others_share_apart(client_as, cast, shared, agent):
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#agents"}

    def seen(person, show):
        return "Digest" in text_of(client_as(person).get(reverse("agents:list"), {"show": show}, headers=headers))

    assert [seen(cast.mallory, show) for show in ("", "shared", "mine")] == [True, True, False]
    assert [seen(cast.bob, show) for show in ("", "shared", "mine")] == [True, False, True]


def test_somebody_who_manages_both_departments_is_told_where_to_change_it(client_as, cast, shared):
    client = client_as(cast.ada)
    client.post(reverse("accounts:switch_department"), {"department": "finance"})
    page = client.get(url("edit", shared))
    assert page.status_code == 403
    assert "Switch to Marketing" in text_of(page)


@pytest.mark.parametrize("name", ["list", "gallery"])
def test_a_search_that_finds_nothing_says_so(client_as, cast, agent, name):
    page = text_of(client_as(cast.bob).get(reverse(f"agents:{name}"), {"q": "zzz"}))
    assert "matches" in page


def test_templates_are_found_by_word_and_previewed_with_their_example(client_as, cast):
    client = client_as(cast.bob)
    page = text_of(client.get(reverse("agents:gallery"), {"q": "INVOICE", "template": "invoice-extractor"}))
    assert "Invoice extractor" in page
    assert "Campaign brief writer" not in page
    assert "Amounts are in EUR." in page
    assert "category=Tech" in page


def test_pages_ask_the_database_as_often_for_50_agents_as_for_one(
    client_as, cast, agent, seeing_all, django_assert_max_num_queries
):
    client = client_as(cast.bob)
    addresses = [reverse("agents:list"), reverse("agents:using_tool", args=["calculator"]), reverse("api:agents")]
    counts = []
    for more in (49, 0):
        for address in addresses:
            client.get(address)
            with django_assert_max_num_queries(30) as asked:
                client.get(address)
            counts.append(len(asked))
        for number in range(more):
            factories.agent(
                cast.bob, cast.marketing, name=f"Agent {number}", definition={"tools": [{"key": "calculator"}]}
            )
    assert counts[:3] == counts[3:]


def test_versions_of_an_earlier_release_are_shown_compared_and_exported(client_as, cast, in_marketing):
    earlier = {**factories.DEFINITION, "tools": [{"key": "calculator", "config": {}}]}
    old = factories.agent(cast.bob, cast.marketing, name="Old", definition=earlier)
    client = client_as(cast.bob)
    for name in ("detail", "edit", "versions", "publish"):
        assert client.get(url(name, old)).status_code == 200
    assert "Nothing: both are the same." in text_of(client.get(url("compare", old)))
    old.draft = services.update_draft(actor=cast.bob, agent=old, definition={**earlier, "dates": True}).draft
    assert "Knows today’s date now." in text_of(client.get(url("compare", old)))
    file = client.get(url("export", old), {"version": "1"}).content.replace(b"digest: d\n", b"")
    made = client.post(reverse("agents:import"), {"file": SimpleUploadedFile("a.yaml", file)})
    assert made.status_code == 302
