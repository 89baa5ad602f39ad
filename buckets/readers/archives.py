"""PowerPoint and EPUB: zip archives of XML, read without unpacking them onto a disk."""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lxml import etree

from buckets.readers.parts import Part, Refused
from buckets.readers.plain import decoded
from buckets.readers.web import html_parts

LARGEST_ENTRY = 50 * 1024 * 1024
DAMAGED = "The file is damaged. Open it, save it again, and add it anew."
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_TITLES = {"title", "ctrTitle"}
_HTML = re.compile(r"application/xhtml\+xml|text/html")


def read_pptx(path: Path) -> Iterator[Part]:
    """A part for each slide in the order of the show, with its notes."""
    with _opened(path) as archive:
        slides = _related(archive, "ppt/presentation.xml")
        show = _xml(archive, "ppt/presentation.xml")
        listed = [slides.get(one.get(f"{_R}id", "")) for one in show.iter(f"{_P}sldId")]
        for number, name in enumerate(filter(None, listed), start=1):
            slide = _xml(archive, name)
            title, texts = _slide(slide)
            notes = [other for other in _related(archive, name).values() if "/notesSlides/" in other]
            texts += [text for other in notes for text in _slide(_xml(archive, other))[1]]
            yield Part("\n\n".join([title, *texts] if title else texts), label=f"slide {number}", heading=title)


def read_epub(path: Path) -> Iterator[Part]:
    """The sections of the book's documents, in the order in which they are read."""
    with _opened(path) as archive:
        root = next(_xml(archive, "META-INF/container.xml").iter("{*}rootfile"), None)
        package = root.get("full-path", "") if root is not None else ""
        book = _xml(archive, package)
        if "META-INF/encryption.xml" in archive.namelist():
            raise Refused("The book is protected against copying. Add a copy that is not.")
        items = {
            one.get("id"): one.get("href", "") for one in book.iter("{*}item") if _HTML.match(one.get("media-type", ""))
        }
        for one in book.iter("{*}itemref"):
            if href := items.get(one.get("idref")):
                name = posixpath.normpath(posixpath.join(posixpath.dirname(package), unquote(href)))
                yield from html_parts(decoded(_entry(archive, name)))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, with whatever is wrong with it as a sentence."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (KeyError, ValueError, etree.XMLSyntaxError, zipfile.BadZipFile, zlib.error, NotImplementedError, OSError):
        raise Refused(DAMAGED) from None


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    """What an entry holds. It may say another size than it has, so it is read with a bound."""
    with archive.open(name) as file:
        data = file.read(LARGEST_ENTRY + 1)
    if len(data) > LARGEST_ENTRY:
        raise Refused("The file would unpack to far more than it should. Save it again, or as PDF, and add that.")
    return data


def _xml(archive: zipfile.ZipFile, name: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    return etree.fromstring(_entry(archive, name), parser=parser)


def _related(archive: zipfile.ZipFile, name: str) -> dict[str, str]:
    """The parts that a part points to, by their id."""
    folder, last = posixpath.split(name)
    relations = f"{folder}/_rels/{last}.rels"
    if relations not in archive.namelist():
        return {}
    return {
        one.get("Id", ""): posixpath.normpath(posixpath.join(folder, one.get("Target", ""))).lstrip("/")
        for one in _xml(archive, relations)
        if one.get("TargetMode") != "External"
    }


def _slide(slide: Any) -> tuple[str, list[str]]:
    """The title of a slide, and its other texts."""
    title, texts = "", []
    for shape in slide.iter(f"{_P}sp", f"{_P}graphicFrame"):
        paragraphs = ("".join(run.text or "" for run in one.iter(f"{_A}t")) for one in shape.iter(f"{_A}p"))
        text = "\n".join(filter(str.strip, paragraphs))
        kind = next((one.get("type") for one in shape.iter(f"{_P}ph")), "")
        if kind in _TITLES and not title:
            title = " ".join(text.split())
        elif text and kind not in {"sldNum", "dt", "ftr"}:
            texts.append(text)
    return title, texts
