"""Pictures of people, apart from them: most reads of a person need none."""

from __future__ import annotations

from django.db import models


class PersonPicture(models.Model):
    """A small square WebP."""

    user = models.OneToOneField("accounts.User", models.CASCADE, related_name="picture")
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"picture of {self.user}"
