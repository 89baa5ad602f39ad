"""Values that would make something broken are refused with a sentence, before anything is sent anywhere."""

from __future__ import annotations

import copy

import helm_python as helm
import pytest
import yaml

from tests.deploy.charts import CHART, INSTALLATIONS, named, quiet, rendered

pytestmark = pytest.mark.kubernetes

DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
FREE = {"settings", "labels", "annotations", "nodeSelector", "affinity", "podAnnotations"}
"""What holds names that are not ours."""


def groups(values, path=()):
    """The path of every group of values."""
    yield path
    for name, value in values.items():
        if isinstance(value, dict) and name not in FREE and not name.endswith("Labels"):
            yield from groups(value, (*path, name))


def placed(path, value):
    """Values with this one at the path."""
    found = value
    for name in reversed(path):
        found = {name: found}
    return found


@pytest.mark.parametrize("path", list(groups(DEFAULTS)), ids=".".join)
def test_a_name_that_is_mistyped_is_refused(path):
    with pytest.raises(helm.HelmError, match="mistyped"):
        rendered(placed(path, {"mistyped": True}))


def leaves(values, path=()):
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


@pytest.mark.parametrize(("path", "value"), [pytest.param(*one, id=".".join(one[0])) for one in leaves(DEFAULTS)])
def test_a_value_of_another_kind_is_refused(path, value):
    wrong = {"not": "right"} if not isinstance(value, dict) else "not right"
    with pytest.raises(helm.HelmError, match=r"got (object|string)"):
        rendered(placed(path, wrong))


REFUSED = {
    "image: {pullPolicy: Sometimes}": "pullPolicy",
    "worker: {concurrency: 0}": "concurrency",
    "worker: {drainSeconds: 99999}": "drainSeconds",
    "scheduler: {replicas: 0}": "replicas",
    "web: {resources: {limits: {memory: 12XB}}}": "memory",
    "secrets: {also: [smtp_password]}": "also",
    "networkPolicy: {egress: [{cidr: everywhere, ports: [443]}]}": "cidr",
    "networkPolicy: {database: {ports: [99999]}}": "ports",
    "files: {s3: {bucket: Big_Bucket}}": "bucket",
    "ingress: {host: https://mindloom.example.org}": "host",
    "tests: {agent: scout}": "agent",
    "colours: {active: green}": "colours.green.enabled is false",
    "colours: {newest: green}": "colours.green.enabled is false",
    "secrets: {kind: existing}": "secrets.existingName",
    "secrets: {kind: external}": "secrets.external.storeName",
    "secrets: {also: [SMTP_PASSWORD]}": "cannot be generated",
    "database: {kind: external}": "database.secretName",
    "redis: {kind: external}": "redis.secretName",
    "files: {kind: s3, s3: {keys: false}}": "files.s3.bucket",
    "ingress: {enabled: true}": "ingress.host",
    "metrics: {serviceMonitor: {enabled: true}}": "metrics.enabled",
    "executor: {default: kubernetes}": "executor.enabled",
    "executor: {enabled: true, namespace: runs}": "executor.filesClaim",
    "worker: {autoscaling: {enabled: true, minReplicas: 9, maxReplicas: 2}}": "minReplicas is more",
    "worker: {autoscaling: {enabled: true}}": "set metrics.enabled",
    "{metrics: {enabled: true}, worker: {autoscaling: {enabled: true, by: keda}}}": "worker.autoscaling.prometheus",
    "settings: {WORKER_CONCURRENCY: 3}": "the chart sets this option itself",
    "settings: {SECRET_KEY: abc}": "the chart sets this option itself",
    "settings: {lower: abc}": "lower",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_does_not_go_together_is_refused_with_its_name(text):
    with pytest.raises(helm.HelmError) as refused:
        rendered(yaml.safe_load(text))
    assert REFUSED[text] in str(refused.value)


def test_every_value_is_in_the_schema_and_every_one_of_the_schema_among_the_values():
    """Helm's own `global` aside, which is not read."""
    with quiet(), helm.Chart.load(CHART) as chart:
        schema = chart.schema
    known = copy.deepcopy(schema["properties"])
    known.pop("global")
    assert _names(known) == set(_paths(DEFAULTS))


def _paths(values, path=()):
    for name, value in values.items():
        yield (*path, name)
        if isinstance(value, dict) and name not in FREE and not name.endswith("Labels") and name != "resources":
            yield from _paths(value, (*path, name))


def _names(properties, path=()):
    found = set()
    for name, one in properties.items():
        found.add((*path, name))
        found |= _names(one.get("properties", {}), (*path, name))
        if one.get("$ref", "").endswith("/network"):
            found |= {(*path, name, "cidrs"), (*path, name, "ports")}
    return found


def test_helm_lints_the_chart_without_a_word():
    with quiet():
        report = helm.lint(CHART, strict=True)
    assert [one for one in report["messages"] if "icon is recommended" not in one["error"]] == []
    assert report["errors"] == []


def test_large_numbers_stay_numbers():
    worker = named(rendered(INSTALLATIONS["everything outside"]), "Deployment", "-worker-blue")
    found = {one["name"]: one.get("value") for one in worker["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert found["DOCUMENT_MAX_BYTES"] == "104857600"
    assert found["KUBERNETES_MAX_MEMORY_MB"] == "1048576"
    assert found["SMTP_TLS"] == "true"
