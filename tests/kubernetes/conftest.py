"""Fixtures of the tests that need a cluster."""

from __future__ import annotations

import pytest
import redis
from django.conf import settings as django_settings

from mindloom import wall
from tests.fakes.openai_server import FakeModels
from tests.kubernetes import installation
from tests.kubernetes.emulator import Cluster
from tests.kubernetes.installation import ACCOUNT, CLAIM, IMAGE, OPTIONS, REAL, Cloud, ReachableModels, RealCluster
from tests.kubernetes.programs import IMAGES, NAMESPACE, Api, apply, namespace_manifests
from tests.processes.conftest import _house, empty_house, house, pytest_runtest_makereport  # noqa: F401 -- fixtures, too
from tests.processes.harness import Stage

ON_THE_EMULATOR = "needs faults made on purpose, so it runs on the emulator only"


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


@pytest.fixture(scope="module")
def place():
    """Where pods of runs are made: the emulator, or the cluster of KUBECONFIG."""
    if REAL:
        made = RealCluster()
        apply(made.kubeconfig(), namespace_manifests(ACCOUNT))
        yield made
        return
    with Cluster({IMAGE: installation.mindloom_image()}) as made:
        apply(made.kubeconfig(), [*namespace_manifests(ACCOUNT), _claim()])
        made.claims[CLAIM] = django_settings.DATA_DIR
        yield made


@pytest.fixture
def emulator(place):
    """The same where faults can be made."""
    if REAL:
        pytest.skip(ON_THE_EMULATOR)
    return place


def _claim():
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": CLAIM, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


@pytest.fixture(scope="session")
def fake():
    with (ReachableModels if REAL else FakeModels)() as models:
        yield models


@pytest.fixture
def stage(transactional_db, fake, cast):
    """The cast, with models that say what the test wants. The test sees every department."""
    with wall.system("tests: look behind the scenes"):
        yield Stage(cast, fake)


@pytest.fixture(scope="session")
def redis_user():
    """An account of pods on Redis, with a password that can be looked for."""
    if not REAL:
        server = redis.Redis.from_url(django_settings.REDIS_URL)
        server.acl_setuser(
            "pods",
            enabled=True,
            passwords=[f"+{installation.REDIS_PASSWORD}"],
            keys=["*"],
            channels=["*"],
            commands=["+@all"],
        )
        server.close()


@pytest.fixture(scope="module")
def options(place, redis_user, django_db_setup, django_db_blocker):
    """What worker and scheduler are told."""
    with django_db_blocker.unblock():
        config = {"KUBERNETES_CONFIG": str(place.kubeconfig(ACCOUNT, NAMESPACE))}
        return OPTIONS | config | installation.server_urls()


@pytest.fixture
def cloud(house, stage, place, options, settings):  # noqa: F811 -- the fixture
    """An installation whose runs go to pods; the test starts its worker and its scheduler."""
    house.settings |= options
    settings.RUN_EXECUTOR, settings.KUBERNETES_EXECUTOR_IMAGE = "kubernetes", IMAGE
    settings.KUBERNETES_MAX_CPU, settings.KUBERNETES_CPU = 64.0, 0.25
    made = Cloud(house, stage, place, Api(place.kubeconfig()))
    yield made
    made.clear_away()


@pytest.fixture(scope="module")
def _pair(options, empty_house, django_db_setup, django_db_blocker):  # noqa: F811 -- the fixture
    with django_db_blocker.unblock():
        empty_house.settings |= options
        return empty_house.worker(), empty_house.scheduler()


@pytest.fixture
def pair(cloud, _pair):
    """A worker and a scheduler that the tests of a module share."""
    yield cloud
    for process in _pair:
        assert process.popen.poll() is None, process.output
