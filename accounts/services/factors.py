"""The second factor: an authenticator app, and recovery codes for the day it is lost. Passkeys are in `passkeys`."""

from __future__ import annotations

import base64
import secrets
import time
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import AuthenticatorApp, Passkey, RecoveryCode, Role, User
from accounts.queries import may
from accounts.services.mail import link, send
from accounts.services.rights import check_administrator
from audit.services import record
from mindloom import keyring
from mindloom.keyring import KeyringError
from mindloom.web.errors import Conflict, Invalid, MindloomError, NotAllowed

if TYPE_CHECKING:
    from accounts.models import Department

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
RECOVERY_CODES = 10
_CODE_BYTES = 10
"""80 bits: a digest of so much chance cannot be searched for what it was made of."""
_LONGEST_CODE = 64
WRONG_CODE = "This code does not fit. Codes change every half minute, and each works once."


class SecondFactorMissing(MindloomError):
    """Your department, or this installation, asks you for a second factor. Sign in to the pages and set one up first."""

    code = "second_factor_missing"
    status = 403


def start_app(*, actor: User) -> AuthenticatorApp:
    """A new secret, which counts once a code of it was shown. An earlier one that was never confirmed is gone."""
    with transaction.atomic():
        _locked(actor)
        if AuthenticatorApp.objects.filter(user=actor).exclude(confirmed_at=None).exists():
            raise Conflict("You have an authenticator app already. Remove it first to set up another one.")
        AuthenticatorApp.objects.filter(user=actor).delete()
        made = AuthenticatorApp(user=actor)
        made.secret_sealed = keyring.seal(_written(secrets.token_bytes(SECRET_BYTES)), _place(made))
        made.save()
    return made


def confirm_app(*, actor: User, code: str) -> list[str]:
    """Count the app from now on, by a code that it shows. The recovery codes, if these are the first; they are never shown again.

    Raises `Invalid` (`code`) for a wrong one.
    """
    with transaction.atomic():
        person = _locked(actor)
        app = AuthenticatorApp.objects.filter(user=actor, confirmed_at=None).first()
        if app is None:
            raise Conflict("There is no authenticator app to confirm. Begin again.")
        if not _use(app, code):
            raise Invalid(fields={"code": [WRONG_CODE]})
        AuthenticatorApp.objects.filter(pk=app.pk).update(confirmed_at=timezone.now())
        record(actor=actor, action="second_factor.app_added", target=actor)
        return note_factor(person, actor)


def note_factor(person: User, actor: User) -> list[str]:
    """The person has a factor more. New recovery codes when there are none; inside a transaction that holds the person's row."""
    if person.second_factor_at is None:
        person.second_factor_at = actor.second_factor_at = timezone.now()
        person.save(update_fields=["second_factor_at"])
    _tell(person, "was added")
    return _new_codes(person) if not RecoveryCode.objects.filter(user=person, used_at=None).exists() else []


def remove_app(*, actor: User) -> None:
    """Do without the authenticator app. Whoever asked has just given the password."""
    with transaction.atomic():
        person = _locked(actor)
        count, _ = AuthenticatorApp.objects.filter(user=actor).delete()
        if count:
            record(actor=actor, action="second_factor.app_removed", target=actor)
            note_loss(person, actor)


def note_loss(person: User, actor: User) -> None:
    """The person has a factor less; without any, recovery codes mean nothing and go too."""
    _tell(person, "was removed")
    if (
        AuthenticatorApp.objects.filter(user=person).exclude(confirmed_at=None).exists()
        or Passkey.objects.filter(user=person).exists()
    ):
        return
    RecoveryCode.objects.filter(user=person).delete()
    person.second_factor_at = actor.second_factor_at = None
    person.save(update_fields=["second_factor_at"])


def make_recovery_codes(*, actor: User) -> list[str]:
    """Ten new codes instead of those there were. They are shown now and never again."""
    with transaction.atomic():
        if _locked(actor).second_factor_at is None:
            raise Conflict("Set up an authenticator app or a passkey first; recovery codes stand in for them.")
        record(actor=actor, action="second_factor.codes_made", target=actor)
        return _new_codes(actor)


def reset_second_factor(*, actor: User, person: User) -> None:
    """Take all factors of somebody who has lost them. For administrators, who made sure who asks; never for oneself."""
    check_administrator(actor)
    if person == actor:
        raise NotAllowed("Remove your own on your profile, where your password is asked.")
    with transaction.atomic():
        _locked(person)
        forget_factors(person)
        record(actor=actor, action="second_factor.reset", target=person)
    _tell(person, "was removed by an administrator")


def forget_factors(person: User) -> None:
    """All of a person's factors are gone; inside a transaction that holds the person's row."""
    for kind in (AuthenticatorApp, Passkey, RecoveryCode):
        kind.objects.filter(user=person).delete()  # type: ignore[attr-defined]
    person.second_factor_at = None
    person.save(update_fields=["second_factor_at"])


def use_code(*, person: User, code: str) -> bool:
    """Whether the code opens the second door now: one of the app or a recovery code, each of which works once."""
    given = code.strip().replace(" ", "").replace("-", "").lower()
    if not given.isascii() or not given.isalnum() or len(given) > _LONGEST_CODE:
        return False
    app = AuthenticatorApp.objects.filter(user=person).exclude(confirmed_at=None).first()
    if given.isdigit() and len(given) == DIGITS:
        return app is not None and _use(app, given)
    unused = RecoveryCode.objects.filter(user=person, digest=_digest(given), used_at=None)
    # Of two that come at once, the database lets one in.
    if not unused.update(used_at=timezone.now()):
        return False
    left = RecoveryCode.objects.filter(user=person, used_at=None).count()
    record(actor=person, action="second_factor.recovery_code_used", target=person, left=left)
    return True


def require_second_factor(*, actor: User, department: Department, role: str) -> None:
    """From which role on members of the department must have a second factor; "" for none. For its managers."""
    if not may(actor, Role.MANAGER, department.pk):
        raise NotAllowed("Only managers of the department may do this.")
    if role not in ("", *Role.values):
        raise Invalid(fields={"second_factor_from": ["Choose one of the roles, or nobody."]})
    if department.second_factor_from == role:
        return
    before, department.second_factor_from = department.second_factor_from, role
    with transaction.atomic():
        department.save(update_fields=["second_factor_from"])
        record(
            actor=actor,
            action="department.second_factor_required" if role else "department.second_factor_waived",
            target=department,
            department_id=department.pk,
            before=before,
            after=role,
        )


def secret_text(app: AuthenticatorApp) -> str:
    """The secret as people type it into an app that cannot scan. Raises `Conflict` when it cannot be opened."""
    try:
        return keyring.open_(app.secret_sealed, _place(app))
    except KeyringError as error:
        raise Conflict(str(error)) from None


def secret_address(app: AuthenticatorApp, issuer: str) -> str:
    """The address that apps scan."""
    return _totp(app).get_provisioning_uri(app.user.email, issuer)


def reseal_apps() -> int:
    """Close the apps' secrets with the newest key of the ring; how many were closed anew."""
    count = 0
    for app in AuthenticatorApp.objects.all():
        if not keyring.is_newest(app.secret_sealed):
            app.secret_sealed = keyring.seal(keyring.open_(app.secret_sealed, _place(app)), _place(app))
            app.save(update_fields=["secret_sealed"])
            count += 1
    return count


def _locked(person: User) -> User:
    """The person's row, held: of two changes at once, one sees what the other did."""
    return User.objects.select_for_update().get(pk=person.pk)


def _place(app: AuthenticatorApp) -> keyring.Place:
    return keyring.Place("accounts_authenticatorapp", str(app.uuid), "secret")


def _totp(app: AuthenticatorApp) -> TOTP:
    text = secret_text(app)
    key = base64.b32decode(text + "=" * (-len(text) % 8))
    # SHA-1 is what all authenticator apps can; codes do not rest on its collisions.
    return TOTP(key, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303


def _use(app: AuthenticatorApp, code: str) -> bool:
    totp, now = _totp(app), int(time.time()) // STEP_SECONDS
    given = code.strip().replace(" ", "")
    for step in (now, now - 1, now + 1):
        if constant_time_compare(totp.generate(step * STEP_SECONDS).decode(), given):
            # The database says who was first: a code, and all before it, is used up by this.
            return bool(AuthenticatorApp.objects.filter(pk=app.pk, last_step__lt=step).update(last_step=step))
    return False


def _written(secret: bytes) -> str:
    return base64.b32encode(secret).decode().rstrip("=")


def _new_codes(person: User) -> list[str]:
    codes = [_written(secrets.token_bytes(_CODE_BYTES)).lower() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=person).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=person, digest=_digest(code)) for code in codes)
    return ["-".join(code[place : place + 4] for place in range(0, len(code), 4)) for code in codes]


def _digest(code: str) -> str:
    return salted_hmac("accounts.recovery_code", code, algorithm="sha256").hexdigest()


def _tell(person: User, what: str) -> None:
    send(person.email, "second_factor_changed", what=what, reset=link(reverse("accounts:password_forgot")))
