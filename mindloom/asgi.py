"""The web process: HTTP by Django, websockets by Channels."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindloom.settings")

import django

django.setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from mindloom.urls import websocket_urlpatterns
from mindloom.wall.checks import refuse_open_wall
from mindloom.web.late import LateHandler

refuse_open_wall()

_sockets = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
_sockets_of_pages = AllowedHostsOriginValidator(_sockets)


async def sockets(scope: Any, receive: Any, send: Any) -> None:
    """Pages must be ours, because browsers send the cookie from everywhere. A token is sent by scripts, which have no origin."""
    headers = dict(scope["headers"])
    by_token = headers.get(b"authorization", b"").lower().startswith(b"bearer ") and b"origin" not in headers
    await (_sockets if by_token else _sockets_of_pages)(scope, receive, send)


application = ProtocolTypeRouter({"http": LateHandler(), "websocket": sockets})
