"""What a person may do where. Memberships are read once a request and kept on the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser

from accounts.models import Department, Membership, Role, User
from mindloom import wall

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    with wall.system("a person's own memberships decide their scope"):
        rows = Membership.objects.of(user).active().values_list("department_id", "role")
        return {department: Role(role) for department, role in rows}


def departments_where(user: Person, role: Role) -> list[int]:
    """Ids of the departments in which the person is at least `role`."""
    return [department for department, held in roles_of(user).items() if held.includes(role)]


def may(user: Person, role: Role, department_id: int) -> bool:
    """Whether the person is at least `role` in the department."""
    held = roles_of(user).get(department_id)
    return held is not None and held.includes(role)


def departments_of(user: Person) -> Iterable[Department]:
    """The departments the person may work in, by name."""
    return Department.objects.filter(id__in=roles_of(user)).order_by("name")
