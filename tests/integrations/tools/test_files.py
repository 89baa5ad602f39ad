"""Tools that make and read files: Excel, PDF, charts, QR codes, calendars."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from integrations.tools import excel, paper
from tests.integrations.tools.helpers import Context, call, refusal

TABLE = 'name,amount,code,day,note\nLena,1234.5,007,2026-11-02,=1+1\nOmar,"1,200",+49 30,soon,@cmd\n'
SHARES = {"kind": "pie", "title": "Shares", "labels": ["A", "B"], "series": [{"values": [1, 3]}]}


def saved(key, function, **arguments):
    context = Context()
    said = call(key, function, context, **arguments)
    [(name, content, media_type)] = context.saved
    assert name in said
    return name, content, media_type


def test_a_table_becomes_an_excel_file():
    sheets = [{"title": "Costs: [2026]", "csv_text": TABLE}, {"csv_text": "a\n1\n"}]
    name, content, media_type = saved("excel", "save_excel", name="../costs.xlsx", sheets=sheets)
    assert (name, media_type) == ("costs.xlsx", excel.MEDIA_TYPE)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Costs   2026", "Sheet 2"]
    [head, lena, omar] = list(book.worksheets[0].iter_rows())
    assert [cell.value for cell in head] == ["name", "amount", "code", "day", "note"]
    assert [cell.value for cell in lena][:3] == ["Lena", 1234.5, "007"]
    assert lena[3].value.date().isoformat() == "2026-11-02"
    assert [(cell.value, cell.data_type) for cell in lena[4:]] == [("=1+1", "s")]
    assert [cell.value for cell in omar] == ["Omar", 1200, "+49 30", "soon", "@cmd"]


def test_an_excel_file_is_read(service):
    _, content, _ = saved(
        "excel",
        "save_excel",
        name="x",
        sheets=[{"title": "Costs", "csv_text": TABLE}, {"title": "More", "csv_text": "a,b\n1,2\n3,4\n"}],
    )
    url = service.answer("/x.xlsx", content)
    assert call("excel", "read_excel", file_url=url).startswith(
        "Sheets: Costs, More. Shown: Costs.\n\n| name | amount |"
    )
    said = call("excel", "read_excel", file_url=url, sheet="more", limit=1)
    assert said.endswith("| a | b |\n| --- | --- |\n| 1 | 2 |\n\nThere are more rows; the first 1 are shown.")
    assert "The sheets are: Costs, More" in refusal("excel", "read_excel", file_url=url, sheet="nothing")


def test_what_is_no_excel_file_is_refused(service, monkeypatch):
    assert "not an Excel file" in refusal("excel", "read_excel", file_url=service.answer("/x", "hello"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 2_000_000)
    monkeypatch.setattr(excel, "MOST_UNPACKED", 1_000_000)
    assert "unpacks to" in refusal("excel", "read_excel", file_url=service.answer("/x", packed.getvalue()))
    assert "private or reserved" in refusal("excel", "read_excel", file_url="http://169.254.169.254/x.xlsx")
    assert "does not know" in refusal("excel", "read_excel", file_url=f"{service.url}/nothing")
    assert "at least one row" in refusal("excel", "save_excel", name="x", sheets=[{"csv_text": "a"}])


MARKDOWN = """# Größe – Привет

A *paragraph* with **bold**, `code`, [a link](javascript:alert(1)) and <script>x</script> ![pic](file:///etc/passwd) 漢.

- One
  1. nested

> Quote

| Left | Right |
|---|---:|
| **a** | 1 |

```
code
```
"""


def test_a_text_becomes_a_pdf_that_can_be_read_again(service):
    name, content, media_type = saved("pdf", "save_pdf", name="brief.md", content=MARKDOWN, title="Brief")
    assert (name, media_type) == ("brief.pdf", "application/pdf")
    document = PdfReader(io.BytesIO(content))
    assert document.metadata.title == "Brief"
    assert "/Annots" not in document.pages[0]
    assert "<script>x</script>" in document.pages[0].extract_text()
    said = call("pdf", "read_pdf", file_url=service.answer("/a.pdf", content))
    assert said.startswith("[Page 1]\nGröße – Привет\n")
    assert "there is no page 9" in refusal("pdf", "read_pdf", file_url=f"{service.url}/a.pdf", first_page=9)


def test_a_long_text_has_many_pages_and_is_read_in_parts(service):
    content, pages = paper.made_of("\n\n".join(f"## Part {n}\n\n{'word ' * 400}" for n in range(120)), "Long")
    assert pages > 51
    said = call("pdf", "read_pdf", file_url=service.answer("/a.pdf", content), first_page=pages - 1)
    assert f"[Page {pages}]" in said
    assert "read on with first_page" in call("pdf", "read_pdf", file_url=f"{service.url}/a.pdf")


@pytest.mark.parametrize(
    "text",
    [
        "#",
        "- ",
        "|a|\n|-|",
        "> > > > x",
        "1. " * 60 + "x",
        "```",
        "x" * 5_000,
        "[x](http://[)",
        "\u202e\x07",
        "|" + "a|" * 40 + "\n|" + "-|" * 40 + "\n|" + "b|" * 40,
    ],
)
def test_odd_texts_become_a_pdf_or_are_refused(text):
    try:
        assert paper.made_of(text, text)[0].startswith(b"%PDF-")
    except Exception:
        assert "cannot be laid out" in refusal("pdf", "save_pdf", name="x", content=text)


def test_what_is_no_pdf_is_refused(service):
    assert "not a PDF" in refusal("pdf", "read_pdf", file_url=service.answer("/x", "hello"))
    assert "damaged" in refusal("pdf", "read_pdf", file_url=service.answer("/x", b"%PDF-1.7 nothing"))
    writer, locked, empty = PdfWriter(), io.BytesIO(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(empty)
    assert "no text" in refusal("pdf", "read_pdf", file_url=service.answer("/x", empty.getvalue()))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(locked)
    assert "locked" in refusal("pdf", "read_pdf", file_url=service.answer("/x", locked.getvalue()))


@pytest.mark.parametrize("kind", ["bar", "line", "pie"])
def test_a_chart_is_drawn_for_eyes_and_ears(kind):
    arguments = SHARES | {"kind": kind, "title": "<b>Sales</b> & more", "unit": "€", "labels": ["A", "B <i>"]}
    name, content, media_type = saved("charts", "save_chart", **arguments)
    assert (name, media_type) == ("b- - more.svg", "image/svg+xml")
    root = ET.fromstring(content)
    parts = {child.tag.rpartition("}")[2]: child for child in root}
    assert root.get("role") == "img"
    assert parts["title"].text == "<b>Sales</b> & more"
    assert parts["desc"].text == f"{kind.capitalize()} chart. A €1, B <i> €3."
    assert b"<b>" not in content
    _, png, media_type = saved("charts", "save_chart", **arguments, format="png", name="sales")
    image = Image.open(io.BytesIO(png))
    assert (media_type, image.size) == ("image/png", (1760, 990))
    assert image.text["Title"] == "<b>Sales</b> & more"


@pytest.mark.parametrize("values", [[0, 0], [-5, -10], [1e-9, 3e-9], [1e15, -1e15], [None, 7], [1]])
@pytest.mark.parametrize("kind", ["bar", "line"])
def test_charts_of_odd_values_are_drawn(kind, values):
    labels = [f"A very long label number {n} that cannot fit" for n in range(len(values))]
    saved(
        "charts", "save_chart", kind=kind, title="x", labels=labels, series=[{"name": "n" * 200, "values": values}] * 6
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"series": [{"values": [1]}]}, "one value for each label"),
        ({"series": [{"values": [None, None]}]}, "no values"),
        ({"series": [{"values": [0, 0]}]}, "sum above zero"),
        ({"series": [{"values": [1, -1]}]}, "negative"),
        ({"series": [{"values": [1, 2]}, {"values": [1, 2]}]}, "one series"),
        ({"series": [{"values": [1e300, 1]}]}, "too large"),
        ({"title": " "}, "what the chart shows"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change, words):
    assert words in refusal("charts", "save_chart", **SHARES | change)


@pytest.mark.parametrize(("form", "begin"), [("png", b"\x89PNG"), ("svg", b"<svg")])
def test_a_qr_code_is_made(form, begin):
    name, content, _ = saved("qr_code", "save_qr_code", name="door", holds="https://example.org/?a=<b>", format=form)
    assert name == f"door.{form}"
    assert content.startswith(begin)
    assert "are the most" in refusal("qr_code", "save_qr_code", name="x", holds="x" * 1_501)


def event(**arguments):
    name, content, media_type = saved("calendar", "save_calendar_event", **arguments)
    assert media_type == "text/calendar"
    assert name.endswith(".ics")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    return content.decode().replace("\r\n ", "").split("\r\n")


def test_an_event_becomes_a_calendar_file():
    lines = event(
        title="Review; Q4, plan\nEND:VEVENT",
        start="2026-11-30T14:00",
        end="2026-11-30T15:30",
        timezone="Europe/Berlin",
        location="Größter Raum " * 12,
        guests=["lena@example.org"],
    )
    assert "SUMMARY:Review\\; Q4\\, plan\\nEND:VEVENT" in lines
    assert {"DTSTART:20261130T130000Z", "DTEND:20261130T143000Z", "ATTENDEE:mailto:lena@example.org"} <= set(lines)
    assert lines.count("END:VEVENT") == 1
    assert {"DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"} <= set(
        event(title="Off", start="2026-12-24", end="2026-12-26")
    )
    assert "DTEND:20261130T150000Z" in event(title="Call", start="2026-11-30T14:00")
    assert "DTSTART:20261130T120000Z" in event(title="Call", start="2026-11-30T14:00+02:00")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start": "soon"}, "not a date or time"), ({"end": "2026-11-29T10:00"}, "ends before"), ({"end": "2026-12-01"}, "both"), ({"timezone": "Mars/Base"}, "not a time zone"),
        ({"title": ""}, "called"), ({"guests": ["x"]}, "not an e-mail"), ({"guests": ["a@b\r\nX:1"]}, "not an e-mail"), ({"start": "9999-12-31", "end": "9999-12-31"}, "outside"),
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused(change, words):
    assert words in refusal("calendar", "save_calendar_event", **{"title": "x", "start": "2026-11-30T14:00"} | change)


def test_a_contact_becomes_a_card():
    name, content, media_type = saved(
        "calendar",
        "save_contact",
        full_name="Lena Maria Kurz",
        email="lena@example.org",
        organisation="House; Garden",
        note="a\nEND:VCARD",
    )
    assert (name, media_type) == ("Lena Maria Kurz.vcf", "text/vcard")
    lines = content.decode().split("\r\n")
    assert {"FN:Lena Maria Kurz", "N:Kurz;Lena Maria;;;", "ORG:House\\; Garden", "NOTE:a\\nEND:VCARD"} <= set(lines)
    assert lines.count("END:VCARD") == 1
