"""What people fill in."""

from __future__ import annotations

from accounts.forms.factors import AddressForm, AppForm, CodeForm, PasskeyForm, ProveForm, SignInRulesForm
from accounts.forms.leaving import LeaveForm
from accounts.forms.own import TokenForm
from accounts.forms.people import (
    IN_PODS,
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
    "IN_PODS",
    "AddressForm",
    "AppForm",
    "CodeForm",
    "ConfirmForm",
    "DepartmentForm",
    "ForgotForm",
    "JoinForm",
    "LeaveForm",
    "NewPasswordForm",
    "PasskeyForm",
    "PasswordChangeForm",
    "PeopleForm",
    "ProfileForm",
    "ProveForm",
    "SetupForm",
    "SignInForm",
    "SignInRulesForm",
    "SignUpForm",
    "TokenForm",
]
