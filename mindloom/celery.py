"""The Celery application. A thread pool: runs wait on the network, so one process carries many."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindloom.settings")

app = Celery("mindloom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["runs"])
