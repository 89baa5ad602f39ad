"""The stage of the tests that ask every route: built once for all tests of a module, each of which leaves it as it was."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse

from tests.api import stage as stages
from tests.conftest import make_cast

CHEAP = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="module")
def standing(django_db_setup, django_db_blocker):
    """The stage, in a transaction of its own around those of the tests, with everybody signed in."""
    with django_db_blocker.unblock(), transaction.atomic(), override_settings(PASSWORD_HASHERS=CHEAP):
        stage = stages.build(make_cast())
        for name in ("carol", "bob", "alice", "mallory", "ada"):
            stage.sessions[name] = session_of(getattr(stage.cast, name))
        yield stage
        transaction.set_rollback(True)


def session_of(person):
    """The key of a new session; the administrator's is in Marketing."""
    client = Client()
    client.force_login(person, backend="accounts.backends.EmailBackend")
    if person.is_superuser:
        client.post(reverse("accounts:switch_department"), {"department": "marketing"})
    return client.cookies[settings.SESSION_COOKIE_NAME].value
