"""A secret that a run opens is in the audit trail: whose rights opened it, and for which run. Once each."""

from __future__ import annotations

import json

import pytest

from audit.models import Entry
from integrations import services as integrations
from mindloom import wall
from runs.worker.ports import RunPorts
from runs.worker.redact import Redactor
from tests import factories

ADDRESS = "https://one.example/v1"


@pytest.fixture
def run(cast, transactional_db):
    with wall.tenant([cast.marketing.pk]):
        return factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)


def test_a_providers_key(cast, run):
    provider = integrations.create_provider(
        actor=cast.ada, kind="openai_like", name="Own", base_url=ADDRESS, key="sk-secret-one-1234"
    )
    ports = RunPorts(run, Redactor())
    for _ in range(3):
        assert ports.secret(f"provider:{provider.uuid}", ADDRESS) == "sk-secret-one-1234"

    with wall.system("tests: the trail"):
        entry = Entry.objects.get(action="secret.used")
    assert (entry.actor_label, entry.target_id, entry.department_id) == (
        cast.bob.email,
        str(run.uuid),
        cast.marketing.pk,
    )
    assert entry.data["secret"] == f"provider:{provider.uuid}"
    assert "sk-secret" not in json.dumps(entry.data)
