"""The list of runs, its filters and one run's page with a million runs and twenty million events, over real HTTP.

All addresses are asked of one web process, in turn, so what else the machine does falls on all alike. What PostgreSQL does for
each is looked up with EXPLAIN: no plan reads a table of runs or events from one end to the other.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import TYPE_CHECKING

from django.core.management import call_command
from django.http import QueryDict

from accounts.models import User
from mindloom import wall
from runs.forms import RunFilter
from runs.models import Run, RunEvent
from tests.benchmarks.crowd import RARE, fill
from tests.benchmarks.house import House, free_port
from tests.benchmarks.lists import signed_in
from tests.benchmarks.report import Row

if TYPE_CHECKING:
    import httpx

WARM_UP = 3
TARGET_MS = 100
PAGE = 31


def measure(house: House, *, size: int, count: int) -> list[Row]:
    """p50 and p95 of each address, `count` times, and whether any plan reads a whole table."""
    began = time.monotonic()
    with wall.system("benchmark"):
        people = fill(house, size)
    print(f"{size:,} runs made in {time.monotonic() - began:.0f} s", flush=True)
    call_command("collectstatic", verbosity=0, interactive=False)
    port = free_port()
    os.environ["MINDLOOM_URL"] = f"http://127.0.0.1:{port}"  # cookies that travel over plain http
    house.web(port)
    clients = {who: signed_in(f"http://127.0.0.1:{port}", email) for who, email in people.items()}
    try:
        asked = _asked(people)
        times: dict[str, list[float]] = {name: [] for name in asked}
        for number in range(WARM_UP + count):
            for name, (who, address) in asked.items():
                took = _timed(clients[who], address)
                if number >= WARM_UP:
                    times[name].append(took)
    finally:
        for client in clients.values():
            client.close()
    rows = [_row(f"{name}, {size:,} runs", took) for name, took in times.items()]
    return [*rows, _plans(people, asked)]


def _asked(people: dict[str, str]) -> dict[str, tuple[str, str]]:
    """What is asked of whom: name, person, address."""
    with wall.system("benchmark"):
        member = User.objects.get(email=people["member"])
        last = Run.objects.visible_to(member).order_by("-pk").values_list("pk", flat=True)[0]
        of = Run.objects.get(pk=last)
        failed = Run.objects.visible_to(member).filter(state="failed").order_by("-pk")[0]
        agent, colleague = of.target.uuid, of.started_by.uuid
    month = (datetime.now(UTC) - timedelta(days=100)).date()
    return {
        "Runs": ("member", "/runs/"),
        "Home": ("member", "/"),
        "Runs, a viewer": ("viewer", "/runs/"),
        "Runs of a small department": ("small", "/runs/"),
        "Runs, far down": ("member", f"/runs/?before={last // 2}"),
        "Mine": ("member", "/runs/?view=mine"),
        "Running": ("member", "/runs/?view=live"),
        "Failed": ("member", "/runs/?view=failed"),
        "Of an agent": ("member", f"/runs/?agent={agent}"),
        "Of a person": ("member", f"/runs/?person={colleague}"),
        "Of schedules that failed": ("member", "/runs/?view=failed&trigger=schedule"),
        "Until some day": ("member", f"/runs/?until={month}"),
        "A rare word": ("member", f"/runs/?q={RARE}"),
        "A frequent word": ("member", "/runs/?q=w00000"),
        "Two words": ("member", "/runs/?q=w00003+w00040"),
        "A word that nobody wrote": ("member", "/runs/?q=nowhere"),
        "A reload of the list": ("member", f"/runs/?top={last - 60}"),
        "Runs by the API": ("member", "/api/v1/runs"),
        "A run's page": ("member", f"/runs/{failed.uuid}/"),
        "A run's metrics": ("member", f"/runs/{failed.uuid}/metrics/"),
    }


def _timed(client: httpx.Client, address: str) -> float:
    answer = client.get(address)
    answer.raise_for_status()
    return answer.elapsed.total_seconds() * 1000


def _row(name: str, took: list[float]) -> Row:
    p95 = quantiles(took, n=20)[-1]
    return Row(name, f"p50 {median(took):.0f} ms, p95 {p95:.0f} ms", "", f"p95 ≤ {TARGET_MS} ms", p95 <= TARGET_MS)


def _plans(people: dict[str, str], asked: dict[str, tuple[str, str]]) -> Row:
    """Every list's plan, and that of a run's events: which of them read a whole table."""
    found: dict[str, str] = {}
    for name, (who, address) in asked.items():
        path, _, query = address.partition("?")
        if path == "/runs/":
            found[name] = _plan(people[who], query)
    with wall.system("benchmark"):
        run = Run.objects.order_by("-pk")[0]
    with wall.tenant([run.department_id]):
        found["A run's events"] = RunEvent.objects.filter(run=run).order_by("seq")[:2000].explain()
    whole = [name for name, plan in found.items() if "Seq Scan on runs_run" in plan]
    for name in whole:
        print(f"{name}:\n{found[name]}", flush=True)
    said = f"{len(found)} plans, {len(whole)} with a sequential scan{': ' + ', '.join(whole) if whole else ''}"
    return Row("Plans of the lists and of a run's events", said, "", "none", not whole)


def _plan(email: str, query: str) -> str:
    given = QueryDict(query)
    with wall.system("benchmark"):
        user = User.objects.get(email=email)
        departments = list(user.memberships.values_list("department_id", flat=True))
    with wall.tenant(departments):
        base = Run.objects.visible_to(user).newest_first()
        view = {"live": ["queued", "running", "waiting"], "failed": ["failed"]}.get(given.get("view", ""))
        base = base.filter(state__in=view) if view else base
        base = base.filter(started_by=user) if given.get("view") == "mine" else base
        if given.get("before"):
            before = Run.objects.get(pk=given["before"])
            base = base.older_than(before.queued_at, before.pk)
        return str(RunFilter(given, base).qs[:PAGE].explain())
