"""What somebody owns who leaves a department."""

from __future__ import annotations

import pytest

from accounts import services
from accounts.models import Membership, Role
from audit.models import Entry
from mindloom import wall
from mindloom.web.errors import Conflict, Invalid, NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def owned(cast):
    """Bob's things in Marketing, one of each kind."""
    with wall.tenant([cast.marketing.pk]):
        agent = factories.agent(cast.bob, cast.marketing)
        return [
            agent,
            factories.team(cast.bob, cast.marketing, agent),
            factories.bucket(cast.bob, cast.marketing),
            factories.connection(cast.bob, cast.marketing),
            factories.schedule(agent, cast.bob),
        ]


def owners(owned):
    with wall.system("tests: look"):
        return {type(one)._default_manager.get(pk=one.pk).owner for one in owned}


def membership(person, department):
    with wall.system("tests: look"):
        return Membership.objects.select_related("user", "department").get(user=person, department=department)


def test_who_removes_somebody_owns_what_they_owned(cast, owned):
    with wall.tenant([cast.marketing.pk]):
        moved = services.remove_member(actor=cast.alice, membership=membership(cast.bob, cast.marketing))

    assert moved == {"agent": 1, "team": 1, "bucket": 1, "connection": 1, "schedule": 1}
    assert services.words({"agent": 2, "team": 1, "schedule": 1}) == "2 agents, 1 team and 1 schedule"
    assert owners(owned) == {cast.alice}
    with wall.system("tests: look"):
        noted = Entry.objects.filter(action__endswith=".transferred", actor_id=cast.alice.pk)
        assert {one.action for one in noted} == {f"{word}.transferred" for word in moved}


def test_who_leaves_hands_over_to_another_manager(cast, owned):
    with wall.tenant([cast.marketing.pk]):
        services.set_role(actor=cast.alice, membership=membership(cast.bob, cast.marketing), role=Role.MANAGER)
    bob = type(cast.bob).objects.get(pk=cast.bob.pk)
    with wall.tenant([cast.marketing.pk]):
        services.remove_member(actor=bob, membership=membership(bob, cast.marketing))

    assert owners(owned) == {cast.alice}


def test_only_who_can_look_after_it_gets_it(cast, owned):
    with wall.tenant([cast.marketing.pk]):
        for to in (cast.carol, cast.mallory, cast.nora, cast.bob):
            with pytest.raises(Invalid) as refused:
                services.hand_over(actor=cast.bob, person=cast.bob, to=to, department_id=cast.marketing.pk)
            assert "to" in refused.value.fields
        for actor in (cast.carol, cast.mallory):
            with pytest.raises(NotAllowed):
                services.hand_over(actor=actor, person=cast.bob, to=cast.alice, department_id=cast.marketing.pk)
        with pytest.raises(Invalid):
            services.remove_member(actor=cast.alice, membership=membership(cast.bob, cast.marketing), to=cast.carol)

    assert owners(owned) == {cast.bob}
    assert membership(cast.bob, cast.marketing).is_active


def test_the_last_manager_stays_with_what_they_own(cast):
    with wall.tenant([cast.marketing.pk]):
        factories.agent(cast.alice, cast.marketing)
        with pytest.raises(Conflict):
            services.remove_member(actor=cast.alice, membership=membership(cast.alice, cast.marketing))
