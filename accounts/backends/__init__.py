"""Doors: how a person proves who they are, and what remembers that they did."""

from __future__ import annotations

from accounts.backends.passwords import EmailBackend, SecondFactorBackend, attempted_address, attempted_from

__all__ = ["EmailBackend", "SecondFactorBackend", "attempted_address", "attempted_from"]
