"""The parts of a definition that agents and teams share: model, variables, memory, answer, limits and switches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import EXECUTORS as RUN_EXECUTORS
from accounts.models import LEAST_POD_CPU, LEAST_POD_MEMORY_MB, MOST_POD_CPU, MOST_POD_MEMORY_MB
from agents.definition.output import read_output
from agents.definition.reading import Findings
from agents.definition.variables import read_variables
from mindloom.engine.spec import Limits, MemorySpec

LONGEST_INSTRUCTIONS = 100_000
MOST_BUCKETS = 20
MOST_HISTORY, MOST_RETRIES = 50, 5
SHARED_FIELDS = (
    *("instructions", "model", "fallback_model", "parameters", "variables", "buckets", "memory", "output"),
    *("reasoning", "markdown", "language", "dates", "retries", "limits", "place"),
)
PARAMETERS: dict[str, tuple[float, float, bool]] = {
    "temperature": (0, 2, False),
    "max_tokens": (1, 200_000, True),
    "top_p": (0.01, 1, False),
}
"""Lowest, highest, whole number or not."""
LIMITS: dict[str, tuple[int, int]] = {
    "seconds": (5, settings.RUN_MAX_SECONDS),
    "model_turns": (1, 200),
    "tool_calls": (0, 500),
    "tokens": (1_000, 10_000_000),
}
EXECUTORS = {"": "Where the department says", **dict(RUN_EXECUTORS)}
NO_PLACE: dict[str, Any] = {"executor": "", "cpu": None, "memory_mb": None}
"""What a definition without a place means."""
_PLACE: dict[str, tuple[float, float, bool]] = {
    "cpu": (LEAST_POD_CPU, MOST_POD_CPU, False),
    "memory_mb": (LEAST_POD_MEMORY_MB, MOST_POD_MEMORY_MB, True),
}
STORAGES = {
    "none": "Nothing is kept",
    "postgresql": "Kept for good",
    "redis": "Kept for a while",
}
WINDOWS = {
    "stop": "Stop and say so",
    "drop": "Leave the oldest out",
    "summarise": "Sum the oldest up",
}
AFTER_DOCUMENTS = {
    "ask": "Ask a person first",
    "allow": "Go on without asking",
}
LANGUAGES = (
    *("Arabic", "Bulgarian", "Catalan", "Chinese", "Croatian", "Czech", "Danish", "Dutch", "English", "Estonian"),
    *("Finnish", "French", "German", "Greek", "Hebrew", "Hindi", "Hungarian", "Icelandic", "Indonesian", "Irish"),
    *("Italian", "Japanese", "Korean", "Latvian", "Lithuanian", "Maltese", "Norwegian", "Persian", "Polish"),
    *("Portuguese", "Romanian", "Russian", "Serbian", "Slovak", "Slovenian", "Spanish", "Swahili", "Swedish"),
    *("Thai", "Turkish", "Ukrainian", "Vietnamese"),
)
_MEMORY = ("storage", "history_runs", "person", "summary", "window", "offload")


def read_shared(given: dict[str, Any], findings: Findings, *, complete: bool) -> dict[str, Any]:
    """The fields of `SHARED_FIELDS` in their normal form. With `complete`, impossible combinations are findings, too."""
    normal = {
        "instructions": findings.text("instructions", given.get("instructions"), LONGEST_INSTRUCTIONS).replace(
            "\r\n", "\n"
        ),
        "model": read_model("model", given.get("model"), findings),
        "fallback_model": read_model("fallback_model", given.get("fallback_model"), findings),
        "parameters": read_parameters(given.get("parameters"), findings),
        "variables": read_variables(given.get("variables"), findings, complete=complete),
        "buckets": read_buckets(given.get("buckets"), findings),
        "memory": read_memory(given.get("memory"), findings, complete=complete),
        "output": read_output(given.get("output"), findings, complete=complete),
        "reasoning": findings.flag("reasoning", given.get("reasoning"), default=False),
        "markdown": findings.flag("markdown", given.get("markdown"), default=True),
        "language": read_choice("language", given.get("language"), LANGUAGES, findings, default=""),
        "dates": findings.flag("dates", given.get("dates"), default=False),
        "retries": read_retries(given.get("retries"), findings),
        "limits": read_limits(given.get("limits"), findings),
    }
    # Written only where somebody chose: the release before, which may run beside this one, does not know it.
    if (place := read_place(given.get("place"), findings)) != NO_PLACE:
        normal["place"] = place
    if complete and normal["fallback_model"] is not None and normal["fallback_model"] == normal["model"]:
        findings.add("fallback_model", "This is the model itself. Choose another one to step in, or none.")
    return normal


def read_model(path: str, value: Any, findings: Findings) -> str | None:
    """The uuid of a model, or None."""
    return read_uuid(path, value, findings, "Choose one of the models, or none for the default.")


def read_uuid(path: str, value: Any, findings: Findings, sentence: str) -> str | None:
    """A uuid as text; None when it is missing or, with `sentence` as the finding, none."""
    if value is None or value == "":
        return None
    try:
        return str(UUID(value if isinstance(value, str) else str(value)))
    except ValueError:
        findings.add(path, sentence)
        return None


def read_parameters(value: Any, findings: Findings) -> dict[str, Any]:
    """The model's parameters, only those that are set."""
    given = findings.mapping("parameters", value, PARAMETERS)
    read = {
        name: findings.number(f"parameters.{name}", given.get(name), low, high, whole=whole)
        for name, (low, high, whole) in PARAMETERS.items()
    }
    return {name: number for name, number in read.items() if number is not None}


def read_limits(value: Any, findings: Findings) -> dict[str, int]:
    """All limits, those not given at their defaults."""
    given = findings.mapping("limits", value, LIMITS)
    normal: dict[str, int] = {}
    for name, (low, high) in LIMITS.items():
        number = findings.number(f"limits.{name}", given.get(name), low, high, whole=True)
        normal[name] = number if number is not None else min(getattr(Limits, name), high)
    return normal


def read_place(value: Any, findings: Findings) -> dict[str, Any]:
    """Where runs are carried out, and what they get there: cores and megabytes, None for the usual."""
    given = findings.mapping("place", value, ("executor", *_PLACE))
    return {
        "executor": read_choice("place.executor", given.get("executor"), EXECUTORS, findings, default=""),
        **{
            name: findings.number(f"place.{name}", given.get(name), low, high, whole=whole)
            for name, (low, high, whole) in _PLACE.items()
        },
    }


def read_retries(value: Any, findings: Findings) -> int:
    """How often a request that failed in passing is sent again."""
    number = findings.number("retries", value, 0, MOST_RETRIES, whole=True)
    return 2 if number is None else int(number)


def read_buckets(value: Any, findings: Findings) -> list[str]:
    """The uuids of the attached buckets, each once."""
    rows = findings.rows("buckets", value, MOST_BUCKETS)
    read = [
        read_uuid(f"buckets.{place}", row, findings, "Choose one of the buckets.") for place, row in enumerate(rows)
    ]
    return list(dict.fromkeys(one for one in read if one))


def read_choice(path: str, value: Any, choices: Iterable[str], findings: Findings, *, default: str) -> str:
    """One of the choices, or the default when nothing is given."""
    if value is None or value == "":
        return default
    known = list(choices)
    if not isinstance(value, str) or value not in known:
        findings.add(path, f"Choose one of: {', '.join(known)}.")
        return default
    return value


def read_memory(value: Any, findings: Findings, *, complete: bool) -> dict[str, Any]:
    """What is kept from run to run; the history not given is that of `MemorySpec`, or nothing where nothing is kept."""
    given = findings.mapping("memory", value, _MEMORY)
    storage = read_choice("memory.storage", given.get("storage"), STORAGES, findings, default=MemorySpec.storage)
    history = findings.number("memory.history_runs", given.get("history_runs"), 0, MOST_HISTORY, whole=True)
    usual = MemorySpec.history_runs if storage != "none" else 0
    normal = {
        "storage": storage,
        "history_runs": usual if history is None else history,
        "person": findings.flag("memory.person", given.get("person"), default=False),
        "summary": findings.flag("memory.summary", given.get("summary"), default=False),
        "window": read_choice("memory.window", given.get("window"), WINDOWS, findings, default=MemorySpec.window),
        "offload": findings.flag("memory.offload", given.get("offload"), default=False),
    }
    if complete and storage == "none":
        _without_storage(normal, findings)
    return normal


def _without_storage(memory: dict[str, Any], findings: Findings) -> None:
    remedy = "Choose where memory is kept, or"
    if memory["history_runs"]:
        findings.add(
            "memory.history_runs", f"Nothing is kept, so no earlier run can be told again. {remedy} put 0 here."
        )
    if memory["person"]:
        findings.add(
            "memory.person", f"Nothing is kept, so nothing can be remembered about people. {remedy} switch this off."
        )
    if memory["summary"]:
        findings.add("memory.summary", f"Nothing is kept, so there is nothing to sum up. {remedy} switch this off.")
