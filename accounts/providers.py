"""The organisation's own sign-in, by OpenID Connect. The library speaks the protocol; the environment names the provider."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from authlib.integrations.django_client import OAuth
from django.conf import settings

TIMEOUT_SECONDS = 10


def is_set_up() -> bool:
    """Whether the environment names a provider."""
    return bool(settings.OIDC_ISSUER and settings.OIDC_CLIENT_ID)


def provider() -> Any:
    """The client of the provider: authorization code with PKCE, state and nonce; it finds addresses and keys by discovery."""
    return _client(settings.OIDC_ISSUER.rstrip("/"), settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)


@lru_cache(maxsize=4)
def _client(issuer: str, client_id: str, client_secret: str) -> Any:
    return OAuth().register(
        "oidc",
        client_id=client_id,
        client_secret=client_secret or None,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_SECONDS,
            # A client without a secret proves itself by the challenge alone.
            **({} if client_secret else {"token_endpoint_auth_method": "none"}),
        },
    )


def wanted_claims() -> dict[str, Any]:
    """What the provider's statement must say: that it is the provider's, and meant for us."""
    issuer = settings.OIDC_ISSUER.rstrip("/")
    return {
        "iss": {"essential": True, "values": [issuer, f"{issuer}/"]},
        "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
        "sub": {"essential": True},
        "exp": {"essential": True},
    }
