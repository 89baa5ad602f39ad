"""Routes of teams: pages and API."""

from __future__ import annotations

from django.urls import path

from teams import api
from teams.views import acts, builder, files, knowledge, pages

app_name = "teams"
urlpatterns = [
    path("teams/", pages.team_list, name="list"),
    path("teams/new/", pages.create, name="create"),
    path("teams/import/", files.import_page, name="import"),
    path("teams/using-agent/<uuid:uuid>/", pages.using_agent_part, name="using_agent"),
    path("teams/using-bucket/<uuid:uuid>/", knowledge.using_bucket_fragment, name="using_bucket"),
    path("teams/using-bucket/<uuid:uuid>/attach/", knowledge.attach_bucket, name="attach_bucket"),
    path("teams/<uuid:uuid>/", pages.detail, name="detail"),
    path("teams/<uuid:uuid>/edit/", builder.edit, name="edit"),
    path("teams/<uuid:uuid>/autosave/", builder.autosave, name="autosave"),
    path("teams/<uuid:uuid>/publish/", builder.publish, name="publish"),
    path("teams/<uuid:uuid>/discard/", acts.discard, name="discard"),
    path("teams/<uuid:uuid>/duplicate/", acts.duplicate, name="duplicate"),
    path("teams/<uuid:uuid>/archive/", acts.archive, name="archive"),
    path("teams/<uuid:uuid>/restore/", acts.restore, name="restore"),
    path("teams/<uuid:uuid>/transfer/", acts.transfer, name="transfer"),
    path("teams/<uuid:uuid>/delete/", acts.delete, name="delete"),
    path("teams/<uuid:uuid>/compare/", files.compare, name="compare"),
    path("teams/<uuid:uuid>/export/", files.export, name="export"),
    path("teams/<uuid:uuid>/versions/", pages.versions, name="versions"),
    path("teams/<uuid:uuid>/versions/<int:number>/", pages.version, name="version"),
    path("teams/<uuid:uuid>/versions/<int:number>/restore/", acts.restore_version, name="restore_version"),
]

api_urlpatterns = [
    path("teams", api.teams, name="teams"),
    path("teams/import", api.import_file, name="team_import"),
    path("teams/<uuid:uuid>", api.team, name="team"),
    path("teams/<uuid:uuid>/publish", api.publish, name="team_publish"),
    path("teams/<uuid:uuid>/duplicate", api.duplicate, name="team_duplicate"),
    path("teams/<uuid:uuid>/archive", api.archive, name="team_archive"),
    path("teams/<uuid:uuid>/restore", api.restore, name="team_restore"),
    path("teams/<uuid:uuid>/versions", api.versions, name="team_versions"),
    path("teams/<uuid:uuid>/compare", api.compare, name="team_compare"),
    path("teams/<uuid:uuid>/export", api.export, name="team_export"),
    path("teams/<uuid:uuid>/transfer", api.transfer, name="team_transfer"),
    path("teams/<uuid:uuid>/restore-version", api.restore_version, name="team_restore_version"),
]
