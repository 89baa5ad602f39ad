"""Repeated requests with an Idempotency-Key get the first answer."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts import services
from accounts.idempotency import ABANDONED_AFTER, idempotent
from accounts.models import RememberedAnswer
from mindloom import wall


class Maker:
    """An endpoint that makes a thing each time it is really called."""

    def __init__(self, user) -> None:
        self.user = user
        self.calls = 0
        self.failing: Exception | int | None = None
        self.during = None

        @api_view(["POST"])
        @idempotent
        def view(request):
            self.calls += 1
            if self.during:
                self.during()
            if isinstance(self.failing, Exception):
                raise self.failing
            if self.failing:
                return Response({"no": True}, status=self.failing)
            return Response({"made": self.calls}, status=201, headers={"Location": f"/things/{self.calls}"})

        self.view = view

    def post(self, body: object = None, key: str | None = "k1", user=None, path: str = "/things"):
        headers = {} if key is None else {"Idempotency-Key": key}
        data = body if isinstance(body, str) else json.dumps(body or {"a": 1})
        request = APIRequestFactory().post(path, data, content_type="application/json", headers=headers)
        force_authenticate(request, user or self.user)
        return self.view(request)


@pytest.fixture
def maker(cast) -> Maker:
    return Maker(cast.alice)


def test_the_second_request_gets_the_first_answer(maker):
    first, second = maker.post(), maker.post()

    assert maker.calls == 1
    assert (second.status_code, second.data, second["Location"]) == (first.status_code, first.data, first["Location"])
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first


def test_without_a_key_each_request_counts(maker):
    maker.post(key=None)
    maker.post(key=None)

    assert maker.calls == 2


def test_the_order_of_names_does_not_make_another_request(maker):
    maker.post('{"a": 1, "b": 2}')

    assert maker.post('{"b":2,"a":1}')["Idempotency-Replayed"] == "true"


def test_another_body_under_the_same_key_is_a_conflict(maker):
    maker.post({"a": 1})

    response = maker.post({"a": 2})

    assert (response.status_code, response.data["code"]) == (409, "idempotency_key_reused")
    assert maker.calls == 1


def test_another_address_under_the_same_key_is_a_conflict(maker):
    maker.post()

    assert maker.post(path="/others").data["code"] == "idempotency_key_reused"


def test_keys_of_different_people_do_not_meet(cast, maker):
    maker.post()

    assert maker.post(user=cast.bob).data == {"made": 2}


def test_a_request_under_way_is_a_conflict_that_says_when_to_ask_again(maker):
    inside = []
    maker.during = lambda: inside.append(maker.post()) if not inside and maker.calls == 1 else None

    maker.post()

    assert (inside[0].status_code, inside[0].data["code"]) == (409, "idempotency_in_progress")
    assert inside[0]["Retry-After"] == "1"
    assert maker.calls == 1


@pytest.mark.parametrize("failing", [ValidationError("no"), 400, 404, 500, 503])
def test_an_attempt_that_was_refused_or_failed_frees_the_key(maker, failing):
    maker.failing = failing
    maker.post()
    maker.failing = None

    assert maker.post().status_code == 201
    assert maker.calls == 2


def test_a_mistake_of_ours_frees_the_key_too(maker):
    maker.failing = RuntimeError("broken")
    assert maker.post().status_code == 500
    maker.failing = None

    assert maker.post().status_code == 201


def test_a_body_that_cannot_be_read_takes_no_key(maker):
    assert maker.post("{").status_code == 400
    assert not RememberedAnswer.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "é"])
def test_a_key_must_be_short_and_printable(maker, key):
    assert maker.post(key=key).data["code"] == "idempotency_key_invalid"


def test_a_key_whose_process_died_is_free_after_two_minutes(maker, cast):
    RememberedAnswer.objects.create(user=cast.alice, key="k1", request_digest="d")
    RememberedAnswer.objects.update(created_at=timezone.now() - ABANDONED_AFTER - timedelta(seconds=1))

    assert maker.post().status_code == 201
    assert maker.post()["Idempotency-Replayed"] == "true"


def test_a_streamed_answer_is_repeated_as_its_location(cast):
    @api_view(["POST"])
    @idempotent
    def view(request):
        return StreamingHttpResponse(iter([b"{}\n"]), status=201, headers={"Location": "/things/1"})

    maker = Maker(cast.alice)
    maker.view = view
    maker.post()

    again = maker.post()

    assert (again.status_code, again.data, again["Location"]) == (201, {"location": "/things/1"}, "/things/1")


def test_answers_are_forgotten_after_a_day(maker):
    maker.post()
    assert services.forget_old_answers() == 0
    RememberedAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))

    assert services.forget_old_answers() == 1
    assert maker.post().data == {"made": 2}


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_does_the_work(cast):
    maker = Maker(cast.alice)
    codes: list[int] = []

    def run() -> None:
        try:
            codes.append(maker.post().status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert maker.calls == 1
    assert set(codes) <= {201, 409}


def test_who_has_lost_a_department_is_told_where_the_answer_is_but_not_what_it_was(maker, cast):
    with wall.tenant([cast.marketing.pk, cast.finance.pk]):
        maker.post()
        assert maker.post().data == {"made": 1}
    with wall.tenant([cast.finance.pk]):
        assert maker.post().data == {"location": "/things/1"}
    assert maker.calls == 1
