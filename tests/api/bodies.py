"""Bodies of the requests of some apps, for the route matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile

from notifications.models import Kind
from tests.conftest import PASSWORD

if TYPE_CHECKING:
    from tests.api.stage import Stage

CONNECTION = {
    "name": "Fresh",
    "visibility": "department",
    "host": "mail.example.org",
    "port": "587",
    "security": "starttls",
    "from_address": "office@example.org",
}
SERVER = {"name": "Fresh", "url": "https://tools.example.org/mcp", "timeout_seconds": "30"}
INTEGRATIONS: dict[str, dict[str, Any]] = {
    "integrations:create": {"kind": "offline", "name": "Second offline"},
    "integrations:provider": {"name": "Offline", "base_url": "", "api_version": "", "headers": ""},
    "integrations:enable": {"enabled": "1"},
    "integrations:add_model": {"model_id": "third", "label": "Third"},
    "integrations:model": {"model_id": "second", "label": "Second"},
    "integrations:enable_model": {"enabled": "1"},
    "integrations:add_price": {"valid_from": "2020-01-01", "input_price": "2", "output_price": "8"},
    "integrations:connection_create": CONNECTION | {"kind": "smtp"},
    "integrations:connection": CONNECTION | {"password": "given-again-1234"},
    "integrations:connection_enable": {"enabled": "0"},
    "integrations:server_create": SERVER | {"slug": "fresh"},
    "integrations:server": SERVER,
    "integrations:server_enable": {"enabled": "0"},
    "api:connections": {
        "kind": "translate",
        "name": "Fresh",
        "settings": {"base_url": "https://words.example.org"},
    },
    "api:connection": {"name": "Renamed"},
}
"""Bodies of the integrations app's routes."""
WEBHOOK = {"name": "Fresh", "url": "https://hooks.example.org/", "states": ["failed"]}
WEBHOOKS: dict[str, dict[str, Any]] = {
    "webhooks:create": WEBHOOK,
    "webhooks:webhook": WEBHOOK,
    "webhooks:enable": {"enabled": "0"},
    "api:webhooks": WEBHOOK,
    "api:webhook": {"states": ["failed"]},
}
"""Bodies of the routes of webhooks."""
DOORS: dict[str, dict[str, Any]] = {
    **{
        f"accounts:{page}": {"password": PASSWORD}
        for page in ("app_start", "app_remove", "recovery_codes", "passkey_remove")
    },
    "accounts:sign_in_code": {"code": "123456"},
    "accounts:passkey_add": {"name": "Phone", "password": PASSWORD, "answer": "{}"},
    "accounts:data": {"password": PASSWORD},
    "accounts:account_delete": {"password": PASSWORD, "confirm": "delete"},
    "accounts:picture_set": {"remove": "1"},
    "accounts:address_change": {"email": "fresh@example.org", "password": PASSWORD},
    "accounts:tokens": {"name": "Nightly", "days": "30", "scopes": ["run"]},
    "api:own_tokens": {"name": "Nightly", "days": 30, "scopes": ["run"]},
    "accounts:sign_in_rules": {"second_factor_from": "manager"},
}
"""Bodies of the routes of signing in, and of what is one's own."""
KEEPING: dict[str, dict[str, Any]] = {
    "runs:pin": {"pin": "1"},
    "administration:features": {"name": "sign_up", "on": "0"},
    "api:model_prices": {"input_price": "2", "output_price": "8"},
    "administration:mail": {"address": "somebody@example.org"},
    "runs:delete": {"confirm": "yes"},
    "runs:retention": {"runs": "30", "action": "save"},
    "api:retention": {"runs": 30},
    "notifications:settings": {"daily_hour": "7"} | {f"mail_{kind}": "daily" for kind in Kind.values},
    "api:notification_settings": {"daily_hour": 8},
    "integrations:allowed": {"all_models": "all", "all_tools": "all"},
    "api:department_allowed": {"tools": None},
}
"""Bodies of the routes that keep runs and let them go."""
RULE = {"rule": {"kind": "daily", "at": "07:00"}, "time_zone": "Europe/Brussels"}


def schedules(stage: Stage) -> dict[str, dict[str, Any]]:
    """Bodies of the routes of schedules."""
    form = {
        "name": "Renamed",
        "kind": "daily",
        "at": "08:00",
        "time_zone": "UTC",
        "input": "Report.",
        "overlap": "skip",
    }
    return {
        "schedules:edit": form | {"missed": "latest", "catch_up_minutes": "60", "pause_after": "3"},
        "schedules:next_times": form,
        "api:schedules": RULE | {"name": "Fresh", "agent": str(stage.agent.uuid), "input": "Report."},
        "api:schedule": {"name": "Renamed"},
        "api:schedule_next_times": RULE,
    }


BUCKET = {"name": "Fresh", "visibility": "department", "language": "english", "passage_length": "medium"}


def buckets(stage: Stage) -> dict[str, dict[str, Any]]:
    """Bodies of the routes of content buckets."""
    return {
        "buckets:create": BUCKET,
        "buckets:settings": BUCKET,
        "buckets:upload": {"file": ContentFile(b"Hello", "hello.txt")},
        "buckets:paste": {"name": "Note", "text": "Hello"},
        "buckets:web": {"url": "https://example.org/news"},
        "api:bucket_sources": {"url": "https://example.org/news"},
        "buckets:generation": {"action": "revert"},
        "buckets:add_question": {"text": "What is free?", "document": str(stage.document.uuid)},
        "api:bucket_generations": {"action": "revert"},
        "api:bucket_questions": {"text": "What is free?", "document": str(stage.document.uuid)},
        "buckets:transfer": {"owner": str(stage.cast.bob.uuid)},
        "buckets:delete": {"confirm": stage.bucket.name},
        "buckets:replace": {"file": ContentFile(b"Hello", "hello.txt")},
        "buckets:change": {"name": "other.txt", "dated_on": "2026-01-31"},
        "agents:attach_bucket": {"target": str(stage.agent.uuid), "attached": "1"},
        "teams:attach_bucket": {"target": str(stage.team.uuid), "attached": "1"},
        "api:buckets": {"name": "Fresh"},
        "api:bucket": {"description": "New"},
        "api:bucket_transfer": {"owner": stage.cast.bob.email},
        "api:bucket_documents": {"name": "Note", "text": "Hello"},
        "api:bucket_document": {"name": "other.txt"},
        "api:bucket_document_file": {"file": ContentFile(b"Hello", "hello.txt")},
    }


def people(stage: Stage) -> dict[str, dict[str, Any]]:
    """Bodies of the routes of people and invitations."""
    these = {"people": [str(stage.cast.bob.uuid)]}
    new = "new@example.org"
    return {
        "accounts:people_many": these | {"action": "role-viewer"},
        "accounts:everyone_many": these | {"action": "deactivate", "confirmed": "1"},
        "api:departments": {"name": "Legal"},
        "api:department": {"storage_mb": 100},
        "api:department_member": {"role": "viewer"},
        "api:department_invitations": {"people": [{"email": new}]},
        "accounts:people_invite": {"people": new, "role": "member"},
        "accounts:people_import": {"text": f"email,role\n{new},viewer\n"},
    }
