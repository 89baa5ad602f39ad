"""Passwords: changing one, and setting one by a mailed link."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from axes.utils import reset as forget_failures
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from accounts.services.mail import link, send
from accounts.services.people import claim_account, note_confirmed
from accounts.services.rights import check_administrator
from accounts.services.sessions import end_all_of
from accounts.services.strength import LONGEST_PASSWORD, check_password_strength
from audit.services import record
from mindloom.web.errors import Invalid


@dataclass(frozen=True)
class Claimed:
    """An address that somebody typed; whether it is theirs is not known."""

    email: str
    pk: None = None


def request_password_reset(*, email: str) -> None:
    """Mail a link to the person with this address, if there is one; the caller is told nothing either way."""
    record(actor=Claimed(email.strip()), action="password.reset_requested")
    user = User.objects.by_address(email)
    if user is not None and user.is_active:
        _mail_reset(user)


def start_password_reset(*, actor: User, person: User) -> None:
    """Mail a person the link with which they set a new password. For administrators."""
    check_administrator(actor)
    record(actor=actor, action="password.reset_requested", target=person)
    _mail_reset(person)


def _mail_reset(user: User) -> None:
    token = default_token_generator.make_token(user)
    path = reverse("accounts:password_reset", args=[user.uuid.hex, token])
    send(user.email, "password_reset", reset=link(path))


def read_reset_link(uid: str, token: str) -> User | None:
    """Whose password a mailed link sets; None for one that is wrong, used or too old."""
    try:
        user = User.objects.filter(uuid=UUID(uid), is_active=True).first()
    except ValueError:
        return None
    return user if user is not None and default_token_generator.check_token(user, token) else None


def reset_password(*, uid: str, token: str, password: str) -> User:
    """Set a new password by a mailed link, which works once. Sessions and tokens end; the address counts as confirmed.

    When it was not, a stranger may have made the account: passkeys, other factors and personal tokens are gone, too.
    Raises `Invalid` (`reset_link_invalid`) for a link that does not work, or with what is wrong about the password.
    """
    user = read_reset_link(uid, token)
    if user is None:
        raise Invalid("This link does not work any more. Ask for a new one.", code="reset_link_invalid")
    check_password_strength(password, user)
    with transaction.atomic():
        # The row's lock makes of two uses at once a first and a refused second.
        locked = User.objects.select_for_update().get(pk=user.pk)
        if not default_token_generator.check_token(locked, token):
            raise Invalid("This link does not work any more. Ask for a new one.", code="reset_link_invalid")
        if locked.email_confirmed_at is None:
            claim_account(locked)
        locked.set_password(password)
        locked.save(update_fields=["password"])
        end_all_of(locked)
        record(actor=locked, action="password.reset", target=locked)
        note_confirmed(locked)
        forget_failures(username=locked.email.lower())
    send(locked.email, "password_changed", reset=link(reverse("accounts:password_forgot")))
    return locked


def change_password(*, actor: User, current: str, new: str) -> User:
    """Give the person a new password. Other sessions and all tokens end; the caller keeps the session under way.

    Raises `Invalid` with the field at fault: `current` or `new`.
    """
    if len(current) > LONGEST_PASSWORD or not actor.check_password(current):
        raise Invalid(fields={"current": ["This is not your password."]})
    if new == current:
        raise Invalid(fields={"new": ["This is the password you have. Choose another one."]})
    check_password_strength(new, actor, field="new")
    with transaction.atomic():
        actor.set_password(new)
        actor.save(update_fields=["password"])
        end_all_of(actor)
        record(actor=actor, action="password.changed", target=actor)
    send(actor.email, "password_changed", reset=link(reverse("accounts:password_forgot")))
    return actor
