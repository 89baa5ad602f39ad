"""Everything that can be done with model providers, models, connections, MCP servers and their secrets."""

from __future__ import annotations

from integrations.services.allowing import set_allowed
from integrations.services.connections import (
    ConnectionTest,
    create_connection,
    delete_connection,
    enable_connection,
    test_connection,
    update_connection,
)
from integrations.services.defaults import ensure_defaults
from integrations.services.embedding import embed
from integrations.services.manage import (
    TestResult,
    add_model,
    add_price,
    create_provider,
    delete_model,
    delete_provider,
    enable_provider,
    remove_price,
    set_default_model,
    set_key,
    sync_models,
    test_provider,
    update_model,
    update_provider,
)
from integrations.services.secrets import open_connection, open_secret, reseal
from integrations.services.servers import (
    CheckResult,
    check_server,
    create_server,
    delete_server,
    enable_server,
    remove_server_key,
    update_server,
)

__all__ = [
    "CheckResult",
    "ConnectionTest",
    "TestResult",
    "add_model",
    "add_price",
    "check_server",
    "create_connection",
    "create_provider",
    "create_server",
    "delete_connection",
    "delete_model",
    "delete_provider",
    "delete_server",
    "embed",
    "enable_connection",
    "enable_provider",
    "enable_server",
    "ensure_defaults",
    "open_connection",
    "open_secret",
    "remove_price",
    "remove_server_key",
    "reseal",
    "set_allowed",
    "set_default_model",
    "set_key",
    "sync_models",
    "test_connection",
    "test_provider",
    "update_connection",
    "update_model",
    "update_provider",
    "update_server",
]
