"""The one door through which events are written and states change.

A single statement first moves the run's row, guarded by the expected state and fence, then adds the events numbered from
there. Moving the row first holds its lock until the events are committed, so sequence numbers commit in order and a reader's
cursor never skips one. A worker that was given up for dead has an old fence and can no longer write.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection
from psycopg.sql import SQL, Identifier, Placeholder

from mindloom.engine.events import Event, ModelCalled, ToolCallFailed, ToolCallStarted
from runs.models.run import TERMINAL_STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg.sql import Composable

    from runs.models.run import State

_EVENTS = SQL("""ROWS FROM (
        jsonb_to_recordset(%(events)s::jsonb) AS (at timestamptz, type text, source jsonb, data jsonb)
    ) WITH ORDINALITY AS e (at, type, source, data, place)""")
_APPEND = SQL("""
WITH {calls} moved AS (
    UPDATE runs_run SET last_seq = last_seq + %(count)s, {changes}
    WHERE id = %(run)s AND state = ANY(%(states)s) AND (%(fence)s::int IS NULL OR fence = %(fence)s)
    RETURNING *
), added AS (
    INSERT INTO runs_runevent (run_id, seq, department_id, at, type, source, data)
    SELECT %(run)s, moved.last_seq - %(count)s + e.place, moved.department_id, e.at, e.type, e.source, e.data
    FROM moved, {events}
) {ledger}
SELECT last_seq, fence FROM moved
""")
# What each request cost: the price that was valid then, of the model that the event names. Both are null when unknown.
_CALLS = SQL("""calls AS MATERIALIZED (
    SELECT e.place, e.at, e.source, c.*, CASE WHEN p.is_free THEN 0
        ELSE ((c.tokens_in - coalesce(c.tokens_cached, 0)) * p.input_price + coalesce(c.tokens_cached, 0)
            * coalesce(p.cached_price, p.input_price) + c.tokens_out * p.output_price) / 1000000 END AS cost
    FROM {events}, LATERAL jsonb_to_record(e.data) AS c (
        provider text, model text, model_ref text, purpose text, error text, tokens_in bigint, tokens_out bigint,
        tokens_cached bigint, tokens_reasoning bigint, duration_ms bigint, first_token_ms bigint
    ) LEFT JOIN LATERAL (
        SELECT * FROM (
            SELECT true AS is_free, 0::numeric AS input_price, 0::numeric AS cached_price, 0::numeric AS output_price,
                NULL::timestamptz AS valid_from
            FROM integrations_model m JOIN integrations_modelprovider v ON v.id = m.provider_id
            WHERE m.uuid::text = c.model_ref AND v.kind = 'offline'
            UNION ALL
            SELECT false, q.input_price, q.cached_price, q.output_price, q.valid_from
            FROM integrations_modelprice q JOIN integrations_model m ON m.id = q.model_id
            WHERE m.uuid::text = c.model_ref AND q.valid_from <= e.at
        ) known ORDER BY valid_from DESC NULLS LAST LIMIT 1
    ) p ON true
    WHERE e.type = 'model.called'
),""").format(events=_EVENTS)
_LEDGER = SQL(""", entered AS (
    INSERT INTO runs_usagerecord (department_id, run_id, run_uuid, seq, at, person_id, target_kind, target_uuid, target_name,
        source, provider, model, purpose, tokens_in, tokens_out, tokens_cached, tokens_reasoning, duration_ms, first_token_ms,
        failed, cost)
    SELECT moved.department_id, moved.id, moved.uuid, moved.last_seq - %(count)s + calls.place, calls.at, moved.started_by_id,
        CASE WHEN moved.team_id IS NULL THEN 'agent' ELSE 'team' END,
        left(moved.spec ->> 'uuid', 40), left(moved.spec ->> 'name', 200),
        calls.source, left(calls.provider, 80), left(calls.model, 200), left(coalesce(calls.purpose, ''), 16), calls.tokens_in,
        calls.tokens_out, calls.tokens_cached, calls.tokens_reasoning, calls.duration_ms, calls.first_token_ms,
        coalesce(calls.error, '') <> '', calls.cost
    FROM moved, calls
)""")
_COSTS = SQL("""cost = cost + coalesce((SELECT sum(calls.cost) FROM calls), 0),
    unpriced_calls = unpriced_calls + (SELECT count(*) FROM calls WHERE calls.cost IS NULL)""")
_ADD = SQL("{0} = {0} + {1}")
_SET = SQL("{0} = {1}")
_FIRST = SQL("{0} = coalesce({0}, {1})")


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What must still be true of the run for a write to count."""

    states: tuple[State, ...]
    fence: int | None = None
    """The worker's claim; None for writers that hold none (services, the reaper)."""


@dataclass(frozen=True)
class Appended:
    """The run after the write."""

    last_seq: int
    fence: int


@dataclass
class _Changes:
    """The columns one append changes, as SQL pieces and their values."""

    pieces: list[Composable] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def put(self, form: SQL, column: str, value: Any) -> None:
        name = f"c_{column}"
        self.pieces.append(form.format(Identifier(column), Placeholder(name)))
        self.values[name] = value


def append(run_id: int, events: Sequence[Event], *, guard: Guard, **changes: Any) -> Appended | None:
    """Write `events` and set `changes` (columns of the run), or do nothing and return None when the guard no longer holds.

    Totals follow from the events themselves, and each request to a model becomes a row of the ledger. Commits at once unless the caller holds a transaction.
    """
    sets = _Changes()
    for column, value in changes.items():
        sets.put(_SET, column, value)
    _count_usage(events, sets)
    # By the database's clock, with which they are compared; a worker's may be wrong, and jump.
    if "heartbeat_at" not in changes:
        sets.pieces.append(SQL("heartbeat_at = now()"))
    if changes.get("state") in TERMINAL_STATES and "finished_at" not in changes:
        sets.pieces.append(SQL("finished_at = clock_timestamp()"))
    values = {
        "run": run_id,
        "count": len(events),
        "states": [str(state) for state in guard.states],
        "fence": guard.fence,
        "events": _json([_row(event) for event in events]),
        **sets.values,
    }
    with connection.cursor() as cursor:
        has_calls = any(isinstance(event, ModelCalled) for event in events)
        statement = _APPEND.format(
            changes=SQL(", ").join(sets.pieces),
            events=_EVENTS,
            calls=_CALLS if has_calls else SQL(""),
            ledger=_LEDGER if has_calls else SQL(""),
        )
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return Appended(*row) if row else None


def _count_usage(events: Sequence[Event], sets: _Changes) -> None:
    calls = [event for event in events if isinstance(event, ModelCalled)]
    if calls:
        sets.put(_ADD, "model_calls", len(calls))
        sets.put(_ADD, "tokens_in", sum(call.tokens_in or 0 for call in calls))
        sets.put(_ADD, "tokens_out", sum(call.tokens_out or 0 for call in calls))
        sets.put(_ADD, "tokens_cached", sum(call.tokens_cached or 0 for call in calls))
        sets.pieces.append(_COSTS)
        first = next((call.first_token_ms for call in calls if call.first_token_ms is not None), None)
        if first is not None:
            sets.put(_FIRST, "first_token_ms", first)
    if tools := sum(isinstance(event, ToolCallStarted) for event in events):
        sets.put(_ADD, "tool_calls", tools)
    if failures := sum(isinstance(event, ToolCallFailed) for event in events):
        sets.put(_ADD, "tool_failures", failures)


def _row(event: Event) -> dict[str, Any]:
    return {"at": event.at.isoformat(), "type": event.type, "source": event.source, "data": event.data()}


def _json(value: object) -> str:
    # PostgreSQL keeps no NUL characters, and no numbers that are none; lone surrogates come from cut-off escapes of models.
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)
    if "\\u0000" in text or "\\ud" in text or "NaN" in text or "Infinity" in text:
        text = json.dumps(storable(value), ensure_ascii=True, separators=(",", ":"), default=str)
    return text


def storable(value: Any) -> Any:
    """The value without the characters and numbers that PostgreSQL cannot keep."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value
