"""A look at files of runs."""

from __future__ import annotations

import io
import json

import pytest
from fpdf import FPDF
from PIL import Image

from tests.runs.test_artifacts import HOSTILE, _own_folder, run, save  # noqa: F401 -- fixtures


@pytest.fixture
def page(save, run, cast, client_as):  # noqa: F811
    def look(name, content, claimed=""):
        saved = save(name, content, claimed)
        answer = client_as(cast.bob).get(f"/runs/{run.uuid}/artifacts/{saved.uuid}/preview/")
        assert answer.status_code == 200
        return answer.content.decode()

    return look


def pdf(*texts):
    made = FPDF()
    made.set_font("helvetica")
    for text in texts:
        made.add_page()
        made.cell(text=text)
    return bytes(made.output())


def test_markdown_is_shown_rendered_and_clean(page):
    shown = page("a.md", b"# Plan\n\n<script>alert(1)</script>\n\n![x](https://evil.example/x.png)")
    assert "<h1>Plan" in shown or ">Plan</h" in shown
    assert "<script>alert" not in shown
    assert 'src="https://evil' not in shown


def test_a_table_is_shown_as_a_table(page):
    shown = page("a.csv", b"Name;Age\nAnna;30\n<b>;2\n")
    assert '<th scope="col">Age</th>' in shown
    assert "&lt;b&gt;" in shown


def test_a_long_table_shows_its_beginning(page):
    shown = page("a.csv", b"n\n" + b"".join(b"row%d\n" % number for number in range(5000)))
    assert "row199" in shown
    assert "row200" not in shown
    assert "The first 200 rows" in shown


def test_json_is_shown_pretty(page):
    assert "{\n  &quot;a&quot;: 1\n}" in page("a.json", b'{"a":1}')


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":', json.dumps("x" * 300_000).encode()])
def test_json_of_any_kind_is_bounded(page, content):
    assert len(page("a.json", content)) < 400_000


def test_long_text_shows_its_beginning(page):
    shown = page("a.txt", "ä".encode() * 500_000)
    assert "Only the beginning is shown" in shown
    assert len(shown) < 400_000


def test_a_picture_is_shown(page):
    content = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(content, "PNG")
    assert '<img class="file-picture"' in page("a.png", content.getvalue())


def test_a_pdf_is_shown_as_the_text_of_its_first_pages(page):
    shown = page("a.pdf", pdf("First words", "Second", "Third", "Fourth"))
    assert "First words" in shown
    assert "the first 3 of 4 pages" in shown
    assert "Fourth" not in shown


def test_a_broken_pdf_says_so(page):
    assert "This PDF can&#x27;t be read here" in page("a.pdf", b"%PDF-1.4 nonsense")


def test_pages_and_drawings_are_shown_as_source(page):
    for name, content in (("a.html", b"<!doctype html><p>Hi"), ("a.svg", b"<svg><script>alert(1)</script></svg>")):
        shown = page(name, content)
        assert "Shown as source" in shown
        assert content.decode() not in shown


def test_what_cannot_be_shown_says_so(page):
    assert "no preview of files of this type" in page("a.bin", b"\x00\x01\x02")
    assert "The file is empty" in page("a.txt", b"")


def test_a_big_picture_says_that_it_is_too_big(page, monkeypatch):
    monkeypatch.setattr("runs.stream.previews.LARGEST_PICTURE", 10)
    assert "too big to be shown here" in page("a.gif", b"GIF89a" + b"\x00" * 20)


@pytest.mark.parametrize(("name", "content", "claimed"), HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_hostile_comes_alive_in_a_preview(page, name, content, claimed):
    shown = page(name, content, claimed)
    assert "<script>alert" not in shown
    assert "\u202e" not in shown


def test_other_versions_are_reached_from_the_preview(page):
    page("a.txt", b"one")
    shown = page("a.txt", b"two")
    assert "Version 2, shown here" in shown
    assert ">Version 1</a>" in shown
