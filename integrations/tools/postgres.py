"""A connection to a PostgreSQL database of the department, made to a checked address, that can only read."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings

from integrations.outbound import OutboundError, addresses
from mindloom.engine.ports import ToolError

SECONDS = 15
ENCRYPTION = ("require", "verify-full", "prefer", "disable")
_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}")


def connect(values: Mapping[str, str], *, seconds: int = SECONDS) -> psycopg.Connection[Any]:
    """An open connection whose every transaction is read-only. Raises `ToolError`."""
    host, port = values.get("host", ""), int(values.get("port") or 5432)
    if not _HOST.fullmatch(host):
        raise ToolError(f"“{host[:80]}” is not the name of a host.")
    try:
        found = addresses(host, port, allowed=settings.OUTBOUND_ALLOWED_NETWORKS, seconds=seconds)
    except OutboundError as error:
        raise ToolError(str(error)) from None
    failure = "there is no address for it."
    for address in found:
        try:
            return psycopg.connect(
                host=host,
                hostaddr=address,  # libpq goes here and keeps the name for the certificate
                port=port,
                dbname=values.get("database", ""),
                user=values.get("user", ""),
                password=values.get("password", ""),
                sslmode=values.get("encryption") or "require",
                sslrootcert="system" if values.get("encryption") == "verify-full" else "",
                gssencmode="disable",
                passfile="/dev/null",
                connect_timeout=max(2, seconds),
                application_name="Mindloom",
                options=f"-c default_transaction_read_only=on -c statement_timeout={seconds * 1000} -c lock_timeout=3000",
            )
        except psycopg.Error as error:
            failure = said(error)
    raise ToolError(f"The database “{values.get('database', '')[:60]}” on {host} cannot be opened: {failure}")


def said(error: psycopg.Error) -> str:
    """What PostgreSQL says, in one line."""
    text = error.diag.message_primary or str(error) or type(error).__name__
    return f"{' '.join(text.split())[:400].rstrip('.')}."


@contextmanager
def session(values: Mapping[str, str], *, seconds: int = SECONDS) -> Iterator[psycopg.Connection[Any]]:
    """An open connection that is hung up on when the server has not answered in time, whatever it does."""
    with connect(values, seconds=seconds) as connection:
        alarm = threading.Timer(seconds + 5, _hang_up, (connection.fileno(),))
        alarm.daemon = True
        alarm.start()
        try:
            yield connection
            connection.rollback()
        finally:
            alarm.cancel()


def _hang_up(number: int) -> None:
    """End the wait of whoever waits for this socket."""
    try:
        with socket.socket(fileno=os.dup(number)) as one:
            one.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
