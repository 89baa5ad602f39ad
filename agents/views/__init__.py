"""Pages of agents."""

from __future__ import annotations

from agents.views.builder import autosave, discard, edit, publish, restore_version
from agents.views.details import compare, detail, export, version, versions
from agents.views.knowledge import attach_bucket, using_bucket_fragment
from agents.views.life import archive, delete, duplicate, restore, transfer
from agents.views.lists import (
    agent_list,
    create,
    gallery_page,
    import_page,
    using_connection_fragment,
    using_tool_fragment,
)

__all__ = [
    "agent_list",
    "archive",
    "attach_bucket",
    "autosave",
    "compare",
    "create",
    "delete",
    "detail",
    "discard",
    "duplicate",
    "edit",
    "export",
    "gallery_page",
    "import_page",
    "publish",
    "restore",
    "restore_version",
    "transfer",
    "using_bucket_fragment",
    "using_connection_fragment",
    "using_tool_fragment",
    "version",
    "versions",
]
