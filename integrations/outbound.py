"""The one client with which Mindloom calls addresses that people or models choose.

A name is resolved once per connection, every address it has is checked, and the connection goes to the checked address, so a
name that changes its mind between check and use (DNS rebinding) gains nothing. Host header, SNI and certificate checks keep the
name. Redirects are followed here, one checked request each. Size and time are bounded, also while headers drip in and
while a compressed body unfolds. Proxies of the environment are not used.
"""

from __future__ import annotations

import ipaddress
import json as jsonlib
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

MOST_REDIRECTS = 5
_HARMLESS_HEADERS = {"user-agent", "accept", "accept-encoding", "accept-language"}
"""What is sent on to another host; any other header may be a secret, whatever it is called."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_RESOLVING = ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolve")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Networks = Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]
Resolver = Callable[[str, int], Sequence[str]]


class OutboundError(Exception):
    """The call was refused or failed; the message is a sentence for people."""


@dataclass(frozen=True)
class Answer:
    """What came back. `body` is decompressed, `url` is where the last redirect led."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in small letters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text, in the charset it names, else UTF-8."""
        charset = httpx.Response(200, headers={"content-type": self.headers.get("content-type", "")}).charset_encoding
        try:
            return self.body.decode(charset or "utf-8", errors="replace")
        except LookupError:
            return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body as JSON. Raises `OutboundError` when it is none."""
        try:
            return jsonlib.loads(self.body)
        except (ValueError, RecursionError):
            raise OutboundError(f"{_host(self.url)} did not answer with JSON.") from None


def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_allowed(address: str, allowed: Networks) -> bool:
    """Whether an address may be called: it is public, or inside one of the allowed networks."""
    ip = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    if any(ip.version == network.version and ip in network for network in allowed):
        return True
    site_local = isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or site_local)


def _unwrapped(ip: Address) -> Address:
    """The IPv4 address inside an IPv6 one (mapped, 6to4, NAT64), which is where packets would end up."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip.sixtofour:
        return ip.sixtofour
    if ip in _NAT64 or (int(ip) >> 32 == 0 and int(ip) > 1):  # NAT64, and the old IPv4-compatible form
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def fetch(  # noqa: PLR0913 -- each is a bound or a part of the request, all by name
    url: str,
    *,
    allowed: Networks = (),
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
    max_bytes: int = 2_000_000,
    seconds: float = 20.0,
    resolver: Resolver = resolve,
    check_url: Callable[[str], None] | None = None,
    follow: bool = True,
    cut: bool = False,
) -> Answer:
    """Call an address and read its whole answer, whatever its status.

    What is sent is `json`, or `content` as it is. `max_bytes` bounds the decompressed body, `seconds` everything together.
    `check_url` may refuse an address by raising `OutboundError`; it sees redirects, too. Without `follow` a redirect is an
    answer like others; with `cut` a larger body is cut off instead of refused. Raises `OutboundError` for everything that
    does not end in an answer.
    """
    deadline = time.monotonic() + seconds
    transport = _Transport(_Backend(tuple(allowed), resolver, deadline, seconds))
    sent = {"user-agent": "Mindloom", "accept-encoding": "gzip, deflate", **(headers or {})}
    with httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=seconds) as client:
        for _ in range(MOST_REDIRECTS + 1):
            _check_address(url)
            if check_url is not None:
                check_url(url)
            request = _Request(method, url, sent, json, content)
            answer = _once(client, request, _Bounds(max_bytes, deadline, seconds, cut))
            target = answer.headers.get("location")
            if answer.status not in {301, 302, 303, 307, 308} or not target or not follow:
                return answer
            if method != "GET":
                raise OutboundError(f"{_host(url)} sends the request elsewhere, which is only followed when reading.")
            url, sent = _redirected(url, target, sent)
    raise OutboundError(f"{_host(url)} sends from one address to the next more than {MOST_REDIRECTS} times.")


def addresses(
    host: str, port: int, *, allowed: Networks = (), seconds: float = 10.0, resolver: Resolver = resolve
) -> list[str]:
    """The checked addresses of a host, for protocols other than HTTP. Connect to these, not to the name again.

    Raises `OutboundError` when there is none, or one of them may not be called.
    """
    if not host or len(host) > 253 or "%" in host or not 0 < port < 65_536:
        raise OutboundError(f"“{host[:100]}:{port}” is not a host and port that can be called.")
    try:
        return _checked(host, port, tuple(allowed), resolver, seconds)
    except httpcore.ConnectTimeout:
        raise OutboundError(f"The name {host[:100]} could not be resolved within {seconds:g} seconds.") from None


def dial(
    host: str, port: int, *, allowed: Networks = (), seconds: float = 10.0, resolver: Resolver = resolve
) -> socket.socket:
    """A connection to a checked address of the host, for protocols other than HTTP. Raises `OutboundError`."""
    began, failure = time.monotonic(), "it has no address"
    for address in addresses(host, port, allowed=allowed, seconds=seconds, resolver=resolver):
        left = seconds - (time.monotonic() - began)
        try:
            return socket.create_connection((address, port), timeout=max(left, 0.01))
        except TimeoutError:
            raise OutboundError(f"{host} did not answer within {seconds:g} seconds.") from None
        except OSError as error:
            failure = error.strerror or type(error).__name__
    raise OutboundError(f"{host} could not be reached at port {port}: {failure}.")


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    headers: dict[str, str]
    json: Any
    content: bytes | None


@dataclass(frozen=True)
class _Bounds:
    max_bytes: int
    deadline: float
    seconds: float
    cut: bool


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and (parts.port is None or parts.port > 0) and len(url) <= 4_000
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL, TypeError):
        valid = False
    if not valid:
        raise OutboundError(
            f"“{url[:100]}” is not an address that can be called. Write it like https://example.org/page."
        )
    if parts.scheme not in {"http", "https"}:
        raise OutboundError(f"Only http and https addresses can be called, not {parts.scheme[:20]}.")
    if parts.username or parts.password:
        raise OutboundError("The address contains a user name or password. Remove them.")


def _redirected(url: str, target: str, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The next address, and the headers for it: secrets do not travel to another host."""
    following = urljoin(url, target)
    before, after = urlsplit(url), urlsplit(following)
    if before.scheme == "https" and after.scheme == "http":
        raise OutboundError(f"{_host(url)} sends from https to http, which is not followed.")
    if before.netloc != after.netloc:
        headers = {name: value for name, value in headers.items() if name.lower() in _HARMLESS_HEADERS}
    return following, headers


def _once(client: httpx.Client, request: _Request, bounds: _Bounds) -> Answer:
    url, host = request.url, _host(request.url)
    try:
        with client.stream(
            request.method, url, headers=request.headers, json=request.json, content=request.content
        ) as response:
            return Answer(str(response.url), response.status_code, response.headers, _body(response, bounds, host))
    except OutboundError:
        raise
    except httpx.TimeoutException:
        raise OutboundError(f"{host} did not answer completely within {bounds.seconds:g} seconds.") from None
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
        raise OutboundError(f"{host} could not be reached: {_reason(error)}") from None
    except (ValueError, UnicodeError):
        raise OutboundError(f"“{url[:100]}” is not an address that can be called.") from None


def _body(response: httpx.Response, bounds: _Bounds, host: str) -> bytes:
    """The decompressed body, unfolded piece by piece so that a small download cannot become a large one."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip", "x-gzip", "deflate"}:
        raise OutboundError(f"{host} answered in an encoding that was not asked for ({encoding[:20]}).")
    unfold = (
        None if encoding in {"identity", ""} else zlib.decompressobj(wbits=47 if "gzip" in encoding else zlib.MAX_WBITS)
    )
    body = bytearray()
    for chunk in response.iter_raw():
        try:
            body += unfold.decompress(chunk, bounds.max_bytes + 1 - len(body)) if unfold else chunk
        except zlib.error:
            raise OutboundError(f"{host} answered with a broken compressed body.") from None
        if len(body) > bounds.max_bytes:
            if bounds.cut:
                return bytes(body[: bounds.max_bytes])
            raise OutboundError(f"The answer of {host} is larger than {bounds.max_bytes:,} bytes.")
        if time.monotonic() > bounds.deadline:
            raise OutboundError(f"{host} did not answer completely within {bounds.seconds:g} seconds.")
    return bytes(body)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "The address")[:100]


def _reason(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return f"{text[:200].rstrip('.')}."


def _checked(host: str, port: int, allowed: tuple[Any, ...], resolver: Resolver, seconds: float) -> list[str]:
    """The addresses of a host, resolved once, when all of them may be called."""
    try:
        found = list(dict.fromkeys(_RESOLVING.submit(resolver, host, port).result(seconds)))
    except TimeoutError:
        raise httpcore.ConnectTimeout(f"{host} could not be resolved in time") from None
    except (OSError, UnicodeError):
        raise OutboundError(f"There is no address for the name {host[:100]}. Check how it is written.") from None
    if not all(is_allowed(address, allowed) for address in found):
        raise OutboundError(
            f"{host[:100]} leads to a private or reserved address, which is not called. "
            "An administrator can allow a network in the settings."
        )
    return found[:4]


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class _Transport(httpx.HTTPTransport):
    """httpx's transport over a pool whose connections are made by our backend."""

    def __init__(self, backend: _Backend) -> None:
        super().__init__(verify=_ssl_context(), trust_env=False)
        self._pool = httpcore.ConnectionPool(ssl_context=_ssl_context(), network_backend=backend, max_connections=1)


class _Backend(httpcore.NetworkBackend):
    """Resolves, checks and connects in one step, and holds every wait to one deadline."""

    def __init__(self, allowed: tuple[Any, ...], resolver: Resolver, deadline: float, seconds: float) -> None:
        self._allowed, self._resolver, self._deadline, self._seconds = allowed, resolver, deadline, seconds
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Connect to a checked address of the host."""
        failure: Exception | None = None
        for address in _checked(host, port, self._allowed, self._resolver, self._left()):
            try:
                stream = self._real.connect_tcp(address, port, self._left(), local_address, socket_options)
                return _Stream(stream, self._left)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("the name has no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        """Never: addresses are on the network."""
        raise httpcore.ConnectError("sockets are not addresses")

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(f"{self._seconds:g} seconds are over")
        return left


class _Stream(httpcore.NetworkStream):
    """A stream whose every wait ends at the deadline, however small the pieces in which data arrives."""

    def __init__(self, real: httpcore.NetworkStream, left: Callable[[], float]) -> None:
        self._real, self._left = real, left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes."""
        return self._real.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of the bytes."""
        self._real.write(buffer, self._left())

    def close(self) -> None:
        """Hang up."""
        self._real.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Encrypt, and check the certificate for the name."""
        return _Stream(self._real.start_tls(ssl_context, server_hostname, self._left()), self._left)

    def get_extra_info(self, info: str) -> Any:
        """What the socket knows."""
        return self._real.get_extra_info(info)
