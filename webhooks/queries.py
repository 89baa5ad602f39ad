"""What a message says and how it is signed, after the Standard Webhooks specification (standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.urls import reverse

from agents.models import Agent
from mindloom import keyring
from teams.models import Team
from webhooks.models import Delivery, Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from accounts.queries import Person
    from webhooks.models import WebhookQuerySet

SECRET_PREFIX = "whsec_"  # noqa: S105 -- how secrets begin, not one
VERSION = 1
"""Of what messages look like. Fields may be added to a version; what means something else gets a new one."""
_FIRST = (
    "run",
    "number",
    "state",
    "reason",
    "trigger",
    "department",
    "target",
    "queued_at",
    "started_at",
    "finished_at",
)
_MOST_TARGETS = 500


def body(delivery: Delivery) -> bytes:
    """The message as it is sent: the same at every try."""
    told = delivery.payload
    data = {name: told["data"][name] for name in sorted(told["data"], key=_place)}
    if delivery.run_uuid is not None:
        site = str(settings.BASE_URL).rstrip("/")
        links = {
            "page": site + reverse("runs:detail", args=[delivery.run_uuid]),
            "api": site + reverse("api:run", args=[delivery.run_uuid]),
        }
        data |= {"currency": settings.CURRENCY, "links": links}
    message = {"version": VERSION, "type": told["type"], "timestamp": told["timestamp"], "data": data}
    return json.dumps(message, separators=(",", ":")).encode()


def _place(name: str) -> int:
    """Where people look for it first; the database keeps names by their length."""
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def signed_headers(message_id: str, at: datetime, content: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers of the specification, with a signature by each secret."""
    stamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), stamp.encode(), content))
    signatures = [
        base64.b64encode(
            hmac.digest(base64.b64decode(one.removeprefix(SECRET_PREFIX)), signed, hashlib.sha256)
        ).decode()
        for one in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def secrets_of(webhook: Webhook, at: datetime) -> list[str]:
    """The secrets that messages are signed with at this time, the newest first. Raises `KeyringError`."""
    found = [keyring.open_(webhook.secret_sealed, secret_place(webhook, "secret"))]
    if webhook.former_secret_sealed and webhook.former_until and at < webhook.former_until:
        found.append(keyring.open_(webhook.former_secret_sealed, secret_place(webhook, "former_secret")))
    return found


def secret_place(webhook: Webhook, field: str) -> keyring.Place:
    """Where a secret of a webhook is kept."""
    return keyring.Place("webhooks_webhook", str(webhook.uuid), field)


def listed_webhooks(user: Person) -> WebhookQuerySet:
    """The webhooks a person manages, by name, each with how its last delivery stands."""
    last = Delivery.objects.filter(webhook=OuterRef("pk")).order_by("-id")
    return (
        Webhook.objects.editable_by(user)
        .select_related("department")
        .annotate(last_state=Subquery(last.values("state")[:1]), last_at=Subquery(last.values("created_at")[:1]))
        .order_by("name", "id")
    )


def targets(user: Person) -> list[tuple[str, list[tuple[str, str]]]]:
    """The agents and teams whose runs a webhook can be kept to, by kind: their uuid and name."""
    agents = Agent.objects.visible_to(user).active().order_by("name").values_list("uuid", "name")[:_MOST_TARGETS]
    teams = Team.objects.visible_to(user).active().order_by("name").values_list("uuid", "name")[:_MOST_TARGETS]
    return [
        ("Agents", [(str(uuid), name) for uuid, name in agents]),
        ("Teams", [(str(uuid), name) for uuid, name in teams]),
    ]


def target_of(user: Person, uuid: UUID | str) -> Agent | Team | None:
    """The agent or team that the person sees under this uuid."""
    try:
        wanted = UUID(str(uuid))
    except ValueError:
        return None
    return (
        Agent.objects.visible_to(user).filter(uuid=wanted).first()
        or Team.objects.visible_to(user).filter(uuid=wanted).first()
    )
