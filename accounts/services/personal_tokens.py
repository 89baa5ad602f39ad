"""Personal tokens: made by a person for a script, with less than the person may."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.models import PersonalToken, Scope, User
from accounts.services.sessions import note_ended
from audit.services import record
from mindloom.web.errors import Conflict, Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

PREFIX = "mlt_"
MOST_TOKENS = 50
NAME_LENGTH = 80
LONGEST_DAYS = 366
_SECRET_BYTES = 32
_USED = timedelta(minutes=1)


def digest_of(text: str) -> str:
    """What is kept of a token. So much chance needs no slow digest: there is nothing to guess from."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def make_token(*, actor: User, name: str, scopes: Sequence[str], days: int) -> tuple[PersonalToken, str]:
    """A token and its text, which is never shown again. Every token may read; raises `Invalid` with the fields."""
    words = " ".join(name.split())
    if not words or len(words) > NAME_LENGTH or not words.isprintable():
        raise Invalid(fields={"name": [f"Give it a name of at most {NAME_LENGTH} letters, digits and signs."]})
    unknown = set(scopes) - set(Scope.values)
    if unknown:
        raise Invalid(fields={"scopes": [f"Choose among {', '.join(Scope.values)}."]})
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid(fields={"days": [f"A token lives from 1 to {LONGEST_DAYS} days."]})
    text = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    wanted = [scope for scope in Scope.values if scope == Scope.READ or scope in scopes]
    with transaction.atomic():
        User.objects.select_for_update().get(pk=actor.pk)
        if PersonalToken.objects.filter(user=actor).count() >= MOST_TOKENS:
            raise Conflict(f"You have {MOST_TOKENS} tokens. Revoke one that is not needed any more.")
        made = PersonalToken.objects.create(
            user=actor,
            name=words,
            digest=digest_of(text),
            hint=text[-4:],
            scopes=wanted,
            expires_at=timezone.now() + timedelta(days=days),
        )
        record(actor=actor, action="token.made", target=made, scopes=wanted, days=days)
    return made, text


def revoke_token(*, actor: User, uuid: UUID) -> bool:
    """End one of the person's own tokens at once; whether it was there."""
    with transaction.atomic():
        found = PersonalToken.objects.filter(user=actor, uuid=uuid).first()
        if found is None:
            return False
        record(actor=actor, action="token.revoked", target=found)
        found.delete()
        note_ended(actor)
    return True


def token_with(digest: str) -> PersonalToken | None:
    """The token that works and has this digest, with its person; the use is noted once a minute."""
    found = PersonalToken.objects.working().select_related("user").filter(digest=digest).first()
    now = timezone.now()
    if found is not None and (found.last_used_at is None or found.last_used_at < now - _USED):
        PersonalToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def forget_old_personal_tokens() -> int:
    """Forget tokens that ran out a month ago; how many there were."""
    count, _ = PersonalToken.objects.filter(expires_at__lt=timezone.now() - timedelta(days=30)).delete()
    return count
