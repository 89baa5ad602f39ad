"""What can be done with the runs that were marked in the list: stop them, run them again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from mindloom.web.addresses import uuid_or_none
from mindloom.web.http import render_page
from runs import services
from runs.models import Run
from runs.queries import acting_tools
from runs.services import MOST_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpResponse

    from accounts.middleware import Request

NONE_MARKED = "Mark the runs first."
SAID = {
    "stop": ("Stopped one run.", "Stopped {} runs."),
    "again": ("Started one run again.", "Started {} runs again."),
}


@login_required
@require_POST
def many(request: Request) -> HttpResponse:
    """Stop the marked runs, or run them again. Where tools act, stopping is confirmed first."""
    action = request.POST.get("action", "")
    runs = _marked(request)
    if not runs or action not in SAID:
        messages.warning(request, NONE_MARKED)
        return redirect(_back(request))
    if action == "stop" and not request.POST.get("confirmed"):
        mine = (
            Run.objects.editable_by(request.user).filter(pk__in=[run.pk for run in runs]).values_list("pk", flat=True)
        )
        acting = [(run, tools) for run in runs if run.pk in set(mine) and (tools := acting_tools(run))]
        if acting:
            context = {"runs": runs, "acting": acting, "back": _query(request), "back_url": _back(request)}
            return render_page(request, "runs/stop_many.html", context, status=422)
    do = services.stop_runs if action == "stop" else services.repeat_runs
    _tell(request, action, do(actor=request.user, runs=runs))
    return redirect(_back(request))


def _marked(request: Request) -> list[Run]:
    """Those that the person sees, oldest first, so that they are repeated in the order in which they were started."""
    uuids = [uuid for text in request.POST.getlist("runs")[:MOST_AT_ONCE] if (uuid := uuid_or_none(text))]
    found = Run.objects.visible_to(request.user).filter(uuid__in=uuids)
    return list(found.select_related("agent", "agent_version", "team", "team_version", "department").order_by("pk"))


def _tell(request: Request, action: str, outcomes: Sequence[services.Outcome]) -> None:
    """What was done, and each reason why something was not, with how often it was the reason."""
    done = sum(not outcome.problem for outcome in outcomes)
    if done:
        one, several = SAID[action]
        messages.success(request, one if done == 1 else several.format(done))
    problems = Counter(outcome.problem.replace(str(outcome.run), "The run") for outcome in outcomes if outcome.problem)
    for problem, times in problems.items():
        messages.warning(request, problem if times == 1 else f"{times} times: {problem}")


def _query(request: Request) -> str:
    """The filters of the list from which the person came."""
    return request.POST.get("back", "").removeprefix("?")


def _back(request: Request) -> str:
    query = _query(request)
    return f"{reverse('runs:list')}?{query}" if query else reverse("runs:list")
