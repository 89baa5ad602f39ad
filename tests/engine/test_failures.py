"""The sentences for providers' failures."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from mindloom.engine.agno_adapter.failures import DETAIL_CHARACTERS, Explainer

explainer = Explainer("Acme", "m-1", ["hunter2hunter2"])


class APIStatusError(Exception):
    def __init__(self, status, message="", code=None, headers=None):
        super().__init__(message)
        self.status_code = status
        self.response = SimpleNamespace(headers=headers or {})
        self.body = {"message": message, "code": code}


@pytest.mark.parametrize(
    ("error", "words", "retryable"),
    [
        (APIStatusError(401), "refused the key. An administrator can correct it under Models", False),
        (APIStatusError(403), "refused the key", False),
        (APIStatusError(404), 'does not know the model "m-1"', False),
        (APIStatusError(429), "too many", True),
        (APIStatusError(429, code="insufficient_quota"), "quota is used up", False),
        (APIStatusError(500), "HTTP 500", True),
        (APIStatusError(529), "HTTP 529", True),
        (APIStatusError(400, code="context_length_exceeded"), "too long for the model", False),
        (APIStatusError(400, "prompt is too long: 300000 tokens"), "too long for the model", False),
        (APIStatusError(422, "temperature must be positive"), "It said: temperature must be positive", False),
        (json.JSONDecodeError("x", "y", 0), "not a model's answer", False),
    ],
)
def test_a_failure_has_a_sentence_and_says_whether_to_ask_again(error, words, retryable):
    failure = explainer.explain(error)
    assert words in failure.message
    assert failure.retryable is retryable


def test_a_cause_is_found_behind_other_errors():
    error = RuntimeError("wrapped")
    error.__cause__ = APIStatusError(401)
    assert "refused the key" in explainer.explain(error).message


@pytest.mark.parametrize("secret", ["hunter2hunter2", "sk-proj-AbC123456789", "Bearer abc.def.ghi"])
def test_a_secret_never_comes_through(secret):
    message = explainer.explain(APIStatusError(401, f"the key {secret} is wrong")).message
    assert secret not in message
    assert "•••" in message


def test_what_the_provider_said_is_bounded_and_in_one_line():
    message = explainer.explain(APIStatusError(500, "long\n" * 1000)).message
    assert len(message) < DETAIL_CHARACTERS + 200
    assert "\n" not in message


@pytest.mark.parametrize(
    ("given", "seconds"), [("2", 2.0), ("0.5", 0.5), ("soon", None), ("-1", 0.0), ("inf", None), ("", None)]
)
def test_the_provider_may_say_when_to_ask_again(given, seconds):
    assert explainer.explain(APIStatusError(429, headers={"retry-after": given})).retry_after == seconds


def test_the_provider_may_say_it_in_milliseconds_or_as_a_date():
    at = datetime.now(UTC) + timedelta(seconds=90)
    said = explainer.explain(APIStatusError(503, headers={"retry-after": format_datetime(at, usegmt=True)}))
    assert 85 < said.retry_after <= 90
    assert said.limits
    precise = explainer.explain(APIStatusError(429, headers={"retry-after-ms": "250", "retry-after": "1"}))
    assert precise.retry_after == 0.25


def test_a_broken_provider_that_names_no_time_holds_nobody_else_back():
    assert not explainer.explain(APIStatusError(500)).limits
