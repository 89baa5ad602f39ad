"""Templates to begin an agent from, by department."""

from __future__ import annotations

from agents.gallery import finance, marketing, tech
from agents.gallery.template import Template, Variable

__all__ = ["CATEGORIES", "ICONS", "TEMPLATES", "Template", "Variable", "find", "search"]

TEMPLATES: tuple[Template, ...] = (*marketing.TEMPLATES, *finance.TEMPLATES, *tech.TEMPLATES)
CATEGORIES = tuple(dict.fromkeys(template.category for template in TEMPLATES))
ICONS = (
    "bot",
    "megaphone",
    "calendar-days",
    "newspaper",
    "pen-line",
    "mail",
    "receipt",
    "wallet",
    "chart-column",
    "scale",
    "siren",
    "rocket",
    "notebook-pen",
    "globe",
    "ticket",
    "search",
    "list-checks",
    "file-text",
    "languages",
    "shield-check",
    "lightbulb",
    "users",
    "code",
    "graduation-cap",
)
"""What an agent may look like; the first is the default."""


def find(key: str) -> Template | None:
    """The template with this key, or None."""
    return next((template for template in TEMPLATES if template.key == key), None)


def search(text: str, category: str = "") -> list[Template]:
    """The templates of a category, or of all, in which every word of the text occurs."""
    words = text.casefold().split()
    shown = [one for one in TEMPLATES if not category or one.category == category]
    return [one for one in shown if all(word in _told(one) for word in words)]


def _told(template: Template) -> str:
    return f"{template.name} {template.description} {template.category}".casefold()
