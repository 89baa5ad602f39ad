"""The database tool, against the tests' own PostgreSQL."""

from __future__ import annotations

import pytest

from integrations.tools import sql
from mindloom.engine.ports import ToolError
from tests.integrations.tools.helpers import call, opened, refusal


@pytest.fixture
def connection(database):
    return opened("sql", database)


def query(connection, text, **options):
    return call("sql", "sql_query", None, None, connection, sql=text, **options)


def test_tables_are_listed(connection):
    said = call("sql", "sql_tables", None, None, connection, name="staff")
    assert said == "- office.staff: id integer, name text, salary numeric"
    assert "no table" in call("sql", "sql_tables", None, None, connection, name="st%f'; drop")


def test_a_query_is_answered_with_a_table(connection):
    said = query(connection, "select name, salary, name from office.staff order by id desc;")
    assert said.splitlines() == [
        "| name | salary | name |",
        "| --- | --- | --- |",
        "| Omar |  | Omar |",
        "| Lena | 10.50 | Lena |",
    ]
    assert "with a % sign" in query(connection, "select 'with a % sign' as s -- a remark")
    assert query(connection, "select name from office.staff where false") == "No rows. Columns: name."


def test_rows_cells_and_time_are_bounded(connection, monkeypatch):
    said = query(connection, "select repeat('x', 1000000) as long from generate_series(1, 1000000)", limit=3)
    assert "the first 3 are shown" in said
    assert len(said) < 2_000
    monkeypatch.setattr(sql, "SECONDS", 1)
    assert "statement timeout" in refusal(
        "sql",
        "sql_query",
        None,
        None,
        connection,
        sql="select count(*) from generate_series(1, 100000000) a, generate_series(1, 100) b",
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "insert into office.staff values (3, 'x')", "update office.staff set name = 'x'", "delete from office.staff", "drop table office.staff",
        "select 1; drop table office.staff", "select 1; select 2", "with gone as (delete from office.staff returning *) select * from gone",
        "select * into office.copy from office.staff", "select * from office.staff for update", "create table x (y int)", "truncate office.staff",
        "copy office.staff to '/tmp/x'", "set transaction read write", "begin", "commit; delete from office.staff", "explain analyze select 1",
        "do $$ begin end $$", "call x()", "listen x", "select pg_sleep(10)", "select pg_catalog.pg_read_file('/etc/passwd')", 'select "pg_sleep"(10)',
        r"""select U&"\0070g_sleep"(10)""", r"""select u&"\0070g_read_file"('/etc/passwd')""",
        "select ts_rewrite('a'::tsquery, $$select 'a'::tsquery, plainto_tsquery(pg_read_file('/etc/passwd'))$$)",
        "select lo_import('/etc/passwd')", "select * from dblink('host=x', 'select 1') as t(a int)", "select set_config('transaction_read_only', 'off', false)",
        "select query_to_xml('select 1', true, true, '')", "select nextval('x')", "show all", "lock table office.staff", "(((" * 2_000, "select '" + "x" * 30_000 + "'",
    ],
)  # fmt: skip
def test_what_does_more_than_read_is_refused(connection, text):
    assert refusal("sql", "sql_query", None, None, connection, sql=text).endswith(".")
    assert query(connection, "select count(*) as n from office.staff").endswith("| 2 |")


@pytest.mark.parametrize(
    "text",
    ["insert into office.staff values (3, 'x')", "select 1; delete from office.staff", "with gone as (delete from office.staff returning *) select id from gone",
     "select 1) as asked(c0); delete from office.staff; select (1", "select 1 from office.staff for update"],
)  # fmt: skip
def test_the_database_would_refuse_too(connection, monkeypatch, text):
    monkeypatch.setattr(sql, "checked", lambda query: query)
    assert "refused" in refusal("sql", "sql_query", None, None, connection, sql=text)
    monkeypatch.undo()
    assert query(connection, "select count(*) as n from office.staff").endswith("| 2 |")


@pytest.mark.parametrize(
    "text",
    ["select 1", "with a as (select 1 as x) select x from a", "select 1 union all select 2", "table office.staff", "select count(*) filter (where salary > 1) from office.staff",
     "select jsonb_build_object('a', 1) -> 'a'", "select name, rank() over (order by salary) from office.staff", "select 'drop table x; delete'", "select now()::date - interval '1 day'"],
)  # fmt: skip
def test_what_reads_is_run(connection, text):
    assert query(connection, text).startswith("| ")


def test_a_wrong_name_is_said_in_the_words_of_the_database(connection):
    assert "does not exist" in refusal("sql", "sql_query", None, None, connection, sql="select * from office.people")
    assert "does not exist" in refusal(
        "sql", "sql_query", None, None, connection, sql="select colour from office.staff"
    )


def test_a_database_at_a_private_address_is_not_called(database):
    with pytest.raises(ToolError, match="private or reserved"):
        query(opened("sql", database | {"host": "192.168.0.1"}), "select 1")


def test_a_name_that_changes_its_mind_gains_nothing(database, monkeypatch):
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    monkeypatch.setitem(sql.postgres.addresses.__kwdefaults__, "resolver", lambda host, port: next(answers))
    assert query(opened("sql", database | {"host": "db.example.org"}), "select 7 as seven").endswith("| 7 |")
    assert next(answers) == ["10.0.0.1"]
