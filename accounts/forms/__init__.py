"""What people fill in."""

from __future__ import annotations

from accounts.forms.people import (
    ConfirmForm,
    DepartmentForm,
    ForgotForm,
    JoinForm,
    NewPasswordForm,
    PasswordChangeForm,
    PeopleForm,
    ProfileForm,
    SetupForm,
    SignInForm,
    SignUpForm,
)

__all__ = [
    "ConfirmForm",
    "DepartmentForm",
    "ForgotForm",
    "JoinForm",
    "NewPasswordForm",
    "PasswordChangeForm",
    "PeopleForm",
    "ProfileForm",
    "SetupForm",
    "SignInForm",
    "SignUpForm",
]
