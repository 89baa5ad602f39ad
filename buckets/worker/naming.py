"""What is said of a file: names and tags, made clean."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mindloom.web.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_NAME = 200
LONGEST_TAG = 40
MOST_TAGS = 20


def safe_name(name: str) -> str:
    """A file name without folders, control characters, signs that turn text around or other surprises; never empty."""
    last = re.split(r"[/\\]", name)[-1]
    clean = " ".join(re.sub(r"[<>:\"|?*]+", "", _plain(last)).split()).strip(" .")
    path = PurePosixPath(clean or "file")
    suffix = path.suffix[:20]
    return f"{path.stem[: LONGEST_NAME - len(suffix)]}{suffix}"


def clean_tags(tags: Iterable[str]) -> list[str]:
    """The tags in small letters, each once. Raises `Invalid` about `tags` for those that are too long or too many."""
    clean = list(dict.fromkeys(filter(None, (" ".join(_plain(tag).lower().split()) for tag in tags))))
    if len(clean) > MOST_TAGS:
        raise Invalid(fields={"tags": [f"A file may have {MOST_TAGS} tags. Take some away."]})
    for tag in clean:
        if len(tag) > LONGEST_TAG or "," in tag:
            raise Invalid(
                fields={"tags": [f"“{tag[:LONGEST_TAG]}” is no tag: it has up to {LONGEST_TAG} letters and no comma."]}
            )
    return clean


def split_tags(text: str) -> list[str]:
    """The tags of a field, where they stand with commas between them."""
    return [tag.strip() for tag in text.split(",") if tag.strip()]


def _plain(text: str) -> str:
    """Without control characters; tabs and breaks are spaces."""
    spaced = re.sub(r"\s", " ", unicodedata.normalize("NFC", text))
    return "".join(sign for sign in spaced if unicodedata.category(sign)[0] != "C")
