"""Runs agents with Agno. Importing this package does not import Agno; the first run does."""

from __future__ import annotations

from mindloom.engine.agno_adapter.runner import AgnoRunner

__all__ = ["AgnoRunner"]
