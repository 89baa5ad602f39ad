"""Reads that pages and services share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Prefetch, Q

from integrations.models import Model, ModelProvider

if TYPE_CHECKING:
    from django.db.models import QuerySet


def providers() -> QuerySet[ModelProvider]:
    """All providers with their models and counts, the enabled ones first."""
    return (
        ModelProvider.objects.annotate(
            model_count=Count("models"), usable_count=Count("models", filter=Q(models__is_enabled=True))
        )
        .prefetch_related(Prefetch("models", Model.objects.order_by("-is_enabled", "label")))
        .order_by("-is_enabled", "name")
    )
