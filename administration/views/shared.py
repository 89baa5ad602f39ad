"""What the administrators' pages have in common: to others there are none."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.template.response import SimpleTemplateResponse

from administration import services
from administration.queries.everything import everything

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from accounts.middleware import Request


def administrators(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """404 for everybody else, signed in; the view, and its template, see all departments."""

    @wraps(view)
    def checked(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_administrator:
            raise Http404
        with everything():
            response = view(request, *args, **kwargs)
            # A template is rendered when the view has long ended, in the scope of the request.
            return response.render() if isinstance(response, SimpleTemplateResponse) else response

    return login_required(checked)


def noted(what: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """As `administrators`, and the look at rows of all departments leaves a trace."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def looked(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            services.note_look(actor=request.user, what=what)
            return view(request, *args, **kwargs)

        return administrators(looked)

    return decorate
