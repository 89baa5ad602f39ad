#!/usr/bin/env python
"""Mindloom's commands: `manage.py help` lists them."""

from __future__ import annotations

import atexit
import os
import sys

# These start the servers themselves, or need none.
WITHOUT_SERVERS = {"run", "help", "version", "collectstatic", "new_key", "--help", "-h", "--version"}


def main() -> None:
    """Run one command; the embedded servers are there while it runs."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindloom.settings")
    if sys.argv[1:2] == ["run"]:
        # It only supervises, for as long as the installation lives: it does without Django's applications.
        from mindloom.management.commands.run import Command

        Command().run_from_argv(sys.argv)
        return
    from django.core.management import execute_from_command_line  # after the settings are named

    if len(sys.argv) > 1 and sys.argv[1] not in WITHOUT_SERVERS:
        _start_servers()
    execute_from_command_line(sys.argv)


def _start_servers() -> None:
    from mindloom import embedded, settings  # reads the environment

    servers = embedded.Servers(settings.DATA_DIR)
    try:
        servers.start()
    except embedded.Busy:
        return  # Mindloom is running: use its servers
    atexit.register(servers.stop)


if __name__ == "__main__":
    main()
