"""Starts the servers and Django before any test module is read."""

import os

from tests import servers  # noqa: F401 -- importing it starts them

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindloom.settings")

import django

django.setup()
