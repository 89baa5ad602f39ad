"""Makes PDF files from Markdown, and reads those that can be downloaded."""

from __future__ import annotations

import io
import re
import time
from typing import TYPE_CHECKING, Any

from integrations.tools.base import Setup, Tool, function
from integrations.tools.calling import call, good
from integrations.tools.wording import cut, file_name, needed, whole
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

if TYPE_CHECKING:
    from pypdf import PdfReader

MOST_CHARACTERS = 200_000
MOST_BYTES = 15_000_000
MOST_SHOWN = 40_000
MOST_PAGES = 50
SECONDS = 30.0


def _save(arguments: dict[str, Any], context: ToolContext) -> str:
    content = needed(arguments, "content", "what the file says", MOST_CHARACTERS)
    name = file_name(str(arguments["name"]), ".pdf")
    from integrations.tools.paper import made_of  # it loads a large library, which only those need who make a PDF

    try:
        made, pages = made_of(content, str(arguments.get("title") or name.removesuffix(".pdf")))
    except Exception as broke:  # noqa: BLE001 -- a layout that the library cannot do is a refusal, not a broken tool
        raise ToolError(
            f"The PDF cannot be laid out ({type(broke).__name__}). Use plainer Markdown, such as smaller tables."
        ) from None
    saved = context.save_artifact(name, made, "application/pdf")
    return f"Saved {saved.name} ({pages} {'page' if pages == 1 else 'pages'})."


def _read(arguments: dict[str, Any], context: ToolContext) -> str:
    url = needed(arguments, "file_url", "which file to read", 2_000)
    answer = good("The file’s site", call(url if "://" in url else f"https://{url}", max_bytes=MOST_BYTES))
    if b"%PDF-" not in answer.body[:1024]:
        raise ToolError("This is not a PDF file.")
    deadline = time.monotonic() + SECONDS
    document, count = _opened(answer.body)
    first = whole(arguments, "first_page", 1, 100_000)
    if first > count:
        raise ToolError(f"The PDF has {count:,} pages; there is no page {first:,}.")
    texts: list[str] = []
    for place in range(first - 1, min(count, first - 1 + MOST_PAGES)):
        if context.cancelled() or time.monotonic() > deadline or sum(len(text) for text in texts) > MOST_SHOWN:
            break
        texts.append(f"[Page {place + 1}]\n{_page(document, place)}")
    if not any(text.partition("\n")[2] for text in texts):
        raise ToolError("These pages hold no text; they may be scanned pictures.")
    last = first + len(texts) - 1
    rest = f"\n\n[The file has {count:,} pages; read on with first_page {last + 1}.]" if last < count else ""
    return cut("\n\n".join(texts), MOST_SHOWN, "This part") + rest


def _opened(content: bytes) -> tuple[PdfReader, int]:
    from pypdf import PdfReader  # large, and only needed here

    try:
        document = PdfReader(io.BytesIO(content))
        if not document.is_encrypted or document.decrypt(""):
            return document, len(document.pages)
    except Exception:  # noqa: BLE001 -- a library reads somebody else's file: whatever it stumbles over, it cannot be read
        raise ToolError("The PDF is damaged and cannot be read.") from None
    raise ToolError("The PDF is locked with a password.")


def _page(document: PdfReader, place: int) -> str:
    try:
        text = document.pages[place].extract_text()
    except Exception:  # noqa: BLE001 -- as above; the other pages may be fine
        return "(This page cannot be read.)"
    return re.sub(r"[ \t]+\n", "\n", text).strip()


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "save_pdf",
            "Make a PDF file from Markdown text, so that the person can download it.",
            {
                "name": {"type": "string", "description": "The file's name, such as campaign-brief"},
                "content": {
                    "type": "string",
                    "description": "The whole text in Markdown: headings, lists, tables, emphasis",
                },
                "title": {"type": "string", "description": "The document's title"},
            },
            _save,
            required=("name", "content"),
            effect="writes",
        ),
        function(
            "read_pdf",
            "Download a PDF file and return the text of its pages.",
            {
                "file_url": {"type": "string", "description": "The file's address, beginning with https://"},
                "first_page": {
                    "type": "integer",
                    "minimum": 1,
                    "description": f"Where to begin; {MOST_PAGES} pages at most are read",
                },
            },
            _read,
            required=("file_url",),
        ),
    ]


TOOL = Tool(
    key="pdf",
    name="PDF files",
    description="Makes PDF files from text, and reads those that can be downloaded.",
    icon="file-text",
    effect="writes",
    functions=_functions,
)
