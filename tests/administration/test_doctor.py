"""`manage.py doctor` and the key ring; what it says of processes that are away is tested with processes."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from accounts import services as accounts
from integrations import services as integrations
from tests import factories

# The audit trail is chained when a transaction ends.
pytestmark = pytest.mark.django_db(transaction=True)

MAIL = {"host": "mail.example.org", "user": "office", "password": "a-secret-1234", "from_address": "office@example.org"}


def connection(cast):
    integrations.create_connection(
        actor=cast.alice, department_id=cast.marketing.pk, kind="smtp", name="Mail", values=MAIL
    )


KEPT = {
    "a connection": connection,
    "a webhook": lambda cast: factories.webhook(cast.alice, cast.marketing),
    "an authenticator app": lambda cast: accounts.start_app(actor=cast.bob),
    "the audit trail": lambda cast: accounts.update_profile(actor=cast.bob, name="Robert"),
}


def said_of_keys():
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", stdout=out)
    (line,) = [line for line in out.getvalue().splitlines() if line.split()[1] == "keys"]
    return line


@pytest.mark.parametrize("kept", KEPT)
def test_it_names_the_key_that_is_gone_whatever_it_closed(cast, in_marketing, settings, kept):
    settings.KEY_RING = {"lost": b"x" * 32}
    KEPT[kept](cast)
    settings.KEY_RING = {"new": b"y" * 32, "lost": b"x" * 32}
    assert said_of_keys().startswith("ok")

    settings.KEY_RING = {"new": b"y" * 32}
    assert "Secrets were sealed with keys that are gone: lost. Put them back" in said_of_keys()
