"""The Django admin: complete, without secrets, history only to be read, and with as few questions for many rows as for one."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mindloom import wall
from mindloom.web.admin import Bounded, LookOnly
from runs.models import Run
from tests import factories
from tests.architecture.conftest import filled  # noqa: F401 -- both departments with a row in every table
from tests.architecture.sources import APPS

LEFT_OUT = {
    "runs.RunEvent": "its key is of two columns, which the admin cannot show; a run's page has them all",
    "runs.JournalEntry": "what a run may still have to do again, in a form for machines; it goes with the run's end",
    "buckets.Page": "the text of a file, which its document's page shows",
    "buckets.Vector": "numbers that say nothing to people",
    "webhooks.Attempt": "a part of its delivery",
    "integrations.ModelPrice": "a part of its model",
    "accounts.RememberedAnswer": "answers to people's own requests, kept for a day",
}
HISTORY = {
    *("runs.Run", "runs.RunArtifact", "runs.Approval", "runs.UsageRecord", "runs.RetentionReport", "audit.Entry"),
    *("audit.Link", "audit.Head", "audit.ChainKey", "schedules.Occurrence", "webhooks.Delivery", "buckets.Version"),
    *("agents.AgentVersion", "teams.TeamVersion", "notifications.Notification"),
}
OURS = [one for one in apps.get_models() if one._meta.app_label in APPS]
SHOWN = [one for one in OURS if admin.site.is_registered(one)]
SECRET = ("sealed", "password", "token", "secret_hash", "digest", "mac", "proof")


def test_every_table_is_there_or_left_out_for_a_reason():
    missing = {one._meta.label for one in OURS if not admin.site.is_registered(one)}
    assert {one for one in missing if one.partition(".")[0] != "accounts"} <= set(LEFT_OUT)


@pytest.mark.parametrize("label", sorted(HISTORY))
def test_history_is_only_read(label):
    found = admin.site._registry[apps.get_model(label)]
    assert isinstance(found, LookOnly)
    assert found.paginator is Bounded


@pytest.mark.parametrize("model", SHOWN, ids=lambda one: one._meta.label)
def test_lists_and_rows_are_shown_without_secrets(model, filled, client_as):  # noqa: F811
    client, name = client_as(filled.ada), f"{model._meta.app_label}_{model._meta.model_name}"
    page = client.get(reverse(f"admin:{name}_changelist"), {"q": "1"} if model is Run else {})
    assert page.status_code == 200
    with wall.system("tests: a row of it"):
        row = model._default_manager.first()
    if row is None:
        return
    page = client.get(reverse(f"admin:{name}_change", args=[row.pk]))
    assert page.status_code == 200
    fields = [one for one in model._meta.concrete_fields if any(part in one.name for part in SECRET)]
    text = page.content.decode()
    for field in fields:
        value = str(getattr(row, field.name) or "")
        assert len(value) < 12 or value not in text, field.name


def test_a_list_asks_the_database_as_often_for_many_rows_as_for_one(cast, client_as):
    client, counts = client_as(cast.ada), []
    with wall.system("tests: an agent"):
        scout = factories.agent(cast.alice, cast.marketing)
    for more in (1, 20):
        with wall.system("tests: more"):
            for _ in range(more):
                factories.run(scout, cast.bob)
        with CaptureQueriesContext(connection) as asked:
            client.get("/admin/runs/run/")
        counts.append(len(asked))
        assert all("LIMIT" in one["sql"] for one in asked if "COUNT" in one["sql"] and "runs_run" in one["sql"])
    assert counts[0] >= counts[1]


def test_nothing_of_a_providers_is_changed_past_its_service(cast, client_as):
    with wall.system("tests: a provider"):
        model = factories.offline_model()
    url = reverse("admin:integrations_model_change", args=[model.pk])
    assert client_as(cast.ada).post(url, {"label": "Changed"}).status_code == 403
