"""What administrators do beside the verbs of the apps below, and what is noted when they look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.utils.text import slugify
from redis.exceptions import RedisError

from audit.services import record
from mindloom.web.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from accounts.models import User

LOOK_SECONDS = 15 * 60


def note_export(*, actor: User, department_id: int | None, query: str, form: str) -> None:
    """Somebody takes entries of the trail away, filtered so."""
    record(actor=actor, action="audit.exported", department_id=department_id, query=query[:1000], form=form)


def note_look(*, actor: User, what: str) -> None:
    """An administrator looks at rows of all departments. One trace for each kind of rows and quarter of an hour."""
    try:
        first = cache.add(f"looked:{actor.pk}:{slugify(what)}", 1, LOOK_SECONDS)
    except RedisError:
        first = True
    if first:
        record(actor=actor, action="departments.looked_into", what=what, scope="all departments")


def send_test_mail(*, actor: User, address: str) -> None:
    """Send a mail by the way that all mails go, and wait for it. Raises `Invalid`, and `Unavailable` with what went wrong."""
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid("This is no e-mail address. Write it as in name@example.org.") from None
    text = f"This mail shows that Mindloom at {settings.BASE_URL} can send mail. {actor.email} asked for it."
    try:
        EmailMessage("A test of Mindloom’s mail", f"{text}\n", to=[address]).send()
    except Exception as error:  # noqa: BLE001 -- whatever a mail server or the network does is said
        record(actor=actor, action="mail.tested", address=address, ok=False)
        raise Unavailable(_why(error)) from None
    record(actor=actor, action="mail.tested", address=address, ok=True)


def _why(error: Exception) -> str:
    """What a mail server or the network said, in words."""
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    known = {
        "SMTPAuthenticationError": f"{where} did not accept user and password. Correct SMTP_USER and SMTP_PASSWORD.",
        "SMTPRecipientsRefused": f"{where} does not take mail for this address.",
        "SMTPSenderRefused": f"{where} does not take mail from {settings.DEFAULT_FROM_EMAIL}. Correct MAIL_FROM.",
        "TimeoutError": f"{where} did not answer in {settings.EMAIL_TIMEOUT} s. Correct SMTP_HOST and SMTP_PORT, or open the way to it.",
        "ConnectionRefusedError": f"Nothing listens at {where}. Correct SMTP_HOST and SMTP_PORT.",
        "gaierror": f"There is no host {settings.EMAIL_HOST}. Correct SMTP_HOST.",
        "SSLError": f"{where} does not speak TLS there. Correct SMTP_TLS and SMTP_PORT.",
    }
    return known.get(type(error).__name__, f"{where} refused: {type(error).__name__}: {error}"[:500])
