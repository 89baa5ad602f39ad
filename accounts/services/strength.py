"""What a new password must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from mindloom.web.errors import Invalid

if TYPE_CHECKING:
    from accounts.models import User

LONGEST_PASSWORD = 256


def check_password_strength(password: str, user: User, *, field: str = "password") -> None:
    """Raises `Invalid` with all that is wrong, beside `field`."""
    if len(password) > LONGEST_PASSWORD:
        raise Invalid(fields={field: [f"Use at most {LONGEST_PASSWORD} characters."]})
    if "\x00" in password:
        raise Invalid(fields={field: ["A password cannot contain a NUL character."]})
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(fields={field: [str(message) for message in error.messages]}) from None
