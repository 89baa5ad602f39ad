"""Changing one's address: the new mailbox confirms, the old one is told."""

from __future__ import annotations

from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.services.mail import link, send
from accounts.services.people import check_address, note_confirmed
from accounts.services.tokens import password_stamp
from audit.services import record
from mindloom.web.errors import Conflict, Invalid

SALT = "accounts.change_address"
SECONDS = 24 * 3600
DEAD = "This link does not work any more. Ask for a new one on your profile."


def request_address(*, actor: User, email: str) -> None:
    """Mail a link to the new address that makes it the person's, and tell the old one. Whoever asked has given the password.

    The answer is the same for an address that has an account; its owner gets a mail that says so. Raises `Invalid`.
    """
    address = check_address(email)
    if address.lower() == actor.email.lower():
        raise Invalid(fields={"email": ["This is the address you have."]})
    record(actor=actor, action="address.change_asked", target=actor, to=address)
    send(actor.email, "address_change_asked", to=address, reset=link(reverse("accounts:password_forgot")))
    if User.objects.by_address(address) is not None:
        sign_in, reset = link(reverse("accounts:sign_in")), link(reverse("accounts:password_forgot"))
        send(address, "already_registered", sign_in=sign_in, reset=reset)
        return
    token = signing.dumps([str(actor.uuid), actor.email, address, password_stamp(actor)], salt=SALT)
    send(address, "change_address", confirm=link(reverse("accounts:address_confirm", args=[token])))


def read_address_change(token: str) -> tuple[User, str] | None:
    """Whose address a mailed link changes, and to what; None for one that is wrong, too old, or from before a change."""
    try:
        uuid, before, after, stamp = signing.loads(token, salt=SALT, max_age=SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    person = User.objects.filter(uuid=uuid, email=before, is_active=True).first()
    return (person, after) if person is not None and password_stamp(person) == stamp else None


def change_address(*, actor: User, token: str) -> User:
    """Make the confirmed address the person's, who must be signed in. Raises `Invalid`, and `Conflict` when it was taken."""
    found = read_address_change(token)
    if found is None or found[0] != actor:
        raise Invalid(DEAD, code="link_invalid")
    before, after = actor.email, found[1]
    try:
        with transaction.atomic():
            person = User.objects.select_for_update().get(pk=actor.pk)
            if person.email != before:
                raise Invalid(DEAD, code="link_invalid")
            person.email, person.email_confirmed_at = after, timezone.now()
            person.save(update_fields=["email", "email_confirmed_at"])
            record(actor=person, action="address.changed", target=person, before=before, after=after)
            note_confirmed(person)
    except IntegrityError:
        raise Conflict("Somebody else has this address by now.") from None
    send(before, "address_changed", to=after)
    return person
