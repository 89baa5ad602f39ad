"""A run's log and files, for taking away."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from mindloom.engine.events import TERMINAL_TYPES
from runs.stream.lines import line_of, text_of
from runs.stream.structured import as_csv, pretty
from runs.stream.tails import event_json, read_page
from runs.stream.watch import Gone

if TYPE_CHECKING:
    from runs.models import Run, RunEvent
    from runs.stream.lines import Line
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


class _Seal:
    """What the last line of a download says of those before it, so that anybody can see that nothing is missing or changed."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._hash = sha256()
        self._events = 0
        self._last: RunEvent | None = None

    def over(self, rows: list[RunEvent], content: bytes) -> bytes:
        """Count these events and their bytes in."""
        self._hash.update(content)
        self._events += len(rows)
        self._last = rows[-1] if rows else self._last
        return content

    def facts(self) -> dict[str, Any]:
        """How many events there are, up to which number, whether the log has its end, and the hash of all bytes before."""
        return {
            "events": self._events,
            "events_pruned": self._run.events_pruned,
            "last_seq": self._last.seq if self._last is not None else 0,
            "complete": self._last is not None and self._last.type in TERMINAL_TYPES,
            "sha256": self._hash.hexdigest(),
        }

    def sentence(self) -> str:
        """The same for people."""
        facts = self.facts()
        state = "complete" if facts["complete"] else "so far"
        pruned = f" ({facts['events_pruned']:,} pieces of texts removed by retention)" if facts["events_pruned"] else ""
        return f"-- {facts['events']:,} events, {state}{pruned}. SHA-256 of the lines above: {facts['sha256']}\n"


async def log_lines(run: Run) -> AsyncIterator[bytes]:
    """What is in the log now, as JSON lines; the last one, `footer`, seals the others."""
    seal = _Seal(run)
    async for rows in _pages(run):
        yield seal.over(rows, b"".join(json.dumps(event_json(row)).encode() + b"\n" for row in rows))
    yield json.dumps({"footer": seal.facts()}).encode() + b"\n"


async def log_text(run: Run) -> AsyncIterator[bytes]:
    """What is in the log now, as text: time, level, source, what happened. Streamed text stands once, whole; the last line seals.

    A text that is being written, or that was broken off, stands at the end with what there is of it.
    """
    seal = _Seal(run)
    open_texts: dict[str, Line] = {}
    async for rows in _pages(run):
        yield seal.over(rows, "".join(_finished(rows, open_texts)).encode())
    yield seal.over([], "".join(text_of(line) for line in open_texts.values()).encode())
    yield seal.sentence().encode()


def _finished(rows: list[RunEvent], open_texts: dict[str, Line]) -> Iterator[str]:
    """The lines that are whole; pieces are kept until theirs is, then dropped."""
    for row in rows:
        line = line_of(row)
        if line["op"] != "append":
            open_texts.pop(line["key"], None)
            yield text_of(line)
        elif known := open_texts.get(line["key"]):
            known["text"] += line["text"]
        else:
            open_texts[line["key"]] = line


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
    return text_download(run, f"\ufeff{as_csv(run.structured, schema_of(run))}", "text/csv; charset=utf-8", "csv")


def json_download(run: Run) -> HttpResponse:
    """The run's structured answer as JSON."""
    return text_download(run, f"{pretty(run.structured, schema_of(run))}\n", "application/json", "json")


def schema_of(run: Run) -> dict[str, Any] | None:
    """The form that the run's answer has, as a JSON Schema; None when it has none."""
    form = run.spec.get("output")
    return form["schema"] if form else None


def text_download(run: Run, text: str, media_type: str, form: str) -> HttpResponse:
    """Something of the run as a file that is named after it."""
    response = HttpResponse(text, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(True, f"run-{run.pk}.{form}")
    response["Cache-Control"] = "private, no-store"
    return response
