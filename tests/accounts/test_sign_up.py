"""Signing up, confirming the address, waiting for a department's managers."""

from __future__ import annotations

import re

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import Department, Membership, User
from accounts.queries import pending_of, roles_of
from accounts.services.people import CONFIRM_SALT
from mindloom.web.errors import Conflict, Invalid
from tests.conftest import PASSWORD


def sign_up(department: Department, /, **changes: str):
    values = {"name": "Zoe", "email": "zoe@corp.example", "password": PASSWORD, "department": str(department.uuid)}
    return Client().post(reverse("accounts:sign_up"), values | changes)


def zoe() -> User:
    return User.objects.get(email="zoe@corp.example")


@pytest.fixture
def open_marketing(cast):
    cast.marketing.email_domains = ["corp.example"]
    cast.marketing.save()
    return cast.marketing


def test_somebody_who_signs_up_waits_and_sees_nothing(cast):
    response = sign_up(cast.marketing)

    assert (response.status_code, response["Location"]) == (302, reverse("accounts:sign_up_sent"))
    assert [one.department for one in pending_of(zoe())] == [cast.marketing]
    assert roles_of(zoe()) == {}


def test_somebody_who_waits_can_sign_in_and_reads_for_whom(cast, client_as):
    sign_up(cast.marketing)

    page = client_as(zoe()).get("/").content.decode()

    assert "Waiting for Marketing's managers" in page


def test_the_mailed_link_and_the_password_confirm_the_address_and_sign_in(open_marketing, mailoutbox, link_in):
    sign_up(open_marketing)
    client = Client()
    path = link_in(mailoutbox[0], "confirm")

    assert client.get(path).status_code == 200
    assert roles_of(zoe()) == {}
    assert client.post(path, {"password": PASSWORD}).status_code == 302
    assert list(roles_of(zoe())) == [open_marketing.pk]
    assert client.get(reverse("accounts:profile")).status_code == 200


def test_the_link_alone_opens_nothing(open_marketing, mailoutbox, link_in):
    sign_up(open_marketing)

    response = Client().post(link_in(mailoutbox[0], "confirm"), {"password": "not that one"})

    assert response.status_code == 422
    assert zoe().email_confirmed_at is None


def test_a_confirmed_address_of_another_domain_still_waits(cast, open_marketing, mailoutbox, link_in):
    sign_up(open_marketing, email="zoe@evil-corp.example")

    Client().post(link_in(mailoutbox[0], "confirm"), {"password": PASSWORD})

    person = User.objects.get(email="zoe@evil-corp.example")
    assert person.email_confirmed_at is not None
    assert roles_of(person) == {}


@pytest.mark.parametrize("token", ["x", "a:b:c", "%00", "x" * 2000])
def test_a_made_up_link_says_that_it_does_not_work(db, token):
    response = Client().get(f"/confirm/{token}/")

    assert response.status_code == 410
    assert "does not work" in response.content.decode()


def test_a_link_for_somebody_else_confirms_nothing(cast):
    token = signing.dumps([str(cast.bob.uuid), cast.bob.email], salt=CONFIRM_SALT)

    with pytest.raises(Invalid):
        services.confirm_email(actor=cast.alice, token=token)


def test_a_link_is_too_old_after_three_days(cast, monkeypatch):
    token = signing.dumps([str(cast.bob.uuid), cast.bob.email], salt=CONFIRM_SALT)
    now = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 3 * 24 * 3600 + 1)

    assert services.read_confirmation(token) is None


def test_an_address_with_an_account_gets_the_same_answer_and_its_owner_a_mail(cast, mailoutbox):
    new = sign_up(cast.marketing)
    known = sign_up(cast.marketing, email=cast.alice.email.upper())

    assert (known.status_code, known["Location"]) == (new.status_code, new["Location"])
    assert [mail.to for mail in mailoutbox] == [["zoe@corp.example"], [cast.alice.email]]
    assert "account already" in mailoutbox[1].subject
    assert User.objects.filter(email__iexact=cast.alice.email).count() == 1


def test_signing_up_cannot_take_over_an_account(cast):
    sign_up(cast.marketing, email=cast.alice.email, password="another long password", name="Eve")

    cast.alice.refresh_from_db()
    assert cast.alice.check_password(PASSWORD)
    assert cast.alice.name == "Alice"


def test_fields_that_are_not_on_the_form_change_nothing(cast):
    sign_up(
        cast.marketing,
        is_superuser="on",
        is_staff="on",
        role="manager",
        status="active",
        email_confirmed_at="2020-01-01",
    )

    person = zoe()
    assert (person.is_superuser, person.is_staff, person.email_confirmed_at) == (False, False, None)
    assert [(one.role, one.status) for one in pending_of(person)] == [("member", "pending")]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "no address", "Write the address in plain letters"),
        ("email", "no-at-sign", "Enter a valid email address"),
        ("email", "\N{CYRILLIC SMALL LETTER A}lice@example.org", "Write the address in plain letters"),
        ("email", "a@" + "b" * 300, "at most 254"),
        ("email", "a\x00@example.org", "Null characters"),
        ("password", "short", "too short"),
        ("password", "1234567890123", "entirely numeric"),
        ("password", "x" * 10_000, "at most 256"),
        ("password", "good enough\x00", "Null characters"),
        ("name", "   ", "required"),
        ("name", "x" * 121, "at most 120"),
        ("name", "A\u202eB", "letters, digits and signs"),
        ("department", "00000000-0000-0000-0000-000000000000", "no such department"),
        ("department", "' OR 1=1", "no such department"),
        ("department", "", "required"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(cast, field, value, sentence):
    response = sign_up(cast.marketing, **{field: value})

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert User.objects.count() == 6


def test_what_was_typed_is_not_lost(cast):
    page = sign_up(cast.marketing, password="short").content.decode()

    assert 'value="Zoe"' in page
    assert 'value="zoe@corp.example"' in page
    assert "short</" not in page
    assert 'value="short"' not in page


def test_an_archived_department_takes_nobody(cast):
    services.archive_department(actor=cast.ada, department=cast.finance)

    assert sign_up(cast.finance).status_code == 422


def test_asking_twice_for_a_department_is_refused_with_a_sentence(cast):
    services.ask_to_join(actor=cast.nora, department=cast.marketing)

    with pytest.raises(Conflict, match="belong to Marketing already"):
        services.ask_to_join(actor=cast.nora, department=cast.marketing)


def test_a_confirmed_address_opens_one_more_department_at_once(cast):
    cast.marketing.email_domains = ["example.org"]
    cast.marketing.save()
    cast.nora.email_confirmed_at = cast.nora.joined_at
    cast.nora.save()

    assert services.ask_to_join(actor=cast.nora, department=cast.marketing).status == Membership.Status.ACTIVE


def test_an_unconfirmed_address_opens_nothing(cast):
    cast.marketing.email_domains = ["example.org"]
    cast.marketing.save()

    assert services.ask_to_join(actor=cast.nora, department=cast.marketing).status == Membership.Status.PENDING


def test_a_stranger_cannot_fill_a_mailbox(cast, mailoutbox):
    for _ in range(12):
        services.request_password_reset(email=cast.alice.email)

    assert len(mailoutbox) == 5


def test_the_mail_does_not_carry_what_a_stranger_typed(cast, mailoutbox):
    sign_up(cast.marketing, name="Win money at evil.example")

    assert not re.search("evil", mailoutbox[0].subject + mailoutbox[0].body)


@pytest.mark.parametrize("page", ["/sign-up/", "/password/forgot/"])
def test_a_form_for_strangers_is_taken_so_often_only(cast, page):
    browser = Client()
    answers = [browser.post(page, {"email": "somebody@example.org"}).status_code for _ in range(21)]

    assert 429 not in answers[:20]
    assert answers[20] == 429
    assert browser.get(page).status_code == 200
