"""Pages of notifications: the list, the bell on every page, what one is told, and the link that stops mails."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.services import switch_department
from mindloom import wall
from mindloom.web.errors import Invalid
from mindloom.web.http import render_page
from notifications import services
from notifications.forms import PreferenceForm
from notifications.models import SHORT, Kind, Notification
from notifications.queries import DAILY, preference_of, read_unsubscribe, told, unread_words, wanted_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from accounts.middleware import Request

PAGE = 25
GET_OR_POST = ("GET", "HEAD", "POST")


def everywhere(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page that sees all departments of the person, not only the current one."""

    @login_required
    @wraps(view)
    def wrapped(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        with wall.tenant([one.pk for one in request.departments]):
            answer = view(request, *args, **kwargs)
            if isinstance(answer, TemplateResponse):
                answer.render()  # templates read rows, too
        return answer

    return wrapped


@everywhere
@require_safe
def notifications(request: Request) -> HttpResponse:
    """What the person is told, the newest first."""
    only_unread, kind = request.GET.get("show") == "unread", request.GET.get("kind", "")
    found = wanted_by(request.user).newest_first().select_related("person", "department")
    if only_unread:
        found = found.unread()
    if kind in Kind.values:
        found = found.filter(kind=kind)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(one, told(one)) for one in page.object_list],
        "only_unread": only_unread,
        "kinds": SHORT.items(),
        "kind": kind if kind in Kind.values else "",
        "unread": unread_words(request.user),
        "many_departments": len(request.departments) > 1,
    }
    return render_page(request, "notifications/list.html", context, partials={"notifications": "list"})


@login_required
@require_safe
def bell(request: Request) -> HttpResponse:
    """How many are unread, for the top of every page."""
    return render_page(request, "notifications/bell.html", {"unread": unread_words(request.user)})


@everywhere
@require_safe
def opened(request: Request, uuid: UUID) -> HttpResponse:
    """Go on to what a notification is about, in its department, and note that it was seen."""
    found = get_object_or_404(Notification.objects.visible_to(request.user).select_related("department"), uuid=uuid)
    services.mark_read(actor=request.user, uuids=[found.uuid])
    if request.department != found.department:
        switch_department(actor=request.user, department=found.department)
        request.session["department"] = found.department_id
    return redirect(told(found).path)


@everywhere
@require_POST
def read(request: Request, uuid: UUID) -> HttpResponse:
    """Mark one read, or unread again."""
    get_object_or_404(Notification.objects.visible_to(request.user), uuid=uuid)
    if request.POST.get("unread"):
        services.mark_unread(actor=request.user, uuid=uuid)
    else:
        services.mark_read(actor=request.user, uuids=[uuid])
    return redirect("notifications:list")


@everywhere
@require_POST
def read_all(request: Request) -> HttpResponse:
    """Mark all read."""
    services.mark_read(actor=request.user)
    return redirect("notifications:list")


@login_required
@require_http_methods(GET_OR_POST)
def settings(request: Request) -> HttpResponse:
    """What the person is told, and how."""
    form = PreferenceForm(request.POST or None, kept=preference_of(request.user))
    if request.method == "POST" and form.is_valid():
        try:
            services.choose(actor=request.user, **form.values())
        except Invalid as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved. From now on you are told like this.")
            return redirect("notifications:settings")
    status = 422 if request.method == "POST" else 200
    return render_page(request, "notifications/settings.html", {"form": form}, status=status)


@csrf_exempt  # a mail program stops mails with one click (RFC 8058); whoever has the link may do that, and nothing else
@require_http_methods(GET_OR_POST)
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Stop the mails that a mail's link is about. It works without signing in; a look at the link stops nothing."""
    found = read_unsubscribe(token)
    if found is None:
        return render_page(request, "notifications/unsubscribe.html", {"dead": True}, status=410)
    done = request.method == "POST" and services.unsubscribe(token=token)
    what = "The daily mail" if found[1] == DAILY else f"Mails of the kind “{Kind(found[1]).label}”"
    return render_page(request, "notifications/unsubscribe.html", {"what": what, "done": done})
