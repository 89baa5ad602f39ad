"""People: signing up, confirming the address, their profile."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import TYPE_CHECKING

from django.contrib.auth.hashers import make_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import Department, Membership, Role, User, plain_address
from accounts.services.factors import forget_factors
from accounts.services.mail import link, send
from accounts.services.rights import check_administrator
from accounts.services.sessions import end_all_of
from accounts.services.strength import check_password_strength
from audit.services import difference, record
from features.queries import check_on
from mindloom import wall
from mindloom.web.errors import Conflict, Invalid, NotAllowed

if TYPE_CHECKING:
    from uuid import UUID

CONFIRM_SALT = "accounts.confirm_email"
CONFIRM_SECONDS = 3 * 24 * 3600
SIGN_UP_ANSWER = "Look at your mail: it says how to go on."
"""What everybody is told who signs up, whether or not there is an account with the address."""
NAME_LENGTH = 120
DENSITIES = ("comfortable", "compact")
THEMES = ("system", "light", "dark")


def sign_up(*, email: str, password: str, name: str, department: Department) -> None:
    """Make an account that waits for the department's managers, and mail a link that confirms the address.

    An address that has an account gets a mail that says so; the caller is told nothing either way. Raises `Invalid`, and
    `NotAllowed` where sign-up is closed.
    """
    check_on("sign_up")
    address = check_address(email)
    person = User(email=address, name=check_name(name))
    check_password_strength(password, person)
    if department.archived_at is not None:
        raise Invalid(fields={"department": ["This department takes no new members. Choose another one."]})
    known = User.objects.by_address(address)
    if known is not None:
        make_password(password)  # takes as long as making an account
        send(known.email, "already_registered", sign_in=link(reverse("accounts:sign_in")), **_reset_link())
        return
    try:
        with transaction.atomic(), wall.tenant([department.pk]):
            user = User.objects.create_user(address, password, name=person.name)
            _ask(user, department)
            record(actor=user, action="person.signed_up", target=user, department_id=department.pk)
    except IntegrityError:
        return  # the same address a moment ago; that request mails
    _mail_confirmation(user)


def _reset_link() -> dict[str, str]:
    return {"reset": link(reverse("accounts:password_forgot"))}


def _ask(user: User, department: Department) -> Membership:
    return Membership.objects.create(user=user, department=department, role=Role.MEMBER)


def request_confirmation(*, actor: User) -> None:
    """Mail the link that confirms the person's address once more."""
    if actor.email_confirmed_at is not None:
        raise Conflict("Your address is confirmed already.")
    _mail_confirmation(actor)


def _mail_confirmation(user: User) -> None:
    token = signing.dumps([str(user.uuid), user.email], salt=CONFIRM_SALT)
    send(user.email, "confirm_email", confirm=link(reverse("accounts:confirm_email", args=[token])))


def read_confirmation(token: str) -> User | None:
    """Whose address a mailed link confirms; None for one that is wrong, too old or for a former address."""
    try:
        uuid, address = signing.loads(token, salt=CONFIRM_SALT, max_age=CONFIRM_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    return User.objects.filter(uuid=uuid, email=address, is_active=True).first()


def confirm_email(*, actor: User, token: str) -> list[Membership]:
    """Note that the person's address is theirs, and let them into the departments that their domain opens.

    The person must be signed in: an owner of a mailbox who follows a link that a stranger caused must not open the
    stranger's account. Returns the memberships that became active. Raises `Invalid` for a link that does not work.
    """
    if read_confirmation(token) != actor:
        raise Invalid("This link does not work any more. Ask for a new one.", code="link_invalid")
    return note_confirmed(actor)


def note_confirmed(user: User) -> list[Membership]:
    """The address has proved to be the person's; the memberships that its domain opened."""
    if user.email_confirmed_at is None:
        user.email_confirmed_at = timezone.now()
        user.save(update_fields=["email_confirmed_at"])
        record(actor=user, action="address.confirmed", target=user)
    with wall.system("a confirmed address opens the departments that trust its domain"):
        waiting = Membership.objects.of(user).pending().select_related("department")
        return [one for one in waiting if _admit(one)]


def claim_account(user: User) -> None:
    """Whoever made the account never showed that the address is theirs; its owner is here now, and nobody else gets in.

    Inside a transaction that holds the person's row.
    """
    user.set_unusable_password()
    user.save(update_fields=["password"])
    end_all_of(user, personal_tokens=True)
    forget_factors(user)
    record(actor=user, action="person.claimed", target=user, reason="the address was never confirmed")


def _admit(membership: Membership) -> bool:
    user, department = membership.user, membership.department
    if user.email_confirmed_at is None or user.email_domain not in department.email_domains:
        return False
    waiting = Membership.objects.filter(pk=membership.pk, status=Membership.Status.PENDING)
    if not waiting.update(status=Membership.Status.ACTIVE):
        return False
    membership.status = Membership.Status.ACTIVE
    record(actor=None, action="member.accepted", target=membership, reason="e-mail domain", domain=user.email_domain)
    return True


def ask_to_join(*, actor: User, department: Department) -> Membership:
    """Ask to be a member of one more department; at once when it trusts the domain of the confirmed address."""
    if department.archived_at is not None:
        raise Invalid(fields={"department": ["This department takes no new members. Choose another one."]})
    try:
        with transaction.atomic(), wall.tenant([department.pk]):
            membership = _ask(actor, department)
            record(actor=actor, action="member.asked", target=membership)
            _admit(membership)
    except IntegrityError:
        raise Conflict(f"You belong to {department} already, or wait for its managers.") from None
    return membership


def update_profile(
    *,
    actor: User,
    name: str | None = None,
    theme: str | None = None,
    time_zone: str | None = None,
    density: str | None = None,
    has_shortcuts: bool | None = None,
) -> User:
    """Change what is given. `time_zone` is an IANA name, as in Europe/Berlin. Raises `Invalid` with the fields."""
    changed: dict[str, str | bool] = {}
    if name is not None:
        changed["name"] = check_name(name)
    for field, wanted, known in (("theme", theme, THEMES), ("density", density, DENSITIES)):
        if wanted is not None:
            if wanted not in known:
                raise Invalid(fields={field: [f"Choose one of {', '.join(known)}."]})
            changed[field] = wanted
    if time_zone is not None:
        if time_zone not in time_zones():
            raise Invalid(fields={"time_zone": ["This is no known time zone. Write it as in Europe/Berlin."]})
        changed["time_zone"] = time_zone
    if has_shortcuts is not None:
        changed["has_shortcuts"] = has_shortcuts
    changed = {field: value for field, value in changed.items() if getattr(actor, field) != value}
    if changed:
        noted = difference({field: getattr(actor, field) for field in changed}, changed)
        for field, value in changed.items():
            setattr(actor, field, value)
        with transaction.atomic():
            actor.save(update_fields=list(changed))
            record(actor=actor, action="profile.updated", target=actor, **noted)
    return actor


@cache
def time_zones() -> tuple[str, ...]:
    """The names of time zones that a person can choose."""
    return tuple(sorted(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC"))


def deactivate_person(*, actor: User, person: User) -> User:
    """Keep a person out: sessions, tokens and open connections end at once. For administrators; never oneself."""
    check_administrator(actor)
    if person == actor:
        raise NotAllowed("You cannot deactivate yourself. Another administrator can.")
    return _set_active(actor, person, active=False)


def reactivate_person(*, actor: User, person: User) -> User:
    """Let a person in again. For administrators."""
    check_administrator(actor)
    if person.deleted_at is not None:
        raise Conflict("This account was deleted by its person and does not come back.")
    return _set_active(actor, person, active=True)


def promote_person(*, actor: User, person: User) -> User:
    """Make a person an administrator, who may act in every department. For administrators.

    Raises `Conflict` for somebody who cannot sign in, or never showed that the address is theirs.
    """
    check_administrator(actor)
    return _set_administrator(actor, person, on=True)


def demote_person(*, actor: User, person: User) -> User:
    """Take an administrator's rights away; what they are in departments stays. For administrators; never oneself."""
    check_administrator(actor)
    if person == actor:
        raise NotAllowed("You cannot take your own rights away. Another administrator can.")
    return _set_administrator(actor, person, on=False)


def _set_administrator(actor: User, person: User, *, on: bool) -> User:
    with transaction.atomic():
        locked = _locked(actor, person)
        if on and not locked.is_active:
            raise Conflict("Only who may sign in can be an administrator. Let them in again first.")
        if on and locked.email_confirmed_at is None:
            raise Conflict(
                "Only who has confirmed their address can be an administrator. A password link does that, too."
            )
        if locked.is_superuser != on:
            locked.is_superuser = locked.is_staff = on
            locked.save(update_fields=["is_superuser", "is_staff"])
            record(actor=actor, action=f"person.{'promoted' if on else 'demoted'}", target=locked)
    return locked


def _locked(actor: User, person: User) -> User:
    """The person's row, with those of all administrators: of two who act against each other at once, the second is none any more."""
    rows = User.objects.select_for_update().filter(Q(is_superuser=True, is_active=True) | Q(pk=person.pk))
    held = {one.pk: one for one in rows.order_by("pk")}
    if actor.pk not in held or not held[actor.pk].is_administrator:
        raise NotAllowed("Only administrators may do this.")
    return held[person.pk]


def _set_active(actor: User, person: User, *, active: bool) -> User:
    with transaction.atomic():
        _locked(actor, person)
        changed = User.objects.filter(pk=person.pk, is_active=not active).update(is_active=active)
        if changed:
            if not active:
                end_all_of(person, personal_tokens=True)
            record(actor=actor, action=f"person.{'reactivated' if active else 'deactivated'}", target=person)
    person.is_active = active
    return person


def check_address(email: str) -> str:
    """The address, trimmed. Raises `Invalid` for what is none."""
    address = email.strip()
    try:
        plain_address(address)
        validate_email(address)
    except ValidationError as error:
        raise Invalid(fields={"email": [str(error.messages[0])]}) from None
    if len(address) > 254:
        raise Invalid(fields={"email": ["This address is too long."]})
    return address


def check_name(name: str) -> str:
    """The name, trimmed. Raises `Invalid` for an empty one, a long one and one with control characters."""
    words = " ".join(name.split())
    if not words:
        raise Invalid(fields={"name": ["Write your name, as colleagues know you."]})
    if len(words) > NAME_LENGTH:
        raise Invalid(fields={"name": [f"Use at most {NAME_LENGTH} characters."]})
    if not words.isprintable():
        raise Invalid(fields={"name": ["Use letters, digits and signs only."]})
    return words


def department_by_uuid(uuid: UUID) -> Department:
    """A department that takes new members. Raises `Invalid`."""
    found = Department.objects.working().filter(uuid=uuid).first()
    if found is None:
        raise Invalid(fields={"department": ["There is no such department."]})
    return found
