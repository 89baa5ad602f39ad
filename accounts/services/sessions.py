"""What is open in a person's name: browser sessions and refresh tokens, listed and ended."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from redis.exceptions import RedisError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken

from accounts.models import BrowserSession, PersonalToken, User
from accounts.queries import ended_key, refresh_tokens_of
from audit.services import record

if TYPE_CHECKING:
    from uuid import UUID

MARK_SECONDS = 3600
USED_SECONDS = 60
DEVICE_LENGTH = 300


def note_use(session_key: str) -> None:
    """The session is in use; written down once a minute. Without Redis only with the session's own changes."""
    try:
        due = cache.add(f"session-used:{session_key}", 1, USED_SECONDS)
    except RedisError:
        return
    if due:
        BrowserSession.objects.filter(session_key=session_key).update(last_used_at=timezone.now())


def end_session(*, actor: User, uuid: UUID) -> bool:
    """End one of the person's own browser sessions; whether it was there."""
    with transaction.atomic():
        count, _ = BrowserSession.objects.filter(user=actor, uuid=uuid).delete()
        if count:
            record(actor=actor, action="session.ended", target=actor, session=str(uuid))
            note_ended(actor)
    return bool(count)


def end_other_sessions(*, actor: User, keep: str | None) -> int:
    """End all of the person's browser sessions but the one with this key; how many there were."""
    with transaction.atomic():
        count, _ = BrowserSession.objects.filter(user=actor).exclude(session_key=keep or "").delete()
        if count:
            record(actor=actor, action="session.others_ended", target=actor, count=count)
            note_ended(actor)
    return count


def end_token(*, actor: User, token_id: int) -> bool:
    """End one of the person's own refresh tokens, by its row; its last access token runs out by itself."""
    found = refresh_tokens_of(actor).filter(pk=token_id).first()
    if found is None:
        return False
    with transaction.atomic():
        BlacklistedToken.objects.get_or_create(token=found)
        record(actor=actor, action="session.token_ended", target=actor)
    return True


def end_everything(*, actor: User) -> None:
    """Sign the person out everywhere: browsers, and all that was got by signing in at the API. Personal tokens stay."""
    with transaction.atomic():
        end_all_of(actor)
        record(actor=actor, action="session.all_ended", target=actor)


def end_all_of(person: User, *, personal_tokens: bool = False) -> None:
    """Leave nothing open in the person's name; inside a transaction, beside what makes it necessary."""
    BrowserSession.objects.filter(user=person).delete()
    User.objects.filter(pk=person.pk).update(sign_in_epoch=F("sign_in_epoch") + 1)
    person.refresh_from_db(fields=["sign_in_epoch"])
    BlacklistedToken.objects.bulk_create(
        [BlacklistedToken(token=one) for one in refresh_tokens_of(person)], ignore_conflicts=True
    )
    if personal_tokens:
        PersonalToken.objects.filter(user=person).delete()
    note_ended(person)


def forget_old_sessions() -> int:
    """Forget sessions that have run out, strangers' too; how many there were."""
    count, _ = BrowserSession.objects.filter(expire_date__lt=timezone.now()).delete()
    return count


def note_ended(person: User) -> None:
    """Connections of the person that stay open look again at once, in every process; without Redis a little later."""
    transaction.on_commit(partial(_mark, person.pk))


def _mark(person_id: int) -> None:
    try:
        cache.set(ended_key(person_id), secrets.token_hex(8), MARK_SECONDS)
    except RedisError:
        return
