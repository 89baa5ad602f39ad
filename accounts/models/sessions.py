"""What stays open after a person has proved who they are: browsers, and tokens of their own for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase


# The first that is found counts: most browsers name others too.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


class BrowserSession(AbstractBaseSession):
    """A browser's session, also of strangers; with `user` it is one in which somebody is signed in."""

    uuid = models.UUIDField(null=True, db_index=True)
    user = models.ForeignKey("accounts.User", models.CASCADE, null=True, related_name="browser_sessions")
    device = models.CharField(max_length=300, blank=True, help_text="What the browser says of itself.")
    ip_address = models.GenericIPAddressField(null=True)
    signed_in_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta(AbstractBaseSession.Meta):
        abstract = False

    @property
    def device_label(self) -> str:
        """Browser and system, as people call them."""
        browser = next((name for mark, name in _BROWSERS if mark in self.device), "")
        system = next((name for mark, name in _SYSTEMS if mark in self.device), "")
        return " on ".join(part for part in (browser, system) if part) or self.device[:60] or "Unknown device"

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        """What reads and writes these rows."""
        # Doors stand above tables; Django asks for this way back.
        from django.contrib.sessions.backends.db import SessionStore

        return SessionStore


class Scope(models.TextChoices):
    """What a personal token may do, as far as its person may."""

    READ = "read", "Read"
    RUN = "run", "Run"
    WRITE = "write", "Change"


class PersonalTokenQuerySet(models.QuerySet["PersonalToken"]):
    """Reads of personal tokens."""

    def working(self) -> PersonalTokenQuerySet:
        """Those that have not run out, of people who may sign in."""
        return self.filter(expires_at__gt=timezone.now(), user__is_active=True)


class PersonalToken(models.Model):
    """A token that a person made for a script; its text is kept nowhere, only the digest."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="personal_tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8, help_text="Its last characters.")
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    objects = PersonalTokenQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def has_expired(self) -> bool:
        """Whether it opens nothing any more."""
        return self.expires_at <= timezone.now()
