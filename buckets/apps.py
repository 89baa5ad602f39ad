"""The buckets app."""

from __future__ import annotations

from django.apps import AppConfig


class BucketsConfig(AppConfig):
    """Named here so that Django finds it."""

    name = "buckets"

    def ready(self) -> None:
        """Say which rows have owners, and which take space."""
        from accounts.services.owning import has_owners
        from accounts.services.storing import takes_space
        from buckets.models import Bucket, Content

        has_owners("bucket", Bucket)
        takes_space(Content)
