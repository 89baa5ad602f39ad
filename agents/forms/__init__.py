"""The builder's forms; `shown`, `rows`, `settings` and `shared` are those that teams use, too."""

from __future__ import annotations

from agents.forms.builder import Builder, IdentityForm, by_input, read, section_of, write
from agents.forms.rows import rearranged
from agents.forms.shared import SharedBuilder, about_tokens, read_shared, shared_input, shared_section, write_shared
from agents.forms.shown import Sentences, Shown

__all__ = [
    "Builder",
    "IdentityForm",
    "Sentences",
    "SharedBuilder",
    "Shown",
    "about_tokens",
    "by_input",
    "read",
    "read_shared",
    "rearranged",
    "section_of",
    "shared_input",
    "shared_section",
    "write",
    "write_shared",
]
