"""Everything that can be done with webhooks. What is told of runs is added by the database itself; see `models`."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Role
from accounts.queries import may
from audit.services import difference, record
from features.queries import check_on
from integrations.outbound import is_allowed
from integrations.services.checking import row_errors, save_row
from integrations.tools.calling import web_address
from mindloom import keyring, wall
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from runs.models import State
from webhooks import worker
from webhooks.models import TOLD_STATES, Delivery, Webhook
from webhooks.queries import SECRET_PREFIX, secret_place, target_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User

MOST_WEBHOOKS = 50
"""Of one department: every one of them makes a message of every run."""
SECRET_BYTES = 32
BOTH_SECRETS = timedelta(hours=24)
"""How long messages are signed with the former secret, too."""
_FORGET_AT_ONCE = 500
_REFUSAL = "Only managers of the department look after its webhooks."


def create_webhook(
    *,
    actor: User,
    department_id: int,
    name: str,
    url: str,
    states: list[str] | None = None,
    target: str | None = None,
) -> tuple[Webhook, str]:
    """Add a webhook, switched on, and return it with its secret, which nobody can read again.

    It is told of runs that come into one of `states` (all when None), only of those of the agent or team `target` (a uuid)
    when given. Raises `NotAllowed` for everybody but managers, `Invalid` with the fields at fault.
    """
    check_on("webhooks")
    if not may(actor, Role.MANAGER, department_id):
        raise NotAllowed(_REFUSAL)
    if Webhook.objects.filter(department=department_id).count() >= MOST_WEBHOOKS:
        raise Invalid(f"The department has {MOST_WEBHOOKS} webhooks, which is as many as it may. Delete one first.")
    webhook = Webhook(department_id=department_id, created_by=actor)
    secret = _new_secret(webhook)
    given = {"name": name, "url": url, "states": [*TOLD_STATES] if states is None else states, "target": target}
    _set(actor, webhook, given)
    with transaction.atomic():
        save_row(webhook)
        record(actor=actor, action="webhook.created", target=webhook, host=_host(webhook), states=webhook.states)
    return webhook, secret


def update_webhook(*, actor: User, webhook: Webhook, values: Mapping[str, Any]) -> Webhook:
    """Change what is given: `name`, `url`, `states`, `target` (None: all runs). Messages under way go to the new address."""
    _may_edit(actor, webhook)
    with transaction.atomic():
        locked = _locked(webhook)
        fields = ("name", "url", "states", "target_uuid")
        before = {field: getattr(locked, field) for field in fields}
        _set(actor, locked, values)
        changed = [field for field in fields if getattr(locked, field) != before[field]]
        if changed:
            save_row(locked)
            # Addresses may hold keys: of them only the host is kept.
            noted = difference(before, {field: getattr(locked, field) for field in fields if field != "url"})
            record(actor=actor, action="webhook.changed", target=locked, fields=changed, host=_host(locked), **noted)
    return locked


def enable_webhook(*, actor: User, webhook: Webhook, enabled: bool) -> Webhook:
    """Switch on or off. What is on its way to one that is switched off is given up."""
    _may_edit(actor, webhook)
    with transaction.atomic():
        locked = _locked(webhook)
        if locked.is_enabled == enabled:
            return locked
        locked.is_enabled, locked.disabled_reason, locked.failing_since = enabled, "", None
        locked.save(update_fields=["is_enabled", "disabled_reason", "failing_since", "updated_at"])
        if not enabled:
            worker.drop_pending(locked)
        record(actor=actor, action="webhook.enabled" if enabled else "webhook.disabled", target=locked)
    return locked


def rotate_secret(*, actor: User, webhook: Webhook) -> str:
    """Make a new secret and return it. For a day messages carry a signature by the former one, too."""
    _may_edit(actor, webhook)
    with transaction.atomic():
        locked = _locked(webhook)
        former = _opened(locked)
        secret = _new_secret(locked)
        locked.former_secret_sealed = keyring.seal(former, secret_place(locked, "former_secret")) if former else ""
        locked.former_until = timezone.now() + BOTH_SECRETS if former else None
        locked.save()
        record(actor=actor, action="webhook.secret_rotated", target=locked)
    return secret


def delete_webhook(*, actor: User, webhook: Webhook) -> None:
    """Delete it with its log."""
    _may_edit(actor, webhook)
    with transaction.atomic():
        # Not one key less: whoever adds a delivery holds this row, so none comes after those that are found.
        locked = Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
        if locked is None:
            raise NotFound("This webhook has been deleted.")
        record(actor=actor, action="webhook.deleted", target=locked, host=_host(locked))
        locked.delete()


def test_webhook(*, actor: User, webhook: Webhook) -> Delivery:
    """Send a test at once, and once, also to a webhook that is off; the delivery says how it went."""
    check_on("webhooks")
    _may_edit(actor, webhook)
    now = timezone.now()
    with transaction.atomic():
        delivery = Delivery.objects.create(
            webhook=webhook,
            department_id=webhook.department_id,
            type=Delivery.Type.WEBHOOK_TEST,
            payload={
                "type": Delivery.Type.WEBHOOK_TEST,
                "timestamp": now.isoformat(),
                "data": {"webhook": str(webhook.uuid), "name": webhook.name},
            },
            next_attempt_at=now + timedelta(seconds=worker.lease_seconds()),
        )
        record(actor=actor, action="webhook.tested", target=webhook)
    return _sent_now(delivery)


def redeliver(*, actor: User, delivery: Delivery) -> Delivery:
    """Send a message again, at once, with the id it had. When that fails it is tried again like a new one."""
    check_on("webhooks")
    _may_edit(actor, delivery.webhook)
    with transaction.atomic():
        webhook = _locked(delivery.webhook)
        if not webhook.is_enabled and delivery.type != Delivery.Type.WEBHOOK_TEST:
            raise Conflict(f"“{webhook.name}” is switched off. Switch it on, then send the message again.")
        Delivery.objects.filter(pk=delivery.pk).update(
            state=Delivery.State.PENDING,
            tries=0,
            finished_at=None,
            next_attempt_at=timezone.now() + timedelta(seconds=worker.lease_seconds()),
        )
        record(actor=actor, action="webhook.redelivered", target=webhook, message=delivery.message_id)
    return _sent_now(delivery)


def forget_old_deliveries() -> int:
    """Remove what ended more than `WEBHOOK_KEEP_DAYS` days ago, some at a time; returns how many. For the scheduler, often."""
    before = timezone.now() - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    with wall.system("scheduler: old deliveries of webhooks of all departments"):
        old = Delivery.objects.filter(finished_at__lt=before).order_by("finished_at").values_list("pk", flat=True)
        found = list(old[:_FORGET_AT_ONCE])
        Delivery.objects.filter(pk__in=found).delete()
    return len(found)


def reseal() -> int:
    """Close every secret with the newest key of the ring; returns how many were changed. Raises `KeyringError`."""
    count = 0
    with wall.system("key ring: the secrets of webhooks of all departments"):
        for pk in list(Webhook.objects.values_list("pk", flat=True)):
            with transaction.atomic():
                row = Webhook.objects.select_for_update(no_key=True).filter(pk=pk).first()
                found = {} if row is None else _resealed(row)
                if found:
                    Webhook.objects.filter(pk=pk).update(**found)
                    count += len(found)
    if count:
        record(actor=None, action="webhook.secrets_resealed", count=count)
    return count


def _resealed(row: Webhook) -> dict[str, str]:
    found = {}
    for field in ("secret", "former_secret"):
        sealed, place = getattr(row, f"{field}_sealed"), secret_place(row, field)
        if sealed and not keyring.is_newest(sealed):
            found[f"{field}_sealed"] = keyring.seal(keyring.open_(sealed, place), place)
    return found


def _sent_now(delivery: Delivery) -> Delivery:
    claimed = worker.claim(only=delivery.pk)
    if claimed is not None:
        worker.carry_out(claimed)
    delivery.refresh_from_db()
    return delivery


def _new_secret(webhook: Webhook) -> str:
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    webhook.secret_sealed = keyring.seal(secret, secret_place(webhook, "secret"))
    webhook.secret_hint = secret[-4:]
    return secret


def _opened(webhook: Webhook) -> str:
    """The secret, "" when its key is gone: making a new one is the way out of that."""
    try:
        return keyring.open_(webhook.secret_sealed, secret_place(webhook, "secret"))
    except keyring.KeyringError:
        return ""


def _may_edit(actor: User, webhook: Webhook) -> None:
    if not Webhook.objects.visible_to(actor).filter(pk=webhook.pk).exists():
        raise NotFound
    if not may(actor, Role.MANAGER, webhook.department_id):
        raise NotAllowed(_REFUSAL)


def _locked(webhook: Webhook) -> Webhook:
    found = Webhook.objects.select_for_update(no_key=True).filter(pk=webhook.pk).first()
    if found is None:
        raise NotFound("This webhook has been deleted.")
    return found


def _set(actor: User, webhook: Webhook, values: Mapping[str, Any]) -> None:
    """Put values into the row. Raises `Invalid` with the fields at fault, all of them."""
    wrong: dict[str, list[str]] = {}
    if "name" in values:
        webhook.name = " ".join(str(values["name"]).split())
    if "url" in values:
        webhook.url = str(values["url"]).strip()
        if sentence := _url_problem(webhook.url):
            wrong["url"] = [sentence]
    if "states" in values:
        known = [one.value for one in TOLD_STATES]
        webhook.states = [one for one in known if one in values["states"]]
        if not webhook.states or set(values["states"]) - set(known):
            wrong["states"] = [f"Choose at least one of: {', '.join(known)}."]
            webhook.states = webhook.states or [State.COMPLETED]
    # Of what was deleted or is out of sight by now nothing is told any more; that is no reason not to change the rest.
    if "target" in values and str(values["target"]) != str(webhook.target_uuid):
        found = target_of(actor, values["target"]) if values["target"] else None
        if values["target"] and found is None:
            wrong["target"] = ["There is no such agent or team, or not for you."]
        webhook.target_kind = type(found).__name__.lower() if found is not None else ""
        webhook.target_uuid, webhook.target_name = (found.uuid, found.name) if found is not None else (None, "")
    wrong = row_errors(webhook) | wrong
    if wrong:
        raise Invalid(fields=wrong)


def _url_problem(url: str) -> str:
    """Why this is no address of a receiver; "" for none. A name is looked up and checked whenever something is sent."""
    if not url:
        return "Enter the address of the receiver."
    if not (url.isascii() and url.isprintable()):
        return "An address is made of plain letters, digits and signs. Paste it again."
    try:
        host = urlsplit(web_address(url)).hostname or ""
    except ValueError as error:
        return str(error)
    literal = "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host
    try:
        fine = is_allowed(literal, settings.WEBHOOK_ALLOWED_NETWORKS)
    except ValueError:
        return ""  # a name
    return (
        ""
        if fine
        else f"{host} is a private or reserved address, which is not called. An administrator can allow a network in WEBHOOK_ALLOWED_NETWORKS."
    )


def _host(webhook: Webhook) -> str:
    return urlsplit(webhook.url).hostname or ""
