"""The pages of connections."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.urls import reverse

from audit.models import Entry
from integrations.models import Connection
from integrations.tools.connections import KINDS
from mindloom import wall
from mindloom.engine.ports import ToolError
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "very-secret-pass-5678"
MAIL = {
    "kind": "smtp",
    "name": "Office mail",
    "visibility": "department",
    "host": "mail.example.org",
    "port": "587",
    "security": "starttls",
    "user": "office",
    "password": PASSWORD,
    "from_address": "office@example.org",
}
CREATE = "/connections/new/"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#test-result"}


@pytest.fixture
def office(cast):
    with wall.system("tests: a connection"):
        return factories.connection(cast.bob, cast.marketing, password=PASSWORD)


@pytest.fixture
def bob(client_as, cast):
    return client_as(cast.bob)


def url(name, row):
    return reverse(f"integrations:{name}", args=[row.uuid])


def found(**fields):
    with wall.system("tests: look behind the scenes"):
        return Connection.objects.filter(**fields).first()


def test_the_kind_is_chosen_first(bob):
    page = bob.get(CREATE).content.decode()
    assert all(kind.name in page for kind in KINDS.values())
    assert b"Sender" in bob.get(CREATE, {"kind": "smtp"}).content


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_form_with_all_its_fields(bob, kind):
    page = bob.get(CREATE, {"kind": kind}).content.decode()
    names = [field.name for field in KINDS[kind].fields]
    assert [name for name in names if f'name="{name}"' not in page] == []
    assert not {"name", "visibility", "kind"} & set(names)


def test_a_connection_is_made_and_belongs_to_the_department_one_works_in(bob, cast):
    answer = bob.post(CREATE, MAIL, follow=True)
    made = found(name="Office mail")
    assert answer.redirect_chain[-1][0] == url("connection", made)
    assert (made.owner, made.department) == (cast.bob, cast.marketing)
    assert b"is set up" in answer.content


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"host": ""}, "Enter the host."),
        ({"host": "two words"}, "is not the name of a host"),
        ({"port": "99999"}, "A port is a number"),
        ({"from_address": "office"}, "is not an e-mail address"),
        ({"security": "magic"}, "Select a valid choice"),
        ({"name": "a\x00"}, "Null characters are not allowed."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(bob, change, sentence):
    answer = bob.post(CREATE, MAIL | change)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert PASSWORD not in answer.content.decode()


def test_a_name_that_is_taken_is_said_beside_the_name(bob, office):
    answer = bob.post(CREATE, MAIL)
    assert answer.status_code == 422
    assert b"already a connection of this name" in answer.content


def test_a_secret_that_is_given_wrongly_is_not_repeated(bob):
    secret = "htps://chat.example.org/hooks/abcdefgh-1234"
    values = {"kind": "webhook", "name": "Chat", "visibility": "department", "url": secret}
    answer = bob.post(CREATE, values)
    assert answer.status_code == 422
    assert secret not in answer.content.decode()


def test_an_empty_secret_keeps_the_one_there_is_and_a_switch_removes_it(bob, office):
    changed = MAIL | {"name": "Post", "password": ""}
    bob.post(url("connection", office), changed)
    kept = found(name="Post")
    assert kept.secrets_sealed == office.secrets_sealed
    bob.post(url("connection", office), changed | {"remove_password": "on"})
    assert found(name="Post").secrets_sealed == {}


def test_another_host_asks_for_the_secret_again(bob, office):
    answer = bob.post(url("connection", office), MAIL | {"host": "evil.example.org", "password": ""})
    assert answer.status_code == 422
    assert b"Enter this again" in answer.content


def test_viewers_look_at_the_settings_and_cannot_change_them(client_as, cast, office):
    page = client_as(cast.carol).get(url("connection", office)).content.decode()
    assert "mail.example.org" in page
    assert "kept (…5678)" in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]


def test_private_ones_are_hidden_from_others(client_as, cast, office):
    with wall.system("tests: private"):
        Connection.objects.filter(pk=office.pk).update(visibility="private")
    assert client_as(cast.carol).get(url("connection", office)).status_code == 404
    assert b"Office mail" not in client_as(cast.carol).get("/connections/").content
    assert b"Office mail" in client_as(cast.alice).get("/connections/").content


def test_the_list_searches_and_filters(bob, cast, office):
    with wall.system("tests: another"):
        factories.connection(cast.alice, cast.marketing, name="Sales figures", kind="sql")
    assert b"Sales figures" in bob.get("/connections/").content
    assert b"Sales figures" not in bob.get("/connections/?kind=smtp").content
    assert b"Office mail" not in bob.get("/connections/?q=sales").content
    assert b"No connection matches" in bob.get("/connections/?q=zzz").content


def test_a_department_without_connections_is_told_what_they_are_for(bob):
    assert b"No connections yet" in bob.get("/connections/").content


def test_the_test_button_says_how_it_went(bob, office, monkeypatch):
    def refuse(values):
        raise ToolError(f"It refused {values['password']}.")

    monkeypatch.setitem(KINDS, "smtp", replace(KINDS["smtp"], test=lambda values: "It answers."))
    part = bob.post(url("connection_test", office), headers=HTMX).content.decode()
    assert "It answers." in part
    assert "<html" not in part
    monkeypatch.setitem(KINDS, "smtp", replace(KINDS["smtp"], test=refuse))
    page = bob.post(url("connection_test", office), follow=True).content.decode()
    assert "It refused •••." in page
    assert PASSWORD not in page


def test_it_is_switched_off_and_deleted(bob, office):
    bob.post(url("connection_enable", office), {"enabled": "0"})
    assert not found(pk=office.pk).is_enabled
    answer = bob.post(url("connection_delete", office), follow=True)
    assert found(pk=office.pk) is None
    assert b"is deleted" in answer.content


def test_before_it_is_deleted_its_effect_is_named(bob, office):
    page = bob.get(url("connection", office)).content.decode()
    assert "agents that use it cannot run until another one is chosen" in page


def test_a_kind_that_is_gone_can_still_be_looked_at_and_deleted(bob, office, request):
    kinds = dict(KINDS)
    del KINDS["smtp"]
    # Put back in their order, which other tests hold against the page of tools.
    request.addfinalizer(lambda: (KINDS.clear(), KINDS.update(kinds)))
    assert b"not known any more" in bob.get(url("connection", office)).content
    assert bob.post(url("connection", office), MAIL).status_code == 403
    assert bob.post(url("connection_test", office)).status_code == 302
    assert bob.post(url("connection_delete", office)).status_code == 302


def test_a_secret_is_in_no_page_and_no_audit_row(bob, client_as, cast, seeing_all):
    bob.post(CREATE, MAIL)
    made = found(name="Office mail")
    bob.post(url("connection", made), MAIL | {"name": ""})
    paths = ["/connections/", "/connections/?q=" + PASSWORD[:4], url("connection", made), "/tools/", "/"]
    admin = reverse("admin:integrations_connection_change", args=[made.pk])
    pages = [bob.get(path).content.decode() for path in paths]
    pages.append(client_as(cast.ada).get(admin).content.decode())
    assert "Office mail" in pages[-1]
    for page in pages:
        assert PASSWORD not in page
        assert made.secrets_sealed["password"] not in page
    assert not [entry for entry in Entry.objects.all() if PASSWORD in f"{entry.data}{entry.target_label}"]
