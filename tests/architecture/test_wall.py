"""The wall between departments, held against raw SQL on real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, connections, transaction

from accounts.models import Department
from agents.models import Agent
from audit.models import Entry
from mindloom import wall
from mindloom.wall.base import DatabaseWrapper
from mindloom.wall.checks import check_wall

MODELS = {
    model._meta.db_table: model
    for model in apps.get_models(include_auto_created=True)
    if any(field.column == "department_id" for field in model._meta.concrete_fields)
}
TABLES = sorted(MODELS)
every_table = pytest.mark.parametrize("table", TABLES)


def rows(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def departments_in(table):
    """The departments whose rows raw SQL gets, in the scope of the caller."""
    return {department for (department,) in rows(f"SELECT DISTINCT department_id FROM {table}")}


@every_table
def test_a_tenant_table_has_forced_row_level_security(db, table):
    (found,) = rows("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", table)
    policies = rows("SELECT polname FROM pg_policy WHERE polrelid = %s::regclass", table)

    assert found == (True, True)
    assert policies


def test_every_table_with_a_department_belongs_to_a_model(db):
    found = rows(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'department_id' AND table_schema = 'public'"
    )
    assert sorted(name for (name,) in found) == TABLES


@every_table
def test_raw_sql_without_a_scope_gets_no_rows(filled, table):
    assert departments_in(table) == set()


@every_table
def test_raw_sql_in_a_scope_gets_that_departments_rows(filled, table):
    with wall.tenant([filled.finance.pk]):
        assert departments_in(table) == {filled.finance.pk}


@every_table
def test_the_system_scope_gets_the_rows_of_all(filled, table):
    with wall.system("tests: look behind the scenes"):
        assert departments_in(table) >= {filled.marketing.pk, filled.finance.pk}


def test_a_scope_of_several_departments_gets_the_rows_of_each(filled):
    with wall.tenant([filled.marketing.pk, filled.finance.pk]):
        assert departments_in("runs_run") == {filled.marketing.pk, filled.finance.pk}


def test_audit_rows_of_no_department_are_for_the_system_only(filled):
    with wall.tenant([filled.marketing.pk, filled.finance.pk]):
        assert not Entry.objects.filter(action="demo.seeded").exists()


def _written(table):
    """The columns that PostgreSQL does not work out by itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
            [table],
        )
        return [f'"{name}"' for (name,) in cursor.fetchall()]


@every_table
def test_inserting_across_the_wall_is_refused(filled, table):
    columns = ", ".join(_written(table))
    copy = (
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM"
        f" (SELECT (jsonb_populate_record(null::{table}, to_jsonb(own) || %s::jsonb)).* FROM {table} own) copy"
    )
    refused = pytest.raises(ProgrammingError, match="row-level security")
    with wall.tenant([filled.finance.pk]), refused, transaction.atomic():
        rows(copy, f'{{"department_id": {filled.marketing.pk}}}')


BUCKETS = (
    *(("page", "content", "content"), ("version", "document", "document"), ("version", "content", "content")),
    *(("document", key, target) for key, target in (("bucket", "bucket"), ("newest", "version"), ("live", "version"))),
    *(("chunk", one, one) for one in ("version", "document", "bucket")),
    *(("websource", "bucket", "bucket"), ("document", "source", "websource")),
    *((one, key, key) for one, key in (("vector", "bucket"), ("question", "document"), ("version", "generation"))),
)


@pytest.mark.parametrize(
    ("table", "column", "target"),
    [
        ("runs_run", "retry_of_id", "runs_run"),
        ("runs_run", "conversation_id", "runs_conversation"),
        ("runs_approval", "run_id", "runs_run"),
        ("runs_runartifact", "run_id", "runs_run"),
        ("agents_agent", "published_id", "agents_agentversion"),
        ("agents_agentversion", "agent_id", "agents_agent"),
        ("teams_team", "published_id", "teams_teamversion"),
        ("teams_teamversion", "team_id", "teams_team"),
        *(
            ("webhooks_delivery", "webhook_id", "webhooks_webhook"),
            ("webhooks_attempt", "delivery_id", "webhooks_delivery"),
        ),
        ("schedules_occurrence", "schedule_id", "schedules_schedule"),
        *((f"buckets_{one}", f"{key}_id", f"buckets_{target}") for one, key, target in BUCKETS),
    ],
)
def test_a_row_cannot_point_to_another_departments_row(filled, table, column, target):
    one_of = f"SELECT id FROM {target} WHERE department_id = %s"
    # Versions have numbers, questions keys and files versions that are unique for each agent and run.
    numbered = ("agents_agentversion", "teams_teamversion", "webhooks_attempt", "buckets_page", "buckets_chunk")
    other = {"runs_approval": "key", "runs_runartifact": "version", "buckets_document": "name"}
    other |= {"buckets_websource": "url"}
    renumber = {one: f", {column} = '99'" for one, column in {**dict.fromkeys(numbered, "number"), **other}.items()}
    point = f"UPDATE {table} SET {column} = %s{renumber.get(table, '')} WHERE department_id = %s RETURNING 1"
    with wall.system("tests: point across the wall"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # published versions refuse any change
        foreign = rows(one_of, filled.marketing.pk)[0][0]
        with pytest.raises(IntegrityError, match=r"same_(department|owner)"), transaction.atomic():
            rows(point, foreign, filled.finance.pk)


@pytest.mark.parametrize("table", ["runs_run", "runs_conversation", "runs_personmemory"])
def test_a_row_cannot_point_to_another_departments_agent(filled, table):
    point = f"UPDATE {table} SET agent_id = %s WHERE department_id = %s RETURNING 1"
    with wall.system("tests: point across the wall"):
        foreign = rows("SELECT id FROM agents_agent WHERE department_id = %s", filled.marketing.pk)[0][0]
        with pytest.raises(IntegrityError, match="of another department"), transaction.atomic():
            rows(point, foreign, filled.finance.pk)


def test_a_run_cannot_point_to_another_agents_version(filled):
    with wall.system("tests: point across the wall"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        foreign = rows("SELECT id FROM agents_agentversion WHERE department_id = %s", filled.marketing.pk)[0][0]
        point = "UPDATE runs_run SET agent_version_id = %s WHERE department_id = %s RETURNING 1"
        with pytest.raises(IntegrityError, match="same_owner"), transaction.atomic():
            rows(point, foreign, filled.finance.pk)


@every_table
def test_moving_a_row_across_the_wall_is_refused(filled, table):
    def counted():
        with wall.system("tests: look behind the scenes"):
            return rows(f"SELECT count(*) FROM {table} WHERE department_id = %s", filled.finance.pk)

    before = counted()
    with wall.tenant([filled.finance.pk]):
        try:
            with transaction.atomic():
                rows(f"UPDATE {table} SET department_id = %s RETURNING 1", filled.marketing.pk)
        except DatabaseError:
            pass
    assert counted() == before


@every_table
@pytest.mark.parametrize("statement", ["UPDATE {} SET department_id = department_id", "DELETE FROM {}"])
def test_rows_behind_the_wall_are_not_touched(filled, table, statement):
    with wall.tenant([filled.finance.pk]):
        touched = rows(f"{statement.format(table)} WHERE department_id = %s RETURNING 1", filled.marketing.pk)
    assert touched == []


def test_the_scope_holds_after_a_savepoint_is_rolled_back(filled):
    with wall.tenant([filled.finance.pk]), pytest.raises(DatabaseError), transaction.atomic():
        rows("SELECT 1 FROM no_such_table")
    assert departments_in("agents_agent") == set()

    with wall.tenant([filled.marketing.pk]):
        assert departments_in("agents_agent") == {filled.marketing.pk}


def test_a_scope_entered_inside_a_savepoint_goes_back_with_it(filled):
    with wall.tenant([filled.marketing.pk]):
        with transaction.atomic():
            with wall.tenant([filled.finance.pk]):
                assert departments_in("agents_agent") == {filled.finance.pk}
            transaction.set_rollback(True)
        assert departments_in("agents_agent") == {filled.marketing.pk}


def test_the_scope_holds_after_a_transaction_is_rolled_back(transactional_db, filled):
    with transaction.atomic(), wall.tenant([filled.finance.pk]):
        assert departments_in("agents_agent") == {filled.finance.pk}
        transaction.set_rollback(True)
    with wall.tenant([filled.marketing.pk]):
        assert departments_in("agents_agent") == {filled.marketing.pk}
    assert departments_in("agents_agent") == set()


def test_a_connection_from_the_pool_has_nobodys_scope(transactional_db, filled):
    seen: dict[int, set[int]] = {}
    for turn in range(40):
        # The pool hands its connections out in turn, so each of them meets both departments.
        department = (filled.marketing.pk, filled.finance.pk)[turn // 7 % 2]
        with wall.tenant([department]):
            assert departments_in("agents_agent") == {department}
        ((pid,),) = rows("SELECT pg_backend_pid()")
        seen.setdefault(pid, set()).add(department)
        connection.close()
        assert departments_in("agents_agent") == set()
        connection.close()
    assert max(len(departments) for departments in seen.values()) == 2, "no connection was used twice"


def test_a_server_side_cursor_reads_inside_the_scope(transactional_db, filled):
    with wall.tenant([filled.finance.pk]):
        assert {agent.department_id for agent in Agent.objects.iterator(chunk_size=1)} == {filled.finance.pk}


def test_a_thread_begins_without_a_scope(transactional_db, filled):
    def look():
        try:
            return departments_in("agents_agent")
        finally:
            connection.close()

    with wall.tenant([filled.marketing.pk]), ThreadPoolExecutor(1) as pool:
        assert pool.submit(look).result() == set()


def test_threads_keep_their_scopes_apart(transactional_db, filled):
    def look(department):
        try:
            with wall.tenant([department]):
                return [departments_in("agents_agent") for _ in range(20)]
        finally:
            connection.close()

    wanted = [filled.marketing.pk, filled.finance.pk] * 4
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(look, wanted))
    assert found == [[{department}] * 20 for department in wanted]


def test_async_tasks_keep_their_scopes_apart_on_one_connection(transactional_db, filled):
    async def look(department):
        found = []
        with wall.tenant([department]):
            for _ in range(10):
                found.append(await sync_to_async(departments_in)("agents_agent"))
                await asyncio.sleep(0)
        return found

    async def both():
        found = await asyncio.gather(look(filled.marketing.pk), look(filled.finance.pk), look(filled.finance.pk))
        await sync_to_async(connections.close_all)()
        return found

    assert asyncio.run(both()) == [[{one}] * 10 for one in (filled.marketing.pk, filled.finance.pk, filled.finance.pk)]


def test_a_scope_ends_with_its_block_also_when_that_fails(db):
    with pytest.raises(RuntimeError), wall.tenant([1]):
        raise RuntimeError
    assert wall.current() == wall.NOTHING


def test_seeing_everything_needs_a_reason():
    with pytest.raises(ValueError, match="Say why"), wall.system(""):
        pass


def test_one_request_leaves_no_scope_to_the_next(filled, client_as):
    client_as(filled.alice).get("/agents/")
    assert departments_in("agents_agent") == set()

    client_as(None).get("/agents/")
    assert departments_in("agents_agent") == set()


def test_requests_on_one_connection_see_their_own_department(filled, client_as):
    alice, mallory = client_as(filled.alice), client_as(filled.mallory)
    seen = [
        {agent["department"] for agent in client.get("/api/v1/agents").json()["results"]}
        for client in (alice, mallory, alice)
    ]
    assert len(seen[0]) == len(seen[1]) == 1
    assert seen[0] == seen[2] != seen[1]


def test_a_refused_request_leaves_no_scope(filled, client_as):
    client = client_as(filled.mallory)
    assert client.get("/api/v1/runs?state=nonsense").status_code == 400
    assert departments_in("runs_run") == set()


# --- the system check ---


def test_the_check_finds_nothing_wrong(db):
    assert check_wall(databases=["default"]) == []


@pytest.fixture
def superuser(db, monkeypatch):
    """The check looks at the tests' database as the server's superuser."""
    if os.environ.get("DATABASE_URL"):
        pytest.skip("DATABASE_URL names a server whose superuser is not ours")
    made = DatabaseWrapper(connection.settings_dict | {"USER": "postgres", "OPTIONS": {}})
    monkeypatch.setattr("mindloom.wall.checks.connections", {"default": made})
    yield made
    made.close()


def test_the_check_refuses_a_role_that_walks_through_the_wall(superuser):
    (found,) = check_wall(databases=["default"])
    assert found.id == "mindloom.E001"
    assert "ALTER ROLE postgres" in found.hint


@pytest.mark.parametrize("change", ["DISABLE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"])
def test_the_check_refuses_a_table_that_is_open(db, change):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE runs_run {change}")

    (found,) = check_wall(databases=["default"])

    assert found.id == "mindloom.E002"
    assert "runs_run" in found.msg


def test_archived_departments_are_outside_of_everybodys_scope(filled, client_as):
    Department.objects.filter(pk=filled.finance.pk).update(archived_at="2026-01-01T00:00:00Z")
    assert client_as(filled.mallory).get("/api/v1/agents").json()["results"] == []
