"""The outside, on loopback: services, a mail server, a database."""

from __future__ import annotations

import ipaddress
from types import SimpleNamespace

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.conf import settings as django_settings

from tests.integrations.tools.services import relay, serving

PASSWORD = "mail-password-1"


@pytest.fixture(autouse=True)
def _loopback_is_outside(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture
def service():
    with serving() as one:
        yield one


@pytest.fixture
def mailbox():
    """A mail server that takes one user and keeps what it is sent."""
    kept = SimpleNamespace(messages=[], refuse="")

    class Keeper:
        async def handle_RCPT(  # noqa: N802 -- the server's name for it
            self, server, session, envelope, address, options
        ):
            if not session.authenticated:
                return "530 sign in first"
            if address == kept.refuse:
                return "550 no such person"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(  # noqa: N802 -- the same
            self, server, session, envelope
        ):
            kept.messages.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
            return "250 kept"

    def knows(server, session, envelope, mechanism, given):
        known = given.login == b"office" and given.password == PASSWORD.encode()
        return AuthResult(success=known, handled=known)

    controller = _Controller(Keeper(), hostname="127.0.0.1", port=0, authenticator=knows, auth_require_tls=False)
    controller.start()
    kept.values = {
        "host": "127.0.0.1",
        "port": str(controller.port),
        "security": "none",
        "user": "office",
        "password": PASSWORD,
        "from_address": "office@example.org",
    }
    yield kept
    controller.stop()


class _Controller(Controller):
    """Knocks at the port that it was given."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def database(db):
    """The values of a connection to the tests' own PostgreSQL, with a table that holds two people."""
    parts = django_settings.DATABASES["default"]
    target = {
        "dbname": parts["NAME"],
        "user": parts["USER"],
        "host": parts["HOST"],
        "password": parts.get("PASSWORD") or None,
    }
    with psycopg.connect(**target, autocommit=True) as direct:
        direct.execute("create schema if not exists office")
        direct.execute("drop table if exists office.staff")
        direct.execute("create table office.staff (id int primary key, name text not null, salary numeric)")
        direct.execute("insert into office.staff values (1, 'Lena', 10.50), (2, 'Omar', null)")
        with relay(f"{parts['HOST']}/.s.PGSQL.{parts.get('PORT') or 5432}") as port:
            yield {
                "host": "127.0.0.1", "port": str(port), "database": parts["NAME"], "user": parts["USER"],
                "password": "", "encryption": "disable",
            }  # fmt: skip
        direct.execute("drop schema office cascade")
