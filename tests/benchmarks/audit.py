"""What the audit trail's chain costs those who write, how long a long trail takes to be verified, and its screen with it.

Writers are threads with a connection each, and a transaction for each entry. They are measured with the chain and, in turn,
without it, on the same servers. The long trail is written by `COPY` in the form in which Mindloom would have written it.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import psutil
from django.db import connection
from django.http import QueryDict

from accounts.models import User
from administration.forms import EntryFilter
from administration.queries import trail_of
from audit.models import Entry
from audit.services import begin, record, verify
from mindloom import wall
from tests.benchmarks.house import House
from tests.benchmarks.report import Row

WRITERS = (1, 4, 16)
EACH = 400
ACTIONS = ("run.started", "agent.changed", "signin.completed", "run.exported", "member.role_changed", "secret.used")
TARGET_SECONDS = 60.0


def measure(house: House, *, size: int, rounds: int) -> list[Row]:
    """Writers at once, then a trail of `size` entries."""
    rows = [_writers(number, rounds) for number in WRITERS]
    return [*rows, *_long(size)]


def _writers(number: int, rounds: int) -> Row:
    chained, plain = [], []
    for _ in range(rounds):
        with patch("audit.services.recording.chain", _nothing):
            plain.append(_rate(number))
        chained.append(_rate(number))
    ratio = median(one / other for one, other in zip(chained, plain, strict=True))
    return Row(
        f"Audit entries, {number} writers at once, a transaction each",
        f"{median(chained):,.0f} a second ({', '.join(f'{one:,.0f}' for one in chained)})",
        f"{ratio:.2f} of those without the chain ({median(plain):,.0f} a second)",
    )


def _nothing(db: Any, entries: Any) -> None:
    """In the chain's place."""


def _rate(number: int) -> float:
    problems: list[Exception] = []

    def write() -> None:
        try:
            for _ in range(EACH):
                record(actor=None, action="thing.done", before={"name": "Scout"}, after={"name": "Scout 2"})
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    connection.close()
    threads = [threading.Thread(target=write) for _ in range(number)]
    began = time.monotonic()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if problems:
        raise problems[0]
    return number * EACH / (time.monotonic() - began)


def _long(size: int) -> list[Row]:
    with wall.system("benchmark"):
        _empty()
        fill(size)
        began = time.monotonic()
        begin(connection)
        chaining = time.monotonic() - began
    before = psutil.Process().memory_info().rss
    took = []
    for _ in range(3):
        began = time.monotonic()
        verdict = verify()
        took.append(time.monotonic() - began)
        if not verdict.holds or verdict.count != size:
            raise RuntimeError(f"{verdict.count} of {size} proven: {verdict.problems}")
    more = (psutil.Process().memory_info().rss - before) / 1024**2
    best = median(took[1:])
    return [
        Row(
            f"`manage.py audit verify`, {size:,} entries",
            f"{best:.1f} s ({', '.join(f'{one:.1f}' for one in took[1:])})",
            f"{size / best:,.0f} entries a second; the process grew by {more:.0f} MB",
            f"≤ {TARGET_SECONDS:.0f} s",
            best <= TARGET_SECONDS,
        ),
        _lists(size),
        Row(f"Chaining {size:,} entries that were there before", f"{chaining:.1f} s", "once, in the migration"),
    ]


def _lists(size: int) -> Row:
    """A page of the screen's list for each filter, as an administrator and as the manager of one department."""
    ada = User.objects.create_superuser("ada@example.org", None, name="Ada")
    middle = (datetime.now(UTC) - timedelta(days=180)).date().isoformat()
    asked = [{}, {"action": "run.started"}, {"action": "rare.done"}, {"action": "run"}, {"who": "person5@example.org"}]
    asked += [{"who": "nobody@example.org"}, {"until": middle}, {"kind": "agent", "target": "17"}]
    took: dict[str, float] = {}
    with wall.system("benchmark"):
        for query in asked:
            took[f"all {query}"] = _page(EntryFilter(QueryDict(urlencode(query)), trail_of(ada, [])))
    manager = User.objects.create_user("manager@example.org", None, name="Manager")
    with wall.tenant([1]):
        for query in asked:
            took[f"one {query}"] = _page(EntryFilter(QueryDict(urlencode(query)), trail_of(manager, [1])))
    for name, ms in took.items():
        print(f"{ms:8.1f} ms  {name}", flush=True)
    return Row(
        f"A page of the audit trail with {size:,} entries, each of 16 filters, in the database and Django",
        f"median {median(took.values()):.0f} ms, most {max(took.values()):.0f} ms",
        f"slowest: {max(took, key=lambda name: took[name])}",
        "most ≤ 100 ms",
        max(took.values()) <= 100,
    )


def _page(filters: EntryFilter) -> float:
    times = []
    for _ in range(5):
        began = time.monotonic()
        list(filters.qs.all()[:51])
        times.append((time.monotonic() - began) * 1000)
    return median(times[1:])


def _empty() -> None:
    """A trail that has not begun, as the tables' owner makes it."""
    tables = ("audit_entry", "audit_link", "audit_head", "audit_chainkey")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_emptied")
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")


def fill(size: int, departments: int = 3) -> None:
    """Entries of a year, evenly, of several departments, people and actions."""
    first = datetime.now(UTC) - timedelta(days=365)
    columns = [field.column for field in Entry._meta.concrete_fields if not field.primary_key]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry NO FORCE ROW LEVEL SECURITY")  # which COPY does not go through
        with cursor.copy(f"COPY audit_entry ({', '.join(columns)}) FROM STDIN") as copy:
            for number in range(size):
                action = "rare.done" if number % 100_000 == 7 else ACTIONS[number % 1000 % len(ACTIONS)]
                values = {
                    "at": first + timedelta(seconds=number * 365 * 86_400 / size),
                    "action": action,
                    "actor_id": number % 97 + 1,
                    "actor_label": f"person{number % 97}@example.org",
                    "department_id": number % departments + 1,
                    "target_kind": action.partition(".")[0],
                    "target_id": f"{number % 5_000}",
                    "target_label": f"Thing {number % 5_000}",
                    "data": json.dumps({"before": {"name": "Scout"}, "after": {"name": f"Scout {number}"}}),
                    "ip_address": f"10.0.{number % 200}.{number % 250}",
                    "door": "page",
                    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
                }
                copy.write_row([values[name] for name in columns])
        cursor.execute("ALTER TABLE audit_entry FORCE ROW LEVEL SECURITY")
        cursor.execute("ANALYZE audit_entry")
