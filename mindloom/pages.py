"""Pages that combine apps, and the two answers for load balancers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from django.views.decorators.http import require_safe

from accounts.models import Role
from accounts.queries import may, pending_of
from administration.queries import health
from agents.models import Agent
from mindloom.shell import named_commands
from mindloom.web.http import render_page
from runs.models import Run

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.middleware import Request

RECENT = 8
STORAGE_SECONDS = 30.0


@login_required
@require_safe
def home(request: Request) -> HttpResponse:
    """What runs now, what ran lately, and what one can run."""
    department = request.department
    runs = Run.objects.visible_to(request.user).newest_first().as_rows()
    agents = Agent.objects.visible_to(request.user).active().select_related("published").order_by("-updated_at")
    live = list(runs.live()[:RECENT])
    context = {
        "department": department,
        "pending": pending_of(request.user),
        "live": live,
        "recent": list(runs.exclude(pk__in=[run.pk for run in live])[:RECENT]),
        "agents": list(agents[:6]),
        "may_create": department is not None and may(request.user, Role.MEMBER, department.pk),
    }
    return render_page(request, "pages/home.html", context, partials={"home-runs": "runs"})


@login_required
@require_safe
def commands(request: Request) -> HttpResponse:
    """What the command palette offers beside the pages: agents and teams by name."""
    return JsonResponse({"commands": named_commands(request.user)})


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process can do its work: database, migrations, Redis, storage, key ring. 503 with the names of what fails."""
    failing = [name for name, works in READY.items() if not works()]
    return JsonResponse({"status": "failing" if failing else "ok", "failing": failing}, status=503 if failing else 200)


def _database_works() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _redis_works() -> bool:
    try:
        cache.set("ready", settings.REDIS_PREFIX, 10)
    except Exception:  # noqa: BLE001 -- whatever the client raises, Redis does not work
        return False
    return True


def _storage_works() -> bool:
    return _answers(health.storage)


def _keys_open() -> bool:
    """Without the key that the audit trail is chained with nothing can be recorded, and so nothing be done."""
    return _answers(health.audit)


def _answers(check: Callable[[], str]) -> bool:
    try:
        check()
    except Exception:  # noqa: BLE001 -- a check that breaks is a check that failed
        return False
    return True


def _now_and_then(works: Callable[[], bool]) -> Callable[[], bool]:
    """What costs a file in a bucket is asked anew only when it failed, or worked a while ago; probes come every few seconds."""
    good_until = 0.0

    def remembered() -> bool:
        nonlocal good_until
        if time.monotonic() < good_until:
            return True
        good = works()
        good_until = time.monotonic() + STORAGE_SECONDS if good else 0.0
        return good

    return remembered


READY: dict[str, Callable[[], bool]] = {
    "database": _database_works,
    "redis": _redis_works,
    "storage": _now_and_then(_storage_works),
    "key ring": _keys_open,
}
