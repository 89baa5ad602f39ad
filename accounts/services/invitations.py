"""Inviting people by mail. Whoever has the link has the mailbox, so the address counts as confirmed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from accounts.models import Department, Invitation, Membership, Role, User
from accounts.queries import may
from accounts.services.mail import link, send
from accounts.services.people import check_address, check_name, note_confirmed
from accounts.services.strength import check_password_strength
from audit.services import record
from mindloom import wall
from mindloom.web.errors import Conflict, Invalid, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Sequence

SALT = "accounts.invitation"
LASTS = timedelta(days=7)
MOST_AT_ONCE = 500
DEAD = "This invitation does not work any more. Ask whoever invited you for a new one."


@dataclass(frozen=True)
class Wanted:
    """Somebody to be invited."""

    email: str
    name: str = ""
    role: Role = Role.MEMBER


@dataclass
class Invited:
    """What became of each address."""

    sent: list[Invitation] = field(default_factory=list)
    passed: dict[str, str] = field(default_factory=dict)
    """Why an address was passed over, by address."""


def invite(*, actor: User, department: Department, people: Sequence[Wanted]) -> Invited:
    """Mail each of them a link. Who was invited before gets a new one, and members are passed over.

    For the department's managers. Raises `Invalid` when there are none or too many; a wrong address holds up no other.
    """
    if not may(actor, Role.MANAGER, department.pk):
        raise NotAllowed("Only managers of the department invite people to it.")
    if not 0 < len(people) <= MOST_AT_ONCE:
        raise Invalid(fields={"people": [f"Invite 1 to {MOST_AT_ONCE} people at once."]})
    done = Invited()
    with wall.tenant([department.pk]):
        members = Membership.objects.in_departments([department.pk]).active().annotate(lowered=Lower("user__email"))
        inside = set(members.values_list("lowered", flat=True))
        for wanted in {one.email.strip().lower(): one for one in people}.values():
            try:
                address = check_address(wanted.email)
                name = check_name(wanted.name) if wanted.name.strip() else ""
            except Invalid as error:
                done.passed[wanted.email.strip()[:254]] = " ".join(error.fields.popitem()[1])
                continue
            if address.lower() in inside:
                done.passed[address] = "is a member already."
            else:
                done.sent.append(_invite(actor, department, address, name, wanted.role))
    return done


def _invite(actor: User, department: Department, address: str, name: str, role: Role) -> Invitation:
    with transaction.atomic():
        lowered = Invitation.objects.annotate(lowered=Lower("email")).filter(department=department)
        lowered.filter(lowered=address.lower()).delete()
        made = Invitation.objects.create(
            department=department,
            email=address,
            name=name,
            role=role,
            invited_by=actor,
            expires_at=timezone.now() + LASTS,
        )
        record(actor=actor, action="person.invited", target=made, role=role.value)

        def post() -> None:
            send(
                address,
                "invitation",
                department=department.name,
                by=actor.name or actor.email,
                accept=link(reverse("accounts:invitation", args=[invitation_token(made)])),
                days=LASTS.days,
            )

        transaction.on_commit(post)
    return made


def withdraw_invitation(*, actor: User, invitation: Invitation) -> None:
    """Make the link dead. For the department's managers."""
    if not may(actor, Role.MANAGER, invitation.department_id):
        raise NotAllowed("Only managers of the department take invitations back.")
    with transaction.atomic():
        record(actor=actor, action="invitation.revoked", target=invitation)
        Invitation.objects.filter(pk=invitation.pk).delete()


def invitation_token(invitation: Invitation) -> str:
    """What the mailed link carries."""
    return signing.dumps(str(invitation.uuid), salt=SALT)


def read_invitation(token: str) -> Invitation | None:
    """The invitation whose link this is; None for one that is wrong, too old, taken back or used, or of somebody who may not invite any more."""
    try:
        uuid = signing.loads(token, salt=SALT, max_age=LASTS)
    except (signing.BadSignature, ValueError):
        return None
    with wall.system("an invitation's link leads into its department"):
        found = Invitation.objects.open().select_related("department", "invited_by").filter(uuid=uuid).first()
    if found is None or not may(found.invited_by, Role.MANAGER, found.department_id):
        return None
    return found


def accept_invitation(*, actor: User, token: str) -> Membership:
    """Become a member, with the address that was invited. Raises `Conflict` for a dead link, `NotAllowed` for another address."""
    invitation = _usable(token)
    if actor.email.lower() != invitation.email.lower():
        raise NotAllowed(
            f"This invitation is for {invitation.email}, and you are signed in as {actor.email}. Sign out, then follow it again."
        )
    return _join(actor, invitation)


def sign_up_invited(*, token: str, name: str, password: str) -> User:
    """Make the account of somebody who was invited and has none. Raises `Invalid`, and `Conflict` for a dead link."""
    invitation = _usable(token)
    person = User(email=invitation.email, name=check_name(name))
    check_password_strength(password, person)
    try:
        with transaction.atomic(), wall.tenant([invitation.department_id]):
            user = User.objects.create_user(invitation.email, password, name=person.name)
            record(actor=user, action="person.signed_up", target=user, department_id=invitation.department_id)
            _join(user, invitation)
    except IntegrityError:
        raise Conflict("There is an account with this address already. Sign in, then follow the link again.") from None
    note_confirmed(user)
    return user


def _usable(token: str) -> Invitation:
    found = read_invitation(token)
    if found is None:
        raise Conflict(DEAD, code="invitation_dead")
    return found


def _join(user: User, invitation: Invitation) -> Membership:
    """The membership, new or let in, never with less than it had."""
    department = invitation.department
    with transaction.atomic(), wall.tenant([department.pk]):
        if not Invitation.objects.select_for_update(of=("self",)).filter(pk=invitation.pk).exists():
            raise Conflict(DEAD, code="invitation_dead")
        membership, _ = Membership.objects.select_for_update(of=("self",)).get_or_create(
            user=user, department=department, defaults={"role": invitation.role, "status": Membership.Status.ACTIVE}
        )
        if not membership.is_active:
            membership.role, membership.status = Role(invitation.role), Membership.Status.ACTIVE
            membership.save(update_fields=["role", "status"])
        record(
            actor=user,
            action="invitation.accepted",
            target=membership,
            role=membership.role,
            invited_by=invitation.invited_by.email,
        )
        Invitation.objects.filter(pk=invitation.pk).delete()
    if user.email_confirmed_at is None:
        note_confirmed(user)
    return membership


def forget_old_invitations() -> int:
    """Remove those whose links have been dead for a month; how many."""
    with wall.system("scheduler: old invitations of all departments"):
        return Invitation.objects.filter(expires_at__lt=timezone.now() - timedelta(days=30)).delete()[0]
