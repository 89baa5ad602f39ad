"""PDF, page by page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError, PyPdfError

from buckets.readers.parts import Part, Refused

MOST_PAGES = 20_000
PROTECTED = "The PDF is protected by a password. Save it without one and add it again."
DAMAGED = "The PDF is damaged and cannot be read. Open it, print it into a new PDF, and add that."
NO_TEXT = "The PDF has pictures of pages but no text, as a scanner makes them. Run a text recognition (OCR) over it and add the result."


def read_pdf(path: Path) -> Iterator[Part]:
    """A part for each page that has text."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it mends by itself is nobody's business here
    try:
        reader = PdfReader(path, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused(PROTECTED)
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise Refused(f"The PDF has {count:,} pages; {MOST_PAGES:,} are the most. Split it and add the parts.")
        found = False
        for number, page in enumerate(reader.pages, start=1):
            text = page.extract_text() or ""
            found = found or bool(text.strip())
            yield Part(text, label=f"page {number}")
    except LimitReachedError:
        raise Refused(
            "The PDF would unpack to far more than it should. Print it into a new PDF, and add that."
        ) from None
    except (FileNotDecryptedError, DependencyError):
        raise Refused(PROTECTED) from None
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        AssertionError,
        OSError,
        ZeroDivisionError,
    ):
        raise Refused(DAMAGED) from None
    if not count:
        raise Refused("The PDF has no pages. Choose the file that has the text.")
    if not found:
        raise Refused(NO_TEXT)
