"""Real Helm installs, upgrades, takes back and removes the chart on an emulated cluster."""

from __future__ import annotations

import base64
import re

import helm_python
import pytest

from tests.deploy.charts import NAMESPACE, objects_of
from tests.deploy.conftest import version
from tests.kubernetes.programs import apply

pytestmark = pytest.mark.kubernetes

ONE = {"image": {"repository": "registry.example/mindloom", "tag": "1"}}
RIGHTS = {
    **{f"{verb} jobs.batch": True for verb in ("create", "get", "list", "watch", "delete")},
    **{f"{verb} pods": True for verb in ("get", "list", "watch")},
    "get pods/log": True,
    "create secrets": True,
    "list events": True,
    **{f"{verb} secrets": False for verb in ("get", "list", "watch", "delete", "update", "patch")},
    **{f"{verb} pods": False for verb in ("create", "delete", "patch")},
    **{f"{verb} jobs.batch": False for verb in ("patch", "update")},
    "create pods/exec": False,
    "get configmaps": False,
    "create rolebindings.rbac.authorization.k8s.io": False,
}
GIVEN = [one for one, given in RIGHTS.items() if given]
OUTSIDE = {
    "secrets": {"kind": "existing", "existingName": "keys"},
    "database": {"kind": "external"},
    "redis": {"kind": "external"},
}
KEYS = ("SECRET_KEY", "KEY_RING", "DATABASE_URL", "REDIS_URL")


def secrets_of(installation):
    found = installation.get("secrets", "mindloom-secrets")["data"]
    return {name: base64.b64decode(value).decode() for name, value in found.items()}


def have_keys(installation):
    """The Secret that somebody made before."""
    kept = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": NAMESPACE}}
    apply(installation.cluster.kubeconfig(), [kept | {"stringData": dict.fromkeys(KEYS, "x")}])


def migrations(installation):
    """Names and ends of all jobs that there ever were."""
    found = {}
    for one in installation.cluster.history():
        if one["kind"] == "Job":
            ends = [each["type"] for each in one.get("status", {}).get("conditions", [])]
            found[one["metadata"]["uid"]] = (one["metadata"]["name"], "Complete" in ends)
    return list(found.values())


def test_it_is_installed_changed_taken_back_and_removed(installation):
    installation.install(ONE)
    made = secrets_of(installation)
    web = installation.get("deployments.apps", "mindloom-web-blue")
    assert web["status"]["readyReplicas"] == web["spec"]["replicas"] == 2

    installation.upgrade(ONE | {"web": {"replicas": 3}})
    assert installation.get("deployments.apps", "mindloom-web-blue")["spec"]["replicas"] == 3
    installation.helm.rollback("mindloom", version=1, timeout=60)
    assert installation.get("deployments.apps", "mindloom-web-blue")["spec"]["replicas"] == 2
    assert [one["revision"] for one in installation.helm.history("mindloom")] == [1, 2, 3]
    assert secrets_of(installation) == made

    installation.helm.uninstall("mindloom", timeout=60)
    assert installation.get("deployments.apps", "mindloom-web-blue") is None
    assert secrets_of(installation) == made
    assert installation.get("persistentvolumeclaims", "mindloom-files") is not None


def test_secrets_are_made_once_and_fit_the_options(installation):
    installation.install(ONE)
    made = secrets_of(installation)
    assert re.fullmatch(r"k\d{12}:[A-Za-z0-9+/]{43}=", made["KEY_RING"])
    assert made["DATABASE_URL"] == (
        f"postgresql://mindloom:{made['DATABASE_PASSWORD']}@mindloom-postgresql.{NAMESPACE}.svc:5432/mindloom"
    )
    assert made["REDIS_URL"] == f"redis://:{made['REDIS_PASSWORD']}@mindloom-redis.{NAMESPACE}.svc:6379/0"
    assert len(set(made.values())) == len(made)

    installation.upgrade(ONE | {"metrics": {"enabled": True}})
    assert secrets_of(installation) == made


def test_no_secret_stands_in_what_helm_keeps_of_other_things(installation):
    release = installation.install(ONE)
    made = secrets_of(installation)
    shown = [one for one in objects_of(release["manifest"]) if one["kind"] != "Secret"]
    assert [name for name, value in made.items() if value in str(shown)] == []


def test_the_first_tables_are_made_beside_and_later_ones_before(installation):
    installation.install(ONE)
    assert [name for name, _ in migrations(installation)] == ["mindloom-migrate-first"]
    installation.upgrade(ONE)
    assert ("mindloom-migrate", True) in migrations(installation)
    assert installation.get("jobs.batch", "mindloom-migrate-first") is None


def test_where_everything_is_there_before_tables_come_first(installation):
    have_keys(installation)
    installation.install(ONE | OUTSIDE)
    assert migrations(installation) == [("mindloom-migrate", True)]
    order = [one["metadata"]["name"] for one in installation.cluster.history() if one["kind"] in {"Job", "Deployment"}]
    assert order.index("mindloom-migrate") < order.index("mindloom-web-blue")


def test_migrations_that_fail_change_nothing_else(installation):
    have_keys(installation)
    installation.install(ONE | OUTSIDE)
    with pytest.raises(helm_python.HelmError, match="pre-upgrade"):
        installation.upgrade(OUTSIDE | {"image": ONE["image"] | {"tag": "4"}})

    pod = installation.get("deployments.apps", "mindloom-web-blue")["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == version("1")


def test_without_runs_in_pods_nobody_has_rights(installation):
    installation.install(ONE)
    for account in ("web", "worker", "migrate", "server"):
        assert [one for one in GIVEN if installation.may(account, *one.split())] == [], account


def test_workers_have_exactly_the_rights_that_runs_in_pods_need(installation):
    installation.install(ONE | {"executor": {"enabled": True}})
    assert {one: installation.may("worker", *one.split()) for one in RIGHTS} == RIGHTS
    for account in ("web", "migrate", "server", "run"):
        assert [one for one, given in RIGHTS.items() if given and installation.may(account, *one.split())] == [], (
            account
        )


def test_helm_test_makes_the_journey(installation):
    installation.install(ONE)
    installation.helm.test("mindloom", timeout=60)
    installation.upgrade({"image": ONE["image"] | {"tag": "3"}})
    with pytest.raises(helm_python.HelmError, match="journey-blue"):
        installation.helm.test("mindloom", timeout=60)
