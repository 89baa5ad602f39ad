"""Pages of accounts."""

from __future__ import annotations

from accounts.views.departments import (
    department_archive,
    department_create,
    department_edit,
    department_restore,
    departments,
    switch_department,
)
from accounts.views.doors import confirm_email, locked_out, setup, sign_in, sign_out, sign_up, sign_up_sent
from accounts.views.invitations import import_people, invitation, invite, invite_again, withdraw
from accounts.views.many import everyone, everyone_many, people_many
from accounts.views.passwords import password_change, password_forgot, password_forgot_sent, password_reset
from accounts.views.people import accept, people, refuse, remove, role
from accounts.views.profile import join_department, profile, send_confirmation

__all__ = [
    "accept",
    "confirm_email",
    "department_archive",
    "department_create",
    "department_edit",
    "department_restore",
    "departments",
    "everyone",
    "everyone_many",
    "import_people",
    "invitation",
    "invite",
    "invite_again",
    "join_department",
    "locked_out",
    "password_change",
    "password_forgot",
    "password_forgot_sent",
    "password_reset",
    "people",
    "people_many",
    "profile",
    "refuse",
    "remove",
    "role",
    "send_confirmation",
    "setup",
    "sign_in",
    "sign_out",
    "sign_up",
    "sign_up_sent",
    "switch_department",
    "withdraw",
]
