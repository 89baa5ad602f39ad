"""Secrets of providers, connections and MCP servers: closed when they come, opened for runs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from audit.services import record
from integrations.models import Connection, McpServer, ModelProvider
from integrations.queries import connection_place, server_place
from integrations.tools import OpenConnection
from mindloom import keyring, wall
from mindloom.web.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from accounts.models import User

_LONGEST_KEY = 4_000
_SHOWN_FROM = 12
"""Of a shorter secret four characters would be too much to show."""


def open_secret(ref: str, base_url: str) -> str:
    """The secret that a spec names, such as "provider:<uuid>", to be sent to `base_url` ("": the kind's own address).

    A run may be older than the provider's address: a key is only ever opened for the host it was entered for. Raises
    `Unavailable` with a sentence for people.
    """
    uuid = _uuid(ref, "provider")
    provider = ModelProvider.objects.filter(uuid=uuid).first() if uuid else None
    if provider is None:
        raise Unavailable("The key's provider is gone. An administrator can set it up again under Models.")
    if not provider.is_enabled:
        raise Unavailable(f"The provider “{provider.name}” is switched off. Choose another model.")
    if urlsplit(provider.base_url).netloc != urlsplit(base_url).netloc:
        raise Unavailable(
            f"The address of “{provider.name}” has changed since this run was set up, and its key is not sent to the old "
            "one. Run the agent again in its current version."
        )
    return opened(provider)


def open_connection(ref: str, department_id: int, *, person: User | None = None) -> OpenConnection:
    """The connection that a spec names as "connection:<uuid>", for a run of this department, and of `person` when given.

    Raises `Unavailable` with a sentence for people when it is gone, switched off, of another department, not for this
    person, or when a secret of it cannot be opened.
    """
    uuid = _uuid(ref, "connection")
    found = Connection.objects.filter(uuid=uuid, department=department_id).first() if uuid else None
    if found is None:
        raise Unavailable(
            "A connection that this run needs is gone, or belongs to another department. Choose another one under Tools."
        )
    if not found.is_enabled:
        raise Unavailable(f"The connection “{found.name}” is switched off. Switch it on, or choose another one.")
    if person is not None and not Connection.objects.usable_by(person).filter(pk=found.pk).exists():
        raise Unavailable(
            f"The connection “{found.name}” is private, so this run may not use it. Ask its owner to share it with the "
            "department, or choose another one."
        )
    return opened_connection(found)


def opened_connection(connection: Connection) -> OpenConnection:
    """A connection with its secrets. Raises `Unavailable`."""
    try:
        secrets = {
            name: keyring.open_(sealed, connection_place(connection, name))
            for name, sealed in connection.secrets_sealed.items()
        }
    except keyring.KeyringError as error:
        raise Unavailable(f"{connection.name}: {error}") from None
    return OpenConnection(
        kind=connection.kind,
        name=connection.name,
        values={**connection.settings, **secrets},
        secret_names=frozenset(secrets),
    )


def reseal() -> int:
    """Close every stored secret with the newest key; returns how many were changed. Raises `KeyringError`."""
    count = sum(
        _reseal_provider(pk) for pk in ModelProvider.objects.exclude(key_sealed="").values_list("pk", flat=True)
    )
    count += sum(_reseal_server(pk) for pk in McpServer.objects.exclude(secret_sealed="").values_list("pk", flat=True))
    with wall.system("key ring: the secrets of connections of all departments"):
        closed = Connection.objects.exclude(secrets_sealed={}).values_list("pk", flat=True)
        count += sum(_reseal_connection(pk) for pk in list(closed))
    if count:
        record(actor=None, action="secrets.resealed", count=count)
    return count


def _reseal_provider(pk: int) -> int:
    with transaction.atomic():
        row = ModelProvider.objects.select_for_update().get(pk=pk)
        anew = _anew(row.key_sealed, place(row))
        if anew:
            ModelProvider.objects.filter(pk=pk).update(key_sealed=anew)
    return int(bool(anew))


def _reseal_server(pk: int) -> int:
    with transaction.atomic():
        row = McpServer.objects.select_for_update().get(pk=pk)
        anew = _anew(row.secret_sealed, server_place(row))
        if anew:
            McpServer.objects.filter(pk=pk).update(secret_sealed=anew)
    return int(bool(anew))


def _reseal_connection(pk: int) -> int:
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=pk)
        found = {name: _anew(sealed, connection_place(row, name)) for name, sealed in row.secrets_sealed.items()}
        anew = {name: sealed for name, sealed in found.items() if sealed}
        if anew:
            Connection.objects.filter(pk=pk).update(secrets_sealed=row.secrets_sealed | anew)
    return len(anew)


def _anew(sealed: str, where: keyring.Place) -> str:
    """The secret closed with the newest key; "" when it is already, or when there is none."""
    if not sealed or keyring.is_newest(sealed):
        return ""
    return keyring.seal(keyring.open_(sealed, where), where)


def place(provider: ModelProvider) -> keyring.Place:
    """Where a provider's key is kept."""
    return keyring.Place("integrations_modelprovider", str(provider.uuid), "key")


def opened(provider: ModelProvider) -> str:
    """The provider's key, "" when it has none. Raises `Unavailable`."""
    if not provider.key_sealed:
        return ""
    try:
        return keyring.open_(provider.key_sealed, place(provider))
    except keyring.KeyringError as error:
        raise Unavailable(f"{provider.name}: {error}") from None


def opened_server_key(server: McpServer) -> str:
    """The key of an MCP server, "" when it has none. Raises `Unavailable`."""
    if not server.secret_sealed:
        return ""
    try:
        return keyring.open_(server.secret_sealed, server_place(server))
    except keyring.KeyringError as error:
        raise Unavailable(f"{server.name}: {error}") from None


def seal_key(provider: ModelProvider, key: str) -> None:
    """Keep a provider's key, or remove it. Raises `Invalid`."""
    key = line_of_secret("key", key)
    provider.key_sealed = keyring.seal(key, place(provider)) if key else ""
    provider.key_hint = hint(key)
    provider.save(update_fields=["key_sealed", "key_hint", "updated_at"])


def line_of_secret(field: str, text: str) -> str:
    """A secret that is sent in a header, without the blanks around it. Raises `Invalid` beside the field."""
    text = text.strip()
    if len(text) > _LONGEST_KEY or not text.isprintable() or not text.isascii():
        raise Invalid(fields={field: ["A key is one line of letters, digits and signs. Paste it again."]})
    return text


def hint(secret: str) -> str:
    """What is shown of a secret: its last four characters when it is long, else nothing."""
    return secret[-4:] if len(secret) >= _SHOWN_FROM else ""


def _uuid(ref: str, wanted: str) -> UUID | None:
    kind, _, text = ref.partition(":")
    try:
        uuid = UUID(text)
    except ValueError:
        raise Unavailable("The run names a secret in a form that is not known.") from None
    return uuid if kind == wanted else None
