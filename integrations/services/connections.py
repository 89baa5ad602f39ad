"""Changes of connections. Their kinds, with what each asks for, are in `integrations.tools.connections`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from accounts.models import Role
from accounts.queries import may
from audit.services import difference, record
from integrations.models import Connection
from integrations.queries import connection_place
from integrations.services.checking import row_errors, save_row
from integrations.services.secrets import hint, opened_connection
from integrations.tools.connections import KINDS, ConnectionKind
from mindloom import keyring
from mindloom.engine.ports import ToolError
from mindloom.wall.pool import give_back
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound, Unavailable

if TYPE_CHECKING:
    from accounts.models import User

_SHORTEST_MASKED = 4
_REFUSAL = "Only the connection’s owner and the department’s managers may change it."


@dataclass(frozen=True)
class ConnectionTest:
    """How the try of a connection went."""

    ok: bool
    message: str
    duration_ms: int


def create_connection(
    *,
    actor: User,
    department_id: int,
    kind: str,
    name: str,
    visibility: str = Connection.Visibility.DEPARTMENT,
    values: Mapping[str, Any] | None = None,
) -> Connection:
    """Add a connection, switched on. `values` are its settings and secrets by the names of the kind's fields.

    Raises `NotAllowed` for viewers and strangers, `Invalid` with the fields at fault; a value's field is called by its name.
    """
    if not may(actor, Role.MEMBER, department_id):
        raise NotAllowed("You may not make connections in this department. Ask one of its managers.")
    found = KINDS.get(kind)
    if found is None:
        raise Invalid(fields={"kind": [f"Choose one of: {', '.join(KINDS)}."]})
    connection = Connection(department_id=department_id, owner=actor, kind=kind, name=name, visibility=visibility)
    clean, wrong = found.read(values or {})
    _check(connection, _told(found, wrong, values or {}))
    _keep(connection, found, clean)
    with transaction.atomic():
        save_row(connection)
        record(actor=actor, action="connection.created", target=connection, kind=kind)
        if connection.secrets_sealed:
            record(actor=actor, action="connection.secrets_set", target=connection, fields=_names(connection))
    return connection


def update_connection(
    *,
    actor: User,
    connection: Connection,
    name: str | None = None,
    visibility: str | None = None,
    values: Mapping[str, Any] | None = None,
) -> Connection:
    """Change what is given. In `values`, a secret that is left out or blank stays, None removes it; settings left out stay.

    Secrets were given for one place: when an address, a host, a port or the way of encrypting changes, or one of several
    secrets does, they have to be entered again.
    """
    _may_edit(actor, connection)
    kind = _kind(connection)
    with transaction.atomic():
        locked = _locked(connection)
        before = {field: getattr(locked, field) for field in ("name", "visibility", "settings", "secrets_sealed")}
        locked.name = locked.name if name is None else name
        locked.visibility = locked.visibility if visibility is None else visibility
        clean, wrong, fresh = _merged(locked, kind, values or {})
        _check(locked, wrong)
        _keep(locked, kind, clean, fresh)
        changed = [field for field in ("name", "visibility", "settings") if getattr(locked, field) != before[field]]
        secrets_changed = locked.secrets_sealed != before["secrets_sealed"]
        if secrets_changed or "settings" in changed:
            # What a test once said was about other values.
            locked.last_tested_at, locked.last_test_ok, locked.last_test_message = None, None, ""
        if changed or secrets_changed:
            save_row(locked)
        if changed:
            noted = difference(before, {field: getattr(locked, field) for field in changed})
            record(actor=actor, action="connection.changed", target=locked, **noted)
        if secrets_changed:
            record(actor=actor, action="connection.secrets_set", target=locked, fields=_names(locked))
    return locked


def test_connection(*, actor: User, connection: Connection) -> ConnectionTest:
    """Try the connection for real, within seconds. Never raises for what the other side does."""
    if not Connection.objects.visible_to(actor).filter(pk=connection.pk).exists():
        raise NotFound
    if not may(actor, Role.MEMBER, connection.department_id):
        raise NotAllowed("You may look at this connection but not use it. Ask a manager of your department.")
    started = time.monotonic()
    secrets: list[str] = []
    try:
        kind = _kind(connection)
        opened = opened_connection(connection)
        secrets = [opened.values[name] for name in opened.secret_names]
        give_back()  # whoever is on the other side may be slow
        ok, message = True, kind.test(opened.values)
    except (ToolError, Unavailable, Conflict) as error:
        ok, message = False, str(error)
    message = _without(message, secrets)[:600]
    with transaction.atomic():
        # Only if it is still what was tried.
        Connection.objects.filter(pk=connection.pk, updated_at=connection.updated_at).update(
            last_tested_at=timezone.now(), last_test_ok=ok, last_test_message=message
        )
        record(actor=actor, action="connection.tested", target=connection, ok=ok)
    return ConnectionTest(ok, message, round((time.monotonic() - started) * 1000))


def enable_connection(*, actor: User, connection: Connection, enabled: bool) -> Connection:
    """Switch it on or off. While it is off, agents that use it cannot run."""
    _may_edit(actor, connection)
    with transaction.atomic():
        locked = _locked(connection)
        if locked.is_enabled != enabled:
            locked.is_enabled = enabled
            locked.save(update_fields=["is_enabled", "updated_at"])
            record(actor=actor, action="connection.enabled" if enabled else "connection.disabled", target=locked)
    return locked


def delete_connection(*, actor: User, connection: Connection) -> None:
    """Remove a connection with its secrets. Agents that use it cannot run until another one is chosen."""
    _may_edit(actor, connection)
    with transaction.atomic():
        locked = _locked(connection)
        record(actor=actor, action="connection.deleted", target=locked, kind=locked.kind)
        locked.delete()


def _may_edit(actor: User, connection: Connection) -> None:
    if not Connection.objects.editable_by(actor).filter(pk=connection.pk).exists():
        raise NotAllowed(_REFUSAL)


def _locked(connection: Connection) -> Connection:
    found = Connection.objects.select_for_update().filter(pk=connection.pk).first()
    if found is None:
        raise NotFound("This connection has been deleted.")
    return found


def _kind(connection: Connection) -> ConnectionKind:
    found = KINDS.get(connection.kind)
    if found is None:
        raise Conflict(f"Connections of the kind “{connection.kind}” are not known any more. Make a new one.")
    return found


def _names(connection: Connection) -> list[str]:
    return sorted(connection.secrets_sealed)


def _check(connection: Connection, wrong: Mapping[str, str]) -> None:
    connection.name = " ".join(connection.name.split())
    fields = row_errors(connection) | {name: [sentence] for name, sentence in wrong.items()}
    if fields:
        raise Invalid(fields=fields)


def _merged(
    connection: Connection, kind: ConnectionKind, given: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """The clean values that result, sentences by field about what is wrong, and the secrets that are new or removed."""
    secrets = set(kind.secrets)
    fresh = {name for name in secrets & given.keys() if given[name] is None or str(given[name]).strip()}
    kept = {name for name in connection.secrets_sealed if name in secrets and name not in fresh}
    settings = {name: value for name, value in given.items() if name not in secrets}
    new = {name: given[name] for name in fresh}
    clean, wrong = kind.read({**connection.settings, **settings, **new})
    for name in kept:
        # It was checked when it came, and stays closed.
        clean.pop(name, None)
        wrong.pop(name, None)
    given_anew = {name for name in fresh if given[name] is not None}
    wrong = _told(kind, wrong, given)
    if kept and not wrong and (given_anew or _leads_elsewhere(kind, connection.settings, clean)):
        sentence = "Enter this again, so that it is not sent to a wrong place: where it is sent to has changed."
        wrong = dict.fromkeys(sorted(kept), sentence)
    return clean, wrong, fresh


def _leads_elsewhere(kind: ConnectionKind, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether secrets would go to another place, or less protected: free text but a host's name does not decide that."""
    for field in kind.fields:
        if field.kind == "secret" or before.get(field.name) == after[field.name]:
            continue
        if field.kind == "url":
            old, new = urlsplit(before.get(field.name, "")), urlsplit(after[field.name])
            if (old.scheme, old.netloc) != (new.scheme, new.netloc):
                return True
        elif field.kind != "text" or field.name == "host":
            return True
    return False


def _keep(
    connection: Connection, kind: ConnectionKind, clean: Mapping[str, str], fresh: set[str] | None = None
) -> None:
    """Put clean values into the row: settings as they are, secrets sealed; `fresh` names those that are new, None all."""
    secrets = set(kind.secrets)
    connection.settings = {name: value for name, value in clean.items() if name not in secrets}
    sealed = {name: text for name, text in connection.secrets_sealed.items() if name in secrets}
    hints = {name: text for name, text in connection.secret_hints.items() if name in secrets}
    for name in secrets if fresh is None else fresh:
        sealed.pop(name, None)
        hints.pop(name, None)
        if clean.get(name):
            sealed[name] = keyring.seal(clean[name], connection_place(connection, name))
            hints[name] = hint(clean[name])
    connection.secrets_sealed, connection.secret_hints = sealed, hints


def _told(kind: ConnectionKind, wrong: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    """The sentences, in which no secret is repeated that was given wrongly."""
    secrets = [str(given[name]).strip() for name in kind.secrets if given.get(name)]
    return {name: _without(sentence, secrets) for name, sentence in wrong.items()}


def _without(text: str, secrets: list[str]) -> str:
    """The sentence without secrets that the other side, or a library, repeats in it, also where it cut them."""
    for secret in secrets:
        for part in (secret, secret[:200], secret[:100], secret[:60]):
            if len(part) >= _SHORTEST_MASKED:
                text = text.replace(part, "•••")
    return text
