"""Routes of administration: pages and API."""

from __future__ import annotations

from django.urls import path

from administration import api
from administration.views import audit

app_name = "administration"
urlpatterns = [
    path("audit/", audit.trail, name="audit"),
    path("audit/<int:entry>/", audit.entry_page, name="audit_entry"),
    path("audit/export.<str:ending>", audit.export, name="audit_export"),
]

api_urlpatterns = [
    path("audit", api.entries, name="audit"),
    path("audit/<int:entry>", api.one_entry, name="audit_entry"),
    path("audit/export.<str:ending>", api.export, name="audit_export"),
]
