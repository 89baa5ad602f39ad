"""Runs are found by words of what was asked and answered, by their number, and only where one may look."""

from __future__ import annotations

import random

import pytest
from django.core.management import call_command
from django.db import connection

from mindloom import wall
from runs.models import Run
from runs.queries import matching
from tests import factories

# As many different words as fit: none of them is split or joined by PostgreSQL's parser.
IDEOGRAPHS = [chr(code) for code in range(0x20000, 0x20000 + 42_000)]


@pytest.fixture
def made(cast, db):
    with wall.system("tests: runs to look for"):
        scout = factories.agent(cast.alice, cast.marketing, name="Scout")
        counter = factories.agent(cast.mallory, cast.finance, name="Counter")
        runs = {
            "bees": factories.run(scout, cast.bob, input="Write about bees and their gardens"),
            "bicycles": factories.run(scout, cast.bob, input="Write about bicycles"),
            "answered": factories.run(scout, cast.bob, input="Go on"),
            "filled": factories.run(scout, cast.bob, variables={"audience": "Beekeepers of Łódź"}),
            "foreign": factories.run(counter, cast.mallory, input="Write about bees, too"),
        }
        Run.objects.filter(pk=runs["answered"].pk).update(output="Ask jane.doe@example.org about v3.5, isn't it?")
        return runs


def found(client, made, text):
    page = client.get("/runs/", {"q": text}).content.decode()
    rows = {row["uuid"] for row in client.get("/api/v1/runs", {"q": text}).json()["results"]}
    names = {name for name, run in made.items() if f'id="run-{run.uuid}"' in page}
    assert names == {name for name, run in made.items() if str(run.uuid) in rows}, "page and API say the same"
    return names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("bees", {"bees"}),
        ("BEE", {"bees", "filled"}),
        ("about wri", {"bees", "bicycles"}),
        ("bees bicycles", set()),
        ("bees or bicycles", {"bees", "bicycles"}),
        ("about -bees", {"bicycles"} | {"answered"}),
        ('"their gardens"', {"bees"}),
        ('"gardens their"', set()),
        ("łódź", {"filled"}),
        ("audience", set()),
        ("jane.doe@example.org", {"answered"}),
        ("v3.5", {"answered"}),
        ("isn't", {"answered"}),
        ("'", set()),
        ("\\ & | ! ( ) :* <->", set()),
        ("<script>", set()),
    ],
)
def test_words(cast, made, client_as, text, names):
    assert found(client_as(cast.bob), made, text) == names


def test_a_number_and_a_uuid_name_one_run(cast, made, client_as):
    client = client_as(cast.bob)
    assert found(client, made, f"#{made['bees'].pk}") == {"bees"}
    assert found(client, made, str(made["bicycles"].uuid)) == {"bicycles"}
    assert found(client, made, f"#{made['foreign'].pk}") == set()
    assert found(client, made, "#99999999999999999999") == set()


def test_what_cannot_be_looked_for_is_said(cast, made, client_as):
    client = client_as(cast.bob)
    for text in ("bees\0", "b" * 201):
        page = client.get("/runs/", {"q": text})
        assert page.status_code == 200
        assert "The list could not be filtered so" in page.content.decode()
        assert client.get("/api/v1/runs", {"q": text}).status_code == 400


def test_the_longest_texts_with_the_most_words_are_kept_and_found_by_their_beginning(cast, made):
    rare = random.Random(5).sample(IDEOGRAPHS, 25_000)
    text = " ".join(rare)
    other, third = (" ".join(IDEOGRAPHS[start : start + 25_000]) for start in (0, 17_000))
    long = "word" * 50_000
    with wall.system("tests: a run with very much in it"):
        run = made["bees"]
        Run.objects.filter(pk=run.pk).update(input=text, output=other, variables={"all": third})
        Run.objects.filter(pk=run.pk).update(input=f"{long} first {long} last")
        assert Run.objects.filter(pk=run.pk, search=rare[-1]).exists()


def test_the_search_uses_its_index_behind_the_wall(cast, made):
    like = made["bicycles"]
    with wall.system("tests: a department with many runs"):
        values = {
            name: getattr(like, name) for name in ("agent_id", "agent_version_id", "department_id", "spec", "trigger")
        }
        Run.objects.bulk_create(
            Run(**values, started_by=cast.bob, state=like.state, input=f"Number {number}") for number in range(3000)
        )
    with connection.cursor() as cursor:
        # New rows wait in a list that is read whole; the planner counts its pages.
        cursor.execute("SELECT gin_clean_pending_list('run_search')")
        cursor.execute("ANALYZE runs_run")
    with wall.tenant([cast.marketing.pk]):
        explained = Run.objects.visible_to(cast.bob).filter(matching("gardens")).explain()
    assert "Bitmap Index Scan on run_search" in explained


def test_a_read_of_a_run_leaves_the_words_in_the_database(cast, made):
    with wall.tenant([cast.marketing.pk]):
        run = Run.objects.get(pk=made["bees"].pk)
        assert run.get_deferred_fields() == {"search"}
        run.refresh_from_db()
        assert run.get_deferred_fields() == {"search"}


def test_the_doctor_knows_whether_the_index_is_used(db, capsys):
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert "words in runs are looked up in an index" in capsys.readouterr().out
