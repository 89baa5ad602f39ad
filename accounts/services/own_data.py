"""What is a person's own: gathered for them to take away, forgotten when they leave. Apps above say in `apps` what they have."""

from __future__ import annotations

import json
import tempfile
import zipfile
from typing import IO, TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import User
from accounts.queries import browser_sessions_of, memberships_of, personal_tokens_of, roles_of
from accounts.services.owning import owned_rows
from audit.models import Entry
from audit.services import record
from mindloom import wall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MOST_ROWS = 10_000
"""Of each kind, the newest."""
_README = f"""What Mindloom keeps of you, each kind in a file of its own; lines of JSON. Of each kind the newest {MOST_ROWS} are here.
Secrets (passwords, tokens, keys) are kept as digests and are not among it.
"""
_readers: dict[str, Callable[[User], Iterable[Mapping[str, object]]]] = {}
_forgetters: list[Callable[[User], None]] = []


def has_data(name: str, read: Callable[[User], Iterable[Mapping[str, object]]]) -> None:
    """`read` gives what is the person's own, newest first, inside the scope of all their departments."""
    _readers[name] = read


def forgets(forget: Callable[[User], None]) -> None:
    """Called for a person who deletes their account, in all departments' scope, in the transaction that does."""
    _forgetters.append(forget)


def forget_all_of(person: User) -> None:
    """Let every app forget what is only the person's."""
    with wall.system("a person who leaves is forgotten in every department"):
        for forget in _forgetters:
            forget(person)


def gathered(*, actor: User) -> IO[bytes]:
    """A ZIP file with all that is the person's own, open at its beginning; it is gone when it is closed."""
    into = tempfile.TemporaryFile()  # noqa: SIM115 -- the answer closes it
    record(actor=actor, action="data.exported", target=actor)
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README)
        with wall.tenant(roles_of(actor)):
            for name, rows in _all(actor):
                with archive.open(f"{name}.jsonl", "w") as file:
                    for place, row in enumerate(rows):
                        if place >= MOST_ROWS:
                            break
                        file.write(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n")
        picture = getattr(actor, "picture", None)
        if picture is not None:
            archive.writestr("picture.webp", bytes(picture.data))
    into.seek(0)
    return into


def _all(person: User) -> Iterable[tuple[str, Iterable[Mapping[str, object]]]]:
    yield "profile", [_profile(person)]
    yield "departments", [_membership(one) for one in memberships_of(person)]
    shown = ("uuid", "device", "ip_address", "signed_in_at", "last_used_at")
    yield "sessions", browser_sessions_of(person).values(*shown)
    yield (
        "tokens",
        personal_tokens_of(person).values("uuid", "name", "scopes", "created_at", "expires_at", "last_used_at"),
    )
    yield "passkeys", person.passkeys.values("uuid", "name", "created_at", "last_used_at")  # type: ignore[attr-defined]
    for word, rows in owned_rows(person):
        yield f"{word}s", ({"uuid": row.uuid, "name": str(row), "department": row.department_id} for row in rows)
    for name, read in _readers.items():
        yield name, read(person)
    with wall.system("a person takes away what they did, in every department"):
        done = Entry.objects.filter(actor_id=person.pk).order_by("-id")[:MOST_ROWS]
        yield "acts", list(done.values("at", "action", "target_kind", "target_id", "target_label", "ip_address"))


def _profile(person: User) -> dict[str, Any]:
    fields = ("uuid", "email", "email_confirmed_at", "name", "theme", "time_zone", "density", "has_shortcuts")
    return {name: getattr(person, name) for name in (*fields, "joined_at", "last_login", "second_factor_at")}


def _membership(one: Any) -> dict[str, Any]:
    return {"department": one.department.name, "role": one.role, "status": one.status, "since": one.created_at}
