"""The first administrator, and administrators in the Django admin."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import Department, User
from audit.models import Entry
from mindloom.web.errors import NotAllowed
from tests.conftest import PASSWORD

FIRST = {"name": "Root", "email": "root@corp.example", "password": PASSWORD}


def link() -> str:
    out = StringIO()
    call_command("setup_link", stdout=out)
    return "/" + out.getvalue().strip().splitlines()[-1].split("/", 3)[3]


def test_the_link_makes_the_first_administrator_and_signs_them_in(db):
    client, path = Client(), link()

    assert client.get(path).status_code == 200
    assert client.post(path, FIRST)["Location"] == reverse("accounts:departments")
    assert client.get(reverse("accounts:departments")).status_code == 200
    assert User.objects.get().is_administrator


def test_the_link_works_once(db):
    path = link()
    Client().post(path, FIRST)
    User.objects.all().delete()

    assert Client().get(path).status_code == 410
    assert Client().post(path, FIRST | {"email": "second@corp.example"}).status_code == 410
    assert not User.objects.exists()


def test_there_is_no_link_when_there_is_an_administrator(cast):
    with pytest.raises(CommandError, match="There is an administrator already"):
        call_command("setup_link")


def test_a_link_made_before_is_dead_when_there_is_an_administrator(db):
    path = link()
    User.objects.create_superuser("other@corp.example", PASSWORD, name="Other")

    assert Client().post(path, FIRST).status_code == 410


def test_a_link_is_too_old_after_an_hour(db, monkeypatch):
    from django.core import signing

    path, now = link(), signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 3601)

    assert Client().get(path).status_code == 410


@pytest.mark.parametrize("token", ["x", "x" * 1000, "a:b:c"])
def test_a_made_up_link_makes_nobody(db, token):
    assert Client().post(f"/setup/{token}/", FIRST).status_code == 410
    assert not User.objects.exists()


def test_what_is_wrong_is_said_beside_the_field(db):
    response = Client().post(link(), FIRST | {"password": "short"})

    assert response.status_code == 422
    assert "too short" in response.content.decode()


def test_createsuperuser_works_and_refuses_a_taken_address(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, email="root@corp.example", name="Root", stdout=StringIO())

    assert User.objects.get().check_password(PASSWORD)
    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", interactive=False, email="ROOT@corp.example", name="Root")


# --- the Django admin ---


def test_the_admin_has_no_door_of_its_own(db):
    answer = Client().get("/admin/")

    assert Client().get(answer["Location"])["Location"] == "/sign-in/?next=/admin/"


def test_a_person_without_rights_is_refused_there(cast, client_as):
    assert client_as(cast.alice).get("/admin/login/").status_code == 403


ADMIN_PAGES = [
    "",
    "accounts/user/",
    "accounts/department/",
    "accounts/membership/",
    "audit/entry/",
    "accounts/department/add/",
]


@pytest.mark.parametrize("page", ADMIN_PAGES)
def test_its_pages_open_for_an_administrator(cast, client_as, page):
    response = client_as(cast.ada).get(f"/admin/{page}")

    assert response.status_code == 200
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_a_password_hash_is_on_no_page(cast, client_as):
    page = client_as(cast.ada).get(f"/admin/accounts/user/{cast.alice.pk}/change/").content.decode()

    assert "alice@example.org" in page
    assert cast.alice.password not in page
    assert "md5$" not in page


@pytest.mark.parametrize("page", ["accounts/user/add/", "audit/entry/add/", "accounts/membership/add/"])
def test_nothing_is_added_there_past_the_services(cast, client_as, page):
    assert client_as(cast.ada).get(f"/admin/{page}").status_code == 403


def test_posting_a_person_s_page_changes_nothing(cast, client_as):
    client_as(cast.ada).post(f"/admin/accounts/user/{cast.alice.pk}/change/", {"is_superuser": "on", "name": "Eve"})

    cast.alice.refresh_from_db()
    assert (cast.alice.name, cast.alice.is_superuser) == ("Alice", False)


def act(client: Client, page: str, action: str, *rows):
    return client.post(f"/admin/{page}/", {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


def test_deactivating_somebody_there_is_a_service_with_an_audit_entry(cast, client_as, seeing_all):
    page = act(client_as(cast.ada), "accounts/user", "deactivate", cast.alice, cast.ada).content.decode()

    cast.alice.refresh_from_db()
    assert not cast.alice.is_active
    assert "You cannot deactivate yourself" in page
    assert Entry.objects.filter(action="person.deactivated", target_id=str(cast.alice.uuid)).count() == 1


def test_a_department_made_there_is_checked_like_everywhere(cast, client_as):
    client = client_as(cast.ada)

    bad = client.post("/admin/accounts/department/add/", {"name": "Tech", "email_domains": "gmail.com"})
    good = client.post("/admin/accounts/department/add/", {"name": "Tech", "email_domains": "corp.example"})

    assert "Anybody can get an address at gmail.com" in bad.content.decode()
    assert good.status_code == 302
    assert Department.objects.get(slug="tech").email_domains == ["corp.example"]


def test_only_administrators_deactivate(cast):
    with pytest.raises(NotAllowed):
        services.deactivate_person(actor=cast.alice, person=cast.bob)


def test_looking_at_the_admin_leaves_a_trace(cast, client_as, seeing_all):
    client_as(cast.ada).get("/admin/accounts/user/")

    assert Entry.objects.filter(action="admin.opened", actor_id=cast.ada.pk).exists()
