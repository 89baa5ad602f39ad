"""Routes of administration: pages and API."""

from __future__ import annotations

from django.urls import path

from administration import api
from administration.views import audit, builds, features, metrics, overview, runs

app_name = "administration"
urlpatterns = [
    path("metrics", metrics.metrics, name="metrics"),
    path("audit/", audit.trail, name="audit"),
    path("audit/<int:entry>/", audit.entry_page, name="audit_entry"),
    path("audit/export.<str:ending>", audit.export, name="audit_export"),
    path("administration/", overview.overview, name="overview"),
    path("administration/runs/", runs.runs, name="runs"),
    path("administration/runs/stop/", runs.stop, name="stop"),
    path("administration/enter/", runs.enter, name="enter"),
    path("administration/agents/", builds.all_of_agents, name="agents"),
    path("administration/agents/act/", builds.act, {"kind": "agent"}, name="act_on_agents"),
    path("administration/teams/", builds.all_of_teams, name="teams"),
    path("administration/teams/act/", builds.act, {"kind": "team"}, name="act_on_teams"),
    path("administration/features/", features.features, name="features"),
    path("administration/prices/", overview.prices, name="prices"),
    path("administration/mail/", overview.mail, name="mail"),
    path("administration/about/", overview.about, name="about"),
]

api_urlpatterns = [
    path("audit", api.entries, name="audit"),
    path("audit/<int:entry>", api.one_entry, name="audit_entry"),
    path("audit/export.<str:ending>", api.export, name="audit_export"),
    path("models/<uuid:uuid>/prices", api.model_prices, name="model_prices"),
    path("models/<uuid:uuid>/prices/<uuid:price_uuid>", api.model_price, name="model_price"),
]
