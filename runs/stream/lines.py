"""Events as lines of the log. Each event makes exactly one line operation, so any part of a log folds to the same page.

A line: `{n, key, at, level, kind, source, text, more?, cut?, op}`; `at` is milliseconds since 1970, `cut` how long `more` is in full. `op` is `new`, `append` (add the
text to the line with that key) or `final` (replace its text). Texts that are streamed share a key per source and block.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from runs.models import RunEvent

SHORT = 160
LONGEST_MORE = 20_000
"""Characters behind a line, so that a page full of large tool results stays a page."""
Line = dict[str, Any]


def lines_of(rows: Iterable[RunEvent]) -> list[Line]:
    """One line operation for each event, in order, as pages show them."""
    return [_bounded(line_of(row)) for row in rows]


def _bounded(line: Line) -> Line:
    if (length := len(line.get("more", ""))) > LONGEST_MORE:
        line |= {"more": line["more"][:LONGEST_MORE], "cut": length}
    return line


def text_of(line: Line) -> str:
    """A whole line as it stands in the downloaded text: time (UTC), level, source, what happened."""
    at = datetime.fromtimestamp(line["at"] / 1000, UTC)
    head = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}  {line['level']:<5}  {line['source']}: "
    body: str = line["text"] + (f"\n{line['more']}" if line.get("more") else "")
    return head + body.replace("\n", "\n    ") + "\n"


def line_of(row: RunEvent) -> Line:
    """The line operation of one event; an event of an older vocabulary still shows its type."""
    render = _RENDER.get(row.type)
    line: Line = {
        "n": row.seq,
        "key": str(row.seq),
        "at": int(row.at.timestamp() * 1000),
        "level": "info",
        "kind": row.type.partition(".")[0].partition("_")[0],
        # Inside a team the path begins with the member: the team is the same on every line.
        "source": " › ".join(row.source[1:] or row.source),
        "text": row.type,
        "op": "new",
    }
    if line_key := _streamed(row):
        line["key"] = line_key
    line |= render(row.data) if render else {"kind": "log", "more": _pretty(row.data)}
    return {name: value for name, value in line.items() if not (name == "more" and not value)}


def _queued(data: dict[str, Any]) -> Line:
    return {"text": f"Queued, started by {_TRIGGERS.get(data['trigger'], data['trigger'])}"}


def _started(data: dict[str, Any]) -> Line:
    return {"text": f"Taken {'up again ' if data['attempt'] > 1 else ''}by worker {data['worker']}"}


def _completed(data: dict[str, Any]) -> Line:
    if warnings := data.get("warnings"):
        return {"level": "warn", "text": f"Completed, but: {' '.join(warnings)}"}
    return {"text": "Completed"}


def _failed(data: dict[str, Any]) -> Line:
    return {"level": "error", "text": data["message"]}


def _model(data: dict[str, Any]) -> Line:
    facts = [f"{data['model']}"]
    if data["tokens_in"] is not None or data["tokens_out"] is not None:
        facts.append(f"{data['tokens_in'] or 0:,} tokens in, {data['tokens_out'] or 0:,} out")
    if data["first_token_ms"] is not None:
        facts.append(f"first token after {_seconds(data['first_token_ms'])}")
    facts.append(_seconds(data["duration_ms"]))
    if data["error"]:
        return {"level": "error", "text": f"{' · '.join(facts)} · {data['error']}"}
    return {"text": " · ".join(facts)}


def _tool_started(data: dict[str, Any]) -> Line:
    arguments = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in data["arguments"].items()
    )
    long = len(arguments) > SHORT
    return {
        "text": f"{data['tool']}({arguments[:SHORT]}{'…' if long else ''})",
        "more": _pretty(data["arguments"]) if long else "",
    }


def _tool_finished(data: dict[str, Any]) -> Line:
    result = data["result"]
    first = result.strip().partition("\n")[0]
    long = len(result) > SHORT or "\n" in result.strip()
    shown = f"{first[:SHORT]}…" if long else first
    return {"text": f"{data['tool']} → {shown} · {_seconds(data['duration_ms'])}", "more": result if long else ""}


def _tool_failed(data: dict[str, Any]) -> Line:
    return {
        "level": "warn",
        "text": f"{data['tool']} did not work: {data['message']} · {_seconds(data['duration_ms'])}",
    }


def _member_finished(data: dict[str, Any]) -> Line:
    if data["error"]:
        return {"level": "error", "text": f"{data['member']} failed: {data['error']} · {_seconds(data['duration_ms'])}"}
    return {"text": f"{data['member']} is done · {_seconds(data['duration_ms'])}"}


def _knowledge(data: dict[str, Any]) -> Line:
    found = len(data["passages"])
    return {
        "text": f"Looked up “{data['query']}”: {found} passage{'' if found == 1 else 's'} · {_seconds(data['duration_ms'])}",
        "more": _pretty(data["passages"]) if found else "",
    }


def _artifact(data: dict[str, Any]) -> Line:
    again = f", version {data['version']}" if data.get("version", 1) > 1 else ""
    return {"text": f"Saved {data['name']} ({data['size_bytes']:,} bytes, {data['media_type']}{again})"}


def _approval_requested(data: dict[str, Any]) -> Line:
    return {"level": "warn", "text": data["message"], "more": _pretty(data["arguments"])}


def _approval_decided(data: dict[str, Any]) -> Line:
    said = _DECISIONS.get(data["decision"], data["decision"])
    note = f": {data['note']}" if data["note"] else ""
    return {"text": f"{data['by']} {said}{note}"}


def _streamed(row: RunEvent) -> str:
    """The key that the pieces of one streamed text share. Each member of a team counts its texts by itself."""
    kind = row.type.partition(".")[0]
    if kind not in {"content", "reasoning"} or "block" not in row.data:
        return ""
    return "/".join([f"{kind[0]}{row.data['block']}", *row.source[1:]])


def _block(kind: str, op: str, level: str = "info") -> Callable[[dict[str, Any]], Line]:
    return lambda data: {
        "kind": kind,
        "op": op,
        "level": level,
        "text": data["text"],
    }


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


_DECISIONS = {
    "approved": "approved it",
    "declined": "declined it",
    "happened": "looked: it happened",
    "did_not_happen": "looked: it did not happen",
}
_TRIGGERS = {
    "person": "a person",
    "test": "a test",
    "api": "the API",
    "conversation": "a message",
    "schedule": "a schedule",
    "seed": "the demonstration",
}
_RENDER: dict[str, Callable[[dict[str, Any]], Line]] = {
    "run.queued": _queued,
    "run.started": _started,
    "run.waiting": lambda data: {"level": "warn", "text": data["message"]},
    "run.resumed": lambda data: {"text": data["message"] or "Going on"},
    "run.completed": _completed,
    "run.failed": _failed,
    "run.cancelled": lambda data: {"level": "warn", "text": data["message"]},
    "content.added": _block("content", "append"),
    "content.completed": _block("content", "final"),
    "reasoning.added": _block("reasoning", "append", "debug"),
    "reasoning.completed": _block("reasoning", "final", "debug"),
    "model.called": _model,
    "tool_call.started": _tool_started,
    "tool_call.finished": _tool_finished,
    "tool_call.failed": _tool_failed,
    "member.started": lambda data: {"text": f"{data['member']}: {data['task']}"},
    "member.finished": _member_finished,
    "knowledge.retrieved": _knowledge,
    "artifact.saved": _artifact,
    "approval.requested": _approval_requested,
    "approval.decided": _approval_decided,
    "log.written": lambda data: {"level": data["level"], "text": data["message"]},
}
