"""Asks a database of the department, reading only.

Four bounds, each of which would do by itself for what it is there for: the text is parsed and must be one query; the server takes it
as the query of a cursor, so nothing can hide behind it; it runs in a transaction that cannot write; and rows, cells and time
are limited where they arise, in the database.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import psycopg

from integrations.tools import postgres
from integrations.tools.base import OpenConnection, Setup, Tool, function
from integrations.tools.csv_table import markdown
from integrations.tools.wording import limit, needed, shortened, whole
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_ROWS, DEFAULT_ROWS = 200, 50
MOST_COLUMNS = 60
LONGEST_CELL = 300
LONGEST_QUERY = 20_000
SECONDS = postgres.SECONDS
_SAFE = {"pg_size_pretty", "pg_typeof", "pg_column_size"}
_RISKY = re.compile(
    r"(pg_|lo_|dblink|set_config|current_setting|query_to_|table_to_|schema_to_|database_to_|cursor_to_|nextval|setval|txid_"
    r"|ts_stat|ts_rewrite|crosstab|connectby|xpath_table)"
)
"""Functions that reach beyond a query: other servers, files, settings, sessions, or that run text as a query."""
_ESCAPED_NAME = re.compile(r'u&"', re.IGNORECASE)
"""A name written in codes, U&"\\0070g_sleep": PostgreSQL reads another name than the parser here does."""
_COLOURS = re.compile(r"\x1b.[0-9]*m")
_TABLES = """
    select table_schema, table_name, string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position) as columns
    from information_schema.columns
    where table_schema not in ('pg_catalog', 'information_schema') and table_name ilike %s
    group by table_schema, table_name order by table_schema, table_name limit 101
"""


def checked(text: str) -> str:
    """The query, when it is one and only reads. Raises `ToolError` with a sentence."""
    import sqlglot  # large, and only needed here
    from sqlglot import exp

    refused = (
        exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter, exp.Command, exp.Into, exp.Lock, exp.Copy, exp.Set,
    )  # fmt: skip
    query = text.strip().rstrip(";").strip()
    if _ESCAPED_NAME.search(query):
        raise ToolError('Write names as they are; U&"…" is not read here.')
    try:
        statements = [one for one in sqlglot.parse(query, read="postgres") if one is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        first = _COLOURS.sub("", str(error).partition("\n")[0])[:300].rstrip(".")
        raise ToolError(f"This is not a query that can be read: {first}.") from None
    if len(statements) != 1:
        raise ToolError("Send exactly one query.")
    if not isinstance(statements[0], exp.Query):
        raise ToolError("Only queries that read are run: SELECT, also with WITH and UNION.")
    for node in statements[0].walk():
        if isinstance(node, refused):
            raise ToolError("The query would change or lock something. Only queries that read are run.")
        if isinstance(node, exp.Func):
            name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
            if name not in _SAFE and _RISKY.match(name):
                raise ToolError(f"The function {shortened(name, 60)} is not allowed here.")
    return query


def _query(connection: OpenConnection | None, arguments: dict[str, Any], context: ToolContext) -> str:
    assert connection is not None
    query = checked(needed(arguments, "sql", "which query to run", LONGEST_QUERY))
    most = whole(arguments, "limit", DEFAULT_ROWS, MOST_ROWS)
    try:
        with postgres.session(connection.values, seconds=SECONDS) as database:
            columns = _columns(database, query)
            with database.cursor(name="rows") as cursor:
                cursor.execute(_bounded(query, len(columns)))
                rows = cursor.fetchmany(most + 1)
    except psycopg.Error as error:
        raise ToolError(f"The database refused the query: {postgres.said(error)}") from None
    if not rows:
        return f"No rows. Columns: {', '.join(columns)[:500]}."
    shown = [["" if cell is None else shortened(cell, LONGEST_CELL) for cell in row] for row in rows[:most]]
    more = f"\n\nThere are more rows; the first {most} are shown." if len(rows) > most else ""
    return f"{markdown(columns, shown)}{more}"


def _columns(database: psycopg.Connection[Any], query: str) -> list[str]:
    """The names of what the query returns. Declaring a cursor takes exactly one statement that reads, and does not run it yet."""
    with database.cursor(name="asked") as cursor:
        cursor.execute(query)  # type: ignore[arg-type]  # a query of somebody else's, that was checked
        names = [column.name for column in cursor.description or ()]
    if not 0 < len(names) <= MOST_COLUMNS:
        raise ToolError(
            f"The query returns {len(names)} columns; from 1 to {MOST_COLUMNS} can be shown. Name the ones that you need."
        )
    return names


def _bounded(query: str, columns: int) -> str:
    """The query with every cell as text and cut, so that no cell can fill the memory here."""
    names = [f"c{place}" for place in range(columns)]
    cells = ", ".join(f"left({name}::text, {LONGEST_CELL + 1})" for name in names)
    return f"select {cells} from (\n{query}\n) as asked({', '.join(names)})"  # noqa: S608 -- a query that was checked


def _tables(connection: OpenConnection | None, arguments: dict[str, Any], context: ToolContext) -> str:
    assert connection is not None
    word = str(arguments.get("name") or "").strip()[:100].replace("\\", "").replace("%", "").replace("_", r"\_")
    try:
        with postgres.session(connection.values, seconds=SECONDS) as database:
            rows = database.execute(_TABLES, [f"%{word}%"]).fetchall()
    except psycopg.Error as error:
        raise ToolError(f"The database did not answer: {postgres.said(error)}") from None
    if not rows:
        return f"There is no table{f' whose name holds “{word[:60]}”' if word else ''} that this account may read."
    more = "\n\nThere are more tables; say a part of the name in `name`." if len(rows) > 100 else ""
    return "\n".join(f"- {schema}.{name}: {shortened(columns, 1_500)}" for schema, name, columns in rows[:100]) + more


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "sql_tables",
            "List the tables of the database with their columns and types.",
            {"name": {"type": "string", "description": "Only tables whose name holds this"}},
            partial(_tables, setup.connection),
            required=(),
        ),
        function(
            "sql_query",
            "Run one SELECT in the PostgreSQL database and return its rows as a table. Look at the tables first.",
            {"sql": {"type": "string", "description": "One query that reads"}, "limit": limit(MOST_ROWS, DEFAULT_ROWS)},
            partial(_query, setup.connection),
            required=("sql",),
        ),
    ]


TOOL = Tool(
    key="sql",
    name="Query a database",
    description="Reads from the PostgreSQL database of a connection, and can change nothing in it.",
    icon="database",
    effect="reads",
    functions=_functions,
    connection="sql",
)
