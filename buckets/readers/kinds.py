"""What a file is, by its content. Nothing that is not known for sure is guessed: it is refused with a sentence."""

from __future__ import annotations

import codecs
import re
import zipfile
from pathlib import Path, PurePosixPath

from buckets.readers.parts import Refused

PDF, DOCX, PPTX, XLSX, EPUB = "pdf", "docx", "pptx", "xlsx", "epub"
TEXT, MARKDOWN, CSV, HTML, JSON, EMAIL = "text", "markdown", "csv", "html", "json", "email"

LOOKED_AT = 64 * 1024
MOST_ENTRIES = 5_000
LARGEST_UNPACKED = 300 * 1024 * 1024
LARGEST_RATIO = 200
"""How many times its size an archive's entry may unpack to, from `RATIO_FROM` bytes on."""
RATIO_FROM = 4 * 1024 * 1024
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM")
_OTHERS = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"ID3": "a sound",
    b"OggS": "a sound or film",
    b"fLaC": "a sound",
    b"SQLite format 3\x00": "a database",
}
_MARKUP = re.compile(
    rb"(?:<!--.{0,2000}?-->\s*|<\?xml.{0,200}?\?>\s*)*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_HEADER = re.compile(rb"\A(?:[A-Za-z][A-Za-z-]{1,60}:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){2,}", re.ASCII)
_MAIL_FIELDS = re.compile(
    rb"^(from|to|subject|date|message-id|received|mime-version|return-path):", re.IGNORECASE | re.MULTILINE
)
_BY_NAME = {".md": MARKDOWN, ".markdown": MARKDOWN, ".csv": CSV, ".tsv": CSV, ".tab": CSV}
SUPPORTED = (
    "PDF, Word (DOCX), PowerPoint (PPTX), Excel (XLSX), EPUB, e-mail (EML), HTML, Markdown, CSV, JSON and plain text"
)


def kind_of(path: Path, name: str) -> str:
    """The kind of the file. Raises `Refused` for what cannot be read."""
    with path.open("rb") as file:
        head = file.read(LOOKED_AT)
    if not head:
        raise Refused("The file is empty. Choose the file that has the text.")
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _in_archive(path)
    if sentence := _known_refusal(head):
        raise Refused(sentence)
    return _kind_of_text(head, name)


def _known_refusal(head: bytes) -> str:
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return (
            "This is an Office file that is protected by a password, or of a format from before 2007 (DOC, XLS, PPT, MSG). "
            "Open it, take the password away or save it as DOCX, XLSX, PPTX or PDF, and add that."
        )
    if head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "This is a picture, and pictures are not read. Run a text recognition (OCR) over it and add the PDF or text that makes."
    if head.startswith(b"{\\rtf"):
        return "This is a rich text file (RTF). Save it as DOCX or PDF and add that."
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            return f"This is {what}, which has no text to read. Files may be {SUPPORTED}."
    return ""


def _in_archive(path: Path) -> str:
    """The kind of an Office file or book, which is a zip archive. Its entries are looked at, none is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Refused(
            "The file is damaged: its end is missing or broken. Save or download it again, and add it anew."
        ) from None
    _refuse_bombs(entries)
    names = {entry.filename for entry in entries}
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("The file is protected by a password. Take the password away and add it again.")
    for kind, mark in ((DOCX, "word/document.xml"), (PPTX, "ppt/presentation.xml"), (XLSX, "xl/workbook.xml")):
        if mark in names:
            return kind
    if "META-INF/container.xml" in names:
        return EPUB
    if "content.xml" in names and "mimetype" in names:
        raise Refused("This is an OpenDocument file. Save it as DOCX, XLSX, PPTX or PDF and add that.")
    raise Refused("This is a ZIP archive. Unpack it and add the files that are in it.")


def _refuse_bombs(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise Refused(
            f"The file is an archive of {len(entries):,} entries; {MOST_ENTRIES:,} are the most. Save it as PDF and add that."
        )
    if sum(entry.file_size for entry in entries) > LARGEST_UNPACKED or any(
        entry.file_size > RATIO_FROM and entry.file_size > LARGEST_RATIO * max(1, entry.compress_size)
        for entry in entries
    ):
        raise Refused(
            "The file would unpack to far more than it should, as if it were made to fill the memory. Save it again from the program "
            "that made it, or as PDF."
        )


def _kind_of_text(head: bytes, name: str) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if _MARKUP.match(start[:4096]):
        return HTML
    if is_binary(head):
        raise Refused(f"Nothing here can be read as text. Files may be {SUPPORTED}.")
    if (found := _HEADER.match(head)) and len(set(_MAIL_FIELDS.findall(found[0].lower()))) >= 2:
        return EMAIL
    suffix = PurePosixPath(name.lower()).suffix
    if suffix in _BY_NAME:
        return _BY_NAME[suffix]
    if start[:1] in {b"{", b"["} and suffix in {".json", ".jsonl", ".ndjson", ""}:
        return JSON
    return TEXT


def is_binary(head: bytes) -> bool:
    """Whether this is no text in any encoding that people use."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE)):
        return False
    if not head.strip():
        return False
    nul = head.count(0)
    if nul and nul < len(head) * 0.2:
        return True
    odd = sum(head.count(bytes([one])) for one in (*range(1, 7), *range(14, 27), *range(28, 32)))
    return odd > len(head) * 0.02
