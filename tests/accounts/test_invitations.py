"""Inviting people, by address and from a table, and what the link in the mail does."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.forms.inviting import Table
from accounts.models import Invitation, Membership, Role, User
from accounts.services import Wanted
from mindloom import wall
from mindloom.web.errors import Conflict, NotAllowed
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "a long new phrase"


@pytest.fixture
def invite(cast, django_capture_on_commit_callbacks):
    """Alice invites to Marketing; the paths in the mails, by address."""

    def send(*people, actor=None):
        with django_capture_on_commit_callbacks(execute=True):
            services.invite(actor=actor or cast.alice, department=cast.marketing, people=list(people))
        found = {one.to[0]: re.search(r"/invitation/\S+/", one.body) for one in mail.outbox}
        return {address: match[0] for address, match in found.items() if match}

    return send


def role_of(person, department):
    with wall.system("tests: look"):
        found = Membership.objects.filter(user=person, department=department, status="active").first()
    return found and found.role


def invitations():
    with wall.system("tests: look"):
        return {one.email: one for one in Invitation.objects.all()}


def test_somebody_new_makes_an_account_and_is_in(invite, cast, client):
    path = invite(Wanted("ivy@example.org", "Ivy", Role.VIEWER))["ivy@example.org"]
    assert 'value="Ivy"' in client.get(path).text
    assert client.post(path, {"name": "Ivy", "password": "short"}).status_code == 422
    assert client.post(path, {"name": "Ivy", "password": NEW}).status_code == 302

    ivy = User.objects.by_address("ivy@example.org")
    assert ivy.email_confirmed_at is not None
    assert role_of(ivy, cast.marketing) == "viewer"
    assert "Welcome to Marketing" in client.get("/").text
    assert client.get(path).status_code == 410
    assert invitations() == {}


def test_who_has_an_account_signs_in_and_joins(invite, cast, client):
    path = invite(Wanted("Nora@Example.org"))["Nora@Example.org"]
    answer = client.get(path)
    assert answer.headers["Location"].startswith(reverse("accounts:sign_in"))
    assert client.post(path, {"name": "Thief", "password": NEW}).status_code == 302
    assert User.objects.by_address("nora@example.org").name == "Nora"

    client.force_login(cast.nora)
    assert "invites Nora@Example.org as member" in client.get(path).text
    assert client.post(path).status_code == 302
    assert role_of(cast.nora, cast.marketing) == "member"


def test_a_link_is_of_no_use_to_others(invite, cast, client):
    path = invite(Wanted("ivy@example.org", "", Role.MANAGER))["ivy@example.org"]
    client.force_login(cast.mallory)

    assert "You are signed in as mallory@example.org" in client.get(path).text
    assert client.post(path).status_code == 422
    assert role_of(cast.mallory, cast.marketing) is None
    assert "ivy@example.org" in invitations()


@pytest.mark.parametrize(
    "how", ["withdrawn", "too old", "inviter gone", "inviter removed", "archived", "cut off", "again"]
)
def test_a_link_that_works_no_more_says_so(invite, cast, client, how):
    path = invite(Wanted("ivy@example.org"))["ivy@example.org"]
    one = invitations()["ivy@example.org"]
    with wall.system("tests: the link dies"):
        if how == "withdrawn":
            services.withdraw_invitation(actor=cast.alice, invitation=one)
        elif how == "too old":
            Invitation.objects.update(expires_at=one.created_at - timedelta(seconds=1))
        elif how == "inviter gone":
            services.deactivate_person(actor=cast.ada, person=cast.alice)
        elif how == "inviter removed":
            services.remove_member(actor=cast.ada, membership=Membership.objects.get(user=cast.alice))
        elif how == "archived":
            services.archive_department(actor=cast.ada, department=cast.marketing)
        elif how == "cut off":
            path = path[:-5] + "/"
    if how == "again":
        invite(Wanted("IVY@example.org"))
        assert len(invitations()) == 1

    answer = client.get(path)
    assert answer.status_code == 410
    assert "was taken back" in answer.text
    assert client.post(path, {"name": "Ivy", "password": NEW}).status_code == 410
    assert User.objects.by_address("ivy@example.org") is None


def test_only_managers_of_the_department_invite(invite, cast):
    for person in (cast.bob, cast.carol, cast.mallory, cast.nora):
        with pytest.raises(NotAllowed):
            invite(Wanted("ivy@example.org"), actor=person)
    assert invitations() == {}


def test_a_wrong_address_or_a_member_holds_up_no_other(cast, client):
    client.force_login(cast.alice)
    lines = "Ivy Green <ivy@example.org>; bob@example.org\nnot an address,\x00\n\nzoe@example.org"
    answer = client.post("/people/invite/", {"people": lines.replace("\x00", "x"), "role": "viewer"})

    assert answer.status_code == 422
    assert {one: found.name for one, found in invitations().items()} == {
        "ivy@example.org": "Ivy Green",
        "zoe@example.org": "",
    }
    assert "bob@example.org: is a member already." in answer.text
    assert "not an address" in answer.text
    assert "ivy@example.org" not in answer.text.partition("<textarea")[2].partition("</textarea>")[0]
    assert client.post("/people/invite/", {"people": "a\x00b", "role": "viewer"}).status_code == 422
    assert client.post("/people/invite/", {"people": "", "role": "owner"}).status_code == 422


def test_two_who_accept_at_the_same_time_make_one_membership(invite, cast):
    path = invite(Wanted("nora@example.org"))["nora@example.org"]
    token = path.rstrip("/").rpartition("/")[2]
    services.accept_invitation(actor=cast.nora, token=token)
    with pytest.raises(Conflict, match="does not work any more"):
        services.accept_invitation(actor=cast.nora, token=token)


def test_an_invitation_never_takes_a_role_away(invite, cast):
    with wall.system("tests: Nora manages"):
        Membership.objects.create(user=cast.nora, department=cast.marketing, role=Role.MANAGER, status="pending")
    path = invite(Wanted("nora@example.org", "", Role.VIEWER))["nora@example.org"]
    with wall.system("tests: and is in by now"):
        Membership.objects.filter(user=cast.nora).update(status="active")
    services.accept_invitation(actor=cast.nora, token=path.rstrip("/").rpartition("/")[2])

    assert role_of(cast.nora, cast.marketing) == "manager"


@pytest.mark.parametrize(
    ("text", "people", "problems"),
    [
        ("email,name,role\nivy@x.org,Ivy,viewer\n", [("ivy@x.org", "Ivy", "viewer")], []),
        ('\ufeffName;E-Mail\n"Green; Ivy";ivy@x.org\n;;\n', [("ivy@x.org", "Green; Ivy", "member")], []),
        ("email;name\nivy@x.org;Green, Ivy, Dr.\n", [("ivy@x.org", "Green, Ivy, Dr.", "member")], []),
        ("email\trole\nivy@x.org\tboss\n\tviewer\n", [], [2, 3]),
        ("email,role\nivy@x.org,viewer\nIVY@x.org,manager\n", [("ivy@x.org", "", "viewer")], [3]),
        ("ivy@x.org,Ivy\n", [], [1]),
        ("", [], [1]),
        ('email,name\n"ivy@x.org,Ivy\n', [("ivy@x.org,Ivy", "", "member")], []),
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(text, people, problems):
    table = Table(text)

    assert [(one.email, one.name, one.role.value) for one in table.people] == people
    assert [line for line, _ in table.problems] == problems


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_looked_at_before_anybody_is_invited(cast, client, encoding):
    client.force_login(cast.alice)
    text = "email,name,role\r\nivy@example.org,Ivý Größe,member\r\nzoe@example.org,Zoe,king\r\n"
    file = SimpleUploadedFile("people.csv", text.encode(encoding))
    page = client.post("/people/import/", {"file": file}).text

    assert "Ivý Größe" in page
    assert "Line 3: “king” is no role." in page
    assert "Invite 1 person" in page
    assert invitations() == {}
    again = re.search(r"<textarea name=\"text\" hidden>\n(.*?)</textarea>", page, re.DOTALL)[1]
    assert client.post("/people/import/", {"text": again, "action": "invite"}).status_code == 302
    assert invitations()["ivy@example.org"].name == "Ivý Größe"


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\x00\x00", b"x" * 1_000_001])
def test_what_is_no_table_is_refused(cast, client, content):
    client.force_login(cast.alice)
    answer = client.post("/people/import/", {"file": SimpleUploadedFile("people.csv", content)})

    assert answer.status_code == 422
    assert "error" in answer.text


def test_many_are_changed_at_once_and_who_cannot_be_is_named(cast, client):
    client.force_login(cast.alice)
    services.ask_to_join(actor=cast.nora, department=cast.marketing)
    these = [str(one.uuid) for one in (cast.bob, cast.carol, cast.nora, cast.mallory)]
    page = client.post("/people/many/", {"people": [*these, "x"], "action": "role-manager"}, follow=True).text

    assert [role_of(one, cast.marketing) for one in (cast.bob, cast.carol, cast.nora)] == ["manager", "manager", None]
    assert role_of(cast.mallory, cast.finance) == "manager"
    assert "Nora: " in page
    assert "2 people were made a manager." in page
    assert "Mark the people first" in client.post("/people/many/", {"action": "remove"}, follow=True).text


def test_many_are_removed_after_a_look_at_what_they_own(cast, client):
    client.force_login(cast.alice)
    these = [str(cast.bob.uuid), str(cast.carol.uuid)]
    asked = client.post("/people/many/", {"people": these, "action": "remove"})
    assert asked.status_code == 422
    assert "Remove all 2" in asked.text
    assert role_of(cast.bob, cast.marketing) == "member"

    client.post("/people/many/", {"people": these, "action": "remove", "confirmed": "1"})
    assert role_of(cast.bob, cast.marketing) is role_of(cast.carol, cast.marketing) is None


def test_administrators_find_and_deactivate_people(cast, client):
    client.force_login(cast.ada)
    page = client.get("/everyone/?q=NORA").text
    assert "nora@example.org" in page
    assert "bob@example.org" not in page
    assert client.get("/everyone/?q=%00&state=x&page=z").status_code == 200
    these = {"people": [str(cast.bob.uuid), str(cast.ada.uuid)], "action": "deactivate"}
    assert client.post("/everyone/many/", these).status_code == 422

    said = client.post("/everyone/many/", these | {"confirmed": "1"}, follow=True).text
    assert "You cannot deactivate yourself" in said
    assert "Bob was deactivated." in said
    assert Client().post("/sign-in/", {"email": cast.bob.email, "password": PASSWORD}).status_code == 422
    assert "Bob" in client.get("/everyone/?state=inactive").text
