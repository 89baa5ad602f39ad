"""The kinds of connections that tools use: what each asks for, and how it is tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from integrations.tools import mail, postgres, probes
from integrations.tools.base import OpenConnection
from integrations.tools.calling import web_address
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

FieldKind = Literal["text", "secret", "url", "number", "choice"]
LONGEST = 2_000
_SHORTEST_SECRET = 6
"""Shorter ones are not looked for in results: they stand there by chance, too."""
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = {"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding", "cookie"}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.:-]{0,251}[A-Za-z0-9])?")
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,250}")


@dataclass(frozen=True, kw_only=True)
class ConnectionField:
    """A value of a connection. A secret is stored encrypted and never shown again."""

    name: str
    label: str
    kind: FieldKind = "text"
    help: str = ""
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    default: str = ""
    check: Callable[[str], str] = str.strip
    """Cleans the value. Raises `ValueError` with a sentence."""

    def read(self, given: object) -> str:
        """The clean value; the default for nothing. Raises `ValueError` with a sentence."""
        text = given if isinstance(given, str) else "" if given is None else str(given)
        text = text.strip() or self.default
        if len(text) > LONGEST or not text.isprintable():
            raise ValueError("This is too long or has characters that cannot be used here.")
        if not text:
            if self.required:
                raise ValueError(f"Enter the {self.label[0].lower()}{self.label[1:]}.")
            return ""
        if self.choices and text not in dict(self.choices):
            raise ValueError(f"Choose one of: {', '.join(label for _, label in self.choices)}.")
        return self.check(text)


@dataclass(frozen=True, kw_only=True)
class ConnectionKind:
    """A kind of connection. `test` tries one for real: it returns a sentence, or raises `ToolError`."""

    key: str
    name: str
    description: str
    icon: str
    fields: tuple[ConnectionField, ...]
    test: Callable[[Mapping[str, str]], str]

    def read(self, given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        """The clean values, and sentences by field name about what is wrong with them."""
        known = {field.name for field in self.fields}
        wrong = {str(name)[:80]: "A connection of this kind has no such value." for name in given if name not in known}
        values: dict[str, str] = {}
        for field in self.fields:
            try:
                values[field.name] = field.read(given.get(field.name))
            except ValueError as error:
                wrong[field.name] = str(error)
        return values, wrong

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of the values that are secret."""
        return tuple(field.name for field in self.fields if field.kind == "secret")


def keeping_secrets(functions: list[ToolFunction], connection: OpenConnection | None) -> list[ToolFunction]:
    """The same functions, in whose results and refusals the connection's secrets are masked."""
    kind = KINDS.get(connection.kind) if connection else None
    if connection is None or kind is None:
        return functions
    secrets = [value for name in kind.secrets if len(value := connection.values.get(name, "")) >= _SHORTEST_SECRET]
    return [replace(one, call=partial(_masked, one.call, secrets)) for one in functions] if secrets else functions


def _masked(
    call: Callable[[dict[str, Any], ToolContext], str],
    secrets: list[str],
    arguments: dict[str, Any],
    context: ToolContext,
) -> str:
    def mask(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "•••")
        return text

    try:
        return mask(call(arguments, context))
    except ToolError as error:
        raise ToolError(mask(str(error))) from None


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"“{text[:60]}” is not the name of a host. Write it like mail.example.org, without a port.")
    return text.lower()


def _port(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65_536):
        raise ValueError("A port is a number from 1 to 65535.")
    return str(int(text))


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text) or text.lower() in _OURS:
        raise ValueError(f"“{text[:60]}” is not a header that can be set. Write it like Authorization or X-API-Key.")
    return text


def _ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError("A secret that is sent in a header has letters, digits and signs of ASCII only.")
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError(f"“{text[:60]}” is not an e-mail address.")
    return text


def _database(text: str) -> str:
    if len(text) > 63 or "=" in text or "://" in text:
        raise ValueError("This is not the name of a database.")
    return text


def _address_field(help: str, label: str = "Address") -> ConnectionField:
    return ConnectionField(name="base_url", label=label, kind="url", help=help, check=web_address)


_API_KEY = ConnectionField(
    name="api_key",
    label="API key",
    kind="secret",
    required=False,
    help="Leave empty when the service needs none.",
    check=_ascii,
)
_SECRET_HEADER = (
    ConnectionField(
        name="header", label="Header", required=False, default="Authorization", check=_header,
        help="The name of the header that carries the secret.",
    ),
    ConnectionField(
        name="secret", label="Secret", kind="secret", required=False, check=_ascii,
        help="The header’s whole value, such as Bearer abc123. Leave empty when none is needed.",
    ),
)  # fmt: skip
_HOST_FIELD = ConnectionField(name="host", label="Host", help="Such as mail.example.org", check=_host)
_USER = ConnectionField(name="user", label="User name")
_PASSWORD = ConnectionField(name="password", label="Password", kind="secret", required=False)

_ALL = (
    ConnectionKind(
        key="web_search",
        name="Web search",
        description="A search service that answers like SearXNG.",
        icon="search",
        fields=(_address_field("The page that answers searches, such as https://search.example.org/search"), _API_KEY),
        test=probes.web_search,
    ),
    ConnectionKind(
        key="http_api",
        name="HTTP API",
        description="An HTTP API of your own, with the secret that opens it.",
        icon="plug",
        fields=(_address_field("What stands before every path, such as https://api.example.org/v1"), *_SECRET_HEADER),
        test=probes.http_api,
    ),
    ConnectionKind(
        key="sql",
        name="PostgreSQL database",
        description="A database to read from. Use an account that may only read.",
        icon="database",
        fields=(
            replace(_HOST_FIELD, help="Such as db.example.org"),
            ConnectionField(name="port", label="Port", kind="number", default="5432", check=_port),
            ConnectionField(name="database", label="Database", check=_database),
            _USER,
            _PASSWORD,
            ConnectionField(
                name="encryption",
                label="Encryption",
                kind="choice",
                choices=(
                    ("require", "Always encrypted"),
                    ("verify-full", "Encrypted, with a valid certificate"),
                    ("prefer", "Encrypted if possible"),
                    ("disable", "Not encrypted"),
                ),
                default=postgres.ENCRYPTION[0],
            ),
        ),
        test=probes.sql,
    ),
    ConnectionKind(
        key="smtp",
        name="Mail server",
        description="A mail server (SMTP) that sends e-mail in the department’s name.",
        icon="mail",
        fields=(
            _HOST_FIELD,
            ConnectionField(name="port", label="Port", kind="number", default="587", check=_port, help="587 for STARTTLS, 465 for TLS"),
            ConnectionField(
                name="security",
                label="Security",
                kind="choice",
                choices=(("starttls", "STARTTLS"), ("ssl", "TLS from the start"), ("none", "Not encrypted")),
                default=mail.SECURITY[0],
            ),
            replace(_USER, required=False, help="Leave empty when the server needs no sign-in."),
            _PASSWORD,
            ConnectionField(name="from_address", label="Sender", help="Such as office@example.org", check=_email),
        ),
        test=probes.smtp,
    ),
    ConnectionKind(
        key="translate",
        name="Translation",
        description="A translation service that answers like LibreTranslate.",
        icon="languages",
        fields=(_address_field("Such as https://translate.example.org"), _API_KEY),
        test=probes.translate,
    ),
    ConnectionKind(
        key="webhook",
        name="Webhook",
        description="An address that takes messages, such as a chat’s incoming webhook.",
        icon="webhook",
        fields=(
            ConnectionField(
                name="url", label="Address", kind="secret", check=web_address,
                help="Kept secret: whoever knows the address of a webhook can post to it.",
            ),
            *_SECRET_HEADER,
        ),
        test=probes.webhook,
    ),
)  # fmt: skip

KINDS: dict[str, ConnectionKind] = {kind.key: kind for kind in _ALL}
"""Every kind, in the order in which people see them."""
