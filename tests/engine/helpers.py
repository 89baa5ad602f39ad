"""What the tests of the engine share: ports that keep what they are given, specs, a way to run to the end."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from mindloom.engine.agno_adapter import AgnoRunner
from mindloom.engine.events import LAST_TYPES, Event
from mindloom.engine.ports import Memories, SavedArtifact, ToolFunction
from mindloom.engine.runner import Noted
from mindloom.engine.spec import AgentSpec, Limits, ModelSpec, RunInput, Spec, ToolInfo, ToolSpec

KEY = "sk-test-0123456789abcdef"


def text_schema(*names: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in names}
    return {"type": "object", "properties": properties, "required": list(names), "additionalProperties": False}


def tool(name, call, parameters=None, description="", effect="reads") -> ToolFunction:
    info = ToolInfo(name=name, description=description, parameters=parameters or text_schema(), effect=effect)
    return ToolFunction(info=info, call=call)


class LentPorts:
    """Lends tools, a key and memories, and keeps the files that were saved and what was to be remembered."""

    memories = Memories()

    def __init__(self, *functions: ToolFunction) -> None:
        self.functions = functions
        self.files: dict[str, bytes] = {}
        self.remembered: list[tuple[Any, Any]] = []
        self.held: dict[int, float] = {}

    def tools(self, tool):
        return self.functions

    def secret(self, ref, base_url):
        return KEY

    def retrieve(self, query, limit, buckets):
        return ()

    def recall(self, memory):
        return self.memories

    def remember(self, memory, *, summary=None, facts=None):
        self.remembered.append((summary, facts))

    def wait_for(self, provider):
        return max(0.0, self.held.get(provider, 0.0) - time.monotonic())

    def hold(self, provider, seconds):
        self.held[provider] = time.monotonic() + seconds

    def save_artifact(self, name, content, media_type):
        self.files[name] = content
        return SavedArtifact(uuid=f"file-{len(self.files)}", name=name, media_type=media_type, size_bytes=len(content))


def offline_spec(instructions="", **fields) -> AgentSpec:
    model = ModelSpec(kind="offline", model="offline", parameters={"pace_ms": 0})
    return agent_spec(model, instructions=instructions, **fields)


def agent_spec(model: ModelSpec, limits: Limits | None = None, **fields: Any) -> AgentSpec:
    return AgentSpec(
        name="Writer",
        uuid="a",
        version=1,
        model=model,
        limits=limits or Limits(),
        tools=(ToolSpec(key="all"),),
        **fields,
    )


def start(spec: Spec, text="Hello", ports: LentPorts | None = None, variables=None, run_id="run-1", resume=None):
    given = RunInput(text=text, variables=variables or {})
    return AgnoRunner().run(spec, given, run_id=run_id, ports=ports or LentPorts(), resume=resume)


def events_of(handle) -> list[Event]:
    return [item for item in handle if isinstance(item, Event)]


def kept_of(handle) -> tuple[list[Event], dict[str, Any]]:
    """The events, and what the run noted, as it comes back from the database."""
    items = list(handle)
    notes = {item.name: item.value for item in items if isinstance(item, Noted)}
    return [item for item in items if isinstance(item, Event)], json.loads(json.dumps(notes))


def play(spec: AgentSpec, text="Hello", ports: LentPorts | None = None, **options) -> list[Event]:
    """Run to the end; every run is held to the promises of the runner."""
    events = events_of(start(spec, text, ports, **options))
    keeps_the_promises(events)
    return events


def keeps_the_promises(events: list[Event]) -> None:
    assert [event.type in LAST_TYPES for event in events] == [False] * (len(events) - 1) + [True]
    open_calls: set[str] = set()
    pieces: dict[tuple[str, ...], str] = {}
    for event in events:
        if event.type == "tool_call.started":
            open_calls.add(event.call_id)
        elif event.type in {"tool_call.finished", "tool_call.failed"}:
            open_calls.remove(event.call_id)
        elif event.type in {"content.added", "reasoning.added"}:
            key = (event.source, event.type.split(".")[0], event.block)
            pieces[key] = pieces.get(key, "") + event.text
        elif event.type in {"content.completed", "reasoning.completed"}:
            assert pieces.pop((event.source, event.type.split(".")[0], event.block)) == event.text
    assert not open_calls
    assert not pieces


def of(events: list[Event], kind: str) -> list[Any]:
    return [event for event in events if event.type == kind]


def types(events: list[Event]) -> list[str]:
    """The types in order, repetitions of streamed pieces as one."""
    found: list[str] = []
    for event in events:
        if not (event.merges and found and found[-1] == event.type):
            found.append(event.type)
    return found


def cancel_later(handle, seconds: float, message="Stopped by Alice.") -> threading.Timer:
    timer = threading.Timer(seconds, handle.cancel, (message,))
    timer.start()
    return timer
