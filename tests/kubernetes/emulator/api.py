"""The API server: TLS, discovery, and every request through the same doors as on a real cluster."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from tests.kubernetes.emulator import kinds
from tests.kubernetes.emulator.access import Access, Act, User
from tests.kubernetes.emulator.errors import REASONS, ApiError, no_such_address
from tests.kubernetes.emulator.requests import Asked, parse, read_body
from tests.kubernetes.emulator.streams import Streams
from tests.kubernetes.emulator.verbs import Verbs

MAX_BODY = 3 << 20
WORDS = {
    403: "the cluster was told to refuse this",
    409: "the object was changed by another",
    429: "Too many requests, please try again later.",
    500: "Internal error occurred: etcdserver: request timed out",
    503: "apiserver not ready",
}


@dataclass
class Fault:
    """An answer that comes instead of the right one, so many times."""

    verb: str
    resource: str
    status: int
    times: int
    retry_after: int | None = None
    after: bool = False
    """What was asked for is done all the same, only its answer is lost."""

    def meets(self, act: Act) -> bool:
        return self.times > 0 and act.verb in {self.verb, *("*" * (self.verb == "*"))} and act.resource == self.resource

    def error(self) -> ApiError:
        return ApiError(
            self.status,
            WORDS.get(self.status, "told to fail"),
            reason=REASONS[self.status],
            retry_after=self.retry_after,
        )


@dataclass
class Api:
    access: Access
    verbs: Verbs
    streams: Streams
    faults: list[Fault] = field(default_factory=list)
    calls: list[tuple[float, str, Act]] = field(default_factory=list)
    """When somebody did what, in order: what a test may look at afterwards."""
    _runner: web.AppRunner | None = None

    async def start(self, port: int, tls: ssl.SSLContext) -> None:
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=tls, reuse_address=True).start()

    async def stop(self) -> None:
        """Nobody listens any more; what runs goes on."""
        if self._runner is not None:
            self.streams.cut()
            await self._runner.cleanup()
            self._runner = None

    def counted(self) -> Counter[str]:
        return Counter(f"{act.verb} {act.resource}" for _, _, act in self.calls)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            found = self._discovery(request)
            return await self._object(request) if found is None else found
        except ApiError as error:
            headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
            return web.json_response(error.status(), status=error.code, headers=headers)

    def _discovery(self, request: web.Request) -> web.Response | None:
        path = request.path.strip("/")
        if path in {"healthz", "livez", "readyz"}:
            return web.Response(text="ok")
        if path == "version":
            version = {"major": "1", "minor": "32", "gitVersion": "v1.32.0+emulator", "platform": "linux/amd64"}
            return web.json_response(version)
        if path == "api":
            return web.json_response({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        if path == "apis":
            return web.json_response(kinds.group_list())
        if path == "openapi/v3" or path.startswith("openapi/v3/"):
            return web.json_response(kinds.openapi(path.removeprefix("openapi/v3").strip("/")))
        group_version = path.removeprefix("api/").removeprefix("apis/")
        if group_version in kinds.GROUP_VERSIONS:
            return web.json_response(kinds.resource_list(group_version))
        return None

    async def _object(self, request: web.Request) -> web.StreamResponse:
        user = self.access.user(request.headers.get("Authorization", ""))
        asked = parse(request)
        self.calls.append((time.monotonic(), user.name, asked.act))
        fault = next((one for one in self.faults if one.meets(asked.act)), None)
        if fault is not None:
            fault.times -= 1
            if not fault.after:
                raise fault.error()
        if asked.kind.name != "SelfSubjectAccessReview":
            self.access.demand(user, asked.act)
        await read_body(asked, request)
        if asked.verb == "watch":
            return await self.streams.watch(request, asked)
        if asked.verb == "get" and asked.subresource == "log":
            return await self.streams.log(request, asked)
        if asked.subresource not in {"", *asked.kind.subresources}:
            raise no_such_address()
        return await self._done(asked, user, fault)

    async def _done(self, asked: Asked, user: User, fault: Fault | None) -> web.Response:
        code, body, headers = self.verbs.carry_out(asked, user)
        if fault is not None:
            await asyncio.sleep(0)
            raise fault.error()
        return web.json_response(body, status=code, headers=headers)
