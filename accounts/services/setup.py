"""The first administrator of a fresh installation, by a link that its operator sees on the console."""

from __future__ import annotations

import secrets

from django.core import signing
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from accounts.models import User
from accounts.queries import has_administrator
from accounts.services.mail import link
from accounts.services.people import check_address, check_name
from accounts.services.strength import check_password_strength
from audit.models import Entry
from audit.services import record
from mindloom import wall
from mindloom.web.errors import Conflict, Invalid

SALT = "accounts.setup"
LINK_SECONDS = 3600
ACTION = "administrator.created"
_LOCK = 0x6D6C7365747570


def setup_link() -> str:
    """The address of the set-up page, good for an hour and one use. Raises `Conflict` when there is one."""
    if has_administrator():
        raise Conflict("There is an administrator already. They can sign in, or reset their password by mail.")
    return link(reverse("accounts:setup", args=[signing.dumps(secrets.token_hex(8), salt=SALT)]))


def read_setup_link(token: str) -> str | None:
    """The identity of a link that still works; None for one that is wrong, used or too old, or no longer needed."""
    try:
        identity = signing.loads(token, salt=SALT, max_age=LINK_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    with wall.system("set-up: entries of the installation belong to no department"):
        used = Entry.objects.filter(action=ACTION, data__link=identity).exists()
    return None if used or has_administrator() else str(identity)


def create_first_administrator(*, token: str, email: str, name: str, password: str) -> User:
    """Make the administrator that the link is for. Raises `Conflict` for a link that does not work, else `Invalid`."""
    person = User(email=check_address(email), name=check_name(name))
    check_password_strength(password, person)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            identity = read_setup_link(token)
            if identity is None:
                raise Conflict("This link does not work any more. Make a new one with manage.py setup_link.")
            user = User.objects.create_superuser(person.email, password, name=person.name)
            record(actor=user, action=ACTION, target=user, link=identity)
    except IntegrityError:
        raise Invalid(fields={"email": ["There is an account with this address already."]}) from None
    return user
