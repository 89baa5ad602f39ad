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
from accounts.views.entering import passkey_options, sign_in_code, sign_in_passkey
from accounts.views.factors import (
    app_confirm,
    app_remove,
    app_start,
    passkey_add,
    passkey_remove,
    recovery_codes,
    security,
    sign_in_rules,
)
from accounts.views.invitations import import_people, invitation, invite, invite_again, withdraw
from accounts.views.leaving import account_delete, data
from accounts.views.many import everyone, everyone_many, people_many
from accounts.views.own import address_change, address_confirm, picture, picture_set
from accounts.views.passwords import password_change, password_forgot, password_forgot_sent, password_reset
from accounts.views.people import accept, people, refuse, remove, role
from accounts.views.profile import join_department, profile, send_confirmation
from accounts.views.sessions import (
    refresh_token_end,
    session_end,
    sessions,
    sessions_end_all,
    sessions_end_others,
    token_revoke,
    tokens,
)
from accounts.views.single_sign_on import single_sign_on, single_sign_on_back

__all__ = [
    "accept",
    "account_delete",
    "address_change",
    "address_confirm",
    "app_confirm",
    "app_remove",
    "app_start",
    "confirm_email",
    "data",
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
    "passkey_add",
    "passkey_options",
    "passkey_remove",
    "password_change",
    "password_forgot",
    "password_forgot_sent",
    "password_reset",
    "people",
    "people_many",
    "picture",
    "picture_set",
    "profile",
    "recovery_codes",
    "refresh_token_end",
    "refuse",
    "remove",
    "role",
    "security",
    "send_confirmation",
    "session_end",
    "sessions",
    "sessions_end_all",
    "sessions_end_others",
    "setup",
    "sign_in",
    "sign_in_code",
    "sign_in_passkey",
    "sign_in_rules",
    "sign_out",
    "sign_up",
    "sign_up_sent",
    "single_sign_on",
    "single_sign_on_back",
    "switch_department",
    "token_revoke",
    "tokens",
    "withdraw",
]
