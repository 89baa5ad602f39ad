"""The audit trail is added to and never changed, whoever asks."""

from __future__ import annotations

import pytest
from django.db import connection

from audit.models import Entry
from audit.services import record, remote_address
from mindloom import wall


@pytest.fixture
def entry(cast, seeing_all) -> Entry:
    return record(actor=cast.alice, action="thing.done", department_id=cast.marketing.pk, why="because")


def action_of(entry: Entry) -> str:
    return Entry.objects.get(pk=entry.pk).action


def test_changing_entries_through_the_orm_changes_nothing(entry):
    assert Entry.objects.filter(pk=entry.pk).update(action="nothing.done") == 0
    assert action_of(entry) == "thing.done"


def test_deleting_entries_through_the_orm_deletes_nothing(entry):
    Entry.objects.filter(pk=entry.pk).delete()

    assert action_of(entry) == "thing.done"


@pytest.mark.parametrize("sql", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"])
def test_raw_sql_changes_nothing(entry, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        assert cursor.rowcount == 0

    assert action_of(entry) == "thing.done"


def test_inside_one_department_too(entry, cast):
    with wall.tenant([cast.marketing.pk]):
        assert Entry.objects.filter(pk=entry.pk).update(action="x") == 0
        Entry.objects.filter(pk=entry.pk).delete()

    assert action_of(entry) == "thing.done"


def test_entries_are_seen_by_their_department_only(entry, cast):
    with wall.tenant([cast.marketing.pk]):
        assert Entry.objects.filter(pk=entry.pk).exists()
    with wall.tenant([cast.finance.pk]):
        assert not Entry.objects.filter(pk=entry.pk).exists()
    with wall.scoped(wall.NOTHING):
        assert not Entry.objects.exists()


def test_characters_that_cannot_be_kept_do_not_stop_an_entry(cast, seeing_all):
    class Stranger:
        pk = None
        email = "a\x00b" + "x" * 500

    made = record(actor=Stranger(), action="thing.tried", typed={"x\x00": ["\ud800", "\x00"]})

    assert made.actor_label.startswith("abx")
    assert Entry.objects.get(pk=made.pk).data == {"typed": {"x": ["?", ""]}}


def test_an_entry_says_where_the_request_came_from(cast, seeing_all):
    token = remote_address.set("10.1.2.3")
    try:
        assert record(actor=None, action="thing.done").ip_address == "10.1.2.3"
    finally:
        remote_address.reset(token)
