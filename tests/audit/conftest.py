"""A trail that is committed, and the table's owner, who may switch off what holds others back."""

from __future__ import annotations

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from audit.services import record
from mindloom import wall

TABLES = ("audit_entry", "audit_link", "audit_head", "audit_chainkey")


@pytest.fixture
def _anchors():
    """No anchor of another test's trail."""

    def remove():
        try:
            _, names = default_storage.listdir("audit")
        except FileNotFoundError:
            return
        for name in names:
            default_storage.delete(f"audit/{name}")

    remove()
    yield
    remove()


@pytest.fixture
def trail(cast, transactional_db, _anchors):
    """Ten entries, each of a transaction of its own; their ids."""
    with wall.system("tests: look behind the scenes"):
        made = [
            record(actor=cast.alice, action="thing.done", department_id=cast.marketing.pk, number=number).pk
            for number in range(10)
        ]
        yield made


@pytest.fixture
def as_owner():
    """Runs SQL as the tables' owner with the triggers and the wall switched off."""

    def run(*statements):
        with wall.system("tests: the owner"), connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                if table == "audit_entry":
                    cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            try:
                for sql in statements:
                    cursor.execute(sql)
            finally:
                for table in TABLES:
                    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_emptied")
                cursor.execute("ALTER TABLE audit_entry FORCE ROW LEVEL SECURITY")

    return run
