"""Starts the servers and Django before any test module is read."""

import os

from tests import servers  # noqa: F401 -- importing it starts them

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindloom.settings")

import django

django.setup()
# The processes of a parallel run inherit the environment; with this in it they would read their settings before `servers`
# gives each a Redis prefix of its own.
del os.environ["DJANGO_SETTINGS_MODULE"]
