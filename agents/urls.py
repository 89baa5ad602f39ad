"""Routes of agents: pages and API."""

from __future__ import annotations

from django.urls import path

from agents import api, views

app_name = "agents"
urlpatterns = [
    path("agents/", views.agent_list, name="list"),
    path("agents/gallery/", views.gallery_page, name="gallery"),
    path("agents/new/", views.create, name="create"),
    path("agents/import/", views.import_page, name="import"),
    path("agents/using-tool/<slug:key>/", views.using_tool_fragment, name="using_tool"),
    path("agents/using-connection/<uuid:uuid>/", views.using_connection_fragment, name="using_connection"),
    path("agents/using-bucket/<uuid:uuid>/", views.using_bucket_fragment, name="using_bucket"),
    path("agents/using-bucket/<uuid:uuid>/attach/", views.attach_bucket, name="attach_bucket"),
    path("agents/<uuid:uuid>/", views.detail, name="detail"),
    path("agents/<uuid:uuid>/edit/", views.edit, name="edit"),
    path("agents/<uuid:uuid>/autosave/", views.autosave, name="autosave"),
    path("agents/<uuid:uuid>/publish/", views.publish, name="publish"),
    path("agents/<uuid:uuid>/discard/", views.discard, name="discard"),
    path("agents/<uuid:uuid>/duplicate/", views.duplicate, name="duplicate"),
    path("agents/<uuid:uuid>/archive/", views.archive, name="archive"),
    path("agents/<uuid:uuid>/restore/", views.restore, name="restore"),
    path("agents/<uuid:uuid>/delete/", views.delete, name="delete"),
    path("agents/<uuid:uuid>/transfer/", views.transfer, name="transfer"),
    path("agents/<uuid:uuid>/export/", views.export, name="export"),
    path("agents/<uuid:uuid>/compare/", views.compare, name="compare"),
    path("agents/<uuid:uuid>/versions/", views.versions, name="versions"),
    path("agents/<uuid:uuid>/versions/<int:number>/", views.version, name="version"),
    path("agents/<uuid:uuid>/versions/<int:number>/restore/", views.restore_version, name="restore_version"),
]

api_urlpatterns = [
    path("agents", api.agents, name="agents"),
    path("agents/import", api.import_file, name="agent_import"),
    path("agents/<uuid:uuid>", api.agent, name="agent"),
    path("agents/<uuid:uuid>/export", api.export, name="agent_export"),
    path("agents/<uuid:uuid>/compare", api.compare, name="agent_compare"),
    path("agents/<uuid:uuid>/transfer", api.transfer, name="agent_transfer"),
    path("agents/<uuid:uuid>/restore-version", api.restore_version, name="agent_restore_version"),
    path("agents/<uuid:uuid>/publish", api.publish, name="agent_publish"),
    path("agents/<uuid:uuid>/duplicate", api.duplicate, name="agent_duplicate"),
    path("agents/<uuid:uuid>/archive", api.archive, name="agent_archive"),
    path("agents/<uuid:uuid>/restore", api.restore, name="agent_restore"),
    path("agents/<uuid:uuid>/versions", api.versions, name="agent_versions"),
    path("templates", api.templates, name="templates"),
]
