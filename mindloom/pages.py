"""Pages that combine apps, and the two answers for load balancers."""

from __future__ import annotations

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
from agents.models import Agent
from mindloom.shell import named_commands
from mindloom.web.http import render_page
from runs.models import Run

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.middleware import Request

RECENT = 8


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
    """The process can do its work: database, migrations, Redis. 503 with the names of what fails."""
    failing = [name for name, works in (("database", _database_works), ("redis", _redis_works)) if not works()]
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
