"""Files that are broken or made to do harm: each gets an answer, none gets through a limit, and none holds another back."""

from __future__ import annotations

import io
import json
import random
import zipfile

import pytest

from buckets.models import State
from tests.buckets.conftest import NAMES, docx, pdf, relations, slide, zipped

PNG, OLE = b"\x89PNG\r\n\x1a\n" + b"\x00" * 90, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600
NOISE = random.Random(1).randbytes(20_000)
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
CONTAINER = "<container><rootfiles><rootfile full-path='b.opf'/></rootfiles></container>"


def bomb(name):
    return zipped({name: b"0" * (64 * 1024 * 1024)})


def nested_bomb():
    inner = zipped({"a": b"0" * 1_000_000})
    return zipped({f"{n}.zip": inner for n in range(20)})


def many_entries():
    return zipped({f"word/{n}.xml": "<a/>" for n in range(6_000)})


def lying_size(name):
    """An archive whose entry has more than its head says."""
    data = bytearray(zipped({name: b"<a>" + b"x" * 100_000 + b"</a>"}))
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = (10).to_bytes(4, "little")
    return bytes(data)


def locked_zip():
    data = bytearray(zipped({"word/document.xml": "<a/>"}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + offset] |= 1
    return bytes(data)


def cut_docx():
    return docx(lambda made: made.add_paragraph("Hello " * 5000))[:-40]


def word_with(document):
    """A real Word document whose text is replaced by something else."""
    source = io.BytesIO(docx(lambda made: made.add_paragraph("Hello")))
    with zipfile.ZipFile(source) as archive:
        entries = {one: archive.read(one) for one in archive.namelist()}
    return zipped(entries | {"word/document.xml": document})


def book(opf):
    return zipped({"META-INF/container.xml": CONTAINER, "b.opf": opf})


def deck(presentation, **more):
    return zipped({"ppt/presentation.xml": presentation, **more})


REFUSED = {
    "empty-page.pdf": (lambda: pdf(""), "no text"),
    "scan.pdf": (lambda: pdf("", "", ""), "no text"),
    "locked.pdf": (lambda: pdf("Secret", password="x"), "password"),
    "half.pdf": (lambda: pdf("Hello " * 200)[:300], "damaged"),
    "head-only.pdf": (lambda: b"%PDF-1.7\n", "damaged"),
    "noise.pdf": (lambda: b"%PDF-1.7\n" + NOISE, "damaged"),
    "pages-loop.pdf": (
        lambda: (
            b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n"
            b"trailer<</Root 1 0 R>>\n%%EOF"
        ),
        "",
    ),
    "blank.txt": (lambda: b" \n\t\r\n  ", "No text"),
    "marks.txt": ("\ufeff".encode, "No text"),
    "nul.txt": (lambda: b"abc\x00def\x00" * 3 + b"text " * 300, "Nothing here can be read"),
    "noise.bin": (lambda: NOISE, "Nothing here can be read"),
    "photo.png": (lambda: PNG, "picture"),
    "photo.jpg": (lambda: b"\xff\xd8\xff\xe0" + b"\x00" * 90, "picture"),
    "photo.gif": (lambda: b"GIF89a" + b"\x00" * 90, "picture"),
    "photo.webp": (lambda: b"RIFF\x00\x00\x00\x00WEBPVP8 ", "picture"),
    "scan.tiff": (lambda: b"II*\x00" + b"\x00" * 90, "picture"),
    "photo-as.docx": (lambda: PNG, "picture"),
    "old.doc": (lambda: OLE, "before 2007"),
    "locked.xlsx": (lambda: OLE, "password"),
    "letter.rtf": (lambda: rb"{\rtf1 Hello}", "RTF"),
    "program.exe": (lambda: b"MZ\x90\x00" + b"\x00" * 90, "program"),
    "program": (lambda: b"\x7fELF" + b"\x00" * 90, "program"),
    "song.mp3": (lambda: b"ID3\x03" + b"\x00" * 90, "sound"),
    "all.rar": (lambda: b"Rar!\x1a\x07" + b"\x00" * 90, "RAR"),
    "all.7z": (lambda: b"7z\xbc\xaf\x27\x1c" + b"\x00" * 90, "7-Zip"),
    "all.tar.gz": (lambda: b"\x1f\x8b\x08" + b"\x00" * 90, "gzip"),
    "rows.sqlite": (lambda: b"SQLite format 3\x00" + b"\x00" * 90, "database"),
    "all.zip": (lambda: zipped({"a.txt": "hello"}), "ZIP archive"),
    "zips.zip": (nested_bomb, "ZIP archive"),
    "nothing.zip": (lambda: zipped({}), "ZIP archive"),
    "bomb.docx": (lambda: bomb("word/document.xml"), "unpack to far more"),
    "bomb.xlsx": (lambda: bomb("xl/workbook.xml"), "unpack to far more"),
    "bomb.epub": (lambda: bomb("META-INF/container.xml"), "unpack to far more"),
    "many.docx": (many_entries, "entries"),
    "liar.epub": (lambda: lying_size("META-INF/container.xml"), "damaged"),
    "locked.docx": (locked_zip, "password"),
    "cut.docx": (cut_docx, "damaged"),
    "no-end.docx": (lambda: b"PK\x03\x04 and nothing more", "damaged"),
    "not-xml.docx": (lambda: word_with(b"this is no xml"), "damaged"),
    "hollow.docx": (lambda: zipped({"word/document.xml": "<a/>"}), "damaged"),
    "no-text.docx": (lambda: docx(lambda made: None), "No text"),
    "hollow.xlsx": (lambda: zipped({"xl/workbook.xml": "<a/>"}), "damaged"),
    "not-xml.pptx": (lambda: deck("no xml"), "damaged"),
    "lost-slide.pptx": (
        lambda: deck(
            f"<p:presentation {NAMES}><p:sldId id='1' r:id='r1'/></p:presentation>",
            **{"ppt/_rels/presentation.xml.rels": relations(r1="slides/none.xml")},
        ),
        "damaged",
    ),
    "hollow.epub": (lambda: book("<package/>"), "No text"),
    "outside.epub": (
        lambda: zipped({"META-INF/container.xml": CONTAINER.replace("b.opf", "../../etc/passwd")}),
        "damaged",
    ),
    "sheet.ods": (lambda: zipped({"mimetype": "x", "content.xml": "<a/>"}), "OpenDocument"),
    "deep.json": (lambda: b"[" * 200_000 + b"]" * 200_000, "nested"),
    "deeper.json": (lambda: json.dumps({"a": 1}).replace("1", '{"a":' * 90 + "1" + "}" * 90).encode(), "nested"),
    "scripts.html": (lambda: b"<!doctype html><html><script>" + b"x()" * 99 + b"</script></html>", ""),
}
"""Refused, with words of the sentence; "" where more than one sentence is right."""
READ = {
    "laughs.docx": lambda: word_with(
        (
            LAUGHS + '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p>'
            "<w:r><w:t>Hello &j;</w:t></w:r></w:p></w:body></w:document>"
        ).encode()
    ),
    "laughs.pptx": lambda: deck(
        f"<p:presentation {NAMES}><p:sldId id='1' r:id='r1'/></p:presentation>",
        **{
            "ppt/_rels/presentation.xml.rels": relations(r1="s.xml"),
            "ppt/s.xml": LAUGHS + slide("Hello", "&j;"),
        },
    ),
    "deep.html": lambda: b"<!doctype html><html>" + b"<div>" * 50_000 + b"Hello" + b"</div>" * 50_000,
    "one-line.csv": ("a,b\n" + "Hello," * 200_000).encode,
    "quotes.csv": lambda: b'a,b\n"Hello, no end\n' * 2_000,
    "wrong-encoding.html": lambda: b"<!doctype html><meta charset=utf-16><p>Hello \xe4\xf6\xfc",
    "latin.txt": lambda: "Hello, schöne grüne Größe für Straße und Fuß. ".encode("latin-1") * 20,
    "no-body.eml": lambda: b"From: a@example.org\nTo: b@example.org\nSubject: Hello\n\n",
    "odd.eml": lambda: (
        b"From: a@example.org\nTo: b@example.org\nContent-Type: text/plain; charset=klingon\n\nHello \xe4"
    ),
    "long-word.txt": lambda: b"Hello " + b"x" * 500_000,
    "turned.txt": "Hello \u202e gnp.exe \ud7ff \x0b \x1b[31m".encode,
}
"""Read all the same, or refused with a sentence: whatever is in them does no harm."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_says_why_and_what_to_do(add, name):
    make, words = REFUSED[name]
    version = add(name, make()).newest
    assert version.state == State.FAILED
    assert words in version.reason
    assert version.reason.endswith(".")


@pytest.mark.parametrize("name", READ)
def test_what_looks_harmful_does_no_harm(add, name):
    version = add(name, READ[name]()).newest
    assert version.state == State.SEARCHABLE or version.reason.endswith(".")
    assert version.content.character_count < 3_000_000


def test_a_file_that_takes_too_long_is_stopped(add, settings):
    settings.DOCUMENT_SECONDS = 0
    version = add("slow.pdf", pdf("Hello")).newest
    assert version.state == State.FAILED
    assert "longer than 0 seconds" in version.reason


def test_a_file_that_takes_too_much_memory_is_stopped(add, settings):
    settings.DOCUMENT_MEMORY_MB = 60
    version = add("big.txt", b"word " * 8_000_000).newest
    assert version.state == State.FAILED
    assert "memory" in version.reason or "broke" in version.reason
