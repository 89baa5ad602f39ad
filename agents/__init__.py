"""Agents, their drafts and versions, and the gallery of templates."""
