"""The output of a run: while it is written, with its sources, and taken away."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from mindloom import wall
from mindloom.engine.events import (
    ContentAdded,
    ContentCompleted,
    KnowledgeRetrieved,
    ModelCalled,
    RunCompleted,
    ToolCallStarted,
)
from runs.models import Guard, State, append
from runs.worker.endings import terminal_changes
from tests import factories

LIVE = Guard(states=(State.QUEUED, State.RUNNING))
AGENT, MEMBER = ("Scout",), ("Scout", "Helper")
CALLED = ModelCalled(provider="p", model="loom", turn=1, duration_ms=1, source=AGENT)
PASSAGES = (
    {"number": 1, "document": "Calls.pdf", "location": "page 3", "text": "Horizon closes in May.", "score": 1.0},
)
LOOKED_UP = KnowledgeRetrieved(query="calls", passages=PASSAGES, duration_ms=1, source=AGENT)


@pytest.fixture
def run(cast):
    with wall.tenant([cast.marketing.pk]):
        return factories.run(factories.agent(cast.alice, cast.marketing), cast.bob)


def write(run, *events):
    with wall.tenant([run.department_id]):
        append(run.pk, events, guard=LIVE)


def finish(run, text):
    done = RunCompleted(output=text)
    with wall.tenant([run.department_id]):
        append(run.pk, [done], guard=LIVE, finished_at=datetime.now(UTC), **terminal_changes(done))


def added(text, block=1, source=AGENT):
    return ContentAdded(block=block, text=text, source=source)


def page_of(client, run, **headers):
    return client.get(reverse("runs:output", args=[run.uuid]), headers=headers).content.decode()


def test_an_answer_is_shown_while_it_is_written(run, client_as, cast):
    write(run, added("# Open calls\n\nHorizon **clo"), added("A member's own words.", source=MEMBER), added("ses** in"))

    page = page_of(client_as(cast.carol), run)
    assert re.search(r'id="part-1"><h1>Open calls</h1>', page)
    assert re.search(r'caret" id="part-2"><p>Horizon <strong>closes</strong> in</p>', page)
    assert "own words" not in page
    part = page_of(
        client_as(cast.carol),
        run,
        **{"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#run-output"},
    )
    assert part.lstrip().startswith('<div class="stack" id="run-output" hx-get=')


def test_the_words_of_an_earlier_request_stay_until_there_are_new_ones(run, client_as, cast):
    call = ToolCallStarted(call_id="c", tool="t", arguments={}, effect="reads", source=AGENT)
    write(run, ContentCompleted(block=1, text="I look it up.", source=AGENT), CALLED, call)
    assert "I look it up." in page_of(client_as(cast.bob), run)

    write(run, added("So it is.", block=2))
    page = page_of(client_as(cast.bob), run)
    assert "So it is." in page
    assert "I look it up." not in page


def test_nothing_of_what_is_written_loads_or_runs(run, client_as, cast):
    write(run, added("![x](https://evil.example/x.png) <script>alert(1)</script>"))
    page = page_of(client_as(cast.bob), run)
    assert "evil.example/x.png" not in re.sub(r"<p>.*?</p>", "", page)
    assert "<script>alert" not in page
    assert '<img src="https://evil' not in page


def test_an_answer_cites_the_documents_that_were_looked_up(run, client_as, cast):
    write(run, LOOKED_UP)
    finish(run, "It closes in May [1], they say [2].")

    page = page_of(client_as(cast.bob), run)
    assert 'href="#source-1"' in page
    assert 'id="source-1"' in page
    assert "#source-2" not in page
    assert "Horizon closes in May." in page


def test_where_two_look_ups_count_from_one_no_number_is_guessed(run, client_as, cast):
    write(run, LOOKED_UP, LOOKED_UP)
    finish(run, "It closes in May [1].")

    page = page_of(client_as(cast.bob), run)
    assert "#source-1" not in page
    assert page.count("Calls.pdf") == 2
    assert "names sources that it was not given" not in page


def test_an_answer_is_taken_away_as_it_was_written(run, client_as, cast):
    assert client_as(cast.bob).get(reverse("runs:output_md", args=[run.uuid])).status_code == 404
    finish(run, "# Calls\n\n*one*")

    answer = client_as(cast.bob).get(reverse("runs:output_md", args=[run.uuid]))
    assert answer.content.decode() == "# Calls\n\n*one*"
    assert f"run-{run.pk}.md" in answer["Content-Disposition"]
    assert 'data-copy-text="output-source"' in page_of(client_as(cast.bob), run)
