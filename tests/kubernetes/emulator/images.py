"""Which images there are, what they start, and how pulling the others fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REFERENCE = re.compile(r"[a-z0-9][a-z0-9._:/-]*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?")


@dataclass(frozen=True)
class Image:
    """What a container of this image runs on this machine: its ENTRYPOINT, its folder and its own environment."""

    entrypoint: Sequence[str] = ()
    cwd: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=dict)
    user: int = 10001
    pull_secret: str = ""
    """A Secret of this name must be among the pod's `imagePullSecrets`, and be there."""


@dataclass
class Registry:
    """Where images are pulled from."""

    images: dict[str, Image] = field(default_factory=dict)
    down: bool = False

    def refusal(
        self, reference: str, policy: str, held: Callable[[str], bool], offered: Sequence[str]
    ) -> tuple[str, str]:
        """Why the image cannot be had, as (reason, message); empty if it can. `held` tells which Secrets there are."""
        if not REFERENCE.fullmatch(reference):
            said = (
                f'Failed to apply default image tag "{reference}": couldn\'t parse image name: invalid reference format'
            )
            return "InvalidImageName", said
        image = self.images.get(reference)
        if policy == "Never":
            said = f'Container image "{reference}" is not present with pull policy of Never'
            return ("", "") if image else ("ErrImageNeverPull", said)
        base = f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}": '
        if self.down:
            return "ErrImagePull", f"{base}failed to do request: Head: dial tcp: connect: connection refused"
        if image is None:
            said = f"rpc error: code = NotFound desc = {base}{reference}: not found"
            return "ErrImagePull", said
        if image.pull_secret and not (image.pull_secret in offered and held(image.pull_secret)):
            said = (
                f"{base}pull access denied, repository does not exist or may require authorization:"
                " server message: insufficient_scope: authorization failed"
            )
            return "ErrImagePull", said
        return "", ""
