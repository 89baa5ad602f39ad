"""Where runs are carried out: what the agent says, then the department, then the installation; within what there is."""

from __future__ import annotations

import pytest

from accounts import services as accounts
from agents import services as agents
from agents.definition import check
from agents.specs import obstacles
from mindloom import wall
from mindloom.engine.spec import spec_from_json
from mindloom.web.errors import Conflict, Invalid
from runs import services
from tests import factories

ASKS = {"executor": "kubernetes", "cpu": 1.5, "memory_mb": 1024}


@pytest.fixture
def tenant(cast):
    with wall.tenant([cast.marketing.pk]):
        yield


@pytest.fixture
def image(settings):
    settings.KUBERNETES_EXECUTOR_IMAGE = "mindloom:1"


def agent(cast, name="Scout", **place):
    definition = factories.DEFINITION | {"place": {"executor": "", "cpu": None, "memory_mb": None} | place}
    return factories.agent(cast.alice, cast.marketing, name=name, definition=definition)


def started(cast, made):
    return services.start_run(actor=cast.bob, target=made, text="Hello")


def test_in_a_worker_where_nobody_says_otherwise(cast, tenant):
    run = started(cast, agent(cast))
    assert (run.executor, "place" in run.spec) == ("celery", False)


def test_the_release_before_can_read_what_says_nothing_of_places(cast, tenant):
    """Both releases may work on the same rows; it refuses fields that it does not know."""
    known = {
        *("kind", "name", "uuid", "version", "model", "fallback_model", "instructions", "description", "tools"),
        *(
            "after_documents",
            "buckets",
            "memory",
            "output",
            "limits",
            "markdown",
            "reasoning",
            "language",
            "dates",
            "retries",
        ),
    }
    made = agent(cast)
    assert started(cast, made).spec.keys() == known
    assert "place" not in check(made.published.definition)
    assert spec_from_json(started(cast, made).spec | {"from_a_later_release": 1}).name == "Scout"


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize(
    ("installation", "department", "asked", "expected"),
    [
        ("kubernetes", "", "", "kubernetes"),
        ("celery", "kubernetes", "", "kubernetes"),
        ("kubernetes", "celery", "", "celery"),
        ("celery", "celery", "kubernetes", "kubernetes"),
        ("kubernetes", "kubernetes", "celery", "celery"),
    ],
)
def test_the_nearest_word_counts(cast, tenant, settings, installation, department, asked, expected):
    settings.RUN_EXECUTOR = installation
    accounts.update_department(actor=cast.ada, department=cast.marketing, run_executor=department)
    assert started(cast, agent(cast, executor=asked)).executor == expected


@pytest.mark.usefixtures("image")
def test_what_it_gets_is_kept_with_the_run(cast, tenant, settings):
    assert started(cast, agent(cast, **ASKS)).spec["place"] == ASKS
    accounts.update_department(actor=cast.ada, department=cast.marketing, max_pod_cpu=0.25, max_pod_memory_mb=300)
    modest = started(cast, agent(cast, "Modest", executor="kubernetes"))
    assert modest.spec["place"] == {"executor": "kubernetes", "cpu": 0.25, "memory_mb": 300}


@pytest.mark.usefixtures("image")
def test_more_than_the_department_may_have_is_refused(cast, tenant):
    made = agent(cast, **ASKS)
    earlier = started(cast, made)
    accounts.update_department(actor=cast.ada, department=cast.marketing, max_pod_cpu=1)
    with pytest.raises(Invalid, match="may have 1 CPU"):
        started(cast, made)
    with pytest.raises(Conflict, match=r"asks for 1\.5 CPU and 1024 MB, but a run of Marketing may have 1 CPU"):
        services.repeat_run(actor=cast.bob, run=earlier)
    found = obstacles(check(made.published.definition), cast.marketing.pk)
    assert found["place.cpu"] == ["A run of Marketing may have 1 CPU. Ask for no more."]


def test_pods_where_there_are_none_are_refused(cast, tenant):
    made = agent(cast, **ASKS)
    with pytest.raises(Invalid, match="There are no pods here"):
        started(cast, made)
    assert "place.executor" in obstacles(check(made.published.definition), cast.marketing.pk)
    with pytest.raises(Invalid) as refused:
        accounts.update_department(actor=cast.ada, department=cast.marketing, run_executor="kubernetes")
    assert "run_executor" in refused.value.fields


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ({"executor": "moon"}, "place.executor"),
        ({"cpu": 0}, "place.cpu"),
        ({"cpu": "many"}, "place.cpu"),
        ({"memory_mb": 1.5}, "place.memory_mb"),
        ({"memory_mb": 64}, "place.memory_mb"),
        ({"nodes": 3}, "place.nodes"),
    ],
)
def test_a_place_that_makes_no_sense_is_refused_beside_its_field(place, path):
    with pytest.raises(Invalid) as refused:
        check(factories.DEFINITION | {"place": place})
    assert list(refused.value.fields) == [path]


@pytest.mark.usefixtures("image")
def test_the_builder_asks_for_it_and_keeps_it(cast, client_as, tenant):
    made = agent(cast)
    client = client_as(cast.alice)
    page = client.get(f"/agents/{made.uuid}/edit/").content.decode()
    assert 'name="place-executor"' in page
    assert 'name="place-memory_mb"' in page
    agents.update_draft(actor=cast.alice, agent=made, definition=factories.DEFINITION | {"place": ASKS})
    assert 'value="1.5"' in client.get(f"/agents/{made.uuid}/edit/").content.decode()


def test_where_there_are_no_pods_nobody_is_asked(cast, client_as, tenant):
    made = agent(cast)
    assert "place-executor" not in client_as(cast.alice).get(f"/agents/{made.uuid}/edit/").content.decode()
    assert "run_executor" not in client_as(cast.ada).get(f"/departments/{cast.marketing.uuid}/").content.decode()


@pytest.mark.usefixtures("image")
def test_an_administrator_decides_for_a_department(cast, client_as):
    path = f"/departments/{cast.marketing.uuid}/"
    client = client_as(cast.ada)
    values = {"name": "Marketing", "email_domains": "", "run_executor": "kubernetes", "max_pod_cpu": "2.5"}
    assert client.post(path, values | {"max_pod_memory_mb": "12"}).status_code == 422
    assert client.post(path, values | {"max_pod_memory_mb": "2048"}).status_code == 302
    cast.marketing.refresh_from_db()
    assert cast.marketing.executor == "kubernetes"
    assert cast.marketing.pod_limits == (2.5, 2048)
