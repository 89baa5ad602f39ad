"""Reads that pages, services and tools share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Prefetch, Q

from integrations.models import Connection, McpServer, Model, ModelProvider
from mindloom import keyring

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.queries import Person
    from integrations.models import ConnectionQuerySet


def providers() -> QuerySet[ModelProvider]:
    """All providers with their models and counts, the enabled ones first."""
    return (
        ModelProvider.objects.annotate(
            model_count=Count("models"), usable_count=Count("models", filter=Q(models__is_enabled=True))
        )
        .prefetch_related(Prefetch("models", Model.objects.order_by("-is_enabled", "label")))
        .order_by("-is_enabled", "name")
    )


@dataclass(frozen=True)
class ConnectionFilters:
    """What a list of connections is narrowed by."""

    text: str = ""
    kind: str = ""


def listed_connections(user: Person, filters: ConnectionFilters) -> ConnectionQuerySet:
    """The connections a person sees, with what a list shows of them, by name."""
    found = Connection.objects.visible_to(user).select_related("owner", "department")
    if filters.kind:
        found = found.filter(kind=filters.kind)
    if filters.text:
        found = found.filter(name__icontains=filters.text)
    return found.order_by("name", "id")


def connection_place(connection: Connection, field: str) -> keyring.Place:
    """Where a secret of a connection is kept."""
    return keyring.Place("integrations_connection", str(connection.uuid), field)


def server_place(server: McpServer) -> keyring.Place:
    """Where the key of an MCP server is kept."""
    return keyring.Place("integrations_mcpserver", str(server.uuid), "secret")


def server_headers(server: McpServer) -> dict[str, str]:
    """All headers that a server is sent, its key among them. Raises `KeyringError`."""
    headers = dict(server.headers)
    if server.secret_sealed:
        headers[server.secret_header] = keyring.open_(server.secret_sealed, server_place(server))
    return headers
