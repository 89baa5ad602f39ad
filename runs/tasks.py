"""Celery's entry point: an id in, nothing out."""

from __future__ import annotations

from celery import shared_task

from runs import worker


@shared_task(name="runs.tasks.execute_run")
def execute_run(run_id: int) -> None:
    """Carry one run out."""
    worker.execute(run_id)
