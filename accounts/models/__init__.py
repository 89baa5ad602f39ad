"""People, departments and who belongs where; how people prove who they are."""

from __future__ import annotations

from accounts.models.invitations import Invitation, InvitationQuerySet
from accounts.models.people import (
    MOST_MEGABYTES,
    MOST_RUNNING,
    Department,
    DepartmentQuerySet,
    Membership,
    MembershipQuerySet,
    RememberedAnswer,
    Role,
    User,
    UserManager,
    plain_address,
)

__all__ = [
    "MOST_MEGABYTES",
    "MOST_RUNNING",
    "Department",
    "DepartmentQuerySet",
    "Invitation",
    "InvitationQuerySet",
    "Membership",
    "MembershipQuerySet",
    "RememberedAnswer",
    "Role",
    "User",
    "UserManager",
    "plain_address",
]
