"""Where the walk over all pages goes: what a place is, and the places of one's own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A page: who looks at it, where it is, what must be there before it counts as drawn."""

    name: str
    who: str | None
    path: str
    text: str = ""
    status: int = 200


OWN = [
    Place("own-sign-in", "maya", "/profile/sign-in/", "Authenticator app"),
    Place("own-proof", "maya", "/profile/sign-in/app/", "Once more"),
    Place("own-address", "maya", "/profile/address/", "Mail me a link"),
    Place("own-data", "maya", "/profile/data/", "Download my data"),
    Place("account-delete", "maya", "/profile/delete/", "This cannot be undone"),
    Place("own-sessions", "maya", "/profile/sessions/", "Sign-ins at the API"),
    Place("own-tokens", "maya", "/profile/tokens/", "New token"),
    Place("sign-in-rules", "maya", "/sign-in-rules/", "Members and managers"),
]
"""How one signs in, and what is one's own."""
