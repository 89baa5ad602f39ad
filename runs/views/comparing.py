"""Two runs side by side: what went in, what came out, and what it took."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.views.decorators.http import require_safe

from agents.definition import textdiff
from mindloom import wall
from mindloom.web.http import render_page
from runs.models import Run
from runs.views.common import described_target, visible
from runs.views.metrics import times_of, tools_of

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.middleware import Request

MOST_OTHERS = 50
MOST_STEPS = 200
LONGEST_TEXT = 100_000
"""Characters of an input or an output that are compared."""
_STEPS = {
    "member.started": "member",
    "model.called": "model",
    "tool_call.started": "tool",
    "knowledge.retrieved": "model",
}


@login_required
@require_safe
def compare(request: Request) -> HttpResponse:
    """The runs `a` and `b` of the address. Without `b`, `a` beside what it repeats, or what may be chosen instead."""
    a = _run(request, "a")
    if a is None:
        raise Http404
    b = _run(request, "b") or _repeated(request, a)
    others = Run.objects.visible_to(request.user).filter(agent=a.agent_id, team=a.team_id).exclude(pk=a.pk)
    context: dict[str, Any] = {"a": a, "b": b, "others": others.newest_first()[:MOST_OTHERS]}
    if b is not None:
        context |= {
            "sides": [_side(a), _side(b)],
            "steps": list(zip_longest(_steps(a), _steps(b))),
            "input": textdiff.lines(a.input[:LONGEST_TEXT], b.input[:LONGEST_TEXT]) if a.input != b.input else [],
            "output": textdiff.lines(a.output[:LONGEST_TEXT], b.output[:LONGEST_TEXT]) if a.output != b.output else [],
            "same_variables": a.variables == b.variables,
        }
    return render_page(request, "runs/compare.html", context)


def _run(request: Request, name: str) -> Run | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    try:
        return visible(request, UUID(text))
    except ValueError:
        raise Http404 from None


def _repeated(request: Request, run: Run) -> Run | None:
    """The run that this one repeats, if the person sees it."""
    if run.retry_of is None or not Run.objects.visible_to(request.user).filter(pk=run.retry_of.pk).exists():
        return None
    return visible(request, run.retry_of.uuid)


def _side(run: Run) -> dict[str, Any]:
    with wall.tenant([run.department_id]):
        tools = tools_of(run)
    return {"run": run, "target": described_target(run), "times": times_of(run), "tools": tools}


def _steps(run: Run) -> list[dict[str, Any]]:
    """What the run did one after the other: whom it asked, which tools it called."""
    with wall.tenant([run.department_id]):
        events = list(run.events.filter(type__in=_STEPS).order_by("seq")[:MOST_STEPS])
    return [
        {
            "seq": event.seq,
            "kind": _STEPS[event.type],
            "who": event.source[-1] if event.source else "",
            "label": event.data.get("tool") or event.data.get("member") or event.data.get("model") or "Knowledge",
            "duration_ms": event.data.get("duration_ms"),
        }
        for event in events
    ]
