"""The numbers that a monitoring system collects, for whoever has the token of METRICS_TOKEN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from administration.queries.metrics import exposition

if TYPE_CHECKING:
    from django.http import HttpRequest

_WRONG = "Send the token of METRICS_TOKEN: Authorization: Bearer <token>\n"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Text for Prometheus. Without METRICS_TOKEN there is no such address; without the right token nothing is counted."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        return HttpResponse(
            _WRONG, status=401, content_type="text/plain; charset=utf-8", headers={"WWW-Authenticate": "Bearer"}
        )
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
