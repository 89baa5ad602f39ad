"""Passkeys: the library speaks WebAuthn, this wraps what it needs kept."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from redis.exceptions import RedisError

from accounts.models import Passkey, User
from accounts.services.factors import note_factor, note_loss
from audit.services import record
from mindloom.web.errors import Conflict, Invalid

if TYPE_CHECKING:
    from uuid import UUID

MOST_PASSKEYS = 20
NAME_LENGTH = 80
LONGEST_ANSWER = 20_000
CHALLENGE_SECONDS = 600
REFUSED = "This passkey was not accepted. Try again, or sign in with your password."
_BROKEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError, RecursionError)
"""What a made-up answer makes the library raise while it reads it."""


@dataclass(frozen=True)
class Site:
    """Where the browser is: passkeys belong to the name of a site, and sign for its origin."""

    origin: str

    @property
    def name(self) -> str:
        """The host's name."""
        return urlsplit(self.origin).hostname or ""

    @property
    def can_have_passkeys(self) -> bool:
        """Whether browsers make passkeys here: at a name, not at a bare address, and over HTTPS but for this machine."""
        try:
            ipaddress.ip_address(self.name)
        except ValueError:
            return self.origin.startswith("https://") or self.name == "localhost"
        return False

    def server(self) -> Fido2Server:
        """The library's other side of browsers that are here."""
        entity = PublicKeyCredentialRpEntity(name="Mindloom", id=self.name)
        return Fido2Server(entity, verify_origin=lambda origin: origin == self.origin)


def begin_passkey(*, actor: User, site: Site) -> tuple[dict[str, Any], Any]:
    """What a browser is told to make a passkey with, and what must be kept until it answers."""
    if not site.can_have_passkeys:
        raise Conflict("Passkeys need Mindloom to be opened by a name and over HTTPS.")
    known = [AttestedCredentialData(bytes(one.credential)) for one in actor.passkeys.all()]  # type: ignore[attr-defined]
    if len(known) >= MOST_PASSKEYS:
        raise Conflict(f"You have {MOST_PASSKEYS} passkeys. Remove one first.")
    person = PublicKeyCredentialUserEntity(name=actor.email, id=actor.uuid.bytes, display_name=actor.name)
    options, state = site.server().register_begin(
        person,
        known,
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options), state


def add_passkey(*, actor: User, site: Site, state: Any, answer: str, name: str) -> list[str]:
    """Keep the passkey that a browser made. Recovery codes, if it is the person's first factor. Raises `Invalid`."""
    words = " ".join(name.split())[:NAME_LENGTH]
    if not words or not words.isprintable():
        raise Invalid(fields={"name": ["Give it a name by which you know it again, in letters and digits."]})
    _use_up(state)
    try:
        made = site.server().register_complete(state, _read(answer))
        credential = made.credential_data
        assert credential is not None
    except _BROKEN:
        raise Invalid("This browser's answer was not accepted. Begin again.", code="passkey_refused") from None
    try:
        with transaction.atomic():
            person = User.objects.select_for_update().get(pk=actor.pk)
            kept = Passkey.objects.create(
                user=actor,
                name=words,
                credential_id=credential.credential_id,
                credential=bytes(credential),
                sign_count=made.counter,
            )
            record(actor=actor, action="second_factor.passkey_added", target=kept)
            return note_factor(person, actor)
    except IntegrityError:
        raise Conflict("This passkey is known already.") from None


def remove_passkey(*, actor: User, uuid: UUID) -> None:
    """Forget a passkey. Whoever asked has just given the password."""
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=actor.pk)
        found = Passkey.objects.filter(user=actor, uuid=uuid).first()
        if found is not None:
            record(actor=actor, action="second_factor.passkey_removed", target=found)
            found.delete()
            note_loss(person, actor)


def ask_for_passkey(site: Site) -> tuple[dict[str, Any], Any]:
    """What a browser is told to prove a passkey with, whosever it is, and what must be kept until it answers."""
    options, state = site.server().authenticate_begin(user_verification=UserVerificationRequirement.REQUIRED)
    return dict(options), state


def person_of_passkey(*, site: Site, state: Any, answer: str) -> User:
    """Who proved to hold a passkey, which is both factors in one. Raises `Invalid` (`passkey_refused`)."""
    refused = Invalid(REFUSED, code="passkey_refused")
    _use_up(state)
    try:
        given = AuthenticationResponse.from_dict(_read(answer))
        passkey = Passkey.objects.select_related("user").filter(credential_id=given.raw_id).first()
        if passkey is None or not passkey.user.is_active:
            raise refused
        site.server().authenticate_complete(state, [AttestedCredentialData(bytes(passkey.credential))], given)
        count = given.response.authenticator_data.counter
    except _BROKEN:
        raise refused from None
    # Devices that count make a copy known: it says a number that was said before.
    newer = Passkey.objects.filter(pk=passkey.pk, **({"sign_count__lt": count} if count or passkey.sign_count else {}))
    if not newer.update(sign_count=count, last_used_at=timezone.now()):
        record(actor=passkey.user, action="second_factor.passkey_refused", target=passkey, reason="an old count")
        raise refused
    return passkey.user


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError
    read = json.loads(answer)
    if not isinstance(read, dict):
        raise TypeError
    return read


def _use_up(state: Any) -> None:
    """A challenge is answered once. Without Redis its session still forgets it."""
    if not isinstance(state, dict) or "challenge" not in state:
        raise Invalid("This took too long, or was answered already. Begin again.", code="passkey_refused")
    try:
        fresh = cache.add(f"passkey-challenge:{state['challenge']}", 1, CHALLENGE_SECONDS)
    except RedisError:
        fresh = True
    if not fresh:
        raise Invalid("This was answered already. Begin again.", code="passkey_refused")
