"""The second step of signing in: set up, asked for, lost, required."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import AuthenticatorApp, RecoveryCode
from accounts.services.factors import secret_text, use_code
from audit.models import Entry
from mindloom.web.errors import NotAllowed
from tests.accounts.authenticators import code_of
from tests.conftest import PASSWORD

SIGN_IN, CODE = reverse("accounts:sign_in"), reverse("accounts:sign_in_code")


def enrol(user) -> tuple[str, list[str]]:
    """The secret in the person's app, and their recovery codes."""
    secret = secret_text(services.start_app(actor=user))
    codes = services.confirm_app(actor=user, code=code_of(secret, steps=-1))
    return secret, codes


def give_password(client, user, **more: str):
    return client.post(SIGN_IN, {"email": user.email, "password": PASSWORD, **more})


def is_in(client) -> bool:
    return client.get(reverse("accounts:profile")).status_code == 200


def test_an_app_is_set_up_by_its_first_code_and_recovery_codes_are_shown_once(cast, client_as):
    client = client_as(cast.alice)
    assert client.post(reverse("accounts:app_start"), {"password": PASSWORD}).status_code == 302
    page = client.get(reverse("accounts:app_confirm"))
    shown = client.post(reverse("accounts:app_confirm"), {"code": code_of(page.context["secret"])})

    assert len(shown.context["codes"]) == 10
    assert "no-store" in shown["Cache-Control"]
    assert client.get(reverse("accounts:app_confirm")).status_code == 302
    cast.alice.refresh_from_db()
    assert cast.alice.second_factor_at is not None


def test_without_the_first_code_nothing_counts(cast, client_as):
    client = client_as(cast.alice)
    client.post(reverse("accounts:app_start"), {"password": PASSWORD})

    assert client.post(reverse("accounts:app_confirm"), {"code": "000000"}).status_code == 422
    assert is_in_after(give_password(fresh := Client(), cast.alice), fresh)


def is_in_after(response, client) -> bool:
    return response.status_code == 302 and is_in(client)


def test_neither_secret_nor_codes_are_kept_as_they_are(cast):
    secret, codes = enrol(cast.alice)

    kept = str(list(AuthenticatorApp.objects.values())) + str(list(RecoveryCode.objects.values()))
    assert secret not in kept
    assert not any(code.replace("-", "") in kept for code in codes)


def test_the_right_password_alone_opens_nothing(cast):
    enrol(cast.alice)
    client = Client()

    response = give_password(client, cast.alice)

    assert response["Location"] == CODE
    assert not is_in(client)
    assert client.get("/api/v1/auth/me").status_code == 401


def test_password_and_code_open_the_page_that_was_asked_for(cast):
    secret, _ = enrol(cast.alice)
    client = Client()
    give_password(client, cast.alice, next="/people/")

    response = client.post(CODE, {"code": f" {code_of(secret)[:3]} {code_of(secret)[3:]} "})

    assert response["Location"] == "/people/"
    assert is_in(client)


def test_the_session_s_key_changes_at_each_step(cast):
    secret, _ = enrol(cast.alice)
    client = Client()
    client.get(SIGN_IN)
    give_password(client, cast.alice)
    second = client.cookies["mindloom_session"].value

    client.post(CODE, {"code": code_of(secret)})

    assert client.cookies["mindloom_session"].value != second
    old = Client()
    old.cookies["mindloom_session"] = second
    assert not is_in(old)
    assert old.get(CODE).status_code == 302


def test_a_code_works_once(cast):
    secret, _ = enrol(cast.alice)
    code = code_of(secret)
    first, second = Client(), Client()
    for client in (first, second):
        give_password(client, cast.alice)

    assert first.post(CODE, {"code": code}).status_code == 302
    assert second.post(CODE, {"code": code}).status_code == 422


def test_an_older_code_does_not_follow_a_newer_one(cast):
    secret, _ = enrol(cast.alice)

    assert use_code(person=cast.alice, code=code_of(secret, steps=1))
    assert not use_code(person=cast.alice, code=code_of(secret))


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_a_code_used_twice_at_once_one_opens(transactional_db, cast, kind):
    secret, codes = enrol(cast.alice)
    code = code_of(secret) if kind == "app" else codes[0]
    start, found = threading.Barrier(6), []

    def use():
        try:
            start.wait(10)
            found.append(use_code(person=cast.alice, code=code))
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(found) == [False] * 5 + [True]


def test_a_recovery_code_opens_once_however_it_is_typed(cast, seeing_all):
    _, codes = enrol(cast.alice)

    assert use_code(person=cast.alice, code=codes[0].upper().replace("-", " "))
    assert not use_code(person=cast.alice, code=codes[0])
    assert Entry.objects.get(action="second_factor.recovery_code_used").data == {"left": 9}


def test_a_code_of_somebody_else_opens_nothing(cast):
    enrol(cast.alice)
    secret, codes = enrol(cast.bob)

    assert not use_code(person=cast.alice, code=codes[0])
    assert not use_code(person=cast.alice, code=code_of(secret))


@pytest.mark.parametrize("code", ["", "x", "\x00", "9" * 5000, "१२३४५६", "'; --", "00000٠"])
def test_strange_codes_are_wrong_not_failures(cast, code):
    enrol(cast.alice)
    client = Client()
    give_password(client, cast.alice)

    assert client.post(CODE, {"code": code}).status_code == 422


def test_wrong_codes_count_as_wrong_passwords_and_the_right_password_does_not_forgive_them(cast, settings):
    secret, _ = enrol(cast.alice)
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        give_password(client, cast.alice)
        assert client.post(CODE, {"code": "000000"}).status_code == 422

    assert client.post(CODE, {"code": "000000"}).status_code == 429
    assert client.post(CODE, {"code": code_of(secret)}).status_code == 429


def test_the_second_step_waits_ten_minutes_and_not_for_a_new_password(cast, time_machine_at):
    enrol(cast.alice)
    late, changed = Client(), Client()
    give_password(late, cast.alice)
    give_password(changed, cast.alice)
    services.change_password(actor=cast.alice, current=PASSWORD, new="a wholly new pass phrase")
    assert changed.get(CODE)["Location"] == SIGN_IN
    time_machine_at(11 * 60)
    assert late.get(CODE)["Location"] == SIGN_IN


def test_confirming_an_address_is_no_way_around(cast, mailoutbox, link_in):
    secret, _ = enrol(cast.nora)
    services.request_confirmation(actor=cast.nora)
    path, client = link_in(mailoutbox[-1], "confirm"), Client()

    assert client.post(path, {"password": PASSWORD})["Location"] == CODE
    assert client.post(CODE, {"code": code_of(secret)})["Location"] == path


def test_the_api_asks_for_the_code_and_takes_it_once(cast, api):
    secret, _ = enrol(cast.alice)
    given = {"email": cast.alice.email, "password": PASSWORD}

    def told(**more):
        response = api().post("auth/login", given | more)
        return response.status_code, response.json().get("code")

    code = code_of(secret)
    assert told() == (401, "code_required")
    assert told(code="000000") == (401, "code_invalid")
    assert told(code=code) == (200, None)
    assert told(code=code) == (401, "code_invalid")
    assert told(password="wrong", code=code) == (401, "invalid_credentials")


@pytest.mark.parametrize("route", ["app_start", "app_remove", "recovery_codes"])
def test_changes_ask_for_the_password_again(cast, client_as, route):
    enrol(cast.alice)
    response = client_as(cast.alice).post(reverse(f"accounts:{route}"), {"password": "guess"})

    assert response.status_code == 422
    assert "This is not your password" in response.content.decode()


def test_removing_the_last_factor_takes_the_recovery_codes_too(cast, client_as, mailoutbox):
    enrol(cast.alice)
    client_as(cast.alice).post(reverse("accounts:app_remove"), {"password": PASSWORD})

    cast.alice.refresh_from_db()
    assert cast.alice.second_factor_at is None
    assert not RecoveryCode.objects.filter(user=cast.alice).exists()
    assert "was removed" in mailoutbox[-1].body


def test_new_recovery_codes_replace_the_old(cast, client_as):
    _, old = enrol(cast.alice)
    shown = client_as(cast.alice).post(reverse("accounts:recovery_codes"), {"password": PASSWORD})

    assert not use_code(person=cast.alice, code=old[0])
    assert use_code(person=cast.alice, code=shown.context["codes"][0])


def test_an_administrator_resets_what_somebody_lost_and_nobody_else_does(cast):
    enrol(cast.alice)
    with pytest.raises(NotAllowed):
        services.reset_second_factor(actor=cast.mallory, person=cast.alice)
    with pytest.raises(NotAllowed):
        services.reset_second_factor(actor=cast.ada, person=cast.ada)

    services.reset_second_factor(actor=cast.ada, person=cast.alice)

    client = Client()
    assert is_in_after(give_password(client, cast.alice), client)


def test_who_must_have_one_is_led_to_it_before_anything_else(cast, client_as, tokens_of, api):
    tokens = tokens_of(cast.bob)
    client = client_as(cast.bob)
    services.require_second_factor(actor=cast.alice, department=cast.marketing, role="member")

    for path in ("/", "/agents/", "/profile/", "/password/change/"):
        assert client.get(path)["Location"] == reverse("accounts:security"), path
    assert "to go on" in client.get(reverse("accounts:security")).content.decode()
    assert client.get("/api/v1/agents").json()["code"] == "second_factor_missing"
    assert api(tokens["access"]).get("agents").json()["code"] == "second_factor_missing"
    refused = api().post("auth/login", {"email": cast.bob.email, "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_missing")

    enrol(cast.bob)
    assert client.get("/agents/").status_code == 200
    assert api(tokens["access"]).get("agents").status_code == 200


def test_a_rule_for_members_leaves_viewers_alone(cast, client_as):
    services.require_second_factor(actor=cast.alice, department=cast.marketing, role="member")

    assert client_as(cast.carol).get("/agents/").status_code == 200


@pytest.mark.parametrize(("rule", "led"), [("nobody", ""), ("administrators", "ada"), ("everyone", "ada nora bob")])
def test_the_installation_can_ask_it_too(cast, client_as, settings, rule, led):
    settings.SECOND_FACTOR_REQUIRED = rule
    found = [name for name in ("ada", "nora", "bob") if client_as(getattr(cast, name)).get("/").status_code == 302]

    assert found == led.split()


def test_only_managers_of_the_department_set_its_rule(cast, client_as):
    for person, status in ((cast.bob, 403), (cast.carol, 403), (cast.alice, 302)):
        answer = client_as(person).post(reverse("accounts:sign_in_rules"), {"second_factor_from": "manager"})
        assert answer.status_code == status
    with pytest.raises(NotAllowed):
        services.require_second_factor(actor=cast.mallory, department=cast.marketing, role="")


def test_every_change_is_in_the_audit_trail_without_secrets(cast, seeing_all):
    secret, codes = enrol(cast.alice)
    services.make_recovery_codes(actor=cast.alice)
    services.remove_app(actor=cast.alice)

    found = list(Entry.objects.filter(actor_id=cast.alice.pk).order_by("id").values_list("action", flat=True))
    assert found == ["second_factor.app_added", "second_factor.codes_made", "second_factor.app_removed"]
    kept = str(list(Entry.objects.values()))
    assert secret not in kept
    assert codes[0] not in kept
