"""Routes of buckets: pages and API."""

from __future__ import annotations

from django.urls import path

from buckets import views
from buckets.api import buckets as api
from buckets.api import cut, generations, web

app_name = "buckets"
urlpatterns = [
    path("buckets/", views.bucket_list, name="list"),
    path("buckets/new/", views.create, name="create"),
    path("buckets/<uuid:uuid>/", views.files_page, name="files"),
    path("buckets/<uuid:uuid>/upload/", views.upload, name="upload"),
    path("buckets/<uuid:uuid>/paste/", views.paste, name="paste"),
    path("buckets/<uuid:uuid>/web/", views.web_page, name="web"),
    path("buckets/<uuid:uuid>/web/<uuid:source_uuid>/refresh/", views.refresh_source, name="refresh_source"),
    path("buckets/<uuid:uuid>/web/<uuid:source_uuid>/remove/", views.remove_source, name="remove_source"),
    path("buckets/<uuid:uuid>/search/", views.search_page, name="search"),
    path("buckets/<uuid:uuid>/uses/", views.uses_page, name="uses"),
    path("buckets/<uuid:uuid>/settings/", views.settings_page, name="settings"),
    path("buckets/<uuid:uuid>/generation/", views.decide_generation, name="generation"),
    path("buckets/<uuid:uuid>/questions/", views.add_question, name="add_question"),
    path("buckets/<uuid:uuid>/questions/<uuid:question_uuid>/remove/", views.remove_question, name="remove_question"),
    path("buckets/<uuid:uuid>/preview/", views.preview, name="preview"),
    path("buckets/<uuid:uuid>/transfer/", views.transfer, name="transfer"),
    path("buckets/<uuid:uuid>/archive/", views.archive, name="archive"),
    path("buckets/<uuid:uuid>/restore/", views.restore, name="restore"),
    path("buckets/<uuid:uuid>/delete/", views.delete, name="delete"),
    path("buckets/<uuid:uuid>/files/<uuid:document_uuid>/", views.document_page, name="document"),
    path("buckets/<uuid:uuid>/files/<uuid:document_uuid>/v<int:number>/", views.content_file, name="file"),
    path("buckets/<uuid:uuid>/files/<uuid:document_uuid>/retry/", views.retry, name="retry"),
    path("buckets/<uuid:uuid>/files/<uuid:document_uuid>/replace/", views.replace, name="replace"),
    path("buckets/<uuid:uuid>/files/<uuid:document_uuid>/change/", views.change, name="change"),
    path("buckets/<uuid:uuid>/files/<uuid:document_uuid>/remove/", views.remove, name="remove"),
]

api_urlpatterns = [
    path("buckets", api.buckets, name="buckets"),
    path("buckets/<uuid:uuid>", api.bucket, name="bucket"),
    path("buckets/<uuid:uuid>/archive", api.archive, name="bucket_archive"),
    path("buckets/<uuid:uuid>/restore", api.restore, name="bucket_restore"),
    path("buckets/<uuid:uuid>/transfer", api.transfer, name="bucket_transfer"),
    path("buckets/<uuid:uuid>/search", api.search_bucket, name="bucket_search"),
    path("buckets/<uuid:uuid>/sources", web.sources, name="bucket_sources"),
    path("buckets/<uuid:uuid>/sources/<uuid:source_uuid>", web.source, name="bucket_source"),
    path("buckets/<uuid:uuid>/sources/<uuid:source_uuid>/refresh", web.refresh, name="bucket_source_refresh"),
    path("buckets/<uuid:uuid>/generations", generations.generations, name="bucket_generations"),
    path("buckets/<uuid:uuid>/questions", generations.questions, name="bucket_questions"),
    path("buckets/<uuid:uuid>/questions/<uuid:question_uuid>", generations.question, name="bucket_question"),
    path("buckets/<uuid:uuid>/documents", api.documents, name="bucket_documents"),
    path("buckets/<uuid:uuid>/documents/<uuid:document_uuid>", api.document, name="bucket_document"),
    path("buckets/<uuid:uuid>/documents/<uuid:document_uuid>/retry", api.retry, name="bucket_document_retry"),
    path("buckets/<uuid:uuid>/documents/<uuid:document_uuid>/file", api.file, name="bucket_document_file"),
    path("buckets/<uuid:uuid>/documents/<uuid:document_uuid>/passages", cut.passages, name="bucket_document_passages"),
    path("buckets/<uuid:uuid>/documents/<uuid:document_uuid>/preview", cut.preview, name="bucket_document_preview"),
    path("buckets/<uuid:uuid>/documents/<uuid:document_uuid>/pages", api.pages, name="bucket_document_pages"),
]
