"""Things of operators: Prometheus, External Secrets, KEDA. Of their schemas here is what we use of them, and nothing else passes."""

from __future__ import annotations

import jsonschema
import pytest

from tests.deploy.charts import INSTALLATIONS, NAMESPACE, named, rendered
from tests.deploy.test_manifests import OF_OPERATORS

pytestmark = pytest.mark.kubernetes

TEXT, WHOLE = {"type": "string", "minLength": 1}, {"type": "integer"}
TEXTS = {"type": "object", "additionalProperties": TEXT, "minProperties": 1}


def exactly(**properties):
    """An object with all of these and no others."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def many(one):
    return {"type": "array", "items": one, "minItems": 1}


SPECS = {
    ("monitoring.coreos.com/v1", "ServiceMonitor"): exactly(
        selector=exactly(matchLabels=TEXTS),
        namespaceSelector=exactly(matchNames=many(TEXT)),
        endpoints=many(
            exactly(
                port=TEXT,
                path=TEXT,
                interval=TEXT,
                authorization=exactly(type=TEXT, credentials=exactly(name=TEXT, key=TEXT)),
            )
        ),
    ),
    ("external-secrets.io/v1", "ExternalSecret"): exactly(
        refreshInterval=TEXT,
        secretStoreRef=exactly(name=TEXT, kind={"enum": ["SecretStore", "ClusterSecretStore"]}),
        target=exactly(
            name=TEXT,
            creationPolicy={"enum": ["Owner", "Orphan", "Merge", "None"]},
            deletionPolicy={"enum": ["Delete", "Merge", "Retain"]},
        ),
        data=many(exactly(secretKey=TEXT, remoteRef=exactly(key=TEXT, property=TEXT))),
    ),
    ("keda.sh/v1alpha1", "ScaledObject"): exactly(
        scaleTargetRef=exactly(apiVersion=TEXT, kind=TEXT, name=TEXT),
        minReplicaCount=WHOLE,
        maxReplicaCount=WHOLE,
        pollingInterval=WHOLE,
        cooldownPeriod=WHOLE,
        triggers=many(exactly(type={"const": "prometheus"}, metadata=exactly(serverAddress=TEXT, query=TEXT, threshold=TEXT))),
    ),
}  # fmt: skip


def test_things_of_operators_are_as_these_take_them():
    seen = set()
    for values in INSTALLATIONS.values():
        for one in rendered(values):
            if one["kind"] in OF_OPERATORS:
                jsonschema.validate(one["spec"], SPECS[one["apiVersion"], one["kind"]])
                seen.add(one["kind"])
    assert seen == OF_OPERATORS == {kind for _, kind in SPECS}


def test_prometheus_asks_the_pods_of_the_active_colour_by_a_port_that_there_is():
    objects = rendered(
        INSTALLATIONS["the other colour"] | {"metrics": {"enabled": True, "serviceMonitor": {"enabled": True}}}
    )
    monitor = next(one for one in objects if one["kind"] == "ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = [one for one in objects if one["kind"] == "Service" and wanted <= one["metadata"]["labels"].items()]
    assert [one["metadata"]["name"] for one in services] == ["demo-mindloom-web-green"]
    assert monitor["spec"]["endpoints"][0]["port"] in {port["name"] for port in services[0]["spec"]["ports"]}
    assert monitor["spec"]["namespaceSelector"]["matchNames"] == [NAMESPACE]


def test_the_token_of_the_metrics_is_in_the_secret_that_is_named():
    values = INSTALLATIONS["nothing said"] | {"metrics": {"enabled": True, "serviceMonitor": {"enabled": True}}}
    objects = rendered(values)
    monitor = next(one for one in objects if one["kind"] == "ServiceMonitor")
    credentials = monitor["spec"]["endpoints"][0]["authorization"]["credentials"]
    assert credentials["key"] in named(objects, "Secret", credentials["name"])["data"]
