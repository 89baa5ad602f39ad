"""Routes of webhooks: pages and API."""

from __future__ import annotations

from django.urls import path

from webhooks import api, views

app_name = "webhooks"
urlpatterns = [
    path("webhooks/", views.webhook_list, name="list"),
    path("webhooks/new/", views.create, name="create"),
    path("webhooks/<uuid:uuid>/", views.webhook, name="webhook"),
    path("webhooks/<uuid:uuid>/test/", views.test, name="test"),
    path("webhooks/<uuid:uuid>/enable/", views.enable, name="enable"),
    path("webhooks/<uuid:uuid>/rotate/", views.rotate, name="rotate"),
    path("webhooks/<uuid:uuid>/delete/", views.delete, name="delete"),
    path("webhooks/<uuid:uuid>/deliveries/<uuid:delivery_uuid>/", views.delivery, name="delivery"),
    path("webhooks/<uuid:uuid>/deliveries/<uuid:delivery_uuid>/redeliver/", views.redeliver, name="redeliver"),
]

api_urlpatterns = [
    path("webhooks", api.webhooks, name="webhooks"),
    path("webhooks/<uuid:uuid>", api.webhook, name="webhook"),
    path("webhooks/<uuid:uuid>/test", api.test, name="webhook_test"),
    path("webhooks/<uuid:uuid>/rotate", api.rotate, name="webhook_rotate"),
    path("webhooks/<uuid:uuid>/deliveries", api.deliveries, name="webhook_deliveries"),
    path("webhooks/<uuid:uuid>/deliveries/<uuid:delivery_uuid>", api.delivery, name="webhook_delivery"),
    path("webhooks/<uuid:uuid>/deliveries/<uuid:delivery_uuid>/redeliver", api.redeliver, name="webhook_redeliver"),
]
