"""Everything that can be done with model providers, models, connections, MCP servers and their secrets."""

from __future__ import annotations

from integrations.services.connections import (
    ConnectionTest,
    create_connection,
    delete_connection,
    enable_connection,
    test_connection,
    update_connection,
)
from integrations.services.defaults import ensure_defaults
from integrations.services.manage import (
    TestResult,
    add_model,
    create_provider,
    delete_model,
    delete_provider,
    enable_provider,
    set_default_model,
    set_key,
    sync_models,
    test_provider,
    update_model,
    update_provider,
)
from integrations.services.secrets import open_connection, open_secret, reseal

__all__ = [
    "ConnectionTest",
    "TestResult",
    "add_model",
    "create_connection",
    "create_provider",
    "delete_connection",
    "delete_model",
    "delete_provider",
    "enable_connection",
    "enable_provider",
    "ensure_defaults",
    "open_connection",
    "open_secret",
    "reseal",
    "set_default_model",
    "set_key",
    "sync_models",
    "test_connection",
    "test_provider",
    "update_connection",
    "update_model",
    "update_provider",
]
