"""Who belongs to a department, and as what."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse

from accounts.models import Membership, Role, User
from accounts.queries import may
from accounts.services.mail import link, send
from accounts.services.owning import hand_over, owned_by
from audit.services import record
from mindloom.web.errors import Conflict, NotAllowed, NotFound

LAST_MANAGER = "You are the last manager of {}. Make somebody else a manager first."


def accept_member(*, actor: User, membership: Membership, role: Role = Role.MEMBER) -> Membership:
    """Let a person who waits into the department. For its managers. Raises `Conflict` when they are in already."""
    with transaction.atomic():
        locked = _locked(actor, membership)
        if locked.user == actor:
            raise NotAllowed("Nobody accepts themselves. Ask another manager of the department.")
        if locked.status == Membership.Status.ACTIVE:
            raise Conflict(f"{locked.user.name} is a member already.", code="already_member")
        locked.status, locked.role = Membership.Status.ACTIVE, role
        locked.save(update_fields=["status", "role"])
        record(actor=actor, action="member.accepted", target=locked, role=role.value)
    send(locked.user.email, "member_accepted", department=locked.department.name, home=link(reverse("home")))
    return locked


def refuse_member(*, actor: User, membership: Membership) -> None:
    """Turn down a person who waits; they may ask again. For managers. Raises `Conflict` when they are in already."""
    with transaction.atomic():
        locked = _locked(actor, membership)
        if locked.status == Membership.Status.ACTIVE:
            raise Conflict(f"{locked.user.name} is a member already. Remove them instead.", code="already_member")
        record(actor=actor, action="member.refused", target=locked)
        locked.delete()
    send(locked.user.email, "member_refused", department=locked.department.name)


def set_role(*, actor: User, membership: Membership, role: Role) -> Membership:
    """Give a member another role, from their next request on. For managers.

    Nobody raises themselves, and the last manager stays one. Raises `NotAllowed` or `Conflict`.
    """
    with transaction.atomic():
        locked = _locked(actor, membership)
        before = Role(locked.role)
        if locked.status != Membership.Status.ACTIVE:
            raise Conflict(f"{locked.user.name} is not a member yet. Accept them first.", code="not_member")
        if locked.user == actor and role.rank > before.rank:
            raise NotAllowed("Nobody raises their own role. Ask another manager of the department.")
        if role == before:
            return locked
        _keep_a_manager(actor, locked)
        locked.role = role
        locked.save(update_fields=["role"])
        record(actor=actor, action="member.role_changed", target=locked, before=before.value, after=role.value)
    return locked


def remove_member(*, actor: User, membership: Membership, to: User | None = None) -> dict[str, int]:
    """End a membership, from the person's next request on. What they own there becomes the actor's, or another manager's or `to`'s.

    For managers. Returns how much was handed over, by word. Raises `Invalid` about `to` when they cannot look after it.
    """
    with transaction.atomic():
        locked = _locked(actor, membership)
        _keep_a_manager(actor, locked)
        moved: dict[str, int] = {}
        if owned_by(locked.user, [locked.department_id]):
            heir = to or (actor if actor != locked.user else _another_manager(locked))
            moved = hand_over(actor=actor, person=locked.user, to=heir, department_id=locked.department_id)
        record(actor=actor, action="member.removed", target=locked, role=locked.role, handed_over=moved)
        locked.delete()
    return moved


def _another_manager(membership: Membership) -> User:
    """Who takes over what somebody owns who leaves by themselves."""
    others = Membership.objects.in_departments([membership.department_id]).active().exclude(pk=membership.pk)
    found = others.filter(role=Role.MANAGER).select_related("user").order_by("pk").first()
    if found is None:
        raise Conflict(f"Nobody else in {membership.department} can look after what you own there.", code="no_heir")
    return found.user


def _locked(actor: User, membership: Membership) -> Membership:
    """The row as it is now, for us alone; managers of the department only."""
    if not may(actor, Role.MANAGER, membership.department_id):
        raise NotAllowed("Only managers of the department may do this.")
    # All managers' rows too, always in the same order, so that two managers cannot step down at the same moment.
    rows = Membership.objects.select_for_update(of=("self",)).filter(department_id=membership.department_id)
    rows = rows.select_related("user", "department").order_by("pk")
    found = {row.pk: row for row in rows.filter(role=Role.MANAGER)} | {
        row.pk: row for row in rows.filter(pk=membership.pk)
    }
    # Of two managers who remove each other at the same moment, the second one is none any more.
    if not actor.is_administrator and not any(
        row.user_id == actor.pk and row.is_active and row.role == Role.MANAGER for row in found.values()
    ):
        raise NotAllowed("Only managers of the department may do this.")
    if membership.pk not in found:
        raise NotFound("This person is no longer in the list. Reload the page.")
    return found[membership.pk]


def _keep_a_manager(actor: User, membership: Membership) -> None:
    """A manager who is the last one cannot step down; administrators may leave a department to themselves."""
    if membership.user != actor or membership.role != Role.MANAGER:
        return
    others = Membership.objects.in_departments([membership.department_id]).active().exclude(pk=membership.pk)
    if not others.filter(role=Role.MANAGER).exists():
        raise Conflict(LAST_MANAGER.format(membership.department), code="last_manager")
