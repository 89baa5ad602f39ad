"""Everything that can be done with people, departments and memberships."""

from __future__ import annotations

from accounts.services.addresses import change_address, request_address
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
from accounts.services.factors import (
    confirm_app,
    make_recovery_codes,
    remove_app,
    require_second_factor,
    reseal_apps,
    reset_second_factor,
    start_app,
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
from accounts.services.leaving import delete_account
from accounts.services.members import accept_member, refuse_member, remove_member, set_role
from accounts.services.own_data import gathered
from accounts.services.owning import hand_over, owned_by, words
from accounts.services.passkeys import add_passkey, ask_for_passkey, begin_passkey, person_of_passkey, remove_passkey
from accounts.services.passwords import change_password, request_password_reset, reset_password, start_password_reset
from accounts.services.people import (
    SIGN_UP_ANSWER,
    ask_to_join,
    confirm_email,
    deactivate_person,
    demote_person,
    promote_person,
    reactivate_person,
    read_confirmation,
    request_confirmation,
    sign_up,
    update_profile,
)
from accounts.services.personal_tokens import forget_old_personal_tokens, make_token, revoke_token
from accounts.services.pictures import remove_picture, set_picture
from accounts.services.sessions import (
    end_everything,
    end_other_sessions,
    end_session,
    end_token,
    forget_old_sessions,
)
from accounts.services.setup import create_first_administrator, read_setup_link, setup_link
from accounts.services.tokens import issue_tokens, password_stamp, refresh_tokens, revoke_tokens

__all__ = [
    "SIGN_UP_ANSWER",
    "Invited",
    "Wanted",
    "accept_invitation",
    "accept_member",
    "add_passkey",
    "archive_department",
    "ask_for_passkey",
    "ask_to_join",
    "begin_passkey",
    "change_address",
    "change_password",
    "check_department",
    "confirm_app",
    "confirm_email",
    "create_department",
    "create_first_administrator",
    "deactivate_person",
    "delete_account",
    "demote_person",
    "end_everything",
    "end_other_sessions",
    "end_session",
    "end_token",
    "forget_expired_tokens",
    "forget_old_answers",
    "forget_old_invitations",
    "forget_old_personal_tokens",
    "forget_old_sessions",
    "gathered",
    "hand_over",
    "invite",
    "issue_tokens",
    "make_recovery_codes",
    "make_token",
    "owned_by",
    "password_stamp",
    "person_of_passkey",
    "promote_person",
    "reactivate_person",
    "read_confirmation",
    "read_invitation",
    "read_setup_link",
    "refresh_tokens",
    "refuse_member",
    "remove_app",
    "remove_member",
    "remove_passkey",
    "remove_picture",
    "request_address",
    "request_confirmation",
    "request_password_reset",
    "require_second_factor",
    "reseal_apps",
    "reset_password",
    "reset_second_factor",
    "restore_department",
    "revoke_token",
    "revoke_tokens",
    "set_picture",
    "set_retention",
    "set_role",
    "setup_link",
    "sign_up",
    "sign_up_invited",
    "start_app",
    "start_password_reset",
    "switch_department",
    "update_department",
    "update_profile",
    "withdraw_invitation",
    "words",
]
