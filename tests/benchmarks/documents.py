"""How long files take from being received to being found, and what the worker, and pages meanwhile, notice of it."""

from __future__ import annotations

import io
import random
import threading
import time
from statistics import quantiles
from typing import TYPE_CHECKING

import httpx
from django.core.files.base import ContentFile
from django.core.management import call_command

from buckets import services
from buckets.models import UNDER_WAY, Version
from mindloom import wall
from tests.benchmarks import people
from tests.benchmarks.house import House, free_port, memory_mb, until
from tests.benchmarks.report import Row

if TYPE_CHECKING:
    from accounts.models import User
    from buckets.models import Bucket
    from tests.benchmarks.house import Process

WORDS = [f"w{number}ord" for number in range(5_000)]
LONGEST_SECONDS = 600


def measure(house: House) -> list[Row]:
    """One workload after the other, with one worker and one web process."""
    call_command("collectstatic", verbosity=0, interactive=False)
    port = free_port()
    house.web(port)
    worker = house.worker()
    with wall.system("benchmark"):
        owner = people.person()
        department = owner.memberships.get().department_id
        bucket = services.create_bucket(actor=owner, department_id=department, name="Bench")
        return [_one(name, files, owner, bucket, worker, port) for name, files in _workloads()]


def _workloads():
    yield "a PDF of 300 pages", {"book.pdf": _pdf(300)}
    yield "a CSV of 50,000 rows", {"rows.csv": _csv(50_000)}
    yield "a DOCX of 200 sections and 40 tables", {"tables.docx": _docx(200)}
    yield "200 small files", {f"note-{number}.md": f"# Note {number}\n\n{_text(150)}".encode() for number in range(200)}


def _one(name: str, files: dict[str, bytes], owner: User, bucket: Bucket, worker: Process, port: int) -> Row:
    watch = _Watch(worker, port)
    began = time.monotonic()
    for file, content in files.items():
        services.add_document(actor=owner, bucket=bucket, file=ContentFile(content), name=file)
    until(lambda: not Version.objects.filter(state__in=UNDER_WAY).exists(), "all files are read", LONGEST_SECONDS)
    took = time.monotonic() - began
    watch.end()
    failed = Version.objects.filter(state="failed").values_list("reason", flat=True)
    assert not failed, list(failed)
    passages = sum(Version.objects.filter(document__name__in=files).values_list("chunk_count", flat=True))
    size = sum(map(len, files.values()))
    return Row(
        f"Read and indexed: {name} ({size / 1e6:.1f} MB, {passages:,} passages)",
        f"{took:.1f} s",
        f"worker with the processes that read: at most PSS {watch.most_mb:.0f} MB, {watch.before_mb:.0f} before;"
        f" a page of the web process meanwhile p95 {watch.p95():.0f} ms",
    )


class _Watch:
    """Memory of the worker with its children, and answers of the web process, from beside."""

    def __init__(self, worker: Process, port: int) -> None:
        self._worker, self._port = worker, port
        self.before_mb = self.most_mb = memory_mb(worker.family())[0]
        self._took: list[float] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=one) for one in (self._memory, self._pages)]
        for thread in self._threads:
            thread.start()

    def _memory(self) -> None:
        import psutil

        while not self._over.wait(0.1):
            try:
                self.most_mb = max(self.most_mb, memory_mb(self._worker.family())[0])
            except psutil.Error:
                continue  # a child ended in this moment

    def _pages(self) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self._port}") as client:
            while not self._over.wait(0.05):
                began = time.monotonic()
                client.get("/sign-in/").raise_for_status()
                self._took.append((time.monotonic() - began) * 1000)

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def p95(self) -> float:
        return quantiles(self._took, n=20)[-1] if len(self._took) > 1 else 0.0


def _text(words: int) -> str:
    return " ".join(random.choice(WORDS) for _ in range(words))


def _pdf(pages: int) -> bytes:
    from fpdf import FPDF

    made = FPDF()
    made.set_font("Helvetica", size=10)
    for _ in range(pages):
        made.add_page()
        made.multi_cell(0, 5, _text(400))
    return bytes(made.output())


def _csv(rows: int) -> bytes:
    return "\n".join(
        ["Number;Name;City;Note", *(f"{n};{_text(2)};{_text(1)};{_text(8)}" for n in range(rows))]
    ).encode()


def _docx(sections: int) -> bytes:
    import docx

    made = docx.Document()
    for number in range(sections):
        made.add_heading(f"Section {number}", 2)
        made.add_paragraph(_text(150))
        if number % 5 == 0:
            table = made.add_table(rows=10, cols=4)
            for cell in table._cells:
                cell.text = _text(3)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()
