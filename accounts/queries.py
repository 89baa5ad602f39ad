"""What a person may do where. Memberships are read once a request and kept on the person."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch
from django.db.models.functions import Lower
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import BrowserSession, Department, Invitation, Membership, PersonalToken, PersonPicture, Role, User
from mindloom import wall
from mindloom.web.errors import Invalid, NotAllowed

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from accounts.models import DepartmentQuerySet, InvitationQuerySet, MembershipQuerySet

Person = User | AnonymousUser


def roles_of(user: Person) -> dict[int, Role]:
    """The person's role by department id; empty for strangers and for people who may not sign in.

    Administrators are managers of every department that still works.
    """
    if not isinstance(user, User) or not user.is_active:
        return {}
    known: dict[int, Role] | None = getattr(user, "_roles", None)
    if known is None:
        known = _read_roles(user)
        user._roles = known  # type: ignore[attr-defined]  # noqa: SLF001 -- a cache that lives as long as the request's user object
    return known


def _read_roles(user: User) -> dict[int, Role]:
    if user.is_administrator:
        departments = Department.objects.filter(archived_at=None).values_list("id", flat=True)
        return dict.fromkeys(departments, Role.MANAGER)
    return {department: Role(role) for department, role, _ in _own_rows(user)}


def _own_rows(user: User) -> list[tuple[int, str, str]]:
    """Department, role, and from which role on the department asks for a second factor."""
    known: list[tuple[int, str, str]] | None = getattr(user, "_own_rows", None)
    if known is None:
        with wall.system("a person's own memberships decide their scope"):
            rows = Membership.objects.of(user).active()
            known = list(rows.values_list("department_id", "role", "department__second_factor_from"))
        user._own_rows = known  # type: ignore[attr-defined]  # noqa: SLF001 -- as above
    return known


def must_have_second_factor(user: User) -> bool:
    """Whether the installation, or a department of the person, asks them for more than a password."""
    asked = settings.SECOND_FACTOR_REQUIRED
    if asked == "everyone" or (asked == "administrators" and user.is_administrator):
        return True
    return any(rule and Role(role).includes(Role(rule)) for _, role, rule in _own_rows(user))


def lacks_second_factor(user: Person) -> bool:
    """Whether the person must set up a second factor before anything else."""
    if not isinstance(user, User) or user.second_factor_at is not None:
        return False
    # Who can come in by the organisation's sign-in only has met its second factor, where that is trusted to ask for one.
    trusted = settings.OIDC_TRUST_SECOND_FACTOR and not user.has_usable_password()
    return must_have_second_factor(user) and not trusted


def departments_where(user: Person, role: Role) -> list[int]:
    """Ids of the departments in which the person is at least `role`."""
    return [department for department, held in roles_of(user).items() if held.includes(role)]


def may(user: Person, role: Role, department_id: int) -> bool:
    """Whether the person is at least `role` in the department."""
    held = roles_of(user).get(department_id)
    return held is not None and held.includes(role)


def departments_of(user: Person) -> DepartmentQuerySet:
    """The departments the person may work in, by name."""
    return Department.objects.filter(id__in=roles_of(user)).by_name()


def departments_editable_by(user: Person) -> DepartmentQuerySet:
    """The departments the person may rename or archive, archived ones included: all for administrators, else none."""
    allowed = isinstance(user, User) and user.is_administrator
    return Department.objects.by_name() if allowed else Department.objects.none()


def picture_of(viewer: User, uuid: UUID) -> PersonPicture | None:
    """A person's picture, for themselves and for whoever shares a department with them."""
    found = PersonPicture.objects.select_related("user").filter(user__uuid=uuid).first()
    if found is None or found.user == viewer or viewer.is_administrator:
        return found
    with wall.tenant(roles_of(viewer)):
        return found if colleagues_of(viewer).filter(pk=found.user_id).exists() else None


def browser_sessions_of(user: User) -> QuerySet[BrowserSession]:
    """The person's browsers that are signed in, the one used last first."""
    return BrowserSession.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-last_used_at")


def refresh_tokens_of(user: User) -> QuerySet[Any]:
    """The person's refresh tokens that still get new ones, newest first."""
    rows: QuerySet[Any] = OutstandingToken.objects.filter(user=user, expires_at__gt=timezone.now())
    return rows.filter(blacklistedtoken=None).order_by("-id")


def personal_tokens_of(user: User) -> QuerySet[PersonalToken]:
    """The person's own tokens, newest first; those that ran out are kept for a while, to be recognised."""
    return PersonalToken.objects.filter(user=user).order_by("-id")


def ended_key(person_id: int) -> str:
    """Where Redis keeps a mark that changes when something that was open in the person's name was ended."""
    return f"ended:{person_id}"


def joinable_departments() -> DepartmentQuerySet:
    """The departments that a person who signs up can choose, by name."""
    return Department.objects.working().by_name()


def members_editable_by(user: Person) -> MembershipQuerySet:
    """Memberships, pending ones included, that the person may accept, change or end."""
    managed = departments_where(user, Role.MANAGER)
    return Membership.objects.in_departments(managed).filter(user__is_active=True).select_related("user", "department")


def invitations_editable_by(user: Person) -> InvitationQuerySet:
    """Invitations that the person may take back: to the departments that they manage."""
    return Invitation.objects.in_departments(departments_where(user, Role.MANAGER)).select_related("department")


def everybody(user: Person) -> QuerySet[User]:
    """All people of the installation by address, with where they `belongs`, for administrators; nobody for all others."""
    if not isinstance(user, User) or not user.is_administrator:
        return User.objects.none()
    memberships = Membership.objects.filter(department__archived_at=None).select_related("department")
    belongs = Prefetch("memberships", memberships.order_by("department__name"), to_attr="belongs")
    return User.objects.order_by(Lower("email")).prefetch_related(belongs)


def colleagues_of(user: Person) -> QuerySet[User]:
    """Who belongs to a department of the person, they themselves included, by name."""
    members = Membership.objects.active().in_departments(roles_of(user))
    return User.objects.filter(memberships__in=members).distinct().order_by("name", "email")


def memberships_of(user: Person) -> list[Membership]:
    """The person's own memberships, pending ones included, of departments that still work; by department."""
    if not isinstance(user, User) or not user.is_active:
        return []
    with wall.system("a person sees where they belong, in every department"):
        found = Membership.objects.of(user).filter(department__archived_at=None)
        return list(found.select_related("department").order_by("department__name"))


def pending_of(user: Person) -> list[Membership]:
    """The person's memberships that no manager has accepted yet, by department."""
    return [one for one in memberships_of(user) if one.status == Membership.Status.PENDING]


def has_administrator() -> bool:
    """Whether somebody can sign in and act as an administrator."""
    administrators = User.objects.filter(is_superuser=True, is_active=True)
    return administrators.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()


def lock_seconds(address: str, ip_address: str | None) -> int:
    """For how many more seconds sign-ins of this address from there are refused, at least 1."""
    attempts = AccessAttempt.objects.filter(username=address, ip_address=ip_address)
    latest = attempts.order_by("-attempt_time").values_list("attempt_time", flat=True).first()
    pause: timedelta = settings.AXES_COOLOFF_TIME
    left = pause if latest is None else latest + pause - timezone.now()
    return max(1, min(int(left.total_seconds()) + 1, int(pause.total_seconds())))


def department_named(user: Person, wanted: UUID) -> int:
    """The id of this department of the person. Raises `Invalid` when it is not theirs."""
    found = Department.objects.filter(pk__in=list(roles_of(user)), uuid=wanted).first()
    if found is None:
        raise Invalid(
            "There is no such department, or not for you.", fields={"department": ["Choose one of your departments."]}
        )
    return found.pk


def member_department(user: Person, wanted: UUID | None, *, things: str) -> int:
    """The id of the department that was named, or of the first, by name, where the person is a member and may make `things`.

    Raises `Invalid` for a department that is not theirs, `NotAllowed` when they are a member of none.
    """
    if wanted is None:
        found = Department.objects.filter(pk__in=departments_where(user, Role.MEMBER)).order_by("name").first()
        if found is None:
            raise NotAllowed(
                f"You are not a member of a department, so you cannot make {things}. Ask a manager to accept you."
            )
        return found.pk
    return department_named(user, wanted)
