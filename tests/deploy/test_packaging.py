"""The chart as it is handed on, and every installation as the API of Kubernetes takes it."""

from __future__ import annotations

import tomllib

import helm_python as helm
import pytest
import yaml

from mindloom.environment import BASE_DIR
from tests.deploy.charts import CHART, INSTALLATIONS, NAMESPACE, named, objects_of, quiet, rendered
from tests.deploy.test_manifests import OF_OPERATORS
from tests.kubernetes.emulator import Cluster
from tests.kubernetes.programs import apply, kubectl

pytestmark = pytest.mark.kubernetes


def test_the_chart_has_the_version_of_mindloom():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
    assert chart["version"] == chart["appVersion"] == version


def test_a_packed_chart_has_the_script_that_lies_beside_it(tmp_path):
    """In the repository it is a link to the one that the composition of containers uses."""
    with quiet():
        packed = helm.package(CHART, destination=tmp_path)
        with helm.Chart.load(packed) as chart:
            found = chart.render({}, name="demo", namespace=NAMESPACE)["mindloom/templates/postgresql.yaml"]
    script = named(objects_of(found), "ConfigMap", "-postgresql")["data"]["10-mindloom.sh"]
    assert script.strip() == (BASE_DIR / "deploy" / "postgres" / "10-mindloom.sh").read_text().strip()


@pytest.fixture(scope="module")
def cluster():
    with Cluster() as made:
        for name in (NAMESPACE, "mindloom-runs"):
            apply(made.kubeconfig(), [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}])
        yield made


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_the_api_takes_every_object(cluster, name):
    left_out = OF_OPERATORS | {"Pod"}  # which needs its service account to be there
    objects = [one for one in rendered(INSTALLATIONS[name]) if one["kind"] not in left_out]
    said = kubectl(cluster.kubeconfig(), "apply", "--dry-run=server", "--filename", "-", given=objects)
    assert len(said.stdout.splitlines()) == len(objects)
