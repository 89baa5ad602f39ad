"""What docs/kubernetes.md and the chart's own notes say is what the chart has."""

from __future__ import annotations

import re

import pytest
import yaml

from mindloom.environment import BASE_DIR
from runs.models import Reason
from tests.architecture.options import options
from tests.deploy.charts import CHART, INSTALLATIONS, label, pod_of, rendered, texts
from tests.deploy.test_values import DEFAULTS

pytestmark = pytest.mark.kubernetes

PAGE = (BASE_DIR / "docs" / "kubernetes.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_every_value_that_the_page_names_is_there():
    named = {one.rstrip(".*") for one in re.findall(r"`([a-z][A-Za-z]+(?:\.[A-Za-z0-9*]+)+)[=:`]", PAGE)}
    named = {one for one in named if one.split(".")[0] in DEFAULTS}
    assert len(named) > 20
    assert [one for one in sorted(named) if not _is_there(one)] == []


def _is_there(path):
    found = DEFAULTS
    for part in path.split("."):
        if not isinstance(found, dict) or part not in found:
            return False
        found = found[part]
    return True


@pytest.mark.parametrize("block", [one for one in BLOCKS if not one.startswith("rules:")], ids=lambda one: one[:20])
def test_the_values_of_the_page_can_be_installed(block):
    assert rendered(yaml.safe_load(block))


def test_what_the_adapter_is_told_to_collect_is_what_workers_are_scaled_by():
    rule = yaml.safe_load(next(one for one in BLOCKS if one.startswith("rules:")))["rules"]["external"][0]
    series = re.search(r'"(\^[^"]+)"', rule["seriesQuery"])[1]
    scaler = next(
        one for one in rendered(INSTALLATIONS["everything outside"]) if one["kind"] == "HorizontalPodAutoscaler"
    )
    asked = [one["external"]["metric"]["name"] for one in scaler["spec"]["metrics"]]
    metrics = (BASE_DIR / "administration" / "queries" / "metrics.py").read_text()
    assert [one for one in asked if not re.fullmatch(series, one) or f'"{one}"' not in metrics] == []


def test_every_reason_of_a_pod_has_its_remedy():
    of_pods = {"image_not_found", "image_forbidden", "no_node", "quota", "evicted", "node_lost", "out_of_memory"}
    of_pods |= {"configuration", "cluster", "lost"}
    assert of_pods <= set(Reason.values)
    table = PAGE.partition("| A run says")[2].partition("| You see")[0]
    assert of_pods <= set(re.findall(r"`([a-z_]+)`", table))


def test_options_that_the_page_and_the_values_name_exist():
    known = {one.name for one in options()} | {"POSTGRES_PASSWORD", "DATABASE_PASSWORD", "REDIS_PASSWORD"}
    text = PAGE + (CHART / "values.yaml").read_text()
    named = set(re.findall(r"\b(?:[A-Z][A-Z0-9]+_)+[A-Z0-9]+\b", text))
    assert named - known == set()


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_the_notes_name_what_there_is(name):
    notes = texts(INSTALLATIONS[name])["mindloom/templates/NOTES.txt"]
    there = {label(one).lower() for one in rendered(INSTALLATIONS[name])}
    found = re.findall(r"(?:deploy|service)/([a-z0-9-]+)", notes)
    assert [one for one in found if not {f"deployment {one}", f"service {one}"} & there] == []
    pods = [pod for pod in map(pod_of, rendered(INSTALLATIONS[name])) if pod]
    assert any(box["name"] == "web" for pod in pods for box in pod["spec"]["containers"])
