"""Whether this container's process works: exit code 0, or 1 and a sentence. Run as a file, it needs nothing but Python itself.

The web process answers; worker and scheduler touch the file that ALIVE_FILE names, every few seconds.
"""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request

SILENT_SECONDS = 30.0


def trouble() -> str:
    """What is wrong; empty when nothing is."""
    path = os.environ.get("ALIVE_FILE", "")
    if path and os.path.exists(path):  # noqa: PTH110 -- pathlib takes longer to import than all of this
        silence = time.time() - os.path.getmtime(path)  # noqa: PTH204 -- as above
        return f"no sign of life for {silence:.0f} s" if silence > SILENT_SECONDS else ""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/livez", timeout=4).close()
    except (urllib.error.URLError, OSError) as error:
        return f"the web process does not answer: {error}"
    return ""


if __name__ == "__main__":
    found = trouble()
    if found:
        sys.stderr.write(found + "\n")
    sys.exit(1 if found else 0)
