"""Files that runs make: names, types, versions, limits, handing out, and an archive of all."""

from __future__ import annotations

import errno
import io
import zipfile
from contextlib import nullcontext

import pytest
from asgiref.sync import async_to_sync
from django.core.files.storage import FileSystemStorage, default_storage

from audit.models import Entry
from mindloom.engine.ports import ToolError
from runs.models import Run, RunArtifact, StrayFile
from runs.stream.files import archive_names
from runs.worker.files import media_type_of, safe_name
from runs.worker.ports import RunPorts
from runs.worker.redact import Redactor
from tests import factories

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 30
HTML = b"<!-- a --> <!DOCTYPE html><script>alert(1)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HOSTILE = [
    ("page.png", HTML, "image/png"),
    ("drawing.png", SVG, "image/png"),
    ("drawing.svg", SVG, "image/svg+xml"),
    ("polyglot.gif", b"GIF89a/*" + b"\x01" * 20 + b"*/=1;alert(1)", "text/html"),
    ("both.pdf", b"%PDF-1.4\n<script>alert(1)</script>", "text/html"),
    ("nul\x00name.txt", b"text", "text/plain"),
    ("very long " + "x" * 500 + ".txt", b"text", "text/plain"),
    ("invoice\u202efdp.exe", b"MZ\x00\x01", "application/pdf"),
    ("empty.txt", b"", "text/plain"),
    ("../../../etc/passwd", b"root", "text/plain"),
    ("..\\..\\windows\\system.ini", b"[x]", "text/plain"),
    ("", b"nameless", ""),
    ("...", b"dots", "a/b; c=\r\nX-Evil: 1"),
    ('quote".html\r\nX-Evil: 1', HTML, "text/html\r\nX-Evil: 1"),
]


def read(answer) -> bytes:
    async def whole() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(whole)()


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def run(cast, in_marketing):
    return factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)


@pytest.fixture
def save(run):
    ports = RunPorts(run, Redactor())
    return lambda name="plan.md", content=b"# Plan", claimed="text/markdown": ports.save_artifact(
        name, content, claimed
    )


@pytest.mark.parametrize(
    ("state", "fence", "saves"), [("running", 1, True), ("running", 2, False), ("queued", 1, False)]
)
def test_a_worker_saves_files_only_as_long_as_the_run_is_its_own(run, tmp_path, state, fence, saves):
    Run.objects.filter(pk=run.pk).update(state=state, fence=fence)
    ports = RunPorts(run, Redactor(), 1)
    with nullcontext() if saves else pytest.raises(ToolError, match="goes on elsewhere"):
        ports.save_artifact("plan.md", b"# Plan", "text/markdown")

    assert run.artifacts.count() == len([one for one in tmp_path.rglob("*") if one.is_file()]) == saves
    assert not StrayFile.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "claimed", "is_"),
    [
        (PNG, "a.txt", "text/plain", "image/png"),
        (b"<h1>no</h1>", "a.png", "image/png", "text/plain"),
        (HTML, "a.png", "image/png", "text/html"),
        (SVG, "a.jpg", "image/jpeg", "image/svg+xml"),
        (b"\x00\x01", "a.pdf", "application/pdf", "application/octet-stream"),
        (b"a,b\n1,2\n", "a.csv", "", "text/csv"),
        (b"{}", "a", "application/json", "application/json"),
        (b"text", "a.md", "nonsense", "text/markdown"),
        (b"PK\x03\x04..", "a.xlsx", "", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (b"RIFF\x00\x00\x00\x00WEBP", "a", "", "image/webp"),
    ],
)
def test_the_content_decides_what_a_file_is(content, name, claimed, is_):
    assert media_type_of(content, name, claimed) == is_


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\\b\\c.txt", "c.txt"),
        ("in\u202evoice\x00\x1b.txt", "invoice.txt"),
        ("", "file"),
        ("...", "file"),
        (' <b>"x"?.md. ', "bx.md"),
    ],
)
def test_names_lose_what_is_not_part_of_a_name(name, safe):
    assert safe_name(name) == safe


def test_long_names_keep_their_extension():
    assert safe_name("x" * 500 + ".txt").endswith("x.txt")
    assert len(safe_name("x" * 500 + ".txt")) == 120


def test_saved_again_a_file_gets_a_version(save, run):
    assert [save(content=text).version for text in (b"one", b"two", b"three")] == [1, 2, 3]
    assert [(one.name, one.version) for one in run.artifacts.newest()] == [("plan.md", 3)]
    assert run.artifacts.count() == 3


def test_lists_show_the_latest_and_all_on_request(save, run, cast, client_as):
    save(content=b"one")
    save(content=b"two")
    client = client_as(cast.bob)
    address = f"/api/v1/runs/{run.uuid}/artifacts"

    assert [one["version"] for one in client.get(address).json()] == [2]
    assert [one["version"] for one in client.get(f"{address}?all=1").json()] == [1, 2]
    assert "version 2" in client.get(f"/runs/{run.uuid}/artifacts/").content.decode()


def test_a_file_above_the_limit_is_refused_with_a_sentence(save, settings, run):
    settings.ARTIFACT_MAX_BYTES = 10
    with pytest.raises(ToolError, match=r"plan.md has 11 bytes; a file may have 10"):
        save(content=b"x" * 11)
    assert not run.artifacts.exists()


def test_too_many_files_are_refused(save, settings):
    settings.ARTIFACTS_PER_RUN = 2
    save("a")
    save("b")
    with pytest.raises(ToolError, match="the most a run may have"):
        save("c")


def test_too_much_together_is_refused(save, settings):
    settings.ARTIFACTS_MAX_BYTES_PER_RUN = 10
    save("a", b"x" * 6)
    with pytest.raises(ToolError, match="would have 12 bytes; together they may have 10"):
        save("b", b"x" * 6)


def test_a_full_disk_is_said_to_the_tool_and_leaves_nothing(save, monkeypatch, run, tmp_path):
    real = FileSystemStorage._save

    def full(self, name, content):
        real(self, name, content)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    with pytest.raises(ToolError, match="the storage for files is full"):
        save()

    assert not RunArtifact.objects.exists()
    assert not StrayFile.objects.exists()
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_a_file_without_its_row_is_known_to_the_sweep(save, monkeypatch):
    monkeypatch.setattr(RunArtifact.objects.__class__, "create", lambda *args, **fields: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save()
    assert default_storage.exists(StrayFile.objects.get().path)


def test_a_saved_file_leaves_no_note_behind(save):
    save()
    assert not StrayFile.objects.exists()


@pytest.mark.parametrize(("name", "content", "claimed"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_files_are_handed_out_as_sealed_downloads(save, run, cast, client_as, name, content, claimed):
    saved = save(name, content, claimed)
    client = client_as(cast.bob)
    for address in (f"/runs/{run.uuid}/artifacts/{saved.uuid}/", f"/api/v1/runs/{run.uuid}/artifacts/{saved.uuid}"):
        answer = client.get(address)
        assert read(answer) == content
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "html" not in answer["Content-Type"]
        assert "svg" not in answer["Content-Type"]
        assert "X-Evil" not in answer
    assert client.get(f"/runs/{run.uuid}/artifacts/").status_code == 200


@pytest.mark.parametrize(("name", "content", "claimed"), HOSTILE, ids=range(len(HOSTILE)))
def test_only_pictures_are_shown_inside_a_page(save, run, cast, client_as, name, content, claimed):
    saved = save(name, content, claimed)
    answer = client_as(cast.bob).get(f"/runs/{run.uuid}/artifacts/{saved.uuid}/picture/")
    answer.close()
    assert answer.status_code == (200 if content.startswith(b"GIF89a") else 404)


def test_a_picture_is_served_as_what_it_is_and_sealed(save, run, cast, client_as):
    saved = save("a.png", PNG, "text/html")
    answer = client_as(cast.bob).get(f"/runs/{run.uuid}/artifacts/{saved.uuid}/picture/")
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("inline")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert read(answer) == PNG


@pytest.mark.parametrize("path", ["/runs/{run}/artifacts/{file}/", "/api/v1/runs/{run}/artifacts/{file}"])
def test_who_takes_a_file_away_is_in_the_audit_trail(save, run, cast, client_as, path):
    answer = client_as(cast.bob).get(path.format(run=run.uuid, file=save("plan.md").uuid))
    entry = Entry.objects.get(action="run.downloaded")

    assert read(answer) == b"# Plan"
    assert (entry.actor_id, entry.data["what"]) == (cast.bob.pk, "plan.md")


def test_the_archive_holds_the_latest_of_each_or_every_version(save, run, cast, client_as):
    for name, content, claimed in HOSTILE:
        save(name, content, claimed)
    save(content=b"one")
    save(content=b"two")
    client = client_as(cast.bob)

    answer = client.get(f"/api/v1/runs/{run.uuid}/artifacts.zip")
    body = read(answer)
    packed = zipfile.ZipFile(io.BytesIO(body))

    assert answer["Content-Length"] == str(len(body))
    assert packed.testzip() is None
    assert packed.read("plan.md") == b"two"
    assert not any("/" in name or "\\" in name or name.startswith(".") for name in packed.namelist())
    every = zipfile.ZipFile(io.BytesIO(read(client.get(f"/runs/{run.uuid}/artifacts.zip?all=1"))))
    assert every.read("plan (version 1).md") == b"one"


def test_names_in_an_archive_are_unique_where_capitals_do_not_matter():
    files = [RunArtifact(name=name, version=1) for name in ("A.txt", "a.txt", "a (2).txt", ".a.txt")]
    names = archive_names(files)
    assert len({name.casefold() for name in names}) == 4


def test_a_run_without_files_has_no_archive(run, cast, client_as):
    assert client_as(cast.bob).get(f"/runs/{run.uuid}/artifacts.zip").status_code == 404
    answer = client_as(cast.bob).get(f"/api/v1/runs/{run.uuid}/artifacts.zip")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_artifacts")


def test_a_file_that_the_storage_lost_is_said_so(save, run, cast, client_as):
    saved = save()
    default_storage.delete(run.artifacts.get().file.name)
    client = client_as(cast.bob)

    assert client.get(f"/api/v1/runs/{run.uuid}/artifacts/{saved.uuid}").status_code == 503
    answer = client.get(f"/runs/{run.uuid}/artifacts/{saved.uuid}/preview/")
    assert answer.status_code == 200
    assert "read from the storage now" in answer.content.decode()
