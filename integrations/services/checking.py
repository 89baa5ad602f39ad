"""What services check of rows before they keep them."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction

from integrations.models import Model
from mindloom.web.errors import Invalid

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
_SECRET_HEADERS = {"authorization", "proxy-authorization", "api-key", "x-api-key", "cookie"}
_JSON = ("headers", "settings", "secrets_sealed", "secret_hints", "effects", "functions", "departments")
"""Fields whose content the services check themselves."""


def is_header_name(text: str) -> bool:
    """Whether a header may be called so."""
    return bool(_HEADER_NAME.fullmatch(text))


def header_problem(headers: Any) -> str:
    """What is wrong with headers that carry no secrets; empty when nothing is."""
    if not isinstance(headers, dict) or len(headers) > 20:
        return "Headers are up to 20 names with a text each."
    for name, value in headers.items():
        if not isinstance(name, str) or not is_header_name(name):
            return f"“{str(name)[:40]}” is not the name of a header."
        if name.lower() in _SECRET_HEADERS:
            return f"{name} carries a secret. Enter it as the key instead."
        if not isinstance(value, str) or len(value) > 500 or not (value.isascii() and value.isprintable()):
            return f"The value of {name} must be a line of plain characters."
    return ""


def row_errors(row: Any) -> dict[str, list[str]]:
    """Django's own checks of one row, by field; a name that is taken is said beside the name."""
    for field in type(row)._meta.concrete_fields:  # noqa: SLF001 -- Django's public way to a model's fields
        value = getattr(row, field.attname)
        if isinstance(value, str) and not value.isprintable():
            return {field.name: ["This contains characters that cannot be shown. Type it again."]}
    try:
        row.full_clean(exclude=[name for name in _JSON if hasattr(row, name)])
    except ValidationError as error:
        fields = {name: [str(message) for message in messages] for name, messages in error.message_dict.items()}
        if taken := fields.pop(NON_FIELD_ERRORS, None):
            fields["model_id" if isinstance(row, Model) else "name"] = taken
        return fields
    return {}


def save_row(row: Any) -> None:
    """Keep the row. Raises `Invalid` when its name was taken in this very moment."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        field = "model_id" if isinstance(row, Model) else "name"
        raise Invalid(fields={field: ["This name is taken."]}) from None
