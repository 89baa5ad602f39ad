"""A run's log and files, for taking away."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from runs.stream.lines import line_of
from runs.stream.structured import as_csv, pretty
from runs.stream.tails import event_json, read_page
from runs.stream.watch import Gone

if TYPE_CHECKING:
    from runs.models import Run, RunEvent
    from runs.stream.tails import Batch

NDJSON = "application/x-ndjson"
EVENT_STREAM = "text/event-stream"


async def ndjson(batches: AsyncIterator[Batch | None]) -> AsyncIterator[bytes]:
    """The events, a line each, until the run or the reader's access has ended; an empty line now and then keeps it open."""
    with suppress(Gone):
        async with aclosing(batches) as events:  # type: ignore[type-var]
            async for batch in events:
                if batch is None:
                    yield b"\n"
                else:
                    yield b"".join(text.encode() + b"\n" for text in batch.texts)


async def server_sent(batches: AsyncIterator[Batch | None]) -> AsyncIterator[bytes]:
    """The same as server-sent events; a browser that comes back says which it saw last."""
    with suppress(Gone):
        async with aclosing(batches) as events:  # type: ignore[type-var]
            async for batch in events:
                if batch is None:
                    yield b": still here\n\n"
                else:
                    yield b"".join(
                        f"id: {row.seq}\nevent: {row.type}\ndata: {text}\n\n".encode()
                        for row, text in zip(batch.rows, batch.texts, strict=True)
                    )


async def log_lines(run: Run) -> AsyncIterator[bytes]:
    """What is in the log now, as JSON lines."""
    async for rows in _pages(run):
        yield b"".join(json.dumps(event_json(row)).encode() + b"\n" for row in rows)


async def log_text(run: Run) -> AsyncIterator[bytes]:
    """What is in the log now, as text: time, level, source, what happened. Streamed text stands once, whole."""
    async for rows in _pages(run):
        # A streamed text's pieces are followed by the whole, except for the text that is being written right now.
        yield "".join(_text_of(row) for row in rows if row.type not in {"content.added", "reasoning.added"}).encode()


def _text_of(row: RunEvent) -> str:
    line = line_of(row)
    at = datetime.fromtimestamp(line["at"] / 1000, UTC)
    head = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}  {line['level']:<5}  {line['source']}: "
    body: str = line["text"] + (f"\n{line['more']}" if line.get("more") else "")
    return head + body.replace("\n", "\n    ") + "\n"


async def _pages(run: Run) -> AsyncIterator[list[RunEvent]]:
    cursor = 0
    while rows := await read_page(run, cursor):
        cursor = rows[-1].seq
        yield rows


def log_download(run: Run, form: str) -> StreamingHttpResponse:
    """The log so far as a file; `form` is txt or jsonl."""
    content, media_type = (log_text(run), "text/plain; charset=utf-8") if form == "txt" else (log_lines(run), NDJSON)
    response = StreamingHttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(True, f"run-{run.pk}.{form}")
    response["Cache-Control"] = "private, no-store"
    return response


def csv_download(run: Run) -> HttpResponse:
    """The run's structured answer for a spreadsheet. The mark at its start tells spreadsheets that it is UTF-8."""
    return _download(run, f"\ufeff{as_csv(run.structured, schema_of(run))}", "text/csv; charset=utf-8", "csv")


def json_download(run: Run) -> HttpResponse:
    """The run's structured answer as JSON."""
    return _download(run, f"{pretty(run.structured, schema_of(run))}\n", "application/json", "json")


def schema_of(run: Run) -> dict[str, Any] | None:
    """The form that the run's answer has, as a JSON Schema; None when it has none."""
    form = run.spec.get("output")
    return form["schema"] if form else None


def _download(run: Run, text: str, media_type: str, form: str) -> HttpResponse:
    response = HttpResponse(text, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(True, f"run-{run.pk}.{form}")
    response["Cache-Control"] = "private, no-store"
    return response
