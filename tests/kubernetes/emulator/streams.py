"""What the API answers without end: watches and the logs of containers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.kubernetes.emulator.containers import Log
from tests.kubernetes.emulator.errors import ApiError, gone, not_found
from tests.kubernetes.emulator.requests import Asked
from tests.kubernetes.emulator.store import Change, Object, Store
from tests.kubernetes.emulator.tables import table

BOOKMARK_SECONDS = 10.0


@dataclass
class Streams:
    store: Store
    logs: dict[tuple[str, str], list[Log]]
    open: set[asyncio.Transport] = field(default_factory=set)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.store.listeners.append(lambda _: self._ring())

    def _ring(self) -> None:
        self._bell.set()
        self._bell = asyncio.Event()

    def cut(self) -> int:
        """Every open stream breaks off, as when a load balancer loses its mind; how many did."""
        found = list(self.open)
        for transport in found:
            transport.abort()
        return len(found)

    async def _stream(
        self, request: web.Request, content_type: str, write: Callable[[web.StreamResponse], Awaitable[None]]
    ) -> web.StreamResponse:
        """Whoever reads may leave at any time, and the server may break off."""
        response = web.StreamResponse(headers={"Content-Type": content_type})
        await response.prepare(request)
        transport = request.transport
        assert transport
        self.open.add(transport)
        try:
            await write(response)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open.discard(transport)
        return response

    async def watch(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        if "sendInitialEvents" in asked.query:
            said = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
            raise ApiError(422, f"ListOptions.meta.k8s.io is invalid: sendInitialEvents: Forbidden: {said}")
        return await self._stream(request, "application/json", lambda response: self._tell(response, asked))

    async def _tell(self, response: web.StreamResponse, asked: Asked) -> None:
        given = asked.query.get("resourceVersion") or "0"
        seen = int(given)
        if given == "0":
            seen = self.store.version
            for kept in [one for _, one in self.store.items(asked.kind.resource, asked.namespace)]:
                if asked.selects(kept):
                    await self._line(response, asked, "ADDED", kept)
        loop = asyncio.get_running_loop()
        end = loop.time() + float(asked.query.get("timeoutSeconds") or 1800)
        while (left := end - loop.time()) > 0:
            if seen < self.store.oldest:
                await self._line(response, asked, "ERROR", gone(seen, self.store.oldest).status())
                return
            bell = self._bell
            for change in self.store.since(seen):
                seen = change.version
                await self._change(response, asked, change)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(bell.wait(), min(left, BOOKMARK_SECONDS))
                continue
            if asked.is_set("allowWatchBookmarks"):
                await self._bookmark(response, asked)

    async def _change(self, response: web.StreamResponse, asked: Asked, change: Change) -> None:
        """A watch with selectors sees what enters as added and what leaves as deleted."""
        if change.key.resource != asked.kind.resource or asked.namespace not in {"", change.key.namespace}:
            return
        is_in = asked.selects(change.object)
        was_in = change.before is not None and asked.selects(change.before)
        type_ = change.type
        if type_ == "MODIFIED" and is_in != was_in:
            type_ = "ADDED" if is_in else "DELETED"
        if is_in or was_in:
            await self._line(response, asked, type_, change.object)

    async def _bookmark(self, response: web.StreamResponse, asked: Asked) -> None:
        meta = {"resourceVersion": str(self.store.version)}
        kept = {"kind": asked.kind.name, "apiVersion": asked.kind.group_version, "metadata": meta}
        await self._line(response, asked, "BOOKMARK", kept)

    async def _line(self, response: web.StreamResponse, asked: Asked, type_: str, kept: Object) -> None:
        shown = kept
        if asked.as_table and type_ in {"ADDED", "MODIFIED", "DELETED"}:
            shown = table(asked.kind, self.store.version, [kept])
        await response.write(json.dumps({"type": type_, "object": shown}).encode() + b"\n")

    async def log(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        """`pods/log`, with follow, previous, tailLines, limitBytes, timestamps."""
        log = self._log(asked)
        return await self._stream(request, "text/plain", lambda response: _write_log(response, log, asked))

    def _log(self, asked: Asked) -> Log:
        pod = self.store.objects.get(asked.key)
        if pod is None:
            raise not_found(asked.kind, asked.name)
        container = asked.query.get("container") or pod["spec"]["containers"][0]["name"]
        kept = self.logs.get((pod["metadata"]["uid"], container), [])
        if asked.is_set("previous"):
            if len(kept) < 2:
                said = f'previous terminated container "{container}" in pod "{asked.name}" not found'
                raise ApiError(400, said)
            return kept[-2]
        if not kept:
            states: list[dict[str, Any]] = pod["status"].get("containerStatuses", [])
            waiting = next((one["state"].get("waiting") for one in states if one["name"] == container), None) or {}
            why = waiting.get("reason", "ContainerCreating")
            raise ApiError(400, f'container "{container}" in pod "{asked.name}" is waiting to start: {why}')
        return kept[-1]


async def _write_log(response: web.StreamResponse, log: Log, asked: Asked) -> None:
    place = 0
    if "tailLines" in asked.query:
        place = max(0, len(log.lines) - int(asked.query["tailLines"]))
    left = int(asked.query.get("limitBytes") or 1 << 40)
    while True:
        fresh = log.lines[place:]
        place += len(fresh)
        for time, line in fresh:
            shown = (f"{time} ".encode() + line if asked.is_set("timestamps") else line)[:left]
            left -= len(shown)
            await response.write(shown)
        if left <= 0 or (log.over.is_set() and place >= len(log.lines)) or not asked.is_set("follow"):
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(log.over.wait(), 0.05)
