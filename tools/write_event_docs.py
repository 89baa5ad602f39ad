"""Write docs/events.md from mindloom/engine/events.py. `--check` only says whether it is up to date."""

from __future__ import annotations

import sys
from dataclasses import MISSING, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mindloom.engine import events  # noqa: E402 - only found with the path above

TARGET = ROOT / "docs" / "events.md"
HEAD = """# Events

Everything that can be seen of a run is an event: in the live log, over the API and in exports. This page is written
from `mindloom/engine/events.py` by `tools/write_event_docs.py`; change it there.

Every event has a sequence number without gaps (`seq`, from 1), the time (`at`, UTC), its `type` and the path of agent
names that it came from (`source`, outermost first). The other fields depend on the type. Units are in field names:
`_ms`, `_bytes`. Unknown types and fields are refused when events are stored, so a client may rely on this list.

What a reader may count on:

* The last event is `run.completed`, `run.failed` or `run.cancelled`, and there is one of them.
* Every `tool_call.started` is followed by one `tool_call.finished` or `tool_call.failed` with the same `call_id`.
* The pieces of a block (`content.added`) come before its `content.completed`, which holds the whole text and replaces
them.
* There is one `model.called` for every request to a model, also for one that failed or was stopped.
"""


def render() -> str:
    """The page."""
    parts = [HEAD]
    for kind, cls in events.TYPES.items():
        parts.append(f"## `{kind}`\n\n{(cls.__doc__ or '').strip()}\n")
        own = [field for field in fields(cls) if field.name not in {"at", "source"}]
        rows = [f"| `{f.name}` | `{_type(str(f.type))}` | {_default(f.default)} |" for f in own]
        parts.append("\n".join(["| Field | Type | Default |", "| --- | --- | --- |", *rows]) + "\n")
    parts.append("## Kinds of failure\n\n`run.failed` says in `kind` whose turn it is to act.\n")
    parts.append("\n".join(f"* `{kind}`: {meaning}" for kind, meaning in FAILURES.items()) + "\n")
    return "\n".join(parts)


FAILURES = {
    "agent_error": "the agent's instructions, input or tools led nowhere; its author can change them",
    "system_error": "the provider, its key or Mindloom itself; an administrator can act",
    "timeout": "the run or a silence of the model took longer than allowed",
    "lost": "the worker that ran it disappeared",
    "budget": "a limit of model turns, tool calls or tokens was reached",
    "rejected": "a person or a rule did not let it run",
    "image_not_found": "the image of the run's pod does not exist under that name",
    "image_forbidden": "the cluster may not pull the image of the run's pod",
    "no_node": "no node of the cluster had room for the run's pod",
    "quota": "the namespace's quota had no room for the run's pod",
    "evicted": "the node put the run's pod out, more often than the run may be started again",
    "node_lost": "the node of the run's pod went away, more often than the run may be started again",
    "out_of_memory": "the run's pod used more memory than it may",
    "configuration": "the run's pod could not be started as it is set up",
    "cluster": "Kubernetes refused the run's job",
}


def _type(annotation: str) -> str:
    return annotation.replace("|", "or").replace("Any", "JSON value")


def _default(default: object) -> str:
    return "required" if default is MISSING else f"`{default!r}`"


def main() -> int:
    """Write the page, or compare it."""
    page = render()
    if "--check" in sys.argv:
        return 0 if TARGET.read_text(encoding="utf-8") == page else 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
