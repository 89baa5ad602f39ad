"""The image is built, the composition brought up, a version switched and a backup brought back, by a real container engine.

Only where CONTAINER_TESTS is set: it needs an engine with compose, images for base, servers and proxy, and some ten minutes. BASE_IMAGE,
POSTGRES_IMAGE, REDIS_IMAGE and PROXY_IMAGE name other images than deploy/compose.yaml does, CONTAINER_BUILD_OPTIONS is added to the build.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time

import httpx
import pytest

from mindloom.environment import BASE_DIR

WANTED = "CONTAINER_TESTS"
pytestmark = [
    pytest.mark.containers,
    pytest.mark.skipif(
        not os.environ.get(WANTED),
        reason=f"Containers: image, composition, switch and backup were not tried. Set {WANTED}=1 where a container engine is.",
    ),
]
IMAGE, NEXT = "mindloom-test:1", "mindloom-test:2"
PORT = "18443"
ADMIN = {"email": "ada@example.org", "password": "correct horse battery"}
COLOURS = ("--profile", "blue", "--profile", "green")


def ask(*command, cwd=BASE_DIR, check=True, **environment):
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=1200, check=False
    )
    assert not check or done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def image():
    more = shlex.split(os.environ.get("CONTAINER_BUILD_OPTIONS", ""))
    if base := os.environ.get("BASE_IMAGE"):
        more += ["--build-arg", f"BASE_IMAGE={base}"]
    ask("docker", "build", *more, "--tag", IMAGE, ".")
    ask("docker", "tag", IMAGE, NEXT)
    yield IMAGE
    ask("docker", "image", "rm", IMAGE, NEXT, check=False)


class Installation:
    """A copy of deploy/ that keeps its secrets and its state to itself."""

    def __init__(self, folder):
        shutil.copytree(
            BASE_DIR / "deploy",
            folder / "deploy",
            ignore=shutil.ignore_patterns("secrets", "state", "helm", "kustomize"),
        )
        self.folder = folder / "deploy"
        self.environment = {
            "COMPOSE_PROJECT_NAME": "mindloom-test",
            "MINDLOOM_IMAGE": IMAGE,
            "HTTP_PORT": "18080",
            "HTTPS_PORT": PORT,
        }

    def does(self, script, *arguments, check=True):
        return ask(str(self.folder / script), *arguments, cwd=self.folder, check=check, **self.environment)

    def compose(self, *arguments, check=True):
        return ask("docker", "compose", *COLOURS, *arguments, cwd=self.folder, check=check, **self.environment)

    def clear_away(self):
        self.compose("down", "--volumes", check=False)
        shutil.rmtree(self.folder / "secrets", ignore_errors=True)
        shutil.rmtree(self.folder / "state", ignore_errors=True)


@pytest.fixture(scope="module")
def installation(image, tmp_path_factory):
    made = Installation(tmp_path_factory.mktemp("containers"))
    yield made
    made.clear_away()


def signed_in():
    # The proxy's certificate is its own: no name that the internet knows.
    client = httpx.Client(base_url=f"https://localhost:{PORT}/api/v1/", verify=False, timeout=60)
    client.headers["Authorization"] = (
        f"Bearer {client.post('auth/login', json=ADMIN).raise_for_status().json()['access']}"
    )
    return client


def carried_out(client, agent):
    run = client.post("runs", json={"agent": agent, "input": "Tea is brewed. Tea is drunk."}).raise_for_status().json()
    until = time.monotonic() + 60
    while run["state"] not in {"completed", "failed"} and time.monotonic() < until:
        time.sleep(0.5)
        run = client.get(f"runs/{run['uuid']}").json()
    return run["state"]


def test_the_image_says_what_is_in_it_and_has_no_compiler(image):
    labels = json.loads(ask("docker", "inspect", "--format", "{{json .Config.Labels}}", image))
    listed = ask("docker", "run", "--rm", "--entrypoint", "cat", image, labels["org.cyclonedx.bom"])
    packages = {one["name"].lower() for one in json.loads(listed)["components"]}
    assert {"django", "agno", "celery", "kubernetes"} <= packages

    tools = "command -v gcc cc make pip; id -u; touch /opt/mindloom/x 2>&1"
    said = ask("docker", "run", "--rm", "--read-only", "--entrypoint", "sh", image, "-c", tools, check=False)
    assert said.splitlines()[0] == "10001"
    assert "Read-only file system" in said


def test_it_comes_up_whole_and_a_run_is_carried_out(installation):
    assert f"https://localhost:{PORT}/setup/" in installation.does("up")
    make = f"from accounts.models import User; User.objects.create_superuser(name='Ada', **{ADMIN!r})"
    installation.compose("exec", "--no-TTY", "web-blue", "python", "manage.py", "shell", "--command", make)
    client = signed_in()
    department = client.post("departments", json={"name": "Marketing"}).raise_for_status().json()["uuid"]
    draft = {"instructions": "Sum up what you are given."}
    made = client.post("agents", json={"name": "Scout", "department": department, "draft": draft}).raise_for_status()
    client.post(f"agents/{made.json()['uuid']}/publish", json={}).raise_for_status()
    assert carried_out(client, made.json()["uuid"]) == "completed"

    states = installation.compose("ps", "--format", "{{.Service}} {{.Health}}")
    assert "unhealthy" not in states
    assert "web-blue healthy" in states
    written = installation.compose("config")
    for secret in (installation.folder / "secrets").iterdir():
        assert secret.read_text() not in written, f"{secret.name} stands in the composition"


def test_a_new_version_is_switched_to_and_back(installation):
    assert "People are sent to green" in installation.does("bluegreen", "deploy", NEXT)
    client = signed_in()
    agent = client.get("agents").json()["results"][0]["uuid"]
    assert carried_out(client, agent) == "completed"
    assert "People are sent to blue" in installation.does("bluegreen", "rollback")
    installation.does("bluegreen", "retire")
    assert "green: off" in installation.does("bluegreen", "status")
    assert carried_out(signed_in(), agent) == "completed"


def test_a_backup_is_brought_back_where_nothing_is(installation, tmp_path):
    before = signed_in().get("runs").json()["results"]
    installation.does("backup", str(tmp_path / "kept"))
    assert "There is an installation here already" in installation.does("restore", str(tmp_path / "kept"), check=False)
    installation.clear_away()
    installation.does("restore", str(tmp_path / "kept"))

    assert [one["uuid"] for one in signed_in().get("runs").json()["results"]] == [one["uuid"] for one in before]
    said = installation.compose("exec", "--no-TTY", "web-blue", "python", "manage.py", "audit", "verify")
    assert "The audit trail holds" in said
