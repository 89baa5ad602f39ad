"""Who administers the installation: made and unmade by administrators, and by nobody else."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts import services
from accounts.models import User
from audit.models import Entry
from mindloom.web.errors import Conflict, NotAllowed

PAGES = ("/administration/", "/everyone/", "/admin/accounts/user/")


@pytest.fixture
def bob(cast):
    cast.bob.email_confirmed_at = timezone.now()
    cast.bob.save()
    return cast.bob


@pytest.fixture
def abe():
    return User.objects.create_superuser("abe@example.org", None, name="Abe")


def act(client, action, *people, **more):
    return client.post(
        "/everyone/many/", {"people": [one.uuid for one in people], "action": action, **more}, follow=True
    )


def codes(client):
    return [client.get(page).status_code for page in PAGES]


def test_somebody_is_promoted_after_a_question_and_demoted_again(cast, client_as, bob, seeing_all):
    ada, his = client_as(cast.ada), client_as(bob)
    assert "see and change everything in every department" in act(ada, "promote", bob).text
    assert 200 not in codes(his)
    assert "Bob was made an administrator." in act(ada, "promote", bob, confirmed="1").text
    assert codes(his) == [200] * 3
    assert "Demote 1 person?" in act(ada, "demote", bob).text
    assert "Bob was made no administrator any more." in act(ada, "demote", bob, confirmed="1").text
    assert 200 not in codes(his)
    told = Entry.objects.filter(action__startswith="person.", target_id=str(bob.uuid)).order_by("pk")
    assert [one.action for one in told] == ["person.promoted", "person.demoted"]


def test_nobody_takes_their_own_rights_away(cast, client_as):
    assert "You cannot take your own rights away" in act(client_as(cast.ada), "demote", cast.ada, confirmed="1").text
    assert codes(client_as(cast.ada)) == [200] * 3


@pytest.mark.parametrize(
    ("lack", "sentence"),
    [({"is_active": False}, "Let them in again first"), ({"email_confirmed_at": None}, "confirmed their address")],
)
def test_who_cannot_sign_in_or_has_shown_nobody_that_the_address_is_theirs_is_not_promoted(cast, bob, lack, sentence):
    User.objects.filter(pk=bob.pk).update(**lack)
    with pytest.raises(Conflict, match=sentence):
        services.promote_person(actor=cast.ada, person=bob)
    assert not User.objects.get(pk=bob.pk).is_superuser


@pytest.mark.parametrize("verb", [services.promote_person, services.demote_person])
def test_only_administrators_promote_and_demote(cast, bob, verb):
    for actor in (cast.alice, bob):
        with pytest.raises(NotAllowed):
            verb(actor=actor, person=bob)


def test_of_two_administrators_who_demote_each_other_at_once_one_stays(cast, abe):
    services.demote_person(actor=abe, person=User.objects.get(pk=cast.ada.pk))
    with pytest.raises(NotAllowed):
        services.demote_person(actor=cast.ada, person=abe)


def test_the_api_promotes_and_demotes_and_says_who_is_what(cast, client_as, bob):
    ada, address = client_as(cast.ada), f"/api/v1/people/{bob.uuid}/administrator"
    for method, is_one in (("PUT", True), ("PUT", True), ("DELETE", False), ("DELETE", False)):
        answer = ada.generic(method, address)
        assert (answer.status_code, answer.json()["is_administrator"]) == (200, is_one)


def test_the_django_admin_promotes_by_the_same_service(cast, client_as, bob):
    chosen = {"action": "promote", "_selected_action": [bob.pk, cast.nora.pk]}
    page = client_as(cast.ada).post("/admin/accounts/user/", chosen, follow=True).text
    assert "Made administrators: 1" in page
    assert "confirmed their address" in page
    bob.refresh_from_db()
    assert bob.is_administrator
