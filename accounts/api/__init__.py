"""The API of accounts."""

from __future__ import annotations

from accounts.api.departments import (
    administrator,
    archive,
    deactivate,
    department,
    invitation,
    invitations,
    member,
    members,
    people,
    reactivate,
    restore,
)
from accounts.api.doors import departments, login, logout, me, password_forgot, password_reset, refresh, register
from accounts.api.own import session, sessions, sessions_end, token, tokens

__all__ = [
    "administrator",
    "archive",
    "deactivate",
    "department",
    "departments",
    "invitation",
    "invitations",
    "login",
    "logout",
    "me",
    "member",
    "members",
    "password_forgot",
    "password_reset",
    "people",
    "reactivate",
    "refresh",
    "register",
    "restore",
    "session",
    "sessions",
    "sessions_end",
    "token",
    "tokens",
]
