"""Mail to people. It leaves from a thread of its own, so an answer takes as long whether or not a mail is sent."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PER_HOUR = 5
"""Mails of one kind to one address; more would let a stranger fill somebody's mailbox."""
_post = ThreadPoolExecutor(max_workers=2, thread_name_prefix="mail")


def send(address: str, template: str, **context: Any) -> None:
    """Send `templates/mail/<template>.txt`, whose first line is the subject. A mail that cannot be sent is logged."""
    if _within_limit(address, template):
        _post.submit(_deliver, address, template, context)


def link(path: str) -> str:
    """The full address of a page of this installation."""
    return str(settings.BASE_URL).rstrip("/") + path  # type: ignore[attr-defined]


def _within_limit(address: str, template: str) -> bool:
    key = f"mail:{template}:{address.lower()}"
    try:
        cache.add(key, 0, 3600)
        return cache.incr(key) <= PER_HOUR
    except (RedisError, ValueError):
        return True


def _deliver(address: str, template: str, context: dict[str, Any]) -> None:
    try:
        text = render_to_string(f"mail/{template}.txt", context | {"site": settings.BASE_URL})
        subject, _, body = text.partition("\n")
        EmailMessage(subject.strip(), body.strip() + "\n", to=[address]).send()
    except Exception:
        # Whatever a mail server or the network does: the page has long been answered.
        logger.exception("A mail could not be sent", extra={"mail": template})
