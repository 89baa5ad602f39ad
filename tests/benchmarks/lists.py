"""How long the list of agents takes with 2,000 of them, beside the same list with 20: over real HTTP, signed in as a person.

Both lists are asked of the same web process, in turn, so what else the machine does falls on both alike.
"""

from __future__ import annotations

import os
from statistics import median, quantiles

import httpx
from django.core.management import call_command

from accounts.models import Department, Membership, Role, User
from agents.models import Agent, AgentVersion
from mindloom import wall
from tests import factories
from tests.benchmarks.house import House, free_port
from tests.benchmarks.people import PASSWORD
from tests.benchmarks.report import Row

FEW, MANY = 20, 2_000
WARM_UP = 5
ADDRESSES = {"page": "/agents/", "page, searched": "/agents/?q=agent+19", "API": "/api/v1/agents"}


def measure(house: House, *, count: int) -> list[Row]:
    """The time of each address, `count` times for a department with few agents and one with many."""
    with wall.system("benchmark"):
        people = {size: _department(size) for size in (FEW, MANY)}
    call_command("collectstatic", verbosity=0, interactive=False)
    port = free_port()
    os.environ["MINDLOOM_URL"] = f"http://127.0.0.1:{port}"  # cookies that travel over plain http
    house.web(port)
    base = f"http://127.0.0.1:{port}"
    clients = {size: signed_in(base, email) for size, email in people.items()}
    try:
        return [_row(name, address, clients, count) for name, address in ADDRESSES.items()]
    finally:
        for client in clients.values():
            client.close()


def _row(name: str, address: str, clients: dict[int, httpx.Client], count: int) -> Row:
    times: dict[int, list[float]] = {size: [] for size in clients}
    for number in range(WARM_UP + count):
        for size, client in clients.items():
            answer = client.get(address)
            answer.raise_for_status()
            if number >= WARM_UP:
                times[size].append(answer.elapsed.total_seconds() * 1000)
    few, many = (median(times[size]) for size in (FEW, MANY))
    p95 = quantiles(times[MANY], n=20)[-1]
    return Row(
        f"The list of agents ({name}) with {MANY:,} agents; {count} times",
        f"p50 {many:.0f} ms, p95 {p95:.0f} ms",
        f"with {FEW} agents p50 {few:.0f} ms: ratio {many / few:.2f}",
    )


def _department(size: int) -> str:
    """A department with so many published agents, and the address of a member."""
    department = Department.objects.create(name=f"With {size}", slug=f"with-{size}")
    user = User.objects.create_user(f"with{size}@example.org", PASSWORD, name="Lister")
    Membership.objects.create(user=user, department=department, role=Role.MEMBER, status=Membership.Status.ACTIVE)
    factories.offline_model()
    values = {
        "draft": factories.DEFINITION,
        "draft_digest": "d",
        "description": "Reads what it is given and sums it up.",
    }
    agents = Agent.objects.bulk_create(
        Agent(department=department, owner=user, name=f"Agent {number}", category="Research", **values)
        for number in range(size)
    )
    versions = AgentVersion.objects.bulk_create(
        AgentVersion(agent=one, department=department, number=1, definition=one.draft, digest="d", published_by=user)
        for one in agents
    )
    for agent, version in zip(agents, versions, strict=True):
        agent.published = version
    Agent.objects.bulk_update(agents, ["published"], batch_size=500)
    return user.email


def signed_in(base: str, email: str) -> httpx.Client:
    """A browser of the person, as far as HTTP goes."""
    client = httpx.Client(base_url=base, timeout=60, follow_redirects=True)
    client.get("/sign-in/").raise_for_status()
    token = client.cookies["mindloom_csrf"]
    form = {"email": email, "password": PASSWORD, "csrfmiddlewaretoken": token}
    answer = client.post("/sign-in/", data=form, headers={"Referer": f"{base}/sign-in/"})
    answer.raise_for_status()
    if client.get("/agents/").url.path != "/agents/":
        raise RuntimeError(f"{email} could not sign in: {answer.text[:500]}")
    return client
