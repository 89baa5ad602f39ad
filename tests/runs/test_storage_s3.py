"""Files of runs in a bucket, with a server that speaks S3."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from moto.server import ThreadedMotoServer

from buckets import services as documents
from mindloom.engine.ports import ToolError
from mindloom.environment import Environment
from runs import services
from runs.models import RunArtifact, StrayFile
from runs.worker.ports import RunPorts
from runs.worker.redact import Redactor
from tests import factories
from tests.api.stage import finished
from tests.runs.test_artifacts import PNG, read

pytestmark = pytest.mark.django_db(transaction=True)
BUCKET = "mindloom-files"


@pytest.fixture(scope="module")
def server():
    made = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    yield f"http://{host}:{port}"
    made.stop()


@pytest.fixture
def bucket(server, settings, monkeypatch):
    """Files go to the bucket; the storage's own client, to look behind."""
    values = Environment().in_s3(BUCKET, server, "eu-central-1", "house/files", "key", "secret-of-the-bucket")
    settings.STORAGES = {**settings.STORAGES, "default": values}
    made = storages["default"]
    monkeypatch.setattr(default_storage, "_wrapped", made)
    monkeypatch.setattr(RunArtifact._meta.get_field("file"), "storage", made)
    client = made.connection.meta.client
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield client
    for one in keys(client):
        client.delete_object(Bucket=BUCKET, Key=one)
    client.delete_bucket(Bucket=BUCKET)


def keys(client):
    return [one["Key"] for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.fixture
def run(cast, in_marketing):
    return finished(factories.run(factories.agent(cast.alice, cast.marketing), cast.bob))


@pytest.fixture
def save(run, bucket):
    return RunPorts(run, Redactor()).save_artifact


def test_a_file_is_kept_in_the_bucket_under_the_prefix(save, run, bucket):
    saved = save("plan.md", b"# Plan", "text/markdown")
    assert keys(bucket) == [f"house/files/runs/{run.uuid}/{saved.uuid}"]


def test_it_is_downloaded_shown_and_packed_from_there(save, run, cast, client_as):
    plan = save("plan.md", b"# Plan" * 200_000, "text/markdown")
    image = save("a.png", PNG, "image/png")
    client, address = client_as(cast.bob), f"/runs/{run.uuid}/artifacts"

    assert read(client.get(f"{address}/{plan.uuid}/")) == b"# Plan" * 200_000
    assert read(client.get(f"{address}/{image.uuid}/picture/")) == PNG
    assert "Plan" in client.get(f"{address}/{plan.uuid}/preview/").content.decode()
    packed = zipfile.ZipFile(io.BytesIO(read(client.get(f"{address}.zip"))))
    assert packed.testzip() is None
    assert sorted(packed.namelist()) == ["a.png", "plan.md"]


def test_it_goes_with_its_run(save, run, cast, bucket):
    save("plan.md", b"# Plan", "text/markdown")
    services.delete_run(actor=cast.bob, run=run)
    assert keys(bucket) == []
    assert not StrayFile.objects.exists()


def test_a_bucket_that_is_gone_is_said_to_the_tool(save, bucket):
    bucket.delete_bucket(Bucket=BUCKET)
    with pytest.raises(ToolError, match="the storage for files did not take it"):
        save("plan.md", b"# Plan", "text/markdown")
    assert not RunArtifact.objects.exists()
    bucket.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})


def test_a_server_that_is_away_is_said_to_the_tool_and_to_the_reader(save, run, cast, client_as, monkeypatch):
    saved = save("plan.md", b"# Plan", "text/markdown")
    values = Environment().in_s3(BUCKET, "http://127.0.0.1:9", "eu-central-1", "", "key", "secret")
    away = storages.create_storage(values)
    monkeypatch.setattr(default_storage, "_wrapped", away)
    monkeypatch.setattr(RunArtifact._meta.get_field("file"), "storage", away)

    with pytest.raises(ToolError, match="Try again later"):
        save("other.md", b"# Plan", "text/markdown")
    answer = client_as(cast.bob).get(f"/api/v1/runs/{run.uuid}/artifacts/{saved.uuid}")
    assert answer.status_code == 503
    assert RunArtifact.objects.count() == 1
    assert StrayFile.objects.count() == 1  # removed by the sweep once the server is back


def start(**options):
    """What the start says with these options."""
    code = "import os, mindloom.settings as s; print(s.STORAGES['default']['OPTIONS']['secret_key'])"
    environment = {**os.environ, **options}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"S3_BUCKET": "No Bucket!"}, "S3_BUCKET is 'No Bucket!'"),
        ({"S3_BUCKET": BUCKET, "S3_ENDPOINT": "storage"}, "S3_ENDPOINT is 'storage'"),
        ({"S3_BUCKET": BUCKET, "S3_ACCESS_KEY": "key"}, "S3_ACCESS_KEY and S3_SECRET_KEY belong together"),
        ({"S3_BUCKET": BUCKET, "S3_PREFIX": "../x"}, "S3_PREFIX is '../x'"),
    ],
)
def test_a_wrong_option_stops_the_start_with_a_sentence(options, sentence):
    said = start(**options)
    assert said.returncode == 2
    assert sentence in said.stderr


def test_the_secret_may_be_in_a_file(tmp_path):
    path = tmp_path / "secret"
    path.write_text("from-a-file\n")
    said = start(S3_BUCKET=BUCKET, S3_ACCESS_KEY="key", S3_SECRET_KEY_FILE=str(path))
    assert said.stdout.strip() == "from-a-file"


def test_a_document_that_two_give_at_once_is_kept(bucket, cast, in_marketing, monkeypatch):
    rules = documents.create_bucket(actor=cast.alice, department_id=cast.marketing.pk, name="Rules")

    def give(name):
        return documents.add_document(actor=cast.alice, bucket=rules, file=ContentFile(b"Same"), name=name).version

    save, others = default_storage.save, ["second.txt"]

    def meanwhile(path, file):
        if others:
            give(others.pop())
        return save(path, file)

    monkeypatch.setattr(default_storage._wrapped, "save", meanwhile)
    content = give("first.txt").content
    with default_storage.open(content.path) as file:
        assert file.read() == b"Same"
