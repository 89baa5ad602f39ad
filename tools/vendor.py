"""Refresh static/vendor from the npm registry: pinned versions, named files, one checksum list.

Run by hand when a pin changes (`python tools/vendor.py`). Nobody else needs Node: the copies are
committed and a test compares them with static/vendor/VENDOR.sha256.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR_DIR = Path(__file__).resolve().parent.parent / "static" / "vendor"
CHECKSUMS = "VENDOR.sha256"

# package@version -> {path inside the package: path below static/vendor}
PINS: dict[str, dict[str, str]] = {
    "htmx.org@4.0.1": {
        "dist/htmx.min.js": "htmx-4.0.1.min.js",
        "LICENSE": "htmx.LICENSE",
    },
    "@fontsource-variable/inter@5.3.0": {
        "files/inter-latin-wght-normal.woff2": "fonts/inter-latin-wght-normal.woff2",
        "files/inter-latin-ext-wght-normal.woff2": "fonts/inter-latin-ext-wght-normal.woff2",
        "LICENSE": "fonts/inter.LICENSE",
    },
    "@fontsource-variable/jetbrains-mono@5.3.0": {
        "files/jetbrains-mono-latin-wght-normal.woff2": "fonts/jetbrains-mono-latin-wght-normal.woff2",
        "files/jetbrains-mono-latin-ext-wght-normal.woff2": "fonts/jetbrains-mono-latin-ext-wght-normal.woff2",
        "LICENSE": "fonts/jetbrains-mono.LICENSE",
    },
}


def without_source_map(data: bytes) -> bytes:
    """Drop the source map comment: the manifest storage fails on a map that is not there."""
    return b"\n".join(line for line in data.split(b"\n") if b"sourceMappingURL=" not in line)


def fetch(package: str, into: Path) -> Path:
    """Download one package archive with the npm client and return its path."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", package],
        cwd=into,
        check=True,
        capture_output=True,
        text=True,
    )
    return into / packed.stdout.split()[-1]


def copy_files(archive: Path, files: dict[str, str]) -> list[str]:
    """Copy the named files out of an archive and return their checksum lines."""
    lines = []
    with tarfile.open(archive) as tar:
        for source, target in files.items():
            member = tar.extractfile(f"package/{source}")
            if member is None:
                raise FileNotFoundError(source)
            data = member.read()
            path = VENDOR_DIR / target
            if path.suffix in {".js", ".css"}:
                data = without_source_map(data)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            lines.append(f"{hashlib.sha256(data).hexdigest()}  {target}")
    return lines


def main() -> None:
    """Fetch every pin and rewrite the checksum list."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for package, files in PINS.items():
            lines += copy_files(fetch(package, Path(scratch)), files)
    (VENDOR_DIR / CHECKSUMS).write_text("\n".join(sorted(lines, key=lambda line: line.split()[1])) + "\n")


if __name__ == "__main__":
    main()
