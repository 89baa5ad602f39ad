"""The emulator behaves as the cluster that it stands for: through the official client and through kubectl."""

from __future__ import annotations

import json
import time

import psutil
import pytest
from kubernetes import watch
from kubernetes.client import ApiException

from tests.kubernetes.emulator import memory
from tests.kubernetes.programs import IMAGE, NAMESPACE, job, kubectl, until

pytestmark = pytest.mark.kubernetes


def code(call):
    with pytest.raises(ApiException) as caught:
        call()
    return caught.value.status, json.loads(caught.value.body)["reason"]


def test_a_job_runs_its_program_and_keeps_what_it_said(api):
    api.start(job("hello", "import os; print('Hello from', os.environ['HOSTNAME'])"))
    assert api.ended("hello") == ("Complete", "CompletionsReached")
    pod = api.pod("hello")
    assert api.core.read_namespaced_pod_log(pod.metadata.name, NAMESPACE) == f"Hello from {pod.metadata.name}\n"
    assert api.exit_of("hello") == (0, "Completed")
    assert {"SuccessfulCreate", "Scheduled", "Pulled", "Created", "Started", "Completed"} <= set(api.events("hello"))


def test_a_log_is_followed_and_cut(api):
    api.start(job("talks", "import time\nfor n in range(5): print('line', n, flush=True); time.sleep(.2)"))
    name = api.running("talks").metadata.name
    began = time.monotonic()
    lines = list(watch.Watch().stream(api.core.read_namespaced_pod_log, name=name, namespace=NAMESPACE))
    assert lines == [f"line {n}" for n in range(5)]
    assert time.monotonic() - began > 0.3
    assert api.core.read_namespaced_pod_log(name, NAMESPACE, tail_lines=2) == "line 3\nline 4\n"
    assert api.core.read_namespaced_pod_log(name, NAMESPACE, limit_bytes=9) == "line 0\nli"


def test_a_pod_waits_for_its_secret_and_reads_it(api):
    """The Secret of a run is made after its Job, whose uid it names as owner."""
    volume = {"name": "handed", "secret": {"secretName": "handed-1", "defaultMode": 0o400}}
    mount = {"name": "handed", "mountPath": "/run/mindloom", "readOnly": True}
    shown = (
        "import os,sys; p=os.environ['KEY_FILE']; print(open(p).read(), oct(os.stat(p).st_mode & 0o777), sys.argv[1:])"
    )
    manifest = job("waits", shown, env=({"name": "KEY_FILE", "value": "/run/mindloom/key"},), pod={})
    pod = manifest["spec"]["template"]["spec"]
    pod["volumes"] = [volume]
    pod["containers"][0]["volumeMounts"] = [mount]
    made = api.batch.create_namespaced_job(NAMESPACE, manifest)
    until(lambda: "FailedMount" in api.events("waits"), "the kubelet misses the Secret")
    assert api.pod("waits").status.container_statuses[0].state.waiting.reason == "ContainerCreating"

    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "waits", "uid": made.metadata.uid}
    meta = {"name": "handed-1", "ownerReferences": [owner]}
    api.core.create_namespaced_secret(NAMESPACE, {"metadata": meta, "stringData": {"key": "s3cret"}})
    assert api.ended("waits")[0] == "Complete"
    assert api.core.read_namespaced_pod_log(api.pod("waits").metadata.name, NAMESPACE) == "s3cret 0o400 []\n"


def test_what_a_job_owns_goes_with_it(api, admin):
    made = api.batch.create_namespaced_job(NAMESPACE, job("owner", "import time; time.sleep(60)"))
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "owner", "uid": made.metadata.uid}
    api.core.create_namespaced_secret(NAMESPACE, {"metadata": {"name": "owned", "ownerReferences": [owner]}})
    api.running("owner")
    api.batch.delete_namespaced_job("owner", NAMESPACE, propagation_policy="Background", grace_period_seconds=0)
    until(lambda: not api.pods("owner"), "its pod is gone")
    assert code(lambda: admin.core.read_namespaced_secret("owned", NAMESPACE)) == (404, "NotFound")


def test_a_job_deleted_without_a_policy_leaves_its_pod(api):
    api.start(job("orphans", "pass"))
    api.ended("orphans")
    api.batch.delete_namespaced_job("orphans", NAMESPACE)
    time.sleep(0.6)
    assert api.pods("orphans")


def test_a_secret_whose_owner_is_gone_is_collected(api, admin):
    made = api.batch.create_namespaced_job(NAMESPACE, job("early", "pass"))
    api.batch.delete_namespaced_job("early", NAMESPACE, propagation_policy="Background")
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "early", "uid": made.metadata.uid}
    api.core.create_namespaced_secret(NAMESPACE, {"metadata": {"name": "late", "ownerReferences": [owner]}})
    until(
        lambda: "late" not in [one.metadata.name for one in admin.core.list_namespaced_secret(NAMESPACE).items], "gone"
    )


STUBBORN = "import signal,time\nsignal.signal(15, lambda *_: print('told to end', flush=True))\nprint('up', flush=True)\nwhile True: time.sleep(1)"


def test_a_deleted_pod_gets_its_grace_and_then_the_end(cluster, api, admin):
    api.start(job("stubborn", STUBBORN, pod={"terminationGracePeriodSeconds": 1}))
    pod = api.running("stubborn")
    until(lambda: "up" in api.core.read_namespaced_pod_log(pod.metadata.name, NAMESPACE), "it is up")
    process = psutil.Process(cluster.processes()[-1])
    api.batch.delete_namespaced_job("stubborn", NAMESPACE, propagation_policy="Background")
    until(lambda: [one for one in api.pods("stubborn") if one.metadata.deletion_timestamp], "it is told")
    until(lambda: not api.pods("stubborn"), "it is gone")
    assert not process.is_running()
    kept = next(one for one in cluster.history() if one["metadata"]["name"] == pod.metadata.name)
    assert cluster.log(kept) == "up\ntold to end\n"


@pytest.mark.parametrize(("limit", "starts"), [(0, 1), (2, 3)])
def test_a_job_that_fails_is_tried_as_often_as_it_may(api, limit, starts):
    name = f"fails-{limit}"
    api.start(job(name, "raise SystemExit(3)", backoffLimit=limit))
    assert api.ended(name) == ("Failed", "BackoffLimitExceeded")
    assert len(api.pods(name)) == starts
    assert api.exit_of(name) == (3, "Error")


def test_a_deadline_ends_the_pod_and_fails_the_job(api):
    api.start(
        job("late", "import time; time.sleep(60)", activeDeadlineSeconds=1, pod={"terminationGracePeriodSeconds": 1})
    )
    assert api.ended("late") == ("Failed", "DeadlineExceeded")
    assert not api.pods("late")


def test_an_ended_job_goes_after_its_time(api):
    api.start(job("ttl", "pass", ttlSecondsAfterFinished=1))
    api.ended("ttl")
    until(lambda: not api.pods("ttl"), "pods are gone, too")
    assert code(lambda: api.batch.read_namespaced_job("ttl", NAMESPACE)) == (404, "NotFound")


RULES = [
    {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [3]}},
    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
]


def test_a_failure_policy_fails_the_job_at_once(api):
    api.start(job("fatal", "raise SystemExit(3)", backoffLimit=3, podFailurePolicy={"rules": RULES}))
    assert api.ended("fatal") == ("Failed", "PodFailurePolicy")
    assert len(api.pods("fatal")) == 1


def test_a_disrupted_pod_does_not_count_against_the_limit(cluster, api):
    api.start(job("moved", "import time; time.sleep(1)", podFailurePolicy={"rules": RULES}))
    first = api.running("moved").metadata.name
    cluster.evict(NAMESPACE, first)
    assert api.ended("moved") == ("Complete", "CompletionsReached")
    evicted = api.core.read_namespaced_pod(first, NAMESPACE)
    assert (evicted.status.phase, evicted.status.reason) == ("Failed", "Evicted")
    assert "Evicted" in api.events("moved")


def test_a_preempted_pod_is_told_to_end(cluster, api):
    api.start(job("preempted", "import time; time.sleep(60)"))
    pod = api.running("preempted").metadata.name
    cluster.preempt(NAMESPACE, pod)
    assert api.ended("preempted") == ("Failed", "BackoffLimitExceeded")
    seen = [one for one in cluster.history() if one["metadata"]["name"] == pod]
    assert "PreemptionByScheduler" in json.dumps(seen)


def test_a_lost_node_takes_its_pods_along(cluster, api):
    api.start(job("lost", "import time; time.sleep(60)"))
    found = api.running("lost")
    pod, node = found.metadata.name, found.spec.node_name
    process = psutil.Process(cluster.processes()[-1])
    cluster.lose_node(node)
    assert api.ended("lost") == ("Failed", "BackoffLimitExceeded")
    assert not process.is_running()
    seen = [one for one in cluster.history() if one["metadata"]["name"] == pod]
    assert "DeletionByTaintManager" in json.dumps(seen)

    api.start(job("homeless", "pass", pod={"nodeSelector": {"kubernetes.io/hostname": node}}))
    until(lambda: "FailedScheduling" in api.events("homeless"), "no node is left")
    cluster.find_node(node)
    assert api.ended("homeless")[0] == "Complete"


def test_too_much_memory_is_ended_by_the_kernel(api):
    if not memory.usable():
        pytest.skip("the memory control group is not writable here: run as root, or on a machine that delegates it")
    hungry = "data = bytearray(1 << 20)\nwhile True: data += bytearray(8 << 20)"
    api.start(job("hungry", hungry, container={"resources": {"limits": {"memory": "64Mi"}}}))
    assert api.ended("hungry") == ("Failed", "BackoffLimitExceeded")
    assert api.exit_of("hungry") == (137, "OOMKilled")


def test_what_fits_no_node_waits_and_says_so(cluster, api):
    api.start(job("big", "pass", container={"resources": {"requests": {"cpu": "64"}}}))
    api.start(job("picky", "pass", pod={"nodeSelector": {"disk": "fast"}}))

    def scheduled(name):
        found = api.pod(name).status.conditions or []
        return [(one.reason, one.message) for one in found if one.type == "PodScheduled" and one.status == "False"]

    reason, message = until(lambda: scheduled("big"), "the scheduler says why")[0]
    assert reason == "Unschedulable"
    assert message.startswith("0/1 nodes are available: 1 Insufficient cpu.")
    assert "node affinity/selector" in until(lambda: scheduled("picky"), "the scheduler says why")[0][1]
    cluster.add_node("node-2", labels={"disk": "fast"})
    assert api.ended("picky")[0] == "Complete"


@pytest.mark.parametrize(
    ("name", "changes", "reason", "said"),
    [
        ("absent", {"image": "registry.example/none:1"}, "ImagePullBackOff", "not found"),
        ("private", {"image": "registry.example/private:1"}, "ErrImagePull", "pull access denied"),
        ("odd", {"image": "Registry/UPPER:1"}, "InvalidImageName", "invalid reference format"),
        ("never", {"image": "registry.example/none:1", "imagePullPolicy": "Never"}, "ErrImageNeverPull", "Never"),
        ("root", {"image": "registry.example/root:1", "securityContext": {"runAsNonRoot": True}}, "CreateContainerConfigError", "root"),
    ],
)  # fmt: skip
def test_a_container_that_cannot_begin_says_why(api, name, changes, reason, said):
    api.start(job(name, "pass", container=changes))
    assert said in api.waits_with(name, reason)


def test_an_environment_that_names_nothing_is_a_configuration_error(api, admin):
    entry = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "later", "key": "key"}}}
    api.start(job("config", "import os; print(os.environ['KEY'])", env=(entry,)))
    assert 'secret "later" not found' in api.waits_with("config", "CreateContainerConfigError")
    admin.core.create_namespaced_secret(NAMESPACE, {"metadata": {"name": "later"}, "stringData": {"key": "there"}})
    assert api.ended("config")[0] == "Complete"


def test_a_private_image_comes_with_its_secret(api, admin):
    admin.core.create_namespaced_secret(NAMESPACE, {"metadata": {"name": "registry"}})
    pod = {"imagePullSecrets": [{"name": "registry"}]}
    api.start(job("allowed", "pass", image="registry.example/private:1", pod=pod))
    assert api.ended("allowed")[0] == "Complete"


def test_a_quota_refuses_pods_and_jobs(api, admin):
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.cpu": "1", "count/jobs.batch": "100"}}}
    admin.core.create_namespaced_resource_quota(NAMESPACE, quota)
    resources = {"resources": {"requests": {"cpu": "2"}}}
    api.start(job("greedy", "pass", container=resources))
    until(lambda: "FailedCreate" in api.events("greedy"), "the quota refuses the pod")
    assert not api.pods("greedy")
    admin.core.patch_namespaced_resource_quota("small", NAMESPACE, {"spec": {"hard": {"count/jobs.batch": "1"}}})
    assert code(lambda: api.start(job("one-more", "pass"))) == (403, "Forbidden")
    admin.core.delete_namespaced_resource_quota("small", NAMESPACE)
    assert api.ended("greedy")[0] == "Complete"


def test_a_suspended_job_begins_when_it_may(api, admin):
    api.start(job("later-on", "pass", suspend=True))
    until(lambda: api.batch.read_namespaced_job("later-on", NAMESPACE).status.conditions, "it is suspended")
    assert not api.pods("later-on")
    admin.batch.patch_namespaced_job("later-on", NAMESPACE, {"spec": {"suspend": False}})
    assert api.ended("later-on")[0] == "Complete"


def test_rights_are_those_of_the_role(api):
    assert code(lambda: api.core.list_namespaced_secret(NAMESPACE)) == (403, "Forbidden")
    assert code(lambda: api.core.delete_namespaced_pod("any", NAMESPACE)) == (403, "Forbidden")
    assert code(lambda: api.batch.create_namespaced_job("default", job("abroad", "pass"))) == (403, "Forbidden")
    for verb, resource, answer in (
        ("create", "jobs.batch", "yes"),
        ("get", "pods/log", "yes"),
        ("get", "secrets", "no"),
    ):
        arguments = ["auth", "can-i", verb, *resource.split("/")[:1], "-n", NAMESPACE]
        arguments += [f"--subresource={resource.split('/')[1]}"] if "/" in resource else []
        assert kubectl(api.kubeconfig, *arguments, check=False).stdout.strip() == answer


def test_what_is_wrong_is_refused(api, admin):
    api.start(job("twice", "pass"))
    assert code(lambda: api.start(job("twice", "pass"))) == (409, "AlreadyExists")
    assert code(lambda: api.start(job("Bad_Name", "pass"))) == (422, "Invalid")
    assert code(lambda: api.start(job("endless", "pass", pod={"restartPolicy": "Always"}))) == (422, "Invalid")
    assert code(lambda: api.start(job("typed", "pass", container={"resources": {"limits": {"cpu": "12XB"}}})))[0] == 400
    wrong = job("typo", "pass") | {"spec": {"backofLimit": 1, "template": job("x", "pass")["spec"]["template"]}}
    done = kubectl(admin.kubeconfig, "create", "-n", NAMESPACE, "-f", "-", given=wrong, check=False)
    assert 'unknown field "spec.backofLimit"' in done.stderr
    change = {"spec": {"template": {"spec": {"containers": [{"name": "run", "image": "other:1"}]}}}}
    assert code(lambda: admin.batch.patch_namespaced_job("twice", NAMESPACE, change)) == (422, "Invalid")


def test_a_watch_goes_on_where_it_was_and_is_told_when_that_is_forgotten(cluster, api):
    since = api.batch.list_namespaced_job(NAMESPACE).metadata.resource_version
    api.start(job("watched", "pass"))
    seen = watch.Watch().stream(api.batch.list_namespaced_job, NAMESPACE, resource_version=since, timeout_seconds=2)
    assert next(one["object"].metadata.name for one in seen) == "watched"
    cluster.compact()
    with pytest.raises(ApiException) as caught:
        list(watch.Watch().stream(api.batch.list_namespaced_job, NAMESPACE, resource_version=since, timeout_seconds=2))
    assert caught.value.status == 410


def test_faults_come_as_often_as_asked(cluster, api):
    cluster.fail("create", "jobs", 429, times=1, retry_after=1)
    assert code(lambda: api.start(job("again", "pass")))[0] == 429
    cluster.fail("create", "jobs", 500, after=True)
    assert code(lambda: api.start(job("again", "pass")))[0] == 500
    assert code(lambda: api.start(job("again", "pass"))) == (409, "AlreadyExists")


def test_pods_go_on_while_the_server_is_away(cluster, api):
    api.start(job("goes-on", "import time; time.sleep(.5); print('done')"))
    api.running("goes-on")
    cluster.stop()
    time.sleep(0.7)
    with pytest.raises(Exception, match="refused"):
        api.batch.api_client.rest_client.pool_manager.request("GET", cluster.url, retries=False)
    cluster.start()
    assert api.ended("goes-on")[0] == "Complete"


def test_kubectl_reads_follows_and_deletes(admin):
    kubectl(admin.kubeconfig, "apply", "-n", NAMESPACE, "-f", "-", given=job("seen", "print('by kubectl')"))
    kubectl(admin.kubeconfig, "wait", "-n", NAMESPACE, "--for=condition=complete", "job/seen", "--timeout=20s")
    assert "by kubectl" in kubectl(admin.kubeconfig, "logs", "-n", NAMESPACE, "job/seen").stdout
    assert "Complete" in kubectl(admin.kubeconfig, "get", "jobs", "-n", NAMESPACE).stdout
    described = kubectl(admin.kubeconfig, "describe", "job/seen", "-n", NAMESPACE).stdout
    assert "SuccessfulCreate" in described
    assert "node-1" in kubectl(admin.kubeconfig, "describe", "pods", "-n", NAMESPACE, "-l", "job-name=seen").stdout
    kubectl(admin.kubeconfig, "delete", "job/seen", "-n", NAMESPACE)
    assert "NotFound" in kubectl(admin.kubeconfig, "get", "job/seen", "-n", NAMESPACE, check=False).stderr


def test_nothing_of_this_process_reaches_a_container(api, monkeypatch):
    api.start(job("clean", "import os; print(sorted(os.environ))"))
    api.ended("clean")
    shown = api.core.read_namespaced_pod_log(api.pod("clean").metadata.name, NAMESPACE)
    assert set(eval(shown)) <= {
        "PATH",
        "HOSTNAME",
        "HOME",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
        "LC_CTYPE",
    }


def test_init_containers_and_restarts(admin):
    once = "import os,sys; p='/data/mark'.replace('/data', os.environ['DATA']); sys.exit(0 if os.path.exists(p) else open(p,'w').write('x'))"
    container = {"name": "run", "image": IMAGE, "args": ["-c", once], "env": [{"name": "DATA", "value": "/data"}]}
    mounts = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    first = {"name": "first", "image": IMAGE, "args": ["-c", "print('first')"]}
    pod = {
        "restartPolicy": "OnFailure",
        "initContainers": [first],
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [container | mounts],
    }
    admin.start(job("again-and-again", "", pod=pod, backoffLimit=3))
    assert admin.ended("again-and-again")[0] == "Complete"
    made = admin.pod("again-and-again")
    assert made.status.container_statuses[0].restart_count == 1
    assert admin.core.read_namespaced_pod_log(made.metadata.name, NAMESPACE, container="first") == "first\n"
