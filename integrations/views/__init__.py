"""Pages of models, tools, connections and MCP servers."""

from __future__ import annotations

from integrations.views.allowed import allowed
from integrations.views.catalogue import tool_detail, tool_list
from integrations.views.connections import (
    connection,
    connection_create,
    connection_delete,
    connection_enable,
    connection_list,
    connection_test,
)
from integrations.views.providers import (
    add_model,
    add_price,
    create,
    delete,
    delete_model,
    enable,
    enable_model,
    make_default,
    model,
    provider,
    provider_list,
    remove_key,
    remove_price,
    sync,
    test,
)
from integrations.views.servers import (
    server,
    server_create,
    server_delete,
    server_enable,
    server_list,
    server_remove_key,
    server_test,
)

__all__ = [
    "add_model",
    "add_price",
    "allowed",
    "connection",
    "connection_create",
    "connection_delete",
    "connection_enable",
    "connection_list",
    "connection_test",
    "create",
    "delete",
    "delete_model",
    "enable",
    "enable_model",
    "make_default",
    "model",
    "provider",
    "provider_list",
    "remove_key",
    "remove_price",
    "server",
    "server_create",
    "server_delete",
    "server_enable",
    "server_list",
    "server_remove_key",
    "server_test",
    "sync",
    "test",
    "tool_detail",
    "tool_list",
]
