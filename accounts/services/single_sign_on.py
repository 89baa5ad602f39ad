"""Who comes in by the organisation's own sign-in: known, linked by a verified address, or new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Department, ExternalIdentity, Membership, Role, User
from accounts.services.people import check_address, check_name, claim_account, note_confirmed
from audit.services import record
from features.queries import is_on
from mindloom import wall
from mindloom.web.errors import Conflict, Invalid, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_SUBJECT = 255


def person_of_provider(*, claims: Mapping[str, Any]) -> User:
    """The person that the provider's verified statement is about; an account is made, or linked, when there is none yet.

    An address counts only when the provider says that it verified it. Raises `NotAllowed` with what to do.
    """
    issuer, subject = str(claims["iss"]).rstrip("/"), str(claims["sub"])
    if not 0 < len(subject) <= LONGEST_SUBJECT or "\x00" in subject:
        raise NotAllowed("The provider does not say who you are. Tell an administrator.")
    known = ExternalIdentity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
    if known is None:
        try:
            with transaction.atomic():
                known = _link(issuer, subject, claims)
        except IntegrityError:
            raise Conflict("You are signing in elsewhere at this moment. Try again.") from None
    if not known.user.is_active:
        raise NotAllowed("Your account is deactivated. Ask an administrator.")
    ExternalIdentity.objects.filter(pk=known.pk).update(last_used_at=timezone.now())
    return known.user


def _link(issuer: str, subject: str, claims: Mapping[str, Any]) -> ExternalIdentity:
    person = _by_address(claims)
    made = ExternalIdentity.objects.create(user=person, issuer=issuer, subject=subject)
    record(actor=person, action="identity.linked", target=person, issuer=issuer)
    return made


def _by_address(claims: Mapping[str, Any]) -> User:
    if claims.get("email_verified") is not True:
        raise NotAllowed(
            "The provider has not verified your address, so it opens no account here. Verify it there first."
        )
    try:
        address = check_address(str(claims.get("email") or ""))
    except Invalid:
        raise NotAllowed("The provider says no address that can be used here. Tell an administrator.") from None
    found = User.objects.by_address(address)
    if found is None:
        return _new(address, claims)
    person = User.objects.select_for_update().get(pk=found.pk)
    if person.email_confirmed_at is None:
        claim_account(person)
    note_confirmed(person)
    return person


def _new(address: str, claims: Mapping[str, Any]) -> User:
    if not (settings.OIDC_SIGN_UP and is_on("sign_up")):
        raise NotAllowed("There is no account with your address. Ask an administrator to make one.")
    try:
        name = check_name(str(claims.get("name") or "")[:120])
    except Invalid:
        name = address.partition("@")[0]
    person = User.objects.create_user(address, None, name=name, email_confirmed_at=timezone.now())
    record(actor=person, action="person.signed_up", target=person, by="single sign-on")
    opened = Department.objects.working().filter(email_domains__contains=[person.email_domain])
    for department in opened:
        with wall.tenant([department.pk]):
            values = {"role": Role.MEMBER, "status": Membership.Status.ACTIVE}
            membership = Membership.objects.create(user=person, department=department, **values)
            record(actor=None, action="member.accepted", target=membership, reason="e-mail domain")
    return person
