"""Changes of MCP servers. Administrators only."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from accounts.queries import departments_of
from audit.services import difference, record
from features.queries import check_on
from integrations.models import McpServer
from integrations.providers import without
from integrations.queries import server_place
from integrations.services.checking import header_problem, is_header_name, row_errors, save_row
from integrations.services.secrets import hint, line_of_secret, opened_server_key
from integrations.tools import servers
from mindloom import keyring
from mindloom.engine.errors import EngineError
from mindloom.engine.events import Effect
from mindloom.web.errors import Invalid, NotAllowed, Unavailable

if TYPE_CHECKING:
    from accounts.models import User

CHANGEABLE = frozenset(
    {"name", "description", "url", "headers", "secret_header", "effects", "timeout_seconds", "departments"}
)
MOST_FUNCTIONS = 200
MOST_SECONDS = 120
_FUNCTION_NAME = re.compile(r"[\w./-]{1,128}")


@dataclass(frozen=True)
class CheckResult:
    """What a server said when it was asked for its tools."""

    ok: bool
    message: str
    duration_ms: int
    functions: tuple[dict[str, Any], ...] = ()


def create_server(*, actor: User, name: str, slug: str, url: str, secret: str = "", **values: Any) -> McpServer:
    """Add an MCP server, switched on. `values`: description, headers, secret_header, effects, timeout_seconds, departments.

    Raises `Invalid` with the fields at fault, among them a name that is taken.
    """
    check_on("mcp_servers")
    _administrator(actor)
    server = McpServer(name=name, slug=slug.strip().lower(), url=url)
    _set(server, values)
    _check(actor, server)
    _keep_secret(server, secret)
    with transaction.atomic():
        save_row(server)
        record(actor=actor, action="mcp_server.created", target=server, url=server.url)
        if server.secret_sealed:
            record(actor=actor, action="mcp_server.key_set", target=server)
    return server


def update_server(*, actor: User, server: McpServer, secret: str = "", **changes: Any) -> McpServer:
    """Change what is given, and the key when one is given; "" keeps it.

    A key was given for one host: when the host changes, it has to be entered again.
    """
    _administrator(actor)
    before = server.url
    former = {name: getattr(server, name, None) for name in changes}
    changed = _set(server, changes)
    _check(actor, server)
    if server.secret_sealed and not secret and urlsplit(before).netloc != urlsplit(server.url).netloc:
        raise Invalid(
            fields={"secret": ["The address changed. Enter the key again, so that it is not sent to a wrong place."]}
        )
    _keep_secret(server, secret)
    with transaction.atomic():
        save_row(server)
        if changed:
            record(
                actor=actor,
                action="mcp_server.changed",
                target=server,
                **difference(former, {name: changes[name] for name in changed}),
            )
        if secret:
            record(actor=actor, action="mcp_server.key_set", target=server)
    return server


def remove_server_key(*, actor: User, server: McpServer) -> McpServer:
    """Forget the key."""
    _administrator(actor)
    server.secret_sealed = server.secret_hint = ""
    with transaction.atomic():
        server.save(update_fields=["secret_sealed", "secret_hint", "updated_at"])
        record(actor=actor, action="mcp_server.key_removed", target=server)
    return server


def check_server(*, actor: User, server: McpServer) -> CheckResult:
    """Ask the server for its tools and remember them. Never raises for what the server does."""
    _administrator(actor)
    started = time.monotonic()
    key = ""
    functions: list[dict[str, Any]] = []
    try:
        key = opened_server_key(server)
        functions = [asdict(one.info) for one in servers.ask(server)][:MOST_FUNCTIONS]
        ok, message = True, f"{server.name} works and offers {_counted(len(functions))}."
    except (EngineError, Unavailable) as error:
        ok, message = False, without(str(error), key)
    server.last_checked_at, server.last_check_ok, server.last_check_message = timezone.now(), ok, message[:600]
    if ok:
        server.functions = functions
    with transaction.atomic():
        server.save(update_fields=["functions", "last_checked_at", "last_check_ok", "last_check_message"])
        record(actor=actor, action="mcp_server.tested", target=server, ok=ok)
    return CheckResult(ok, message, round((time.monotonic() - started) * 1000), tuple(functions))


def enable_server(*, actor: User, server: McpServer, enabled: bool) -> McpServer:
    """Switch a server on or off. While it is off, agents that have its tool cannot run."""
    _administrator(actor)
    server.is_enabled = enabled
    with transaction.atomic():
        server.save(update_fields=["is_enabled", "updated_at"])
        record(actor=actor, action="mcp_server.enabled" if enabled else "mcp_server.disabled", target=server)
    return server


def delete_server(*, actor: User, server: McpServer) -> None:
    """Remove a server with its key. Agents that have its tool cannot run until it is taken away from them."""
    _administrator(actor)
    with transaction.atomic():
        record(actor=actor, action="mcp_server.deleted", target=server, url=server.url)
        server.delete()


def _administrator(actor: User) -> None:
    if not actor.is_administrator:
        raise NotAllowed("Only administrators may change MCP servers.")


def _counted(number: int) -> str:
    return "1 function" if number == 1 else f"{number} functions"


def _set(server: McpServer, values: dict[str, Any]) -> list[str]:
    """Take the values over; the names of those that differ. Raises `Invalid` for what cannot be set."""
    if unknown := values.keys() - CHANGEABLE:
        raise Invalid(fields={name: ["This cannot be changed."] for name in sorted(unknown)})
    changed = [name for name, value in values.items() if getattr(server, name) != value]
    for name in changed:
        setattr(server, name, values[name])
    return changed


def _check(actor: User, server: McpServer) -> None:
    server.name, server.url = server.name.strip(), server.url.strip()
    server.secret_header = server.secret_header.strip()
    fields = row_errors(server)
    parts = urlsplit(server.url) if "url" not in fields else None
    if parts is not None and (parts.scheme not in {"http", "https"} or parts.username or parts.password):
        fields["url"] = ["Enter an http or https address without user name and password."]
    if sentence := header_problem(server.headers):
        fields["headers"] = [sentence]
    if server.secret_header and not is_header_name(server.secret_header):
        fields["secret_header"] = ["This is not the name of a header. Most servers want Authorization."]
    if sentence := _effects_problem(server.effects):
        fields["effects"] = [sentence]
    if not 1 <= server.timeout_seconds <= MOST_SECONDS:
        fields["timeout_seconds"] = [f"Choose from 1 to {MOST_SECONDS} seconds."]
    known = set(departments_of(actor).values_list("pk", flat=True))
    server.departments = sorted(set(server.departments) & known)
    if fields:
        raise Invalid(fields=fields)


def _effects_problem(effects: Any) -> str:
    if not isinstance(effects, dict) or len(effects) > MOST_FUNCTIONS:
        return f"Write up to {MOST_FUNCTIONS} lines, each a function's name and what it does."
    for name, effect in effects.items():
        if not isinstance(name, str) or not _FUNCTION_NAME.fullmatch(name):
            return f"“{str(name)[:40]}” is not the name of a function."
        if effect not in get_args(Effect):
            return f"{name} must be one of: {', '.join(get_args(Effect))}."
    return ""


def _keep_secret(server: McpServer, secret: str) -> None:
    """Seal a key that was given. Raises `Invalid`."""
    secret = line_of_secret("secret", secret)
    if not secret:
        return
    if not server.secret_header:
        raise Invalid(fields={"secret_header": ["Say which header carries the key, such as Authorization."]})
    server.secret_sealed = keyring.seal(secret, server_place(server))
    server.secret_hint = hint(secret)
