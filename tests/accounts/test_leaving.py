"""Taking one's data away, and leaving for good."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import services
from accounts.models import Department, Membership, PersonalToken, Role, User
from agents.models import Agent
from audit.models import Entry
from mindloom import wall
from mindloom.web.errors import Conflict
from runs.models import Conversation, PersonMemory, Run
from tests import factories
from tests.accounts.test_second_factor import enrol
from tests.conftest import PASSWORD

DATA, DELETE = reverse("accounts:data"), reverse("accounts:account_delete")


@pytest.fixture
def estate(cast):
    """Bob owns an agent and has run it; Mallory's is not his."""
    with wall.system("tests: set the stage"):
        agent = factories.agent(cast.bob, cast.marketing, name="Bob's scout")
        run = factories.run(agent, cast.bob, input="What Bob asked")
        kept = {"department": cast.marketing, "agent": agent}
        Conversation.objects.create(owner=cast.bob, title="About tea", **kept)
        PersonMemory.objects.create(person=cast.bob, facts=["Likes tea."], **kept)
        other = factories.agent(cast.mallory, cast.finance, name="Secret of Finance")
        factories.run(other, cast.mallory, input="What Mallory asked")
    return run


def unpacked(client) -> dict[str, str]:
    answer = client.post(DATA, {"password": PASSWORD})
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_file_has_what_is_the_person_s_and_nothing_else(cast, client_as, estate):
    secret, codes = enrol(cast.bob)
    _, token = services.make_token(actor=cast.bob, name="Nightly", scopes=["read"], days=1)
    files = unpacked(client_as(cast.bob))
    everything = "".join(files.values())

    assert json.loads(files["profile.jsonl"])["email"] == cast.bob.email
    assert "Bob's scout" in files["agents.jsonl"]
    assert "What Bob asked" in files["runs.jsonl"]
    assert "About tea" in files["conversations.jsonl"]
    assert "Likes tea." in files["memories.jsonl"]
    assert "second_factor.app_added" in files["acts.jsonl"]
    assert "Nightly" in files["tokens.jsonl"]
    for hidden in ("Mallory", "Secret of Finance", secret, codes[0], token, cast.bob.password):
        assert hidden not in everything


def test_the_password_is_asked_and_taking_away_is_noted(cast, client_as, seeing_all):
    client = client_as(cast.bob)
    assert client.post(DATA, {"password": "guess"}).status_code == 422
    unpacked(client)
    assert Entry.objects.filter(action="data.exported", actor_id=cast.bob.pk).count() == 1


def leave(client, **given: object):
    return client.post(DELETE, {"password": PASSWORD, "confirm": "delete"} | given)


def test_what_is_owned_must_be_taken_over(cast, client_as, estate):
    client = client_as(cast.bob)

    assert "You own 1 agent there" in client.get(DELETE).content.decode()
    assert leave(client).status_code == 422
    assert User.objects.get(pk=cast.bob.pk).is_active


def test_leaving_hands_over_forgets_and_keeps_what_was_done(cast, client_as, estate, mailoutbox, seeing_all):
    client, elsewhere = client_as(cast.bob), client_as(cast.bob)
    services.make_token(actor=cast.bob, name="Nightly", scopes=["read"], days=1)
    address, uuid = cast.bob.email, cast.bob.uuid

    answer = leave(client, **{f"heir_{cast.marketing.pk}": str(cast.alice.uuid)})

    assert answer["Location"] == reverse("accounts:sign_in")
    assert elsewhere.get("/profile/").status_code == 302
    assert Agent.objects.get(name="Bob's scout").owner == cast.alice
    gone = User.objects.get(uuid=uuid)
    assert (gone.is_active, gone.name, gone.has_usable_password()) == (False, f"Deleted person {uuid.hex[:8]}", False)
    assert address not in str(User.objects.filter(pk=gone.pk).values())
    assert Run.objects.get(pk=estate.pk).started_by == gone
    assert not Membership.objects.filter(user=gone).exists()
    assert not PersonalToken.objects.exists()
    assert not PersonMemory.objects.filter(person=gone).exists()
    assert Conversation.objects.get(owner=gone).title == ""
    assert Entry.objects.filter(action="person.deleted", actor_label=address).exists()
    assert mailoutbox[-1].to == [address]
    assert Client().post("/sign-in/", {"email": address, "password": PASSWORD}).status_code == 422


def test_the_address_is_free_again_and_the_account_does_not_come_back(cast, client_as, estate):
    leave(client_as(cast.bob), **{f"heir_{cast.marketing.pk}": str(cast.alice.uuid)})

    assert User.objects.by_address("bob@example.org") is None
    with pytest.raises(Conflict):
        services.reactivate_person(actor=cast.ada, person=User.objects.get(pk=cast.bob.pk))


@pytest.mark.parametrize("heir", ["carol", "mallory", "bob", "nora"])
def test_only_a_colleague_who_can_look_after_it_takes_over(cast, client_as, estate, heir):
    given = {f"heir_{cast.marketing.pk}": str(getattr(cast, heir).uuid)}

    assert leave(client_as(cast.bob), **given).status_code == 422


def test_what_is_in_an_archived_department_holds_nobody_up(cast, client_as, seeing_all):
    old = Department.objects.create(name="Old", slug="old", archived_at=timezone.now())
    Membership.objects.create(user=cast.bob, department=old, role=Role.MEMBER, status=Membership.Status.ACTIVE)
    factories.agent(cast.bob, old, name="Old scout")

    assert leave(client_as(cast.bob)).status_code == 302
    assert not Membership.objects.filter(user=cast.bob).exists()


def test_an_administrator_hands_over_where_they_are_no_member(cast, client_as, seeing_all):
    User.objects.create_superuser("abe@example.org", PASSWORD, name="Abe")
    made = factories.agent(cast.ada, cast.marketing, name="Ada's scout")
    client = client_as(cast.ada)

    assert leave(client).status_code == 422
    assert leave(client, **{f"heir_{cast.marketing.pk}": str(cast.alice.uuid)}).status_code == 302
    made.refresh_from_db()
    assert made.owner == cast.alice


@pytest.mark.parametrize("heir", ["", "x", "\x00", "1", "x" * 5000])
def test_a_made_up_heir_is_refused(cast, client_as, estate, heir):
    assert leave(client_as(cast.bob), **{f"heir_{cast.marketing.pk}": heir}).status_code == 422


def test_the_last_manager_and_the_last_administrator_stay(cast, client_as):
    for person, sentence in ((cast.mallory, "the last manager of Finance"), (cast.ada, "the last administrator")):
        answer = leave(client_as(person))
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        assert User.objects.get(pk=person.pk).is_active


def test_a_manager_beside_another_may_go(cast, client_as, seeing_all):
    Membership.objects.filter(user=cast.carol).update(role=Role.MANAGER)

    assert leave(client_as(cast.alice)).status_code == 302


@pytest.mark.parametrize("given", [{"password": "guess"}, {"confirm": ""}, {"confirm": "yes"}])
def test_it_is_meant(cast, client_as, given):
    assert leave(client_as(cast.carol), **given).status_code == 422
    assert User.objects.get(pk=cast.carol.pk).is_active
