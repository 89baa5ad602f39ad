"""Options of runs in pods: each mistake stops the start with the option's name and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from mindloom.environment import BASE_DIR

WHOLE = {
    "KUBERNETES_EXECUTOR_IMAGE": "mindloom:1",
    "KUBERNETES_FILES_CLAIM": "files",
    "DATABASE_URL": "postgresql://mindloom@db/mindloom",
    "REDIS_URL": "redis://redis/0",
}
SHOW = "import json; from django.conf import settings; print(json.dumps({n: getattr(settings, n) for n in %r}, default=str))"


def start(tmp_path, show=("RUN_EXECUTOR",), **options):
    """Exit code and what is said, or the settings."""
    environment = {
        "PATH": os.environ["PATH"],
        "MINDLOOM_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "mindloom.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", SHOW % (show,)],
        cwd=BASE_DIR,
        env=environment | options,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr if done.returncode else json.loads(done.stdout)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"RUN_EXECUTOR": "kubernetes", "KUBERNETES_EXECUTOR_IMAGE": ""}, "KUBERNETES_EXECUTOR_IMAGE is empty, but"),
        ({"RUN_EXECUTOR": "nomad"}, "RUN_EXECUTOR is 'nomad': it must be one of celery, kubernetes."),
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set: pods cannot reach the embedded server."),
        ({"REDIS_URL": ""}, "REDIS_URL is not set: pods cannot reach the embedded server."),
        ({"KUBERNETES_FILES_CLAIM": ""}, "KUBERNETES_FILES_CLAIM is empty: pods need to keep files"),
        (
            {"KUBERNETES_NAMESPACE": "My_Space"},
            "KUBERNETES_NAMESPACE is 'My_Space': it must be at most 63 small letters",
        ),
        ({"KUBERNETES_MAX_CPU": "0.1"}, "KUBERNETES_MAX_CPU is less than KUBERNETES_CPU, 0.5"),
        ({"KUBERNETES_MAX_MEMORY_MB": "300"}, "KUBERNETES_MAX_MEMORY_MB is less than KUBERNETES_MEMORY_MB, 512"),
        ({"KUBERNETES_MEMORY_MB": "12"}, "KUBERNETES_MEMORY_MB is '12': it must be a whole number from 256"),
        ({"KUBERNETES_NODE_SELECTOR": "ssd"}, "KUBERNETES_NODE_SELECTOR must be pairs such as disk=ssd"),
        ({"KUBERNETES_TOLERATIONS": "runs"}, "KUBERNETES_TOLERATIONS must be a JSON list"),
        ({"KUBERNETES_TOLERATIONS": '[{"colour": "blue"}]'}, "KUBERNETES_TOLERATIONS must be a JSON list"),
        ({"HANDED_SECRETS_FILE": "/nowhere"}, "HANDED_SECRETS_FILE is '/nowhere', which can't be read"),
    ],
)
def test_a_mistake_is_named(tmp_path, changes, sentence):
    code, said = start(tmp_path, **(WHOLE | changes))
    assert code == 2
    assert sentence in said


def test_what_is_right_is_taken(tmp_path):
    more = {
        "KUBERNETES_NODE_SELECTOR": "disk=ssd, zone=a",
        "KUBERNETES_TOLERATIONS": '[{"key": "runs"}]',
        "KUBECONFIG": "/etc/kube",
    }
    names = ("KUBERNETES_NODE_SELECTOR", "KUBERNETES_TOLERATIONS", "KUBERNETES_CONFIG", "KUBERNETES_DATABASE_URL")
    assert start(tmp_path, names, **WHOLE, **more) == (
        0,
        {
            "KUBERNETES_NODE_SELECTOR": {"disk": "ssd", "zone": "a"},
            "KUBERNETES_TOLERATIONS": [{"key": "runs"}],
            "KUBERNETES_CONFIG": "/etc/kube",
            "KUBERNETES_DATABASE_URL": WHOLE["DATABASE_URL"],
        },
    )


def test_a_pod_has_no_keys_and_what_it_was_handed(tmp_path):
    (tmp_path / "handed").write_text(json.dumps({"integrations_connection/1/password": "mail-password"}))
    code, found = start(tmp_path, ("KEY_RING", "HANDED_SECRETS"), HANDED_SECRETS_FILE=str(tmp_path / "handed"))
    assert (code, found) == (
        0,
        {"KEY_RING": {}, "HANDED_SECRETS": {"integrations_connection/1/password": "mail-password"}},
    )
    assert not (tmp_path / "key_ring").exists(), "none is made, either"
