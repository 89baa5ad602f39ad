"""Every route of the installation, as Django resolves them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """A pattern: its name with its namespace, and the names of its parts."""

    name: str
    path: str
    parts: frozenset[str]

    @property
    def is_admin(self) -> bool:
        """Whether it is one of the Django admin's."""
        return self.path.startswith(f"{settings.ADMIN_PATH}/")


def every_route() -> list[Route]:
    """Pages and API; the Django admin's own routes begin with "admin:"."""
    return list(_walk(get_resolver().url_patterns, "", "", frozenset()))


def _walk(patterns: list[URLPattern | URLResolver], path: str, spaces: str, parts: frozenset[str]) -> Iterator[Route]:
    for pattern in patterns:
        here = path + str(pattern.pattern)
        known = parts | frozenset(pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            inside = f"{spaces}{pattern.namespace}:" if pattern.namespace else spaces
            yield from _walk(pattern.url_patterns, here, inside, known)
        else:
            yield Route(f"{spaces}{pattern.name}" if pattern.name else here, here, known)
