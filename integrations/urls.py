"""Routes of models, providers, tools, connections and MCP servers: pages and API."""

from __future__ import annotations

from django.urls import path

from integrations import api, views

app_name = "integrations"
urlpatterns = [
    path("models/", views.provider_list, name="list"),
    path("models/providers/new/", views.create, name="create"),
    path("models/providers/<uuid:uuid>/", views.provider, name="provider"),
    path("models/providers/<uuid:uuid>/test/", views.test, name="test"),
    path("models/providers/<uuid:uuid>/sync/", views.sync, name="sync"),
    path("models/providers/<uuid:uuid>/enable/", views.enable, name="enable"),
    path("models/providers/<uuid:uuid>/remove-key/", views.remove_key, name="remove_key"),
    path("models/providers/<uuid:uuid>/delete/", views.delete, name="delete"),
    path("models/providers/<uuid:uuid>/models/", views.add_model, name="add_model"),
    path("models/<uuid:uuid>/", views.model, name="model"),
    path("models/<uuid:uuid>/prices/", views.add_price, name="add_price"),
    path("models/<uuid:uuid>/prices/<uuid:price_uuid>/remove/", views.remove_price, name="remove_price"),
    path("models/<uuid:uuid>/enable/", views.enable_model, name="enable_model"),
    path("models/<uuid:uuid>/default/", views.make_default, name="default"),
    path("models/<uuid:uuid>/delete/", views.delete_model, name="delete_model"),
    path("departments/<uuid:uuid>/allowed/", views.allowed, name="allowed"),
    path("tools/", views.tool_list, name="tools"),
    path("tools/<slug:key>/", views.tool_detail, name="tool"),
    path("connections/", views.connection_list, name="connections"),
    path("connections/new/", views.connection_create, name="connection_create"),
    path("connections/<uuid:uuid>/", views.connection, name="connection"),
    path("connections/<uuid:uuid>/test/", views.connection_test, name="connection_test"),
    path("connections/<uuid:uuid>/enable/", views.connection_enable, name="connection_enable"),
    path("connections/<uuid:uuid>/delete/", views.connection_delete, name="connection_delete"),
    path("mcp-servers/", views.server_list, name="servers"),
    path("mcp-servers/new/", views.server_create, name="server_create"),
    path("mcp-servers/<uuid:uuid>/", views.server, name="server"),
    path("mcp-servers/<uuid:uuid>/test/", views.server_test, name="server_test"),
    path("mcp-servers/<uuid:uuid>/enable/", views.server_enable, name="server_enable"),
    path("mcp-servers/<uuid:uuid>/remove-key/", views.server_remove_key, name="server_remove_key"),
    path("mcp-servers/<uuid:uuid>/delete/", views.server_delete, name="server_delete"),
]

api_urlpatterns = [
    path("models", api.models, name="models"),
    path("tools", api.tools_list, name="tools"),
    path("departments/<uuid:uuid>/allowed", api.allowed, name="department_allowed"),
    path("connection-kinds", api.connection_kinds, name="connection_kinds"),
    path("connections", api.connections, name="connections"),
    path("connections/<uuid:uuid>", api.connection, name="connection"),
    path("connections/<uuid:uuid>/test", api.connection_test, name="connection_test"),
]
