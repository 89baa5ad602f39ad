"""The chart, rendered by real Helm for installations of all kinds: valid by Kubernetes' own schemas, and by what these cannot say."""

from __future__ import annotations

import json
from functools import cache

import kubernetes_validate
import pytest

from tests.deploy.charts import INSTALLATIONS, OUTSIDE, TESTED, label, rendered, texts
from tests.deploy.references import accounts, before_others, missing, mounts, policies
from tests.deploy.rules import RULES

pytestmark = pytest.mark.kubernetes

VERSIONS = ("1.29", "1.37")
OF_OPERATORS = {"ServiceMonitor", "ScaledObject", "ExternalSecret"}
RUN = {"app.kubernetes.io/instance": "demo", "app.kubernetes.io/component": "run", "app.kubernetes.io/name": "mindloom"}


@pytest.fixture(params=TESTED, ids=lambda one: f"{one[0]}, {'upgrade' if one[1] else 'install'}")
def objects(request):
    name, upgrade = request.param
    return rendered(INSTALLATIONS[name], upgrade=upgrade)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_own_schemas_take_every_object(objects, version):
    for one in objects:
        if one["kind"] not in OF_OPERATORS:
            _validate(json.dumps(one), version)


@cache
def _validate(text: str, version: str) -> None:
    """Most objects are the same in many installations."""
    kubernetes_validate.validate(json.loads(text), version, strict=True)


@pytest.mark.parametrize("rule", [*RULES, mounts, accounts], ids=lambda rule: rule.__name__)
def test_every_object_keeps_the_rule(objects, rule):
    assert list(rule(objects)) == []


def test_whatever_is_named_is_there(objects):
    assert list(missing(objects, OUTSIDE)) == []


@pytest.mark.parametrize("name", INSTALLATIONS)
def test_what_comes_before_the_release_needs_nothing_of_it(name):
    assert list(before_others(rendered(INSTALLATIONS[name]))) == []


def test_policies_are_about_pods_that_there_are(objects):
    assert list(policies(objects, RUN)) == []


def test_every_object_says_where_it_belongs(objects):
    assert [label(one) for one in objects if not one["metadata"].get("namespace")] == []
    assert {one["metadata"]["labels"]["app.kubernetes.io/instance"] for one in objects} == {"demo"}


def test_a_long_name_of_the_release_is_shortened():
    objects = rendered(INSTALLATIONS["two colours"], release="a" * 53)
    assert [found for rule in RULES for found in rule(objects)] == []


def test_every_template_is_rendered_by_some_installation():
    found: dict[str, bool] = {}
    for values in INSTALLATIONS.values():
        for name, text in texts(values).items():
            found[name] = found.get(name, False) or bool(text.strip())
    assert [name for name, used in found.items() if not used] == []
