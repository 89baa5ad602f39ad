"""Forgetting what is no longer needed; a periodic task calls these."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import RememberedAnswer

KEEP_ANSWERS = timedelta(hours=24)


def forget_old_answers() -> int:
    """Forget answers to requests with an Idempotency-Key after 24 hours; how many there were."""
    count, _ = RememberedAnswer.objects.filter(created_at__lt=timezone.now() - KEEP_ANSWERS).delete()
    return count


def forget_expired_tokens() -> int:
    """Forget refresh tokens that have run out, revoked ones too; how many rows there were."""
    count, _ = OutstandingToken.objects.filter(expires_at__lt=timezone.now()).delete()
    return count
