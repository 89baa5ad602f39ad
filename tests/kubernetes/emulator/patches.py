"""Changes to objects: JSON patch, merge patch, and approximations of the strategic merge and of server-side apply.

A list whose entries have a name (containers, environment, volumes, ports) is merged entry by entry; other lists are replaced. Apply
remembers what each manager applied last and takes away what it no longer says. Two managers never conflict here.
"""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch

KEYS = ("name", "mountPath", "containerPort", "port", "ip", "topologyKey", "key", "type", "uid")


def json_patch(before: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    patched: dict[str, Any] = jsonpatch.apply_patch(before, operations)
    return patched


def merge(before: Any, changes: Any, *, strategic: bool = False) -> Any:
    """RFC 7386; with `strategic`, lists of named entries entry by entry."""
    if isinstance(changes, dict):
        after = dict(before) if isinstance(before, dict) else {}
        for name, value in changes.items():
            if name.startswith("$"):
                continue
            if value is None:
                after.pop(name, None)
            else:
                after[name] = merge(after.get(name), value, strategic=strategic)
        return after
    if strategic and isinstance(changes, list) and isinstance(before, list):
        return _merge_list(before, changes)
    return copy.deepcopy(changes)


def _key_of(*lists: list[Any]) -> str | None:
    entries = [entry for one in lists for entry in one]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        return None
    return next((key for key in KEYS if all(key in entry for entry in entries)), None)


def _merge_list(before: list[Any], changes: list[Any]) -> list[Any]:
    key = _key_of(before, changes)
    if key is None:
        return [entry for entry in copy.deepcopy(changes) if not (isinstance(entry, dict) and "$patch" in entry)]
    after = {entry[key]: entry for entry in before}
    for entry in changes:
        if entry.get("$patch") == "delete":
            after.pop(entry[key], None)
        else:
            after[entry[key]] = merge(after.get(entry[key]), entry, strategic=True)
    return list(after.values())


def apply(live: dict[str, Any], last: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """What is there, with what the manager says now and without what it said before and says no more."""
    after: dict[str, Any] = merge(_without(live, last, said), said, strategic=True)
    return after


def _without(live: Any, last: Any, said: Any) -> Any:
    if isinstance(live, dict) and isinstance(last, dict) and isinstance(said, dict):
        kept = {name: value for name, value in live.items() if name not in last or name in said}
        return {
            name: _without(value, last.get(name), said.get(name)) if name in last else value
            for name, value in kept.items()
        }
    if isinstance(live, list) and isinstance(last, list) and isinstance(said, list):
        key = _key_of(live, last, said)
        if key is None:
            return [entry for entry in live if entry not in last or entry in said]
        olds, news = ({entry[key]: entry for entry in one} for one in (last, said))
        return [
            _without(entry, olds.get(entry[key]), news.get(entry[key]))
            for entry in live
            if entry[key] not in olds or entry[key] in news
        ]
    return live
