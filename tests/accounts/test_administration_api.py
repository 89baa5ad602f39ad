"""The API's departments and people: what managers and administrators do, and what nobody gets by asking for it."""

from __future__ import annotations

import pytest

from accounts.models import Department, Membership, Role, User
from accounts.services import issue_tokens
from mindloom import wall

pytestmark = pytest.mark.django_db


def role_of(person, department):
    with wall.system("tests: look"):
        found = Membership.objects.filter(user=person, department=department, status="active").first()
    return found and found.role


@pytest.fixture
def as_(api):
    """A script of this person."""
    return lambda person: api(issue_tokens(actor=person)["access"])


def test_a_department_from_making_to_archiving(cast, as_):
    ada = as_(cast.ada)
    made = ada.post("departments", {"name": "Legal", "email_domains": ["legal.example.org"], "storage_mb": 5})
    assert made.status_code == 201
    path = made.headers["Location"].removeprefix("/api/v1/")
    changed = ada.patch(path, {"max_running": 3, "storage_mb": None}).json()
    assert (changed["name"], changed["max_running"], changed["storage_mb"]) == ("Legal", 3, None)
    assert ada.patch(path, {"storage_mb": 0}).status_code == 400
    assert ada.patch(path, {"name": "Marketing"}).status_code == 400
    assert ada.post("departments", {"name": "legal"}).status_code == 400
    assert ada.post(f"{path}/archive").json()["archived_at"]
    assert ada.post(f"{path}/archive").status_code == 409
    assert ada.post(f"{path}/restore").json()["archived_at"] is None


def test_managers_let_in_change_invite_and_remove(cast, as_):
    alice, place = as_(cast.alice), f"departments/{cast.marketing.uuid}"
    with wall.system("tests: Nora waits"):
        Membership.objects.create(user=cast.nora, department=cast.marketing)
    waiting = alice.get(f"{place}/members?status=pending").json()["results"]
    assert [one["email"] for one in waiting] == ["nora@example.org"]
    assert [one["name"] for one in alice.get(f"{place}/members?q=CAR").json()["results"]] == ["Carol"]

    nora = f"{place}/members/{cast.nora.uuid}"
    assert alice.patch(nora, {"role": "viewer"}).status_code == 409
    assert alice.patch(nora, {"status": "active", "role": "viewer"}).json()["role"] == "viewer"
    assert alice.delete(nora).json() == {"handed_over": {}}
    assert alice.delete(nora).status_code == 404

    invited = alice.post(
        f"{place}/invitations", {"people": [{"email": "ivy@example.org"}, {"email": "bob@example.org"}]}
    )
    assert invited.json()["passed_over"] == {"bob@example.org": "is a member already."}
    [one] = alice.get(f"{place}/invitations").json()["results"]
    assert alice.delete(f"{place}/invitations/{one['uuid']}").status_code == 204
    assert alice.get(f"{place}/invitations").json()["results"] == []


def test_administrators_keep_people_out_and_let_them_in(cast, as_):
    ada = as_(cast.ada)
    assert [one["name"] for one in ada.get("people?q=bob&active=true").json()["results"]] == ["Bob"]
    assert ada.post(f"people/{cast.bob.uuid}/deactivate").json()["is_active"] is False
    assert as_(cast.bob).get("auth/me").status_code == 401
    assert ada.post(f"people/{cast.bob.uuid}/reactivate").json()["is_active"] is True
    assert ada.post(f"people/{cast.ada.uuid}/deactivate").status_code == 403


@pytest.mark.parametrize(
    ("who", "method", "path", "body"),
    [
        ("bob", "patch", "departments/{marketing}/members/{bob}", {"role": "manager"}),
        ("bob", "patch", "departments/{marketing}/members/{carol}", {"role": "manager"}),
        (
            "bob",
            "post",
            "departments/{marketing}/invitations",
            {"people": [{"email": "x@example.org", "role": "manager"}]},
        ),
        ("bob", "patch", "departments/{marketing}", {"storage_mb": 999}),
        ("alice", "patch", "departments/{marketing}", {"max_running": 999}),
        ("alice", "patch", "departments/{marketing}/allowed", {"tools": None}),
        ("alice", "patch", "departments/{finance}/members/{mallory}", {"role": "viewer"}),
        ("alice", "delete", "departments/{finance}/members/{mallory}", None),
        ("alice", "patch", "departments/{marketing}/members/{mallory}", {"role": "viewer"}),
        ("alice", "post", "departments/{finance}/invitations", {"people": [{"email": "alice@example.org"}]}),
        ("alice", "post", "people/{mallory}/deactivate", None),
        ("alice", "get", "people", None),
        ("alice", "post", "departments", {"name": "Mine"}),
        ("nora", "get", "departments/{marketing}", None),
        ("mallory", "get", "departments/{marketing}/members", None),
        ("alice", "patch", "departments/{marketing}/members/{bob}", {"role": "owner"}),
        ("alice", "patch", "departments/{marketing}/members/{bob}", {"is_superuser": True, "role": "member"}),
        ("bob", "patch", "auth/me", {"is_superuser": True}),
        ("bob", "patch", "auth/me", {"role": "manager", "name": "Bob"}),
        ("bob", "patch", "auth/me", {"email_confirmed_at": "2020-01-01T00:00:00Z"}),
        ("bob", "patch", "auth/me", {"departments": []}),
    ],
)
def test_nobody_gets_more_by_asking_for_it(cast, as_, who, method, path, body):
    names = {one: getattr(cast, one).uuid for one in ("marketing", "finance", "bob", "carol", "mallory")}
    before = _rights()
    answer = getattr(as_(getattr(cast, who)), method)(path.format(**names), *([body] if body is not None else []))

    assert answer.status_code in {400, 403, 404, 405}
    assert _rights() == before


def _rights():
    """Everything that somebody could want more of."""
    with wall.system("tests: look"):
        members = set(Membership.objects.values_list("user__email", "department__slug", "role", "status"))
        people = set(User.objects.values_list("email", "is_superuser", "is_staff", "is_active", "email_confirmed_at"))
        limits = {
            (one.slug, one.max_running, one.storage_mb, str(one.allowed_tools)) for one in Department.objects.all()
        }
    return members, people, limits


def test_a_manager_does_not_raise_themselves_by_inviting(cast, as_):
    """Bob was made a viewer; an invitation that a manager sent before is no way back up for a member."""
    with wall.system("tests: Bob is a viewer"):
        Membership.objects.filter(user=cast.bob).update(role=Role.VIEWER)
    answer = as_(cast.bob).post(
        f"departments/{cast.marketing.uuid}/invitations", {"people": [{"email": cast.bob.email, "role": "manager"}]}
    )
    assert answer.status_code == 403
    assert role_of(cast.bob, cast.marketing) == "viewer"
