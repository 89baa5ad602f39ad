"""The audit trail: of their departments for managers, whole for administrators. All of the filters are in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.models import Department, Role
from accounts.queries import may
from administration import services
from administration.forms import EntryFilter
from administration.queries import known_actions, names_of_departments, reading_trail, trail_of
from administration.stream import WRITERS
from mindloom import wall
from mindloom.web.addresses import key_in, list_address
from mindloom.web.http import render_page

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

    from accounts.middleware import Request
    from audit.models import Entry

PAGE = 50
LABELS = {
    "who": "Who",
    "action": "Action",
    "kind": "What",
    "target": "Identifier",
    "department": "Department",
    "since": "From",
    "until": "To",
}
_PAGES = {
    "run": "runs:detail",
    "agent": "agents:detail",
    "team": "teams:detail",
    "bucket": "buckets:files",
    "schedule": "schedules:schedule",
    "webhook": "webhooks:webhook",
}


@login_required
@require_safe
def trail(request: Request) -> HttpResponse:
    """What was done, newest first."""
    departments = _departments(request)
    with reading_trail(request.user, departments):
        filters = EntryFilter(request.GET, trail_of(request.user, departments))
        wrong = _wrong(filters)
        before, problem = key_in(request, "before")
        wrong += problem
        rows = [] if wrong else _rows(filters, before)
        names = names_of_departments(rows)
        if request.user.is_administrator:
            services.note_look(actor=request.user, what="audit trail")
        opened = bool(wrong or request.GET.get("filters"))
        context = {
            "entries": [(one, names.get(one.department_id or 0, "")) for one in rows[:PAGE]],
            "older": list_address(request, before=f"{rows[PAGE - 1].pk}") if len(rows) > PAGE else "",
            "newest": list_address(request) if before is not None else "",
            "wrong": wrong,
            "active": _active(request),
            "chosen": request.GET,
            "filters_open": opened,
            "filters_url": list_address(request, filters="1"),
            "actions": known_actions() if opened else [],
            "departments": _offered(request) if opened else [],
            "exports": [
                (ending, f"{reverse('administration:audit_export', args=[ending])}{list_address(request)}")
                for ending in WRITERS
            ],
        }
    return render_page(
        request, "administration/audit.html", context, partials={"entries": "results", "audit-filters": "filters"}
    )


@login_required
@require_safe
def entry_page(request: Request, entry: int) -> HttpResponse:
    """One entry, whole: what it was before and after, and from where it was done."""
    departments = _departments(request)
    with reading_trail(request.user, departments):
        found = trail_of(request.user, departments).filter(pk=entry).first()
        if found is None:
            raise Http404
        names = names_of_departments([found])
    before, after = found.data.get("before"), found.data.get("after")
    compared = isinstance(before, dict) and isinstance(after, dict)
    context = {
        "entry": found,
        "department": names.get(found.department_id or 0, ""),
        "changes": [(name, before.get(name), after.get(name)) for name in sorted({*before, *after})]
        if compared
        else [],
        "facts": [
            (name, value)
            for name, value in sorted(found.data.items())
            if not (compared and name in ("before", "after"))
        ],
        "page": _page_of(found),
    }
    return render_page(request, "administration/entry.html", context)


@login_required
@require_safe
def export(request: Request, ending: str) -> HttpResponseBase:
    """The same entries, all of them, as CSV or a line of JSON each."""
    departments = _departments(request)
    with reading_trail(request.user, departments):
        filters = EntryFilter(request.GET, trail_of(request.user, departments))
        if ending not in WRITERS:
            raise Http404
        if _wrong(filters):
            return redirect(f"{reverse('administration:audit')}{list_address(request)}")
        services.note_export(
            actor=request.user,
            department_id=None if request.user.is_administrator else departments[0],
            query=request.GET.urlencode(),
            form=ending,
        )
        kind, write = WRITERS[ending]
        response = StreamingHttpResponse(write(filters.qs, wall.current()), content_type=kind)
    response["Content-Disposition"] = content_disposition_header(True, f"audit.{ending}")
    response["Cache-Control"] = "private, no-store"
    return response


def _departments(request: Request) -> list[int]:
    """The department that the person works in and manages; administrators see beyond it."""
    department = request.department
    if department is not None and may(request.user, Role.MANAGER, department.pk):
        return [department.pk]
    if request.user.is_administrator:
        return []
    raise PermissionDenied("Only managers of the department and administrators read the audit trail.")


def _wrong(filters: EntryFilter) -> list[str]:
    """What is wrong with the address, in sentences."""
    if filters.is_valid():
        return []
    return [f"{LABELS.get(name, name)}: {' '.join(map(str, errors))}" for name, errors in filters.errors.items()]


def _rows(filters: EntryFilter, before: int | None) -> list[Entry]:
    """A page of entries and one more."""
    found = filters.qs
    if before is not None and (moment := filters.queryset.filter(pk=before).values_list("at", flat=True).first()):
        found = found.older_than(moment, before)
    return list(found.defer("data")[: PAGE + 1])


def _active(request: Request) -> list[tuple[str, str, str]]:
    """The filters that are set: name, value in words, and the address without it."""
    found = []
    for name, label in LABELS.items():
        if text := request.GET.get(name, "").strip():
            shown = dict(_offered(request)).get(text, text) if name == "department" else text
            found.append((label, shown[:80], list_address(request, **{name: ""})))
    return found


def _offered(request: Request) -> list[tuple[str, str]]:
    """The departments that an administrator can choose from."""
    if not request.user.is_administrator:
        return []
    return [(str(uuid), name) for uuid, name in Department.objects.by_name().values_list("uuid", "name")]


def _page_of(entry: Entry) -> str:
    """The page of what it was done to, when there is one; it may be gone."""
    route = _PAGES.get(entry.target_kind, "")
    return reverse(route, args=[entry.target_id]) if route and len(entry.target_id) == 36 else ""
