"""Everything that can be done with people, departments and memberships."""

from __future__ import annotations

from accounts.services.answers import forget_expired_tokens, forget_old_answers
from accounts.services.departments import (
    archive_department,
    check_department,
    create_department,
    restore_department,
    set_retention,
    switch_department,
    update_department,
)
from accounts.services.invitations import (
    Invited,
    Wanted,
    accept_invitation,
    forget_old_invitations,
    invite,
    read_invitation,
    sign_up_invited,
    withdraw_invitation,
)
from accounts.services.members import accept_member, refuse_member, remove_member, set_role
from accounts.services.owning import hand_over, owned_by, words
from accounts.services.passwords import change_password, request_password_reset, reset_password, start_password_reset
from accounts.services.people import (
    SIGN_UP_ANSWER,
    ask_to_join,
    confirm_email,
    deactivate_person,
    reactivate_person,
    read_confirmation,
    request_confirmation,
    sign_up,
    update_profile,
)
from accounts.services.setup import create_first_administrator, read_setup_link, setup_link
from accounts.services.tokens import issue_tokens, password_stamp, refresh_tokens, revoke_tokens

__all__ = [
    "SIGN_UP_ANSWER",
    "Invited",
    "Wanted",
    "accept_invitation",
    "accept_member",
    "archive_department",
    "ask_to_join",
    "change_password",
    "check_department",
    "confirm_email",
    "create_department",
    "create_first_administrator",
    "deactivate_person",
    "forget_expired_tokens",
    "forget_old_answers",
    "forget_old_invitations",
    "hand_over",
    "invite",
    "issue_tokens",
    "owned_by",
    "password_stamp",
    "reactivate_person",
    "read_confirmation",
    "read_invitation",
    "read_setup_link",
    "refresh_tokens",
    "refuse_member",
    "remove_member",
    "request_confirmation",
    "request_password_reset",
    "reset_password",
    "restore_department",
    "revoke_tokens",
    "set_retention",
    "set_role",
    "setup_link",
    "sign_up",
    "sign_up_invited",
    "start_password_reset",
    "switch_department",
    "update_department",
    "update_profile",
    "withdraw_invitation",
    "words",
]
