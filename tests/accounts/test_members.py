"""Who belongs to a department: managers decide, nobody raises themselves, and a manager stays."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts import services
from accounts.models import Membership, Role, User
from accounts.queries import roles_of
from audit.models import Entry
from mindloom import wall
from mindloom.web.errors import Conflict, NotAllowed


def of(user, department) -> Membership:
    with wall.system("tests: look up a membership"):
        return Membership.objects.select_related("user", "department").get(user=user, department=department)


@pytest.fixture
def waiting(cast) -> Membership:
    return services.ask_to_join(actor=cast.nora, department=cast.marketing)


def fresh(user):
    return type(user).objects.get(pk=user.pk)


def test_a_manager_sees_members_and_those_who_wait(cast, client_as, waiting):
    page = client_as(cast.alice).get(reverse("accounts:people")).content.decode()

    assert "Waiting to join" in page
    assert all(name in page for name in ("Nora", "Bob", "Carol"))
    assert "Mallory" not in page


@pytest.mark.parametrize("who", ["bob", "carol", "nora"])
def test_only_managers_see_the_page(cast, client_as, who):
    assert client_as(getattr(cast, who)).get(reverse("accounts:people")).status_code == 403


def test_members_are_found_by_name_and_address(cast, client_as):
    page = client_as(cast.alice).get(reverse("accounts:people") + "?q=BOB").content.decode()

    assert "bob@example.org" in page
    assert "carol@example.org" not in page


@pytest.mark.parametrize("query", ["q=%00", "q=" + "x" * 5000, "page=-1", "page=abc", "page=9999999999999999999999"])
def test_strange_questions_get_an_answer(cast, client_as, query):
    assert client_as(cast.alice).get(f"{reverse('accounts:people')}?{query}").status_code == 200


def test_the_list_asks_the_database_as_often_for_one_as_for_many(cast, client_as, django_assert_max_num_queries):
    client = client_as(cast.alice)

    with django_assert_max_num_queries(12):
        client.get(reverse("accounts:people"))


def test_accepting_lets_a_person_in_and_tells_them(cast, client_as, waiting, mailoutbox):
    response = client_as(cast.alice).post(reverse("accounts:accept_member", args=[cast.nora.uuid]))

    assert response.status_code == 302
    assert roles_of(fresh(cast.nora)) == {cast.marketing.pk: Role.MEMBER}
    assert mailoutbox[-1].to == [cast.nora.email]


def test_a_manager_cannot_accept_into_another_department(cast, client_as, waiting):
    response = client_as(cast.mallory).post(reverse("accounts:accept_member", args=[cast.nora.uuid]))

    assert response.status_code == 404
    with wall.system("tests: try it at the service too"), pytest.raises(NotAllowed):
        services.accept_member(actor=cast.mallory, membership=waiting)


@pytest.mark.parametrize("who", ["bob", "carol", "nora"])
@pytest.mark.parametrize("action", ["accept", "refuse", "role", "remove"])
def test_those_who_do_not_manage_can_change_nobody(cast, client_as, waiting, who, action):
    response = client_as(getattr(cast, who)).post(f"/people/{cast.nora.uuid}/{action}/", {"role": "manager"})

    assert response.status_code == 403
    assert of(cast.nora, cast.marketing).status == Membership.Status.PENDING


def test_turning_somebody_down_lets_them_ask_again(cast, in_marketing, waiting):
    services.refuse_member(actor=cast.alice, membership=waiting)

    assert services.ask_to_join(actor=cast.nora, department=cast.marketing).status == Membership.Status.PENDING


def test_accepting_twice_is_refused_with_a_sentence(cast, in_marketing, waiting):
    services.accept_member(actor=cast.alice, membership=waiting)

    with pytest.raises(Conflict, match="Nora is a member already"):
        services.accept_member(actor=cast.alice, membership=waiting)


def test_a_lower_role_holds_from_the_next_request_on(cast, client_as, in_marketing):
    services.set_role(actor=cast.alice, membership=of(cast.bob, cast.marketing), role=Role.MANAGER)
    bob = client_as(cast.bob)
    assert bob.get(reverse("accounts:people")).status_code == 200

    services.set_role(actor=cast.alice, membership=of(cast.bob, cast.marketing), role=Role.VIEWER)

    assert bob.get(reverse("accounts:people")).status_code == 403


def test_nobody_raises_themselves(cast, in_marketing):
    with wall.system("tests: an administrator who is a viewer"):
        own = Membership.objects.create(
            user=cast.ada, department=cast.marketing, role=Role.VIEWER, status=Membership.Status.ACTIVE
        )

    with pytest.raises(NotAllowed, match="Nobody raises their own role"):
        services.set_role(actor=cast.ada, membership=own, role=Role.MANAGER)


def test_nobody_accepts_themselves(cast, in_marketing):
    own = services.ask_to_join(actor=cast.ada, department=cast.marketing)

    with pytest.raises(NotAllowed, match="Nobody accepts themselves"):
        services.accept_member(actor=cast.ada, membership=own)


@pytest.mark.parametrize("role", ["owner", "administrator", "", "MANAGER", "\x00"])
def test_a_role_that_does_not_exist_changes_nothing(cast, client_as, role):
    client_as(cast.alice).post(reverse("accounts:set_role", args=[cast.bob.uuid]), {"role": role})

    assert of(cast.bob, cast.marketing).role == Role.MEMBER


def test_the_last_manager_cannot_step_down_or_leave(cast, in_marketing):
    with pytest.raises(Conflict, match="last manager of Marketing"):
        services.set_role(actor=cast.alice, membership=of(cast.alice, cast.marketing), role=Role.MEMBER)
    with pytest.raises(Conflict, match="last manager of Marketing"):
        services.remove_member(actor=cast.alice, membership=of(cast.alice, cast.marketing))


def test_a_manager_who_is_not_the_last_may_step_down(cast, in_marketing):
    services.set_role(actor=cast.alice, membership=of(cast.bob, cast.marketing), role=Role.MANAGER)

    services.set_role(actor=cast.alice, membership=of(cast.alice, cast.marketing), role=Role.VIEWER)

    assert of(cast.alice, cast.marketing).role == Role.VIEWER


def test_of_two_managers_who_remove_each_other_at_once_one_stays(cast, in_marketing):
    """Both requests have seen that they may; then one comes first."""
    Membership.objects.filter(user=cast.carol).update(role=Role.MANAGER)
    first, second = (Membership.objects.get(user=one) for one in (cast.alice, cast.carol))
    for person in (cast.alice, cast.carol):
        assert roles_of(person) == {in_marketing.pk: Role.MANAGER}
    services.remove_member(actor=cast.carol, membership=first)

    with pytest.raises(NotAllowed):
        services.remove_member(actor=cast.alice, membership=second)


def test_of_two_administrators_who_deactivate_each_other_at_once_one_stays(cast):
    other = User.objects.create_superuser("abe@example.org", None, name="Abe")
    services.deactivate_person(actor=other, person=User.objects.get(pk=cast.ada.pk))

    with pytest.raises(NotAllowed):
        services.deactivate_person(actor=cast.ada, person=other)


def test_a_person_who_is_not_in_yet_has_no_role_to_set(cast, in_marketing, waiting):
    with pytest.raises(Conflict, match="Accept them first"):
        services.set_role(actor=cast.alice, membership=waiting, role=Role.MANAGER)


def test_a_removed_member_sees_nothing_with_the_next_request(cast, client_as, in_marketing):
    bob = client_as(cast.bob)
    assert bob.get("/").context["department"] == cast.marketing

    services.remove_member(actor=cast.alice, membership=of(cast.bob, cast.marketing))

    assert bob.get("/").context["department"] is None


def test_every_change_is_in_the_audit_trail(cast, client_as, waiting, seeing_all):
    client = client_as(cast.alice)
    client.post(reverse("accounts:accept_member", args=[cast.nora.uuid]))
    client.post(reverse("accounts:set_role", args=[cast.nora.uuid]), {"role": "viewer"})
    client.post(reverse("accounts:remove_member", args=[cast.nora.uuid]))

    entries = Entry.objects.filter(actor_id=cast.alice.pk, action__startswith="member.").order_by("id")

    assert list(entries.values_list("action", "department_id")) == [
        ("member.accepted", cast.marketing.pk),
        ("member.role_changed", cast.marketing.pk),
        ("member.removed", cast.marketing.pk),
    ]
