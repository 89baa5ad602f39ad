"""Memory limits by real control groups, so that what is killed for want of memory is killed by the kernel."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Group:
    """The control group of one container."""

    folder: Path
    old: bool

    def argv(self, command: list[str]) -> list[str]:
        """The command, started inside the group: a shell enters it and becomes the command."""
        return ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self.folder), *command]

    def kills(self) -> int:
        """How often the kernel killed in here."""
        listed = (self.folder / ("memory.oom_control" if self.old else "memory.events")).read_text()
        return next((int(line.split()[1]) for line in listed.splitlines() if line.startswith("oom_kill ")), 0)

    def squeeze(self) -> None:
        """Allow no more than what is used now, so that the next that is asked for is too much."""
        used, limit = (
            ("memory.usage_in_bytes", "memory.limit_in_bytes") if self.old else ("memory.current", "memory.max")
        )
        with contextlib.suppress(OSError):  # busy: nothing more can be given back at this moment
            (self.folder / limit).write_text((self.folder / used).read_text())

    def remove(self) -> None:
        """What was killed may take a moment to leave."""
        for _ in range(40):
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.05)
            else:
                return


def _is_old() -> bool:
    return (ROOT / "memory" / "memory.limit_in_bytes").exists()


def _parent() -> Path:
    return (ROOT / "memory" if _is_old() else ROOT) / f"mindloom-pods-{os.getpid()}"


def make(name: str, limit: int) -> Group | None:
    """A group with this limit; None where this machine lets us make none."""
    old, folder = _is_old(), _parent() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if old:
            (folder / "memory.limit_in_bytes").write_text(str(limit))
            swap = folder / "memory.memsw.limit_in_bytes"
            if swap.exists():
                swap.write_text(str(limit))
        else:
            (folder.parent / "cgroup.subtree_control").write_text("+memory")
            (folder / "memory.max").write_text(str(limit))
            (folder / "memory.swap.max").write_text("0")
    except OSError:
        return None
    return Group(folder, old)


def usable() -> bool:
    """Whether limits can be had on this machine. Otherwise containers run without, and nothing dies for want of memory."""
    group = make("probe", 64 << 20)
    if group is None:
        return False
    group.remove()
    clear()
    return True


def clear() -> None:
    Group(_parent(), _is_old()).remove()
