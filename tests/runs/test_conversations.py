"""Talking with an agent: who may, one answer at a time, and what is told again."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from agents.models import Agent
from mindloom import wall
from mindloom.engine.events import RunCompleted, RunFailed
from mindloom.engine.scripted import ScriptedRunner
from mindloom.web.errors import Conflict, Invalid, NotAllowed, NotFound
from runs import services, worker
from runs.models import Conversation, Run, State
from runs.services import Attachment
from tests import factories


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch):
    monkeypatch.setattr("runs.services.starting.send", lambda *_: None)
    monkeypatch.setattr(worker.steward, "watch", lambda *_: None)


@pytest.fixture
def agent(cast, in_marketing):
    return factories.agent(cast.alice, cast.marketing)


@pytest.fixture
def talk(agent, cast):
    return services.start_conversation(actor=cast.bob, target=agent)


def answered(run, text="Yes."):
    worker.execute(run.pk, ScriptedRunner([RunCompleted(output=text)]))
    run.refresh_from_db()
    return run


def test_what_is_said_becomes_a_run_of_the_conversation_and_its_title(talk, cast):
    run = services.say(actor=cast.bob, conversation=talk, text="Tell me about\n  tea, please.")
    assert (run.conversation, run.state, run.department_id) == (talk, State.QUEUED, talk.department_id)
    talk.refresh_from_db()
    assert talk.title == "Tell me about tea, please."


def test_a_long_first_message_makes_a_short_title(talk, cast):
    services.say(actor=cast.bob, conversation=talk, text="word " * 100)
    talk.refresh_from_db()
    assert len(talk.title) <= 62
    assert talk.title.endswith(" …")


def test_only_one_answer_is_written_at_a_time(talk, cast):
    services.say(actor=cast.bob, conversation=talk, text="One")
    with pytest.raises(Conflict, match="still being written"):
        services.say(actor=cast.bob, conversation=talk, text="Two")
    assert talk.runs.count() == 1


def test_two_messages_at_the_same_moment_make_one_run(cast, transactional_db):
    with wall.tenant([cast.marketing.pk]):
        agent = factories.agent(cast.alice, cast.marketing)
        talk = services.start_conversation(actor=cast.bob, target=agent)

    def say(text):
        try:
            with wall.tenant([cast.marketing.pk]):
                services.say(actor=cast.bob, conversation=talk, text=text)
        except Conflict as refused:
            return refused.code
        finally:
            connection.close()
        return "said"

    with ThreadPoolExecutor(2) as pool:
        found = sorted(one.result() for one in [pool.submit(say, "a"), pool.submit(say, "b")])
    assert found == ["conversation_busy", "said"]


def test_after_the_answer_the_next_message_follows(talk, cast):
    answered(services.say(actor=cast.bob, conversation=talk, text="One"))
    assert services.say(actor=cast.bob, conversation=talk, text="Two").conversation == talk


@pytest.mark.parametrize("person", ["alice", "carol", "ada"])
def test_nobody_speaks_for_somebody_else(talk, cast, person):
    refused = NotFound if person == "carol" else NotAllowed
    with pytest.raises(refused):
        services.say(actor=getattr(cast, person), conversation=talk, text="Hello")


def test_other_departments_do_not_find_it(talk, cast):
    with wall.tenant([cast.finance.pk]), pytest.raises(NotFound):
        services.say(actor=cast.mallory, conversation=talk, text="Hello")


def test_viewers_do_not_talk(agent, cast):
    with pytest.raises(NotAllowed):
        services.start_conversation(actor=cast.carol, target=agent)


@pytest.mark.parametrize("change", [{"published": None}, {"archived_at": "2026-01-01T00:00Z"}])
def test_what_cannot_be_run_cannot_be_talked_with(agent, cast, change):
    Agent.objects.filter(pk=agent.pk).update(**change)
    agent.refresh_from_db()
    with pytest.raises(Conflict):
        services.start_conversation(actor=cast.bob, target=agent)


def test_other_people_do_not_see_its_runs(talk, cast):
    run = services.say(actor=cast.bob, conversation=talk, text="Between us")
    seen = {name for name in ("alice", "bob", "carol") if Run.objects.visible_to(getattr(cast, name)).filter(pk=run.pk)}
    assert seen == {"alice", "bob"}, "the person and the department's manager"


def test_variables_are_given_once(cast, in_marketing):
    topic = {
        "name": "topic",
        "label": "Topic",
        "kind": "text",
        "help": "",
        "required": True,
        "default": None,
        "choices": [],
    }
    agent = factories.agent(cast.alice, cast.marketing, definition={"variables": [topic]})
    talk = services.start_conversation(actor=cast.bob, target=agent)
    with pytest.raises(Invalid) as refused:
        services.say(actor=cast.bob, conversation=talk, text="Hello")
    assert "variables.topic" in refused.value.fields
    answered(services.say(actor=cast.bob, conversation=talk, text="Hello", variables={"topic": "tea"}))
    assert services.say(actor=cast.bob, conversation=talk, text="And?").variables == {"topic": "tea"}


def test_an_edited_question_takes_the_place_of_it_and_of_what_followed(talk, cast):
    first = answered(services.say(actor=cast.bob, conversation=talk, text="One"))
    second = answered(services.say(actor=cast.bob, conversation=talk, text="Two"))
    third = answered(services.say(actor=cast.bob, conversation=talk, text="Three"))
    made = services.edit_and_resend(actor=cast.bob, run=second, text="Two, but better")
    replaced = set(talk.runs.filter(replaced=True).values_list("pk", flat=True))
    assert replaced == {second.pk, third.pk}
    assert (made.input, made.replaced, first.replaced) == ("Two, but better", False, False)


def test_nothing_is_resent_while_an_answer_is_under_way(talk, cast):
    first = answered(services.say(actor=cast.bob, conversation=talk, text="One"))
    services.say(actor=cast.bob, conversation=talk, text="Two")
    with pytest.raises(Conflict):
        services.edit_and_resend(actor=cast.bob, run=first, text="One again")
    assert not talk.runs.filter(replaced=True).exists()


def test_resending_forgets_a_summary_that_held_what_is_replaced(talk, cast):
    first = answered(services.say(actor=cast.bob, conversation=talk, text="One"))
    Conversation.objects.filter(pk=talk.pk).update(summary="They said one.", summary_run_id=first.pk)
    services.edit_and_resend(actor=cast.bob, run=first, text="Zero")
    talk.refresh_from_db()
    assert talk.summary == ""


def test_a_failed_answer_is_tried_again(talk, cast):
    run = services.say(actor=cast.bob, conversation=talk, text="One")
    worker.execute(run.pk, ScriptedRunner([RunFailed(kind="agent_error", message="No.")]))
    run.refresh_from_db()
    again = services.retry_turn(actor=cast.bob, run=run)
    run.refresh_from_db()
    assert (again.input, run.replaced) == ("One", True)


def test_an_answer_that_went_well_is_not_tried_again(talk, cast):
    run = answered(services.say(actor=cast.bob, conversation=talk, text="One"))
    with pytest.raises(Conflict, match="Only the last question"):
        services.retry_turn(actor=cast.bob, run=run)


def test_text_files_become_part_of_the_message_under_their_names(talk, cast):
    files = [Attachment("notes/plan.md", "\ufeffTea first.\r\n".encode())]
    run = services.say(actor=cast.bob, conversation=talk, text="Sum it up", files=files)
    assert run.input == "Sum it up\n\n----- File: plan.md -----\nTea first.\n----- End of plan.md -----"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([Attachment("a.pdf", b"%PDF\x00")], "a.pdf is not a text file"),
        ([Attachment("a.txt", "Grüße".encode("latin-1"))], "a.txt is not text in UTF-8"),
        ([Attachment("a.txt", b"x" * 200_001)], "a.txt has 200,001 bytes"),
        ([Attachment("a.txt", b"  ")], "a.txt is empty"),
        ([Attachment(f"{n}.txt", b"x") for n in range(6)], "There are 6 files; 5 are the most"),
    ],
)
def test_what_cannot_be_attached_is_said_and_nothing_is_sent(talk, cast, files, words):
    with pytest.raises(Invalid) as refused:
        services.say(actor=cast.bob, conversation=talk, text="Sum it up", files=files)
    assert words in refused.value.fields["files"][0]
    assert not talk.runs.exists()


@pytest.mark.parametrize(
    ("title", "words"), [("  ", "Give the conversation a title"), ("x" * 121, "120"), ("a\x00b", "NUL")]
)
def test_a_title_that_is_none_is_refused(talk, cast, title, words):
    with pytest.raises(Invalid) as refused:
        services.rename_conversation(actor=cast.bob, conversation=talk, title=title)
    assert words in refused.value.fields["title"][0]


def test_deleting_stops_what_is_under_way_and_leaves_the_runs(talk, cast):
    done = answered(services.say(actor=cast.bob, conversation=talk, text="One"))
    live = services.say(actor=cast.bob, conversation=talk, text="Two")
    services.delete_conversation(actor=cast.bob, conversation=talk)
    states = dict(Run.objects.values_list("pk", "state"))
    assert states == {done.pk: State.COMPLETED, live.pk: State.CANCELLED}
    assert not Conversation.objects.exists()


def test_what_was_said_stays_private_when_the_conversation_is_gone(talk, cast):
    run = answered(services.say(actor=cast.bob, conversation=talk, text="Between us"))
    services.delete_conversation(actor=cast.bob, conversation=talk)
    assert not Run.objects.visible_to(cast.carol).filter(pk=run.pk).exists()
    assert Run.objects.visible_to(cast.bob).filter(pk=run.pk).exists()


# --- pages ---


@pytest.fixture
def bob(client_as, cast):
    return client_as(cast.bob)


def page_of(talk):
    return f"/conversations/{talk.uuid}/"


def test_a_conversation_begins_with_a_press_on_talk(bob, agent):
    answer = bob.post(f"/agents/{agent.uuid}/talk/", follow=True)
    assert answer.status_code == 200
    assert "Talk with Scout" in answer.text


def test_what_is_written_is_sent_and_shown(bob, talk):
    answer = bob.post(page_of(talk), {"input": "Tell me <b>more</b>"}, follow=True)
    assert "Tell me &lt;b&gt;more&lt;/b&gt;" in answer.text
    assert f"/ws/runs/{talk.runs.get().uuid}/" in answer.text


def test_what_was_refused_is_kept_in_the_page(bob, talk, cast):
    services.say(actor=cast.bob, conversation=talk, text="One")
    answer = bob.post(page_of(talk), {"input": "My long second thought"})
    assert answer.status_code == 422
    assert "My long second thought" in answer.text
    assert "still being written" in answer.text


def test_an_empty_message_is_not_sent(bob, talk):
    answer = bob.post(page_of(talk), {"input": "  "})
    assert (answer.status_code, talk.runs.count()) == (422, 0)


def test_a_file_that_is_no_text_is_named(bob, talk):
    file = SimpleUploadedFile("photo.png", b"\x89PNG\x00\x00")
    answer = bob.post(page_of(talk), {"input": "Look", "files": [file]})
    assert answer.status_code == 422
    assert "photo.png is not a text file" in answer.text


def test_files_are_folded_under_the_message(bob, talk):
    files = [SimpleUploadedFile("a.txt", b"Alpha"), SimpleUploadedFile("b.txt", b"Beta")]
    answer = bob.post(page_of(talk), {"input": "Compare", "files": files}, follow=True)
    assert answer.text.count("<summary>") >= 2
    assert "----- File" not in answer.text


def test_a_finished_turn_is_rendered_and_a_live_one_asks_for_itself(bob, talk, cast):
    run = answered(services.say(actor=cast.bob, conversation=talk, text="One"), "**Bold**")
    fragment = bob.get(f"{page_of(talk)}turns/{run.uuid}/")
    assert "<strong>Bold</strong>" in fragment.text
    assert "turn-stream" not in fragment.text


def test_a_manager_reads_but_does_not_write(client_as, talk, cast):
    services.say(actor=cast.bob, conversation=talk, text="Between us")
    client = client_as(cast.alice)
    assert "Between us" in client.get(page_of(talk)).text
    assert "composer" not in client.get(page_of(talk)).text
    assert client.post(page_of(talk), {"input": "Me too"}).status_code == 403


@pytest.mark.parametrize("person", ["carol", "mallory"])
def test_others_find_nothing(client_as, talk, cast, person):
    assert client_as(getattr(cast, person)).get(page_of(talk)).status_code == 404


def test_a_run_of_another_conversation_is_not_found_in_this_one(bob, talk, agent, cast):
    other = services.start_conversation(actor=cast.bob, target=agent)
    run = services.say(actor=cast.bob, conversation=other, text="Elsewhere")
    assert bob.get(f"{page_of(talk)}turns/{run.uuid}/").status_code == 404
    assert bob.post(f"{page_of(talk)}turns/{run.uuid}/stop/").status_code == 404


def test_replaced_turns_are_hidden_until_they_are_asked_for(bob, talk, cast):
    services.rename_conversation(actor=cast.bob, conversation=talk, title="Tea")
    run = answered(services.say(actor=cast.bob, conversation=talk, text="First thought"))
    bob.post(f"{page_of(talk)}turns/{run.uuid}/resend/", {"text": "Second thought"})
    page = bob.get(page_of(talk)).text
    assert "First thought" not in page
    assert "Show 1 replaced turn" in page
    assert "First thought" in bob.get(f"{page_of(talk)}?replaced=1").text


def test_the_list_takes_as_many_queries_for_twenty_as_for_one(bob, agent, cast, django_assert_max_num_queries):
    for number in range(20):
        made = services.start_conversation(actor=cast.bob, target=agent)
        answered(services.say(actor=cast.bob, conversation=made, text=f"Question {number}"))
    with django_assert_max_num_queries(16):
        assert "Question 19" in bob.get("/conversations/").text
    assert "Question 7" in bob.get("/conversations/?q=question+7").text
    assert "Question 8" not in bob.get("/conversations/?q=question+7").text


def test_a_thread_of_many_turns_takes_a_bounded_number_of_queries(bob, talk, cast, django_assert_max_num_queries):
    for number in range(25):
        answered(services.say(actor=cast.bob, conversation=talk, text=f"Question {number}."))
    with django_assert_max_num_queries(22):
        page = bob.get(page_of(talk)).text
    assert "Show earlier turns" in page
    assert "Question 3." not in page
    earlier = re.search(r'href="(\?before=\d+)"', page)[1]
    assert "Question 3." in bob.get(f"{page_of(talk)}{earlier}").text
    assert "Question 20." not in bob.get(f"{page_of(talk)}{earlier}").text


def test_renaming_and_deleting_by_page(bob, talk):
    bob.post(f"{page_of(talk)}rename/", {"title": "About tea"})
    assert "About tea" in bob.get("/conversations/").text
    bob.post(f"{page_of(talk)}delete/")
    assert "No conversations yet" in bob.get("/conversations/").text


def test_a_correction_that_is_refused_stays_in_its_field_with_the_reason(bob, talk, cast):
    run = answered(services.say(actor=cast.bob, conversation=talk, text="One"))
    services.say(actor=cast.bob, conversation=talk, text="Two")
    answer = bob.post(f"{page_of(talk)}turns/{run.uuid}/resend/", {"text": "One, but better"})
    assert answer.status_code == 409
    assert "One, but better" in answer.text
    assert "still being written" in answer.text


def test_what_was_set_aside_is_not_set_aside_again(talk, cast):
    first = answered(services.say(actor=cast.bob, conversation=talk, text="One"))
    answered(services.edit_and_resend(actor=cast.bob, run=first, text="Two"))
    with pytest.raises(Conflict, match="set aside already"):
        services.edit_and_resend(actor=cast.bob, run=first, text="Three")
    assert talk.runs.filter(replaced=False).count() == 1
