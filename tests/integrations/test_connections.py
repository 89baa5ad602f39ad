"""Connections of departments: who may do what with them, and their secrets."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from integrations import services
from integrations.models import Connection
from integrations.tools.connections import KINDS
from mindloom import wall
from mindloom.web.errors import Invalid, NotAllowed, NotFound, Unavailable

pytestmark = pytest.mark.django_db
PASSWORD = "very-secret-pass-5678"
MAIL = {"host": "mail.example.org", "user": "office", "password": PASSWORD, "from_address": "office@example.org"}
OLD, NEW = b"a" * 32, b"b" * 32


def make(cast, actor=None, **given):
    values = {"kind": "smtp", "name": "Office mail", "values": MAIL} | given
    return services.create_connection(actor=actor or cast.bob, department_id=cast.marketing.pk, **values)


@pytest.fixture
def office(cast, in_marketing):
    return make(cast)


def ref(connection):
    return f"connection:{connection.uuid}"


def test_members_make_connections_and_others_do_not(cast, in_marketing):
    assert make(cast).owner == cast.bob
    for person in (cast.carol, cast.mallory, cast.nora):
        with pytest.raises(NotAllowed):
            make(cast, person, name="Another")


def test_the_secret_is_sealed_and_the_settings_are_not(office):
    office.refresh_from_db()
    assert "password" not in office.settings
    assert office.settings["host"] == "mail.example.org"
    assert PASSWORD not in str(office.secrets_sealed)
    assert office.secret_hints == {"password": "5678"}


def test_nothing_is_shown_of_a_short_secret(cast, in_marketing):
    assert make(cast, values=MAIL | {"password": "short-one"}).secret_hints == {"password": ""}


def test_it_opens_for_a_run_of_its_department(cast, office):
    opened = services.open_connection(ref(office), cast.marketing.pk)
    assert opened.values["password"] == PASSWORD
    assert opened.values["host"] == "mail.example.org"
    assert (opened.kind, opened.name) == ("smtp", "Office mail")
    assert opened.secret_names == {"password"}


def test_it_does_not_open_for_another_department(cast, office):
    with pytest.raises(Unavailable, match="another department"):
        services.open_connection(ref(office), cast.finance.pk)
    with wall.tenant([cast.finance.pk]), pytest.raises(Unavailable, match="another department"):
        services.open_connection(ref(office), cast.marketing.pk)


def test_it_does_not_open_when_it_is_gone_or_switched_off(cast, office):
    services.enable_connection(actor=cast.bob, connection=office, enabled=False)
    with pytest.raises(Unavailable, match="switched off"):
        services.open_connection(ref(office), cast.marketing.pk)
    services.delete_connection(actor=cast.bob, connection=office)
    with pytest.raises(Unavailable, match="gone"):
        services.open_connection(ref(office), cast.marketing.pk)


def test_a_private_connection_opens_for_its_owner_only(cast, in_marketing):
    mine = make(cast, visibility="private")
    other = make(cast, cast.alice, name="Alice's", visibility="private")
    assert services.open_connection(ref(mine), cast.marketing.pk, person=cast.bob).name == "Office mail"
    with pytest.raises(Unavailable, match="private"):
        services.open_connection(ref(other), cast.marketing.pk, person=cast.bob)


@pytest.mark.parametrize(
    "name", ["connection:x", "", "provider:6f1c", "connection:00000000-0000-0000-0000-000000000000"]
)
def test_a_name_that_means_nothing_says_so(cast, office, name):
    with pytest.raises(Unavailable):
        services.open_connection(name, cast.marketing.pk)


def test_a_secret_that_was_copied_to_another_row_does_not_open(cast, office):
    other = make(cast, name="Other", values=MAIL | {"password": "another-secret-9999"})
    Connection.objects.filter(pk=other.pk).update(secrets_sealed=office.secrets_sealed)
    with pytest.raises(Unavailable, match="belongs to another place"):
        services.open_connection(ref(other), cast.marketing.pk)


def test_who_sees_changes_and_uses_which(cast, seeing_all):
    shared = make(cast, name="Shared")
    private = make(cast, name="Private", visibility="private")
    seen = {
        person: set(Connection.objects.visible_to(getattr(cast, person)))
        for person in ("alice", "bob", "carol", "mallory", "nora", "ada")
    }
    both = {shared, private}
    assert seen == {"alice": both, "bob": both, "carol": {shared}, "mallory": set(), "nora": set(), "ada": both}
    assert set(Connection.objects.editable_by(cast.bob)) == both
    assert not Connection.objects.editable_by(cast.carol).exists()
    assert set(Connection.objects.usable_by(cast.bob)) == both
    assert not Connection.objects.usable_by(cast.carol).exists()
    services.enable_connection(actor=cast.bob, connection=shared, enabled=False)
    assert set(Connection.objects.usable_by(cast.alice)) == {private}


def test_only_owner_and_managers_change_it(cast, office):
    mine = make(cast, cast.alice, name="Alice's")
    verbs = (
        lambda person, row: services.update_connection(actor=person, connection=row, name="X"),
        lambda person, row: services.enable_connection(actor=person, connection=row, enabled=False),
        lambda person, row: services.delete_connection(actor=person, connection=row),
    )
    for verb in verbs:
        for person, row in ((cast.carol, office), (cast.mallory, office), (cast.bob, mine)):
            with pytest.raises(NotAllowed):
                verb(person, row)
    assert services.update_connection(actor=cast.alice, connection=office, name="Renamed").name == "Renamed"


def test_a_blank_secret_keeps_the_one_there_is(cast, office):
    for blank in ({"password": ""}, {"password": "  "}, {}):
        services.update_connection(
            actor=cast.bob, connection=office, values={"from_address": "new@example.org", **blank}
        )
    opened = services.open_connection(ref(office), cast.marketing.pk)
    assert opened.values["password"] == PASSWORD
    assert opened.values["from_address"] == "new@example.org"


def test_a_new_secret_replaces_it_and_none_removes_it(cast, office):
    services.update_connection(actor=cast.bob, connection=office, values={"password": "another-secret-9999"})
    opened = services.open_connection(ref(office), cast.marketing.pk)
    assert opened.values["password"] == "another-secret-9999"
    found = services.update_connection(actor=cast.bob, connection=office, values={"password": None})
    assert (found.secrets_sealed, found.secret_hints) == ({}, {})


@pytest.mark.parametrize(
    "change", [{"host": "evil.example.org"}, {"port": "2525"}, {"security": "none"}], ids=["host", "port", "encryption"]
)
def test_a_kept_secret_is_not_sent_to_another_place(cast, office, change):
    with pytest.raises(Invalid) as caught:
        services.update_connection(actor=cast.bob, connection=office, values=change)
    assert "password" in caught.value.fields
    found = services.update_connection(
        actor=cast.bob, connection=office, values=change | {"password": "given-again-1234"}
    )
    assert found.settings | change == found.settings


def test_a_webhook_that_leads_elsewhere_asks_for_its_other_secret(cast, in_marketing):
    values = {"url": "https://chat.example.org/hooks/abcdefgh", "secret": "Bearer abcdefgh-1234"}
    hook = make(cast, kind="webhook", name="Chat", values=values)
    with pytest.raises(Invalid) as caught:
        services.update_connection(actor=cast.bob, connection=hook, values={"url": "https://evil.example.org/hooks/1"})
    assert "secret" in caught.value.fields


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "carrier_pigeon"}, "kind"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "office MAIL"}, "name"),
        ({"visibility": "everyone"}, "visibility"),
        ({"values": MAIL | {"host": ""}}, "host"),
        ({"values": MAIL | {"host": "https://x/"}}, "host"),
        ({"values": MAIL | {"port": "seventy"}}, "port"),
        ({"values": MAIL | {"speed": "1"}}, "speed"),
        ({"values": MAIL | {"password": "a\nb"}}, "password"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(cast, office, given, field):
    with pytest.raises(Invalid) as caught:
        make(cast, **({"name": "New"} | given))
    assert field in caught.value.fields
    assert PASSWORD not in str(caught.value.fields)


def test_the_same_name_in_another_department_is_free(cast, seeing_all):
    make(cast)
    services.create_connection(
        actor=cast.mallory, department_id=cast.finance.pk, kind="smtp", name="Office mail", values=MAIL
    )


def test_every_change_is_in_the_audit_trail_without_secrets(cast, seeing_all):
    made = make(cast)
    services.update_connection(actor=cast.bob, connection=made, name="Post", values={"password": "another-secret-9999"})
    services.enable_connection(actor=cast.bob, connection=made, enabled=False)
    services.enable_connection(actor=cast.bob, connection=made, enabled=True)
    services.delete_connection(actor=cast.bob, connection=made)
    entries = list(Entry.objects.filter(target_kind="connection").order_by("id"))
    assert [entry.action for entry in entries] == [
        "connection.created",
        "connection.secrets_set",
        "connection.changed",
        "connection.secrets_set",
        "connection.disabled",
        "connection.enabled",
        "connection.deleted",
    ]
    assert {entry.department_id for entry in entries} == {cast.marketing.pk}
    told = str([(entry.data, entry.target_label) for entry in entries])
    assert PASSWORD not in told
    assert "another-secret" not in told


# --- trying ---


def test_a_connection_that_works_says_so(cast, office, monkeypatch):
    seen = {}
    trying(monkeypatch, lambda values: seen.update(values) or "It answers.")
    result = services.test_connection(actor=cast.bob, connection=office)
    office.refresh_from_db()
    assert (result.ok, result.message) == (True, "It answers.")
    assert (office.last_test_ok, office.last_test_message) == (True, "It answers.")
    assert office.last_tested_at
    assert seen["password"] == PASSWORD


def test_what_the_other_side_repeats_of_a_secret_is_masked(cast, office, monkeypatch):
    from mindloom.engine.ports import ToolError

    def refuse(values):
        raise ToolError(f"535 not accepted: {values['password']}")

    trying(monkeypatch, refuse)
    result = services.test_connection(actor=cast.bob, connection=office)
    office.refresh_from_db()
    assert not result.ok
    assert PASSWORD not in result.message + office.last_test_message


def test_a_connection_that_cannot_be_reached_says_so(cast, in_marketing):
    closed = make(cast, values=MAIL | {"host": "127.0.0.1", "port": "9"})
    assert not services.test_connection(actor=cast.bob, connection=closed).ok


def test_other_values_make_an_old_test_say_nothing(cast, office, monkeypatch):
    trying(monkeypatch, lambda values: "It answers.")
    services.test_connection(actor=cast.bob, connection=office)
    found = services.update_connection(actor=cast.bob, connection=office, values={"password": "another-secret-9999"})
    assert (found.last_tested_at, found.last_test_ok, found.last_test_message) == (None, None, "")


def test_who_may_try_it(cast, office):
    with pytest.raises(NotAllowed):
        services.test_connection(actor=cast.carol, connection=office)
    with pytest.raises(NotFound):
        services.test_connection(actor=cast.mallory, connection=office)


def trying(monkeypatch, test):
    from dataclasses import replace

    monkeypatch.setitem(KINDS, "smtp", replace(KINDS["smtp"], test=test))


# --- the key ring ---


def test_secrets_of_all_departments_are_closed_anew(cast, settings):
    settings.KEY_RING = {"old": OLD}
    with wall.system("tests: both departments"):
        first = make(cast)
        second = services.create_connection(
            actor=cast.mallory, department_id=cast.finance.pk, kind="smtp", name="Mail", values=MAIL
        )
    settings.KEY_RING = {"new": NEW, "old": OLD}
    out = io.StringIO()
    call_command("rotate_keys", stdout=out)
    assert out.getvalue().startswith("2 ")
    settings.KEY_RING = {"new": NEW}
    for row, department in ((first, cast.marketing), (second, cast.finance)):
        with wall.tenant([department.pk]):
            assert services.open_connection(ref(row), department.pk).values["password"] == PASSWORD
    assert services.reseal() == 0


def test_a_key_ring_without_the_key_says_which_one_is_missing(cast, office, settings):
    settings.KEY_RING = {"other": NEW}
    with pytest.raises(Unavailable, match="not in KEY_RING"):
        services.open_connection(ref(office), cast.marketing.pk)
    with pytest.raises(CommandError, match="not in KEY_RING"):
        call_command("rotate_keys", stdout=io.StringIO())
    # What cannot be opened any more can be entered again.
    services.update_connection(actor=cast.bob, connection=office, values={"password": "given-again-1234"})
    assert services.open_connection(ref(office), cast.marketing.pk).values["password"] == "given-again-1234"
