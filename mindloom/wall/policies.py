"""Migration operations that put a table behind the wall, and ask the database which tables are."""

from __future__ import annotations

from django.db.migrations.operations import RunSQL

_IN_SCOPE = (
    "(coalesce(current_setting('mindloom.system', true), '') = 'on'"
    " OR {column} = ANY (coalesce(nullif(current_setting('mindloom.departments', true), ''), '{{}}')::bigint[]))"
)


def _enable(table: str) -> str:
    return f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"


def _disable(table: str) -> str:
    return f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;"


def wall_table(table: str, column: str = "department_id") -> RunSQL:
    """Rows of `table` are seen, written and removed only inside the scope; `column` holds the department's id."""
    rule = _IN_SCOPE.format(column=column)
    return RunSQL(
        f"{_enable(table)} CREATE POLICY tenant ON {table} USING {rule} WITH CHECK {rule};",
        f"DROP POLICY tenant ON {table}; {_disable(table)}",
    )


def wall_append_only(table: str, column: str = "department_id") -> RunSQL:
    """Rows of `table` can be added and, inside the scope, read; nobody changes or removes them, the owner included."""
    rule = _IN_SCOPE.format(column=column)
    return RunSQL(
        f"{_enable(table)}"
        f" CREATE POLICY tenant_read ON {table} FOR SELECT USING {rule};"
        f" CREATE POLICY tenant_add ON {table} FOR INSERT WITH CHECK {rule};",
        f"DROP POLICY tenant_add ON {table}; DROP POLICY tenant_read ON {table}; {_disable(table)}",
    )


def wall_kept(table: str, column: str = "department_id") -> RunSQL:
    """As `wall_append_only`, but links to other rows may be set to null, which a trigger holds to that (`refuse_changes`)."""
    rule = _IN_SCOPE.format(column=column)
    added = wall_append_only(table, column)
    return RunSQL(
        f"{added.sql} CREATE POLICY tenant_unlink ON {table} FOR UPDATE USING {rule} WITH CHECK {rule};",
        f"DROP POLICY tenant_unlink ON {table}; {added.reverse_sql}",
    )


def refuse_changes(table: str, message: str, *, when: str = "true") -> RunSQL:
    """A trigger that refuses UPDATE of rows for which the SQL condition `when` (on OLD and NEW) holds."""
    name = f"{table}_immutable"
    return RunSQL(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; END $$;"
        f" CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}();",
        f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}();",
    )


def refuse_removal(table: str, message: str, *, when: str = "true") -> RunSQL:
    """A trigger that refuses DELETE of rows for which the SQL condition `when` (on OLD) holds."""
    name = f"{table}_kept"
    return RunSQL(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; END $$;"
        f" CREATE TRIGGER {name} BEFORE DELETE ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}();",
        f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}();",
    )


def refuse_emptying(table: str, message: str) -> RunSQL:
    """A trigger that refuses TRUNCATE."""
    name = f"{table}_emptied"
    return RunSQL(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; END $$;"
        f" CREATE TRIGGER {name} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}();",
        f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}();",
    )


def department_key(table: str) -> RunSQL:
    """Lets other tables point to rows of `table` together with their department; see `same_department`."""
    name = f"{table}_in_department"
    return RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE (id, department_id);",
        f"ALTER TABLE {table} DROP CONSTRAINT {name};",
    )


def same_department(table: str, column: str, target: str) -> RunSQL:
    """A row points only to rows of its own department. PostgreSQL checks keys behind the wall's back, so a key says it."""
    name = f"{table}_{column}_same_department"
    return RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}, department_id)"
        f" REFERENCES {target} (id, department_id) DEFERRABLE INITIALLY DEFERRED;",
        f"ALTER TABLE {table} DROP CONSTRAINT {name};",
    )


def seen_target(table: str, targets: dict[str, str]) -> RunSQL:
    """A row of `table` points only to rows that are its department's own, or shared with every department.

    `targets` are column and target table; a target has `department_id` and `visibility`. A trigger looks, with the wall in
    force, because a key cannot say "or shared".
    """
    name = f"{table}_seen_target"
    tests = " ".join(
        f"IF NEW.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {target} t WHERE t.id = NEW.{column}"  # noqa: S608 -- names
        " AND (t.department_id = NEW.department_id OR t.visibility = ''everyone''))"
        f" THEN RAISE EXCEPTION ''{table}.{column} points to a row of another department''"
        " USING ERRCODE = ''foreign_key_violation''; END IF;"
        for column, target in targets.items()
    )
    columns = ", ".join([*targets, "department_id"])
    return RunSQL(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {tests} RETURN NULL; END';"
        f" CREATE TRIGGER {name} AFTER INSERT OR UPDATE OF {columns} ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {name}();",
        f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}();",
    )


def own_row(table: str, column: str, owner: str, target: str) -> RunSQL:
    """`column` of `table` points to a row of `target` that has the same `owner`, such as a version of the same agent."""
    name, unique = f"{table}_{column}_same_owner", f"{target}_of_{owner}"
    return RunSQL(
        f"ALTER TABLE {target} ADD CONSTRAINT {unique} UNIQUE (id, {owner});"
        f" ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}, {owner})"
        f" REFERENCES {target} (id, {owner}) DEFERRABLE INITIALLY DEFERRED;",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}; ALTER TABLE {target} DROP CONSTRAINT {unique};",
    )


def not_same_department(table: str, column: str, target: str) -> RunSQL:
    """Take `same_department` back."""
    made = same_department(table, column, target)
    return RunSQL(str(made.reverse_sql), made.sql)


def shared_rows(table: str, rule: str) -> RunSQL:
    """Rows for which the SQL condition `rule` holds are read in every scope, too. Written they are in their own only."""
    some_scope = "coalesce(nullif(current_setting('mindloom.departments', true), ''), '{}') <> '{}'"
    return RunSQL(
        f"CREATE POLICY shared ON {table} FOR SELECT USING ({some_scope} AND {rule});",
        f"DROP POLICY shared ON {table};",
    )
