"""Routes of teams: pages and API."""

from __future__ import annotations

from django.urls import path

from teams import api

app_name = "teams"

api_urlpatterns = [
    path("teams", api.teams, name="teams"),
    path("teams/<uuid:uuid>", api.team, name="team"),
    path("teams/<uuid:uuid>/publish", api.publish, name="team_publish"),
    path("teams/<uuid:uuid>/duplicate", api.duplicate, name="team_duplicate"),
    path("teams/<uuid:uuid>/archive", api.archive, name="team_archive"),
    path("teams/<uuid:uuid>/restore", api.restore, name="team_restore"),
    path("teams/<uuid:uuid>/versions", api.versions, name="team_versions"),
]
