"""The vocabulary and its page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mindloom.engine import events
from tools import write_event_docs

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def test_the_page_of_events_is_up_to_date():
    assert write_event_docs.TARGET.read_text(encoding="utf-8") == write_event_docs.render()


def test_the_page_explains_every_kind_of_failure():
    assert tuple(write_event_docs.FAILURES) == events.FAILURE_KINDS


@pytest.mark.parametrize("kind", events.TYPES)
def test_every_type_is_a_subject_and_what_happened_to_it(kind):
    subject, happened = kind.split(".")
    assert subject
    assert happened


def test_an_event_survives_being_stored():
    event = events.ToolCallStarted(call_id="1", tool="t", arguments={"a": [1]}, effect="reads", at=NOW, source=("A",))
    assert events.decode(event.type, event.data(), at=NOW, source=("A",)) == event


def test_an_unknown_type_is_refused():
    with pytest.raises(events.UnknownEvent, match=r"run\.exploded"):
        events.decode("run.exploded", {}, at=NOW)


def test_an_unknown_field_is_refused():
    with pytest.raises(events.UnknownEvent, match="colour"):
        events.decode("run.cancelled", {"message": "", "colour": "red"}, at=NOW)
