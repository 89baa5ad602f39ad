"""The API of accounts."""

from __future__ import annotations

from accounts.api.doors import departments, login, logout, me, password_forgot, password_reset, refresh, register

__all__ = ["departments", "login", "logout", "me", "password_forgot", "password_reset", "refresh", "register"]
