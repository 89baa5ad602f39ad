"""Routes of notifications: pages and API."""

from __future__ import annotations

from django.urls import path

from notifications import api, views

app_name = "notifications"
urlpatterns = [
    path("notifications/", views.notifications, name="list"),
    path("notifications/bell", views.bell, name="bell"),
    path("notifications/read/", views.read_all, name="read_all"),
    path("notifications/settings/", views.settings, name="settings"),
    path("notifications/stop/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("notifications/<uuid:uuid>/", views.opened, name="open"),
    path("notifications/<uuid:uuid>/read/", views.read, name="read"),
]

api_urlpatterns = [
    path("notifications", api.notifications, name="notifications"),
    path("notifications/read", api.read, name="notifications_read"),
    path("notifications/settings", api.settings, name="notification_settings"),
]
