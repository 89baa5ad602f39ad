"""People, departments and who belongs where; how people prove who they are."""

from __future__ import annotations

from accounts.models.factors import AuthenticatorApp, Passkey, RecoveryCode
from accounts.models.identities import ExternalIdentity
from accounts.models.invitations import Invitation, InvitationQuerySet
from accounts.models.people import (
    EXECUTORS,
    LEAST_POD_CPU,
    LEAST_POD_MEMORY_MB,
    MOST_MEGABYTES,
    MOST_POD_CPU,
    MOST_POD_MEMORY_MB,
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
from accounts.models.pictures import PersonPicture
from accounts.models.sessions import BrowserSession, PersonalToken, Scope

__all__ = [
    "EXECUTORS",
    "LEAST_POD_CPU",
    "LEAST_POD_MEMORY_MB",
    "MOST_MEGABYTES",
    "MOST_POD_CPU",
    "MOST_POD_MEMORY_MB",
    "MOST_RUNNING",
    "AuthenticatorApp",
    "BrowserSession",
    "Department",
    "DepartmentQuerySet",
    "ExternalIdentity",
    "Invitation",
    "InvitationQuerySet",
    "Membership",
    "MembershipQuerySet",
    "Passkey",
    "PersonPicture",
    "PersonalToken",
    "RecoveryCode",
    "RememberedAnswer",
    "Role",
    "Scope",
    "User",
    "UserManager",
    "plain_address",
]
