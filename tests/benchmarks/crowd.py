"""Fills an installation with a history: so many runs of three departments, each with the same twenty events.

Everything is made inside PostgreSQL by `INSERT … SELECT`, as its superuser and without triggers of foreign keys, which would
take hours; rows and indexes are the same as if each run had been written by a worker.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import connection
from psycopg import sql

from accounts.models import Department, Membership, Role, User
from agents.models import Agent
from mindloom.engine import events
from runs.models import Guard, State, append
from tests import factories
from tests.benchmarks.people import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.house import House

SHARES = {"large": 0.7, "middle": 0.25, "small": 0.05}
AGENTS, PRIVATE, PEOPLE = 40, 4, 25
"""Of each department; the private agents are its manager's."""
EVENTS = 20
SENTENCES, WORDS, VOCABULARY = 5_000, 12, 20_000
LIVE = 200
"""Runs at the end that have not ended."""
RARE = "zymurgy"
"""A word that one run in ten thousand has."""

_RUNS = """
INSERT INTO runs_run (uuid, department_id, agent_id, agent_version_id, replaced, spec, input, variables, trigger, started_by_id,
    state, reason, reason_message, output, tokens_in, tokens_out, tokens_cached, cost, unpriced_calls, model_calls, tool_calls,
    tool_failures, first_token_ms, priority, provider_key, queued_at, sent_at, started_at, finished_at, claimed_by, fence, restarts,
    cancel_message, last_seq, events_pruned)
SELECT gen_random_uuid(), %(department)s, agents.ids[at.agent], agents.versions[at.agent], false, template.spec,
    words.s[1 + (n * 7919) %% %(sentences)s] || CASE WHEN n %% 10000 = 0 THEN ' zymurgy' ELSE '' END, '{}',
    CASE WHEN n %% 3 = 0 THEN 'schedule' WHEN n %% 11 = 0 THEN 'api' ELSE 'person' END, %(people)s[1 + (n * 31) %% %(crowd)s],
    state.now, CASE WHEN state.now = 'failed' THEN 'agent_error' ELSE '' END, '',
    CASE WHEN state.now = 'completed' THEN words.s[1 + (n * 104729) %% %(sentences)s] || '. ' || words.s[1 + (n * 1299709) %% %(sentences)s] ELSE '' END,
    800, 200, 0, 0.001, 0, 2, 1, 0, 300, 10, 0, moment, moment, moment + interval '1 second',
    CASE WHEN state.now IN ('queued', 'running', 'waiting') THEN NULL ELSE moment + interval '9 seconds' END, 'w', 1, 0, '', %(events)s, 0
FROM generate_series(1, %(count)s::bigint) n
CROSS JOIN (SELECT %(agents)s::bigint[] AS ids, %(versions)s::bigint[] AS versions) agents
CROSS JOIN (SELECT spec FROM runs_run WHERE id = %(template)s) template
CROSS JOIN (SELECT array_agg(sentence) AS s FROM bench_sentences) words
CROSS JOIN LATERAL (SELECT 1 + (n * 13) %% array_length(agents.ids, 1) AS agent) at
CROSS JOIN LATERAL (SELECT now() - (%(count)s - n) * interval '20 seconds' AS moment) times
CROSS JOIN LATERAL (SELECT CASE
    WHEN n > %(count)s - %(live)s THEN (ARRAY['running', 'waiting', 'queued'])[1 + n %% 3]
    WHEN n %% 14 = 0 THEN 'failed' WHEN n %% 33 = 0 THEN 'cancelled' ELSE 'completed' END AS now) state
"""
_EVENTS = """
INSERT INTO runs_runevent (run_id, seq, department_id, at, type, source, data)
SELECT r.id, e.seq, r.department_id, r.queued_at + e.seq * interval '400 milliseconds', e.type, e.source, e.data
FROM runs_run r CROSS JOIN (SELECT * FROM runs_runevent WHERE run_id = %(template)s) e WHERE r.id > %(template)s ORDER BY r.id, e.seq
"""


def fill(house: House, count: int) -> dict[str, str]:
    """Make the runs. Returns the addresses of people: a member and a viewer of the large department, a member of the small one,
    and one who sees only what they started themselves. Call it inside `wall.system`.
    """
    made = {name: _department(name) for name in SHARES}
    template = _template(made["large"][1][0])
    with psycopg.connect(f"host={house.data / 'postgres'} user=postgres dbname=mindloom", autocommit=True) as server:
        for setting in ("max_wal_size = '4GB'", "maintenance_work_mem = '512MB'"):
            server.execute(f"ALTER SYSTEM SET {setting}")
        server.execute("SELECT pg_reload_conf()")
        server.execute("SET session_replication_role = replica")
        server.execute("SET synchronous_commit = off")
        server.execute("CREATE TABLE bench_sentences AS SELECT unnest(%s::text[]) AS sentence", [_sentences()])
        with _without_indexes(server):
            for name, (department, agents, people) in made.items():
                server.execute(_RUNS, _values(department, agents, people, template, round(count * SHARES[name])))
            server.execute(_EVENTS, {"template": template})
        server.execute("DROP TABLE bench_sentences")
        server.execute("VACUUM ANALYZE")
    connection.close()
    return {
        "member": made["large"][2][1].email,
        "viewer": made["large"][2][2].email,
        "small": made["small"][2][1].email,
    }


@contextmanager
def _without_indexes(server: psycopg.Connection[Any]) -> Iterator[None]:
    """Indexes are made at the end, which takes a fraction of keeping them with each row; those of constraints stay."""
    found = server.execute(
        "SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid IN ('runs_run'::regclass, 'runs_runevent'::regclass) AND NOT i.indisunique"
    ).fetchall()
    for name, _ in found:
        server.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    for _, definition in found:
        server.execute(sql.SQL(definition))


def _values(
    department: Department, agents: list[Agent], people: list[User], template: int, count: int
) -> dict[str, object]:
    return {
        "department": department.pk,
        "agents": [agent.pk for agent in agents],
        "versions": [agent.published_id for agent in agents],
        "people": [person.pk for person in people],
        "crowd": len(people),
        "template": template,
        "sentences": SENTENCES,
        "events": EVENTS,
        "count": count,
        "live": round(LIVE * count / (count + 1)),
    }


def _department(name: str) -> tuple[Department, list[Agent], list[User]]:
    department = Department.objects.create(name=name.title(), slug=name)
    people = []
    for number in range(PEOPLE):
        user = User.objects.create_user(f"{name}{number}@example.org", PASSWORD, name=f"{name.title()} {number}")
        role = Role.MANAGER if number == 0 else Role.VIEWER if number == 2 else Role.MEMBER
        Membership.objects.create(user=user, department=department, role=role, status=Membership.Status.ACTIVE)
        people.append(user)
    agents = [factories.agent(people[0], department, name=f"{name.title()} agent {number}") for number in range(AGENTS)]
    Agent.objects.filter(pk__in=[agent.pk for agent in agents[-PRIVATE:]]).update(visibility=Agent.Visibility.PRIVATE)
    return department, agents, people


def _template(agent: Agent) -> int:
    """A run with the events that all others get, too."""
    run = factories.run(agent, agent.owner)
    said = [events.ContentAdded(block=1, text=f"Piece {number} of what it says. ") for number in range(EVENTS - 7)]
    written = [
        events.RunQueued(trigger="person"),
        events.RunStarted(worker="bench:1", attempt=1),
        events.ToolCallStarted(call_id="c1", tool="calculate", arguments={"expression": "19 * 21"}, effect="reads"),
        events.ToolCallFinished(call_id="c1", tool="calculate", result="399", duration_ms=3),
        *said,
        events.ContentCompleted(block=1, text="".join(piece.text for piece in said)),
        events.ModelCalled(provider="Bench", model="m", turn=1, duration_ms=900, tokens_in=800, tokens_out=200),
        events.RunCompleted(output="Done."),
    ]
    append(run.pk, written, guard=Guard(states=(State.QUEUED,)))
    assert len(written) == EVENTS
    return run.pk


def _sentences() -> list[str]:
    """Words as they are in texts: a few very often, most seldom."""
    chance = random.Random(4)
    words = [f"w{number:05d}" for number in range(VOCABULARY)]
    weights = [1 / (number + 5) for number in range(VOCABULARY)]
    return [" ".join(chance.choices(words, weights, k=WORDS)) for _ in range(SENTENCES)]
