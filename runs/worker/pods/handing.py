"""What a run's pod is handed: the secrets that this run opens, and the two addresses. Never the keys that open the others."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

from accounts.models import User
from audit.services import record
from buckets.queries import readable
from integrations import services as integrations
from integrations import tools
from mindloom import keyring
from mindloom.engine.errors import EngineError
from mindloom.engine.spec import ToolSpec, models_of
from mindloom.web.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runs.models import Run

HANDED = "handed_secrets"


@dataclass(frozen=True)
class Handed:
    """The files of a run's secret by their names, and what was opened for them: references with the names people know."""

    files: dict[str, str]
    used: dict[str, str]

    @property
    def secrets(self) -> list[str]:
        """The values that must not stand in any log."""
        addresses = [self.files["database_url"], self.files["redis_url"]]
        passwords = [password for one in addresses for password in _passwords(one)]
        keys = [value for name, value in self.files.items() if name.startswith("s3_")]
        return [*json.loads(self.files[HANDED]).values(), *addresses, *passwords, *keys]

    def note(self, run: Run) -> None:
        """The audit trail says that the secrets were handed over. The pod itself cannot."""
        for ref, name in self.used.items():
            record(actor=run.started_by, action="secret.used", target=run, secret=ref, name=name, executor="kubernetes")


def _passwords(address: str) -> list[str]:
    """As they stand in the address, and as a message of a driver would have them."""
    parts = urlsplit(address)
    written = [parts.password or "", *parse_qs(parts.query).get("password", ())]
    return [form for one in written for form in (one, unquote(one))]


def handed_to(run: Run) -> Handed:
    """What the run's pod is handed, inside the run's scope: opened now, with the rights of whoever started it.

    What cannot be opened is left out: the run itself then says why.
    """
    with keyring.noting() as opened:
        used = dict(_open(run))
    keys = (
        {"s3_access_key": settings.S3_ACCESS_KEY, "s3_secret_key": settings.S3_SECRET_KEY} if settings.S3_BUCKET else {}
    )
    files = {
        HANDED: json.dumps(opened),
        "database_url": settings.KUBERNETES_DATABASE_URL,
        "redis_url": settings.KUBERNETES_REDIS_URL,
        **{name: value for name, value in keys.items() if value},
    }
    return Handed(files, used)


def _open(run: Run) -> Iterator[tuple[str, str]]:
    """Open everything that the run may, as it does itself; gives the reference and the name of what was opened."""
    for model in models_of(run.spec):
        yield from _open_provider(model["key_ref"], model["base_url"])
    person = User.objects.filter(pk=run.started_by_id, is_active=True).first()
    parts = [run.spec, *(member["agent"] for member in run.spec.get("members", ()))]
    for tool in _tools(parts):
        with suppress(EngineError):
            if tools.secrets_of(tool):
                yield f"tool:{tool.key}", ""
        if tool.connection_ref:
            with suppress(Unavailable):
                connection = integrations.open_connection(tool.connection_ref, run.department_id, person=run.started_by)
                if connection.secret_names:
                    yield tool.connection_ref, connection.name
    wanted = {uuid for part in parts for uuid in part.get("buckets", ())}
    for bucket in readable(person, wanted) if person is not None and wanted else []:
        if bucket.embedding_model is not None:
            provider = bucket.embedding_model.provider
            yield from _open_provider(f"provider:{provider.uuid}" if provider.key_sealed else "", provider.base_url)


def _open_provider(ref: str, base_url: str) -> Iterator[tuple[str, str]]:
    if ref:
        with suppress(Unavailable):
            if integrations.open_secret(ref, base_url):
                yield ref, ""


def _tools(parts: list[dict[str, Any]]) -> list[ToolSpec]:
    return [ToolSpec(**tool) for part in parts for tool in part.get("tools", ())]
