"""Switches. What has no row is on."""

from __future__ import annotations

from django.db import models


class Switch(models.Model):
    """A part of Mindloom that an administrator has switched at some time."""

    name = models.CharField(max_length=40, primary_key=True)
    is_on = models.BooleanField()
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=254, help_text="The address of who did it")

    def __str__(self) -> str:
        return f"{self.name}: {'on' if self.is_on else 'off'}"
