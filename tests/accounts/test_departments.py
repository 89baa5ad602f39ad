"""Departments: administrators make them, people enter their own."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import Department, Membership, Role
from audit.models import Entry
from mindloom import wall
from mindloom.web.errors import Invalid, NotAllowed, NotFound


def test_an_administrator_makes_a_department(cast, client_as):
    values = {"name": "  Tech   Lab ", "email_domains": "@Corp.Example, lab.example\ncorp.example"}

    assert client_as(cast.ada).post(reverse("accounts:department_create"), values).status_code == 302

    made = Department.objects.get(slug="tech-lab")
    assert (made.name, made.email_domains) == ("Tech Lab", ["corp.example", "lab.example"])


@pytest.mark.parametrize("who", ["alice", "bob", "nora"])
def test_nobody_else_makes_or_sees_them(cast, client_as, who):
    client = client_as(getattr(cast, who))

    assert client.get(reverse("accounts:departments")).status_code == 403
    assert client.post(reverse("accounts:department_create"), {"name": "X"}).status_code == 403
    assert client.post(reverse("accounts:department_archive", args=[cast.finance.uuid])).status_code == 403
    with pytest.raises(NotAllowed):
        services.create_department(actor=getattr(cast, who), name="X")


def test_the_list_counts_members_of_every_department(cast, client_as):
    found = client_as(cast.ada).get(reverse("accounts:departments")).context["departments"]

    assert [(one.name, one.members, one.waiting) for one in found] == [("Finance", 1, 0), ("Marketing", 3, 0)]


@pytest.mark.parametrize(
    ("name", "domains", "sentence"),
    [
        ("MARKETING", "", "There is a department of this name already"),
        ("", "", "required"),
        ("x" * 81, "", "at most 80"),
        ("A\u0007B", "", "1 to 80 letters"),
        ("Tech", "not a domain", "is not a domain"),
        ("Tech", "http://x.example", "is not a domain"),
        ("Tech", "gmail.com", "Anybody can get an address at gmail.com"),
        ("Tech", " ".join(f"a{n}.example" for n in range(60)), "at most 50"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(cast, client_as, name, domains, sentence):
    response = client_as(cast.ada).post(reverse("accounts:department_create"), {"name": name, "email_domains": domains})

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert Department.objects.count() == 2


def test_two_names_with_the_same_letters_get_two_addresses(cast):
    first = services.create_department(actor=cast.ada, name="Tech!")
    second = services.create_department(actor=cast.ada, name="Tech?")

    assert [first.slug, second.slug] == ["tech", "tech-2"]


def test_a_name_without_letters_gets_an_address_too(cast):
    assert services.create_department(actor=cast.ada, name="営業").slug == "department"


def test_renaming_keeps_the_address_in_links(cast, client_as):
    path = reverse("accounts:department_edit", args=[cast.finance.uuid])

    client_as(cast.ada).post(path, {"name": "Money", "email_domains": ""})

    cast.finance.refresh_from_db()
    assert (cast.finance.name, cast.finance.slug) == ("Money", "finance")


def test_a_name_that_is_taken_changes_nothing(cast):
    with pytest.raises(Invalid):
        services.update_department(actor=cast.ada, department=cast.finance, name="marketing")

    cast.finance.refresh_from_db()
    assert cast.finance.name == "Finance"


def test_members_of_an_archived_department_lose_access_and_get_it_back(cast, client_as):
    alice, ada = client_as(cast.alice), client_as(cast.ada)

    ada.post(reverse("accounts:department_archive", args=[cast.marketing.uuid]))
    assert alice.get("/").context["department"] is None

    ada.post(reverse("accounts:department_restore", args=[cast.marketing.uuid]))
    assert alice.get("/").context["department"] == cast.marketing


def switch(client: Client, slug: str):
    return client.post(reverse("accounts:switch_department"), {"department": slug})


def test_a_person_of_two_departments_works_in_the_chosen_one(cast, client_as):
    with wall.system("tests: Alice in Finance too"):
        Membership.objects.create(
            user=cast.alice, department=cast.finance, role=Role.VIEWER, status=Membership.Status.ACTIVE
        )
    client = client_as(cast.alice)

    switch(client, "marketing")

    assert client.get("/").context["department"] == cast.marketing


@pytest.mark.parametrize("slug", ["finance", "", "nowhere", "\x00", "x" * 999])
def test_nobody_switches_to_a_foreign_department(cast, client_as, slug):
    client = client_as(cast.alice)

    assert switch(client, slug).status_code == 404
    assert client.get("/").context["department"] == cast.marketing


def test_the_service_refuses_it_too(cast):
    with pytest.raises(NotFound):
        services.switch_department(actor=cast.alice, department=cast.finance)


def test_a_department_smuggled_into_the_session_opens_nothing(cast, client_as):
    client = client_as(cast.alice)
    session = client.session
    session["department"] = cast.finance.pk
    session.save()

    assert client.get("/").context["department"] == cast.marketing


def entered(user) -> list[str]:
    with wall.system("tests: look behind the scenes"):
        found = Entry.objects.filter(action="department.entered", actor_id=user.pk).order_by("id")
        return list(found.values_list("target_label", flat=True))


def test_an_administrator_who_enters_a_department_leaves_one_trace_each(cast, client_as):
    client = client_as(cast.ada)

    client.get("/")
    client.get("/")
    switch(client, "marketing")
    client.get("/")

    assert entered(cast.ada) == ["Finance", "Marketing"]


def test_a_member_leaves_no_such_trace(cast, client_as):
    switch(client_as(cast.alice), "marketing")

    assert entered(cast.alice) == []


def test_a_department_gets_a_number_of_runs_of_its_own_and_gives_it_up_again(cast, client_as):
    path = reverse("accounts:department_edit", args=[cast.finance.uuid])
    client, values = client_as(cast.ada), {"name": "Finance", "email_domains": ""}

    client.post(path, values | {"max_running": "12"})
    cast.finance.refresh_from_db()
    assert cast.finance.max_running == 12
    assert 'value="12"' in client.get(path).content.decode()
    client.post(path, values | {"max_running": ""})
    cast.finance.refresh_from_db()
    assert cast.finance.max_running is None
    with wall.system("tests: look behind the scenes"):
        told = (
            Entry.objects.filter(action="department.updated")
            .order_by("id")
            .values_list("data__after__max_running", flat=True)
        )
        assert list(told) == [12, None]


@pytest.mark.parametrize("number", ["0", "-1", "10001", "many"])
def test_a_number_of_runs_that_cannot_be_is_refused(cast, client_as, number):
    path = reverse("accounts:department_edit", args=[cast.finance.uuid])
    response = client_as(cast.ada).post(path, {"name": "Finance", "email_domains": "", "max_running": number})

    assert response.status_code == 422
    cast.finance.refresh_from_db()
    assert cast.finance.max_running is None


def test_whoever_calls_the_service_is_held_to_the_same(cast):
    with pytest.raises(Invalid):
        services.update_department(actor=cast.ada, department=cast.finance, max_running=0)
    services.update_department(actor=cast.ada, department=cast.finance, max_running=7)
    services.update_department(actor=cast.ada, department=cast.finance, name="Money")
    cast.finance.refresh_from_db()
    assert (cast.finance.name, cast.finance.max_running) == ("Money", 7)
