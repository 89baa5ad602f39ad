"""Many runs at once: all of them end, nothing of them is left in the cluster, and nowhere stands a secret."""

from __future__ import annotations

import base64
import json
import sys
import time
from collections import Counter

import pytest
from django.conf import settings

from integrations import services as integrations
from runs.models import Reason, Run, State
from tests.kubernetes.emulator import Image
from tests.kubernetes.installation import DATABASE_PASSWORD, IMAGE, REAL, REDIS_PASSWORD, events_of, mindloom_image
from tests.kubernetes.programs import NAMESPACE, kubectl
from tests.processes.harness import assert_whole, types, until

pytestmark = pytest.mark.kubernetes

MODEL_KEY, HOOK_TOKEN, HOOK_SECRET = "sk-model-key-2718", "hook-token-3141", "hook-secret-1618"
CROWD, BURST, CAP, RATE = 50, 200, 25, 40
CROWD_SECONDS = 900.0
"""Patience with a crowd, of which one node with 8 GiB carries sixteen at once."""
POSTS = {"tool_calls": [{"name": "post_to_webhook", "arguments": {"text": "The plan is ready."}}]}


def all_ended(runs, seconds):
    numbers = [run.pk for run in runs]
    left = Run.objects.filter(pk__in=numbers).exclude(state__in=[State.COMPLETED, State.FAILED, State.CANCELLED])
    until(lambda: not left.exists(), f"{len(runs)} runs end", seconds)
    for run in runs:
        assert_whole(run)


def the_secrets():
    """Word for word and as the files of Secrets have them."""
    known = [MODEL_KEY, HOOK_TOKEN, HOOK_SECRET, *settings.KEY_RING.values(), settings.SECRET_KEY]
    known += [] if REAL else [DATABASE_PASSWORD, REDIS_PASSWORD]
    plain = [one if isinstance(one, bytes) else one.encode() for one in known]
    return {*(one.decode(errors="replace") for one in plain), *(base64.b64encode(one).decode() for one in plain)}


@pytest.fixture
def poster(cloud):
    """An agent whose model needs a key and whose tool needs an address and a header that are secret."""
    fake, cast = cloud.stage.fake, cloud.stage.cast
    integrations.create_provider(actor=cast.ada, kind="openai_like", name="Fake", base_url=fake.url, key=MODEL_KEY)
    values = {"url": f"{fake.url}/models?token={HOOK_TOKEN}", "header": "X-Hook", "secret": HOOK_SECRET}
    hook = integrations.create_connection(
        actor=cast.alice, department_id=cast.marketing.pk, kind="webhook", name="Chat", values=values
    )
    tool = {"key": "webhook", "config": {}, "connection": str(hook.uuid), "ask_first": False}
    return cloud.stage.agent([POSTS, {"text": "Done."}], tools=[tool], seconds=600)


def seen_in(cloud, runs):
    """Everything that anybody with rights to look could read about the runs, without the content of Secrets."""
    kubeconfig = cloud.admin.kubeconfig
    read = ["get", "jobs,pods,events", "-n", NAMESPACE, "-o", "json"]
    # Some are gone before their turn to be described comes.
    described = kubectl(kubeconfig, "describe", "jobs,pods,secrets", "-n", NAMESPACE, check=False).stdout
    return [kubectl(kubeconfig, *read).stdout, described, json.dumps([events_of(run) for run in runs])]


def test_a_crowd_ends_whole_and_leaves_neither_objects_nor_secrets(cloud, poster):
    limits = {
        "RUNS_PER_AGENT": 64,
        "RUNS_PER_PERSON": 64,
        "KUBERNETES_PENDING_SECONDS": 900,
        "KUBERNETES_KEEP_SECONDS": 8,
    }
    cloud.worker(**limits, WORKER_CONCURRENCY=32)
    cloud.scheduler(**limits)
    runs = [cloud.begin(poster) for _ in range(CROWD)]
    until(lambda: len(cloud.jobs()) >= CROWD // 2, "half of the jobs are there at once", CROWD_SECONDS)
    until(lambda: Run.objects.filter(state=State.COMPLETED).count() >= 2, "the first have completed", CROWD_SECONDS)
    texts = seen_in(cloud, runs)
    all_ended(runs, CROWD_SECONDS)
    texts += seen_in(cloud, runs)
    for run in runs:
        assert (run.state, run.output) == (State.COMPLETED, "Done."), run.reason_message
        assert types(run).count("tool_call.finished") == 1
    headers = [one["headers"] for one in cloud.stage.fake.requests if HOOK_TOKEN in one["path"]]
    assert [one.get("x-hook") for one in headers] == [HOOK_SECRET] * CROWD
    cloud.nothing_left()

    if not REAL:
        history = cloud.cluster.history()
        pods = {one["metadata"]["uid"]: one for one in history if one["kind"] == "Pod"}
        assert len(pods) == CROWD
        texts += [json.dumps([one for one in history if one["kind"] != "Secret"])]
        texts += [cloud.cluster.log(pod) for pod in pods.values()]
        handed = [one for one in history if one["kind"] == "Secret"]
        ring = {base64.b64encode(key).decode() for key in settings.KEY_RING.values()}
        opened = [base64.b64decode(value).decode() for one in handed for value in one["data"].values()]
        assert not [1 for value in opened for key in ring if key in value], "the key ring stays at home"
    for text in texts:
        assert [secret for secret in the_secrets() if secret in text] == []


def under_way_at_once(changes):
    """The most jobs of runs whose pods had not ended at any moment; a job itself is seen as ended a little later."""
    live, over, most = set(), set(), 0
    for kind, one in changes:
        if one["kind"] == "Job":
            name = one["metadata"]["name"]
            conditions = {each["type"] for each in one.get("status", {}).get("conditions", ())}
            has_ended = kind == "DELETED" or conditions & {"Complete", "Failed"}
        elif one["kind"] == "Pod":
            name = one["metadata"]["labels"].get("job-name", "")
            has_ended = one.get("status", {}).get("phase") in {"Succeeded", "Failed"}
        else:
            continue
        over |= {name} if has_ended else set()
        live = (live | {name}) - over
        most = max(most, len(live))
    return most


def test_a_burst_keeps_to_the_cap_and_to_the_pace(cloud, emulator):
    """The pods are real and cheap: they end at once without a word, so each run ends as lost."""
    emulator.registry.images[IMAGE] = Image((sys.executable, "-S", "-c", "import time; time.sleep(0.3)"))
    limits = {
        "RUNS_PER_AGENT": 500,
        "RUNS_PER_PERSON": 500,
        "RUNS_PER_DEPARTMENT": 500,
        "KUBERNETES_MAX_JOBS": CAP,
        "KUBERNETES_REQUESTS_PER_SECOND": RATE,
        "KUBERNETES_KEEP_SECONDS": 2,
        "RUN_RESTARTS": 0,
    }
    agent = cloud.stage.agent([{"text": "Never said."}])
    runs = [cloud.begin(agent) for _ in range(BURST)]
    before = len(emulator.changes())
    emulator.fail("create", "jobs", 429, times=5, retry_after=1)
    began = time.monotonic()
    cloud.worker(**limits, WORKER_CONCURRENCY=32)
    cloud.scheduler(**limits)
    all_ended(runs, CROWD_SECONDS)
    print(f"{BURST} runs, {CAP} at once: {time.monotonic() - began:.0f} s")
    emulator.registry.images[IMAGE] = mindloom_image()

    assert Counter(run.reason for run in runs) == {Reason.LOST: BURST}
    assert under_way_at_once(emulator.changes()[before:]) <= CAP
    made = [at for at, _, act in emulator.calls() if act.verb == "create"]
    assert len(made) >= 2 * BURST
    for first, later in zip(made, made[2 * RATE :], strict=False):
        # What was not used for a second is not lost; so at most two seconds' worth comes in one.
        assert later - first > 1
    cloud.nothing_left()
