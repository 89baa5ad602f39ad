"""Fixtures of the tests that need a cluster."""

from __future__ import annotations

import pytest

from tests.kubernetes.emulator import Cluster
from tests.kubernetes.programs import IMAGES, NAMESPACE, Api, apply, namespace_manifests


@pytest.fixture(scope="module")
def cluster():
    """An emulated cluster with the namespace and its rights."""
    with Cluster(dict(IMAGES)) as made:
        apply(made.kubeconfig(), namespace_manifests())
        yield made


@pytest.fixture(scope="module")
def admin(cluster):
    return Api(cluster.kubeconfig())


@pytest.fixture(scope="module")
def api(cluster):
    """What a worker of Mindloom may do."""
    return Api(cluster.kubeconfig("mindloom", NAMESPACE))
