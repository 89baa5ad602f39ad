"""Pictures of people: whatever comes is drawn anew, small and square, so that nothing else in the file survives."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from django.db import transaction
from PIL import Image, ImageOps, UnidentifiedImageError

from accounts.models import PersonPicture, User
from audit.services import record
from mindloom.web.errors import Invalid

if TYPE_CHECKING:
    from typing import IO

LARGEST_BYTES = 5 * 1024 * 1024
LARGEST_SIDE = 12_000
MOST_PIXELS = 20_000_000
"""Of what has to be unpacked; cameras' JPEG files are unpacked smaller than they are."""
SIDE = 256
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_WRONG = "This is no picture that can be read. Choose a PNG, JPEG, WebP or GIF file."


def set_picture(*, actor: User, file: IO[bytes], size: int) -> None:
    """Show this picture beside the person's name. Raises `Invalid` for what is too large or no picture of a known kind."""
    if size > LARGEST_BYTES:
        raise Invalid(fields={"picture": [f"Choose a file of at most {LARGEST_BYTES // 1024**2} MB."]})
    drawn = _drawn(file.read(LARGEST_BYTES + 1))
    digest = hashlib.sha256(drawn).hexdigest()[:16]
    with transaction.atomic():
        PersonPicture.objects.update_or_create(user=actor, defaults={"data": drawn})
        _note(actor, digest)


def remove_picture(*, actor: User) -> None:
    """Show initials again."""
    with transaction.atomic():
        PersonPicture.objects.filter(user=actor).delete()
        _note(actor, "")


def _note(actor: User, digest: str) -> None:
    if actor.picture_digest != digest:
        actor.picture_digest = digest
        actor.save(update_fields=["picture_digest"])
        record(actor=actor, action="profile.updated", target=actor, fields=["picture"])


def _drawn(data: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as found:
            # The head of the file says how large it would become; that is looked at before it does.
            if max(found.size) > LARGEST_SIDE:
                raise Invalid(fields={"picture": [f"Choose a picture of at most {LARGEST_SIDE} pixels a side."]})
            found.draft("RGB", (2 * SIDE, 2 * SIDE))
            if found.width * found.height > MOST_PIXELS:
                raise Invalid(fields={"picture": [f"Choose a picture of at most {MOST_PIXELS // 10**6} megapixels."]})
            found.thumbnail((4 * SIDE, 4 * SIDE))
            upright = ImageOps.exif_transpose(found).convert("RGBA")
        ground = Image.new("RGBA", upright.size, "white")
        ground.alpha_composite(upright)
        square = ImageOps.fit(ground.convert("RGB"), (SIDE, SIDE))
        into = io.BytesIO()
        square.save(into, "WEBP", quality=85)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError, EOFError):
        raise Invalid(fields={"picture": [_WRONG]}) from None
    return into.getvalue()
