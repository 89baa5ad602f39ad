"""Mindloom: departments build, run and trust AI agents."""

# Tasks bind to the application that exists when they are declared, so it exists before any app is loaded.
from mindloom.celery import app as celery_app

__all__ = ["celery_app"]
