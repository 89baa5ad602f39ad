"""Whatever is done to the trail behind Mindloom's back, verifying names it."""

from __future__ import annotations

import base64
import threading

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from audit.models import ChainKey, Entry, Head, Link
from audit.services import anchor, record, renew_key, verify
from mindloom import wall
from mindloom.web.errors import Unavailable


def seq_of(entry):
    return Link.objects.get(entry_id=entry).seq


def first_problem():
    return verify().problems[0]


def test_a_trail_that_nobody_touched_holds(trail):
    verdict = verify()
    assert verdict.holds
    assert verdict.count == Link.objects.count() == Entry.objects.count() >= 10


def test_an_altered_entry_is_named(trail, as_owner):
    as_owner(f"UPDATE audit_entry SET actor_label = 'nobody' WHERE id = {trail[4]}")
    assert first_problem().startswith(f"Entry {trail[4]} (thing.done by nobody")
    assert "was altered" in first_problem()


@pytest.mark.parametrize(
    "change",
    [
        "data = jsonb_set(data, '{number}', '99')",
        "at = at + interval '1 microsecond'",
        "department_id = NULL",
        "ip_address = '10.0.0.1'",
        "user_agent = 'x'",
        "target_id = ' '",
    ],
)
def test_every_part_of_an_entry_is_held(trail, as_owner, change):
    as_owner(f"UPDATE audit_entry SET {change} WHERE id = {trail[4]}")
    assert f"Entry {trail[4]} " in first_problem()


def test_an_entry_that_was_removed_is_named(trail, as_owner):
    as_owner(f"DELETE FROM audit_entry WHERE id = {trail[4]}")
    assert first_problem().startswith(f"Entry {trail[4]} is missing")


def test_an_entry_that_was_removed_with_its_link_is_missed(trail, as_owner):
    as_owner(f"DELETE FROM audit_link WHERE entry_id = {trail[4]}", f"DELETE FROM audit_entry WHERE id = {trail[4]}")
    assert first_problem().startswith(f"Entries are missing after entry {trail[3]}")


def test_moving_the_others_up_does_not_hide_it(trail, as_owner):
    place = seq_of(trail[4])
    as_owner(
        f"DELETE FROM audit_link WHERE entry_id = {trail[4]}",
        f"DELETE FROM audit_entry WHERE id = {trail[4]}",
        f"UPDATE audit_link SET seq = -seq WHERE seq > {place}",
        "UPDATE audit_link SET seq = -seq - 1 WHERE seq < 0",
        "UPDATE audit_head SET seq = seq - 1",
    )
    assert first_problem().startswith(f"Entries are missing after entry {trail[3]}")


def test_entries_that_changed_places_are_named(trail, as_owner):
    one, other = seq_of(trail[3]), seq_of(trail[6])
    as_owner(
        f"UPDATE audit_link SET seq = 0 WHERE seq = {one}",
        f"UPDATE audit_link SET seq = {one} WHERE seq = {other}",
        f"UPDATE audit_link SET seq = {other} WHERE seq = 0",
    )
    assert "were reordered" in first_problem()
    assert f"stands entry {trail[6]}, where entry {trail[3]} belongs" in first_problem()


def test_entries_whose_contents_changed_places_are_named(trail, as_owner):
    as_owner(
        f"UPDATE audit_entry SET id = 0 WHERE id = {trail[3]}",
        f"UPDATE audit_entry SET id = {trail[3]} WHERE id = {trail[6]}",
        f"UPDATE audit_entry SET id = {trail[6]} WHERE id = 0",
    )
    assert f"Entry {trail[3]} " in first_problem()


_COPY = (
    "INSERT INTO audit_entry (id, at, action, actor_label, target_kind, target_id, target_label, data, door, user_agent)"
    " VALUES ({}, now(), 'thing.forged', 'x', '', '', '', '{{}}', '', '')"
)


def test_an_entry_that_was_put_in_is_named(trail, as_owner):
    as_owner(_COPY.format(999_999))
    assert first_problem() == "Entry 999999 (thing.forged by x) was inserted: the chain does not know it."


def test_an_entry_that_was_put_into_the_chain_is_named(trail, as_owner):
    place = seq_of(trail[4])
    as_owner(
        _COPY.format(999_999),
        f"UPDATE audit_link SET seq = -seq WHERE seq >= {place}",
        "UPDATE audit_link SET seq = -seq + 1 WHERE seq < 0",
        f"INSERT INTO audit_link SELECT {place}, 999999, digest, mac, key FROM audit_link WHERE seq = {place - 1}",
        "UPDATE audit_head SET seq = seq + 1",
    )
    assert "Entry 999999 (thing.forged" in first_problem()
    assert f"was inserted at place {place}" in first_problem()


def test_an_entry_put_after_the_last_is_named(trail, as_owner):
    as_owner(
        _COPY.format(999_999),
        "INSERT INTO audit_link SELECT seq + 1, 999999, digest, mac, key FROM audit_link ORDER BY seq DESC LIMIT 1",
        "UPDATE audit_head SET seq = seq + 1",
    )
    assert "Entry 999999 (thing.forged by x" in first_problem()


NEWEST = "SELECT {} FROM audit_link ORDER BY seq DESC LIMIT 3"


def cut_off(as_owner, *more):
    as_owner(
        f"DELETE FROM audit_entry WHERE id IN ({NEWEST.format('entry_id')})",
        f"DELETE FROM audit_link WHERE seq IN ({NEWEST.format('seq')})",
        *more,
    )


def test_the_newest_entries_are_missed(trail, as_owner):
    cut_off(as_owner)
    assert first_problem().startswith("The newest 3 entries are missing")


def test_setting_the_end_back_is_seen(trail, as_owner):
    cut_off(
        as_owner,
        "UPDATE audit_head SET (seq, mac) = (SELECT seq, mac FROM audit_link ORDER BY seq DESC LIMIT 1)",
    )
    assert first_problem().startswith("The end of the chain was altered")


def test_without_its_end_the_trail_does_not_go_on(trail, as_owner):
    cut_off(as_owner, "DELETE FROM audit_head")
    assert first_problem().startswith("The end of the chain was removed")
    with pytest.raises(Unavailable, match="somebody removed its end"):
        record(actor=None, action="thing.done")
    call_command("audit", "renew")
    record(actor=None, action="thing.done")


def test_an_old_end_that_somebody_kept_is_seen_by_the_anchor(trail, as_owner, cast):
    head = Head.objects.get()
    old = f"seq = {head.seq}, mac = '\\x{bytes(head.mac).hex()}', proof = '\\x{bytes(head.proof).hex()}'"
    for _ in range(3):
        record(actor=cast.alice, action="thing.hidden")
    assert anchor()
    assert verify().holds
    cut_off(as_owner, f"UPDATE audit_head SET {old}")
    assert first_problem().startswith(
        f"Entries are missing after entry {trail[-1]}: the chain ends at {head.seq}, the anchor"
    )


def test_a_whole_trail_that_was_put_in_place_of_another_is_seen_by_the_anchor(trail, as_owner):
    anchor()
    as_owner("TRUNCATE audit_entry, audit_link, audit_head, audit_chainkey")
    for _ in range(100):
        record(actor=None, action="thing.done")
    assert "The whole trail is another" in first_problem()


def test_an_end_that_was_written_down_is_looked_for(trail, as_owner):
    written = verify().head
    record(actor=None, action="thing.done")
    assert verify(written).holds
    assert "another than the one that was written down" in verify(written[:-4] + "0000").problems[0]


def test_a_key_that_was_changed_is_named(trail, as_owner):
    as_owner("UPDATE audit_chainkey SET sealed = overlay(sealed placing 'xxxx' from 20)")
    assert first_problem().startswith("Key 1 of the chain cannot be opened")


def test_the_trail_holds_when_the_keys_are_changed_and_the_old_one_is_thrown_away(trail, settings, cast):
    new = {"new": base64.b64decode(base64.b64encode(b"n" * 32))}
    settings.KEY_RING = new | settings.KEY_RING
    call_command("rotate_keys")
    settings.KEY_RING = new
    record(actor=cast.alice, action="thing.done")

    assert verify().holds
    assert renew_key() == 0
    assert set(Link.objects.values_list("key", flat=True)) == {1, 2}
    assert ChainKey.objects.count() == 2


def test_without_its_key_nothing_is_done_behind_the_trails_back(trail, settings):
    settings.KEY_RING = {"other": b"o" * 32}
    from audit.queries import opened

    opened.cache_clear()
    with pytest.raises(Unavailable, match="The audit trail cannot be written"):
        record(actor=None, action="thing.done")
    call_command("audit", "renew")
    record(actor=None, action="thing.done")
    assert "Key 1 of the chain cannot be opened" in first_problem()
    opened.cache_clear()


def test_the_command_says_the_first_problem_and_fails(trail, as_owner, capsys):
    call_command("audit", "verify")
    assert "The audit trail holds" in capsys.readouterr().out
    as_owner(f"DELETE FROM audit_entry WHERE id = {trail[2]}")
    with pytest.raises(SystemExit) as stopped:
        call_command("audit", "verify")
    assert stopped.value.code == 1
    assert capsys.readouterr().out.startswith(f"Entry {trail[2]} is missing")


def refused(*statements):
    with pytest.raises(DatabaseError, match="kept as they are"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(";".join(statements))


@pytest.mark.parametrize("table", ["audit_entry", "audit_link", "audit_head", "audit_chainkey"])
def test_what_is_chained_is_neither_removed_nor_emptied(trail, table):
    refused(f"ALTER TABLE {table} ENABLE TRIGGER {table}_emptied", f"TRUNCATE {table}")
    if table == "audit_entry":  # whose rows the wall does not even offer to anybody but their owner
        refused("ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY", "DELETE FROM audit_entry")
        refused("ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY", "UPDATE audit_entry SET action = 'x'")
    else:
        refused(f"DELETE FROM {table}")


def test_entries_of_a_savepoint_that_went_back_are_not_chained(trail, cast):
    before = Link.objects.count()
    with transaction.atomic():
        record(actor=cast.alice, action="thing.kept")
        point = transaction.savepoint()
        record(actor=cast.alice, action="thing.undone")
        transaction.savepoint_rollback(point)
    assert Link.objects.count() == before + 1
    assert verify().holds


def test_many_who_write_at_once_in_any_order_make_one_chain_and_never_wait_for_each_other(trail, cast):
    problems = []

    def work(number):
        people = [cast.alice, cast.bob] if number % 2 else [cast.bob, cast.alice]
        try:
            with wall.tenant([cast.marketing.pk]):
                for _ in range(15):
                    with transaction.atomic():
                        record(actor=None, action="thing.begun")
                        for person in people:
                            with transaction.atomic():
                                type(person).objects.filter(pk=person.pk).update(name=f"{number}")
                                record(actor=person, action="thing.done")
                        if number % 2:
                            transaction.set_rollback(False)
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in (0, 2, 4, 6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert problems == []
    verdict = verify()
    assert verdict.holds
    assert verdict.count == Entry.objects.count() >= 10 + 4 * 15 * 3


def test_what_cannot_be_chained_is_rolled_back_with_all_it_recorded(trail, cast, monkeypatch):
    def broken(*_):
        raise RuntimeError("no")

    @transaction.atomic
    def change():
        type(cast.alice).objects.filter(pk=cast.alice.pk).update(name="Changed")
        record(actor=cast.alice, action="thing.done")

    monkeypatch.setattr("audit.services.chaining._link", broken)
    with pytest.raises(RuntimeError, match="no"):
        change()
    cast.alice.refresh_from_db()
    assert cast.alice.name == "Alice"
    monkeypatch.undo()
    record(actor=None, action="thing.done")
    assert verify().holds
