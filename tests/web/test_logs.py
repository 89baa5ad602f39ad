"""Lines of the log."""

from __future__ import annotations

import logging
from io import StringIO


def test_what_a_stranger_typed_stays_on_its_line(monkeypatch):
    written = StringIO()
    handler = logging.getLogger().handlers[0]
    monkeypatch.setattr(handler, "stream", written)
    handler.handle(
        logging.makeLogRecord(
            {"name": "x", "levelname": "INFO", "msg": "Not found: %s", "args": ("/\x1b[31m\nforged",)}
        )
    )

    assert written.getvalue().count("\n") == 1
    assert "\\x1b[31m\\nforged" in written.getvalue()
