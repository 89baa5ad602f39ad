"""What people prove themselves with besides the password: an authenticator app, passkeys, codes for when both are lost."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.db import models


class AuthenticatorApp(models.Model):
    """The secret that a person's authenticator app shares with us; without `confirmed_at` it was never shown to work."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.OneToOneField("accounts.User", models.CASCADE, related_name="authenticator_app")
    secret_sealed = models.TextField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(
        default=0, help_text="The newest half minute whose code was used; none works twice."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return "authenticator app"


class Passkey(models.Model):
    """A key pair of a device or a password manager, of which we know the public half."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=80)
    credential_id = models.BinaryField(unique=True)
    credential = models.BinaryField(help_text="Identity and public key, as WebAuthn writes them.")
    sign_count = models.BigIntegerField(default=0, help_text="Of devices that count: a lower one was copied.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class RecoveryCode(models.Model):
    """A code that opens the second door once; only its digest is kept."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return "used recovery code" if self.used_at else "recovery code"
