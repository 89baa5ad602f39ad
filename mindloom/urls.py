"""Every route, HTTP and websocket."""

from __future__ import annotations

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.urls import api_urlpatterns as accounts_api
from administration.urls import api_urlpatterns as administration_api
from agents.urls import api_urlpatterns as agents_api
from buckets.urls import api_urlpatterns as buckets_api
from integrations.urls import api_urlpatterns as integrations_api
from mindloom import pages
from mindloom.web.api import api_not_found
from mindloom.web.gallery import gallery
from notifications.urls import api_urlpatterns as notifications_api
from runs.urls import api_urlpatterns as runs_api
from runs.urls import openai_urlpatterns, websocket_urlpatterns
from schedules.urls import api_urlpatterns as schedules_api
from teams.urls import api_urlpatterns as teams_api
from webhooks.urls import api_urlpatterns as webhooks_api

api = [
    *accounts_api,
    *integrations_api,
    *buckets_api,
    *agents_api,
    *teams_api,
    *runs_api,
    *webhooks_api,
    *schedules_api,
    *notifications_api,
    *administration_api,
]

# Swagger UI writes styles and markup of its own; it shows nothing but our schema, and runs no inline script.
_SWAGGER_POLICY = {"style-src": [SELF, UNSAFE_INLINE], "require-trusted-types-for": None, "trusted-types": None}
api_docs = csp_replace(_SWAGGER_POLICY)(SpectacularSwaggerSplitView.as_view(url_name="api_schema"))

urlpatterns = [
    path("", pages.home, name="home"),
    path("commands", pages.commands, name="commands"),
    path("livez", pages.livez, name="livez"),
    path("readyz", pages.readyz, name="readyz"),
    path("ui/", gallery, name="gallery"),
    path("", include("accounts.urls")),
    path("", include("integrations.urls")),
    path("", include("buckets.urls")),
    path("", include("agents.urls")),
    path("", include("teams.urls")),
    path("", include("runs.urls")),
    path("", include("webhooks.urls")),
    path("", include("schedules.urls")),
    path("", include("notifications.urls")),
    path("", include("administration.urls")),
    path("api/v1/", include((api, "api"))),
    path("api/schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("api/docs/", api_docs, name="api_docs"),
    re_path(r"^api/", api_not_found),
    path("v1/", include((openai_urlpatterns, "openai"))),
    path(f"{settings.ADMIN_PATH}/", admin.site.urls),
]

__all__ = ["urlpatterns", "websocket_urlpatterns"]
