"""The process that reads one file: `python -m buckets.readers.child <file> <name> <where to write> <limits>`.

It sets its own limits before it loads a parser, so that whatever a file does to it ends here. What it writes is one JSON value a
line: parts, and as the last line what became of it. A process that dies says nothing; its parent then says why.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from buckets.readers import kinds
from buckets.readers.parts import Refused, cut

READERS = {
    kinds.PDF: ("pdf", "read_pdf"),
    kinds.DOCX: ("office", "read_docx"),
    kinds.PPTX: ("archives", "read_pptx"),
    kinds.EPUB: ("archives", "read_epub"),
    kinds.EMAIL: ("mail", "read_mail"),
    kinds.XLSX: ("tables", "read_xlsx"),
    kinds.CSV: ("tables", "read_csv"),
    kinds.HTML: ("web", "read_html"),
    kinds.MARKDOWN: ("plain", "read_markdown"),
    kinds.JSON: ("plain", "read_json"),
    kinds.TEXT: ("plain", "read_text"),
}
"""The module and function for each kind; only the one that is needed is loaded."""
TOO_MUCH_MEMORY = (
    "To read the file takes more memory than is given to one. Split it, or save it as PDF or plain text, and add that."
)
NO_TEXT = "No text was found in the file. If it has pictures of text, run a text recognition (OCR) over it and add the result."
_PR_SET_PDEATHSIG = 1


def main(path: str, name: str, target: str, limits: str) -> None:
    """Read the file at `path`, called `name`, and write what is in it to `target`."""
    given = json.loads(limits)
    _limit(given)
    with Path(target).open("w", encoding="utf-8") as out:
        try:
            _read(Path(path), name, given["characters"], out)
        except Refused as refused:
            _write(out, {"refused": str(refused)})
        except MemoryError:
            _write(out, {"refused": TOO_MUCH_MEMORY})
        except RecursionError:
            _write(
                out, {"refused": "The file is nested too deep to be read. Save it as PDF or plain text, and add that."}
            )


def _read(path: Path, name: str, most: int, out: Any) -> None:
    kind = kinds.kind_of(path, name)
    _write(out, {"kind": kind})
    count, characters = 0, 0
    for part in cut(_reader(kind)(path)):
        count, characters = count + 1, characters + len(part.text)
        if characters > most:
            raise Refused(f"The file has more than {most:,} characters of text. Split it and add the parts.")
        _write(out, {"part": [part.label, part.heading, part.text]})
    if not count:
        raise Refused(NO_TEXT)
    _write(out, {"done": count, "characters": characters})


def _limit(given: dict[str, int]) -> None:
    """Memory, processor time, the size of what is written, open files; and an end when the parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(10)
    for what, most in (
        (resource.RLIMIT_AS, given["memory_bytes"]),
        (resource.RLIMIT_CPU, given["seconds"]),
        (resource.RLIMIT_FSIZE, given["written_bytes"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _reader(kind: str) -> Any:
    module, function = READERS[kind]
    return getattr(import_module(f"buckets.readers.{module}"), function)


def _write(out: Any, value: dict[str, Any]) -> None:
    out.write(json.dumps(value, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
