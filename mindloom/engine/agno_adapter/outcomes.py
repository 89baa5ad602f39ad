"""What each of Agno's events means to us.

Text, model requests and tool calls are seen at their own boundaries (`calls`, `toolbox`), where they can be timed and
counted exactly; of Agno's events only those that end a run matter. A contract test holds this list against the
installed Agno.
"""

from __future__ import annotations

from typing import Any

TEAM = "Team"
"""A team's events are an agent's with this before their names, and those of tasks, which our teams do not have."""
ENDS = frozenset({"RunCompleted", "RunError", "RunCancelled", "RunPaused"})
AT_THE_BOUNDARY = {
    "RunContent": "content.added, reasoning.added",
    "RunContentCompleted": "content.completed",
    "ModelRequestStarted": "model.called",
    "ModelRequestCompleted": "model.called",
    "ReasoningContentDelta": "reasoning.added",
    "ReasoningCompleted": "reasoning.completed",
    "ToolCallStarted": "tool_call.started",
    "ToolCallCompleted": "tool_call.finished",
    "ToolCallError": "tool_call.failed",
}
IGNORED = {
    "RunStarted": "the worker says run.started when it takes the run",
    "RunContinued": "runs are not continued by Agno",
    "RunIntermediateContent": "only with an output model, which we do not use",
    "PreHookStarted": "no hooks",
    "PreHookCompleted": "no hooks",
    "PostHookStarted": "no hooks",
    "PostHookCompleted": "no hooks",
    "ReasoningStarted": "reasoning.added comes with the first word",
    "ReasoningStep": "only with Agno's reasoning tools",
    "MemoryUpdateStarted": "no memory",
    "MemoryUpdateCompleted": "no memory",
    "SessionSummaryStarted": "no session summaries",
    "SessionSummaryCompleted": "no session summaries",
    "ParserModelResponseStarted": "no parser model",
    "ParserModelResponseCompleted": "no parser model",
    "OutputModelResponseStarted": "no output model",
    "OutputModelResponseCompleted": "no output model",
    "CompressionStarted": "no compression",
    "CompressionCompleted": "no compression",
    "CompactionStarted": "no compaction",
    "CompactionCompleted": "no compaction",
    "FollowupsStarted": "no follow-ups",
    "FollowupsCompleted": "no follow-ups",
    "CustomEvent": "our tools speak through their context",
    "TaskIterationStarted": "no team works off a list of tasks",
    "TaskIterationCompleted": "no team works off a list of tasks",
    "TaskStateUpdated": "no team works off a list of tasks",
    "TaskCreated": "no team works off a list of tasks",
    "TaskUpdated": "no team works off a list of tasks",
}


def error_of(event: Any) -> str | None:
    """Why the run cannot go on, when this event of the agent or the team's leader says so; else None."""
    kind = str(event.event).removeprefix(TEAM)
    if kind == "RunError":
        return str(event.content or "Agno gave no reason")
    if kind == "RunCancelled":
        return str(event.reason or "Agno cancelled the run")
    if kind == "RunPaused":
        return "Agno paused the run, which no tool of ours asks for"
    return None
