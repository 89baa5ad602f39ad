"""Connections that the server has ended."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import User

END_ALL = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"""


def end_all() -> None:
    """As a restart of the server would, seen from here."""

    def work():
        with connection.cursor() as cursor:
            cursor.execute(END_ALL)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_after_a_restart_of_the_database_the_next_request_is_served(transactional_db):
    for _ in range(3):
        User.objects.exists()
        connection.close()
        end_all()
        assert not User.objects.exists()


@transaction.atomic
def look_twice() -> None:
    User.objects.exists()
    end_all()
    User.objects.exists()


def test_what_was_under_way_in_a_restart_ends_with_an_error_that_says_so(transactional_db):
    User.objects.exists()
    with pytest.raises(OperationalError):
        look_twice()
    connection.close()
    assert not User.objects.exists()
