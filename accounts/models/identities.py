"""Who people are elsewhere."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ExternalIdentity(models.Model):
    """A person as a provider of single sign-on knows them: addresses change, this pair does not."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="external_identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["issuer", "subject"], name="external_identity_once")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
