"""Every tool once through a real run: the model asks for it, the engine checks and calls it, the log says what came back."""

from __future__ import annotations

import pytest

from integrations import tools
from integrations.tools import arxiv, weather, wikipedia
from mindloom.engine.spec import ModelSpec, ToolSpec
from tests.engine.helpers import LentPorts, agent_spec, of, play
from tests.fakes.openai_server import FakeModels
from tests.integrations.tools.helpers import opened
from tests.integrations.tools.test_http_api import SHOP
from tests.integrations.tools.test_web import ATOM, FORECAST, PAPERS

CSV = "person,amount\nLena,12.50\nOmar,7.50\n"
# tool, function, arguments, what the result holds
CALLS = [
    ("web_page", "fetch_page", {"url": "SERVICE/page"}, "Opening hours"),
    ("web_search", "web_search", {"query": "chairs"}, "https://example.org/chairs"),
    ("wikipedia", "wikipedia_article", {"title": "Chair"}, "A chair is a seat."),
    ("feeds", "read_feed", {"feed_url": "SERVICE/feed"}, "Atoms: 1 entries"),
    ("arxiv", "arxiv_search", {"query": "transformer"}, "Decision Transformer"),
    ("weather", "weather", {"place": "Vienna", "days": 2}, "overcast"),
    ("csv_table", "csv_aggregate", {"csv_text": CSV, "operation": "sum", "value": "amount"}, "20"),
    ("excel", "save_excel", {"name": "x", "sheets": [{"csv_text": CSV}]}, "Saved x.xlsx"),
    ("sql", "sql_query", {"sql": "select name from office.staff where id = 1"}, "| Lena |"),
    ("http_api", "list_orders", {"state": "open"}, '"orders"'),
    ("data", "query_json", {"json_text": '{"a": {"b": 7}}', "path": "a.b"}, "7"),
    ("text", "text_extract", {"text": "Ask lena@example.org.", "what": "emails"}, "lena@example.org"),
    ("translate", "translate_text", {"text": "Chair", "target": "de"}, "Stuhl"),
    ("calculator", "calculate", {"expression": "6 * 7"}, "42"),
    ("units", "convert_units", {"value": 1, "from_unit": "mile", "to_unit": "km"}, "1.609344 km"),
    ("datetime", "date_difference", {"start": "2026-10-31", "end": "2026-11-23"}, "23 days"),
    ("artifact", "save_artifact", {"name": "x", "content": "# Hi"}, "Saved x.md"),
    ("pdf", "save_pdf", {"name": "x", "content": "# Hi"}, "Saved x.pdf"),
    (
        "charts",
        "save_chart",
        {"kind": "bar", "title": "x", "labels": ["A"], "series": [{"values": [1]}]},
        "Saved x.svg",
    ),
    ("calendar", "save_calendar_event", {"title": "x", "start": "2026-11-30"}, "Saved x.ics"),
    ("qr_code", "save_qr_code", {"name": "x", "holds": "hello"}, "Saved x.png"),
    ("email", "send_email", {"to": ["lena@example.org"], "subject": "x", "body": "y"}, "Sent “x” to lena@example.org"),
    ("webhook", "post_to_webhook", {"text": "Done"}, "Posted to “Office”"),
]


@pytest.fixture(scope="module")
def fake():
    with FakeModels() as server:
        yield server


@pytest.fixture
def outside(service, monkeypatch, request):
    """Everything that the tools call, and what their connections hold."""
    service.answer("/page", "<h1>Opening hours</h1>", content_type="text/html")
    service.answer("/search", {"results": [{"url": "https://example.org/chairs", "title": "Chairs"}]})
    service.answer("/en/w/api.php", {"query": {"pages": [{"title": "Chair", "extract": "A chair is a seat."}]}})
    service.answer("/feed", ATOM)
    service.answer("/v1/orders", {"orders": []})
    service.answer("/translate", {"translatedText": "Stuhl"})
    service.answer("/hook", "ok")
    monkeypatch.setattr(wikipedia, "ADDRESS", service.url + "/{language}")
    monkeypatch.setattr(arxiv, "ADDRESS", service.answer("/papers", PAPERS))
    monkeypatch.setattr(
        weather,
        "GEOCODING",
        service.answer("/places", {"results": [{"name": "Vienna", "latitude": 1, "longitude": 2}]}),
    )
    monkeypatch.setattr(weather, "FORECAST", service.answer("/forecast", FORECAST))
    connections = {
        "web_search": lambda: {"base_url": f"{service.url}/search"},
        "translate": lambda: {"base_url": service.url},
        "webhook": lambda: {"url": f"{service.url}/hook"},
        "sql": lambda: request.getfixturevalue("database"),
        "smtp": lambda: request.getfixturevalue("mailbox").values,
    }

    def lent(key):
        kind = tools.tool(key).connection
        config = {"description": SHOP.replace("SERVER", service.url)} if key == "http_api" else {}
        connection = opened(kind, connections[kind]()) if kind in connections else None
        return LentPorts(*tools.functions(ToolSpec(key=key, config=config), connection))

    lent.url = service.url
    return lent


def played(fake, name, arguments, ports):
    fake.script(name, [{"tool_calls": [{"name": name, "arguments": arguments}]}, {"text": "Done."}])
    model = ModelSpec(
        kind="openai_like", model=name, provider="Acme", base_url=fake.url, key_ref="acme", timeout_seconds=5.0
    )
    return play(agent_spec(model), ports=ports)


@pytest.mark.parametrize(("key", "name", "arguments", "result"), CALLS, ids=[key for key, *_ in CALLS])
def test_a_run_calls_the_tool(fake, outside, key, name, arguments, result):
    given = {
        field: value.replace("SERVICE", outside.url) if isinstance(value, str) else value
        for field, value in arguments.items()
    }
    ports = outside(key)
    events = played(fake, name, given, ports)
    [started] = of(events, "tool_call.started")
    assert (started.tool, started.arguments) == (name, given)
    assert started.effect == next(one.info.effect for one in ports.functions if one.info.name == name)
    [finished] = of(events, "tool_call.finished")
    assert result in finished.result
    assert [event.name for event in of(events, "artifact.saved")] == list(ports.files)
    assert bool(ports.files) == (started.effect == "writes")
    assert events[-1].type == "run.completed"
    assert fake.bodies(name)[-1]["messages"][-1]["content"] == finished.result


def test_every_tool_but_the_one_that_asks_a_person_is_called():
    assert {key for key, *_ in CALLS} == tools._CATALOGUE.keys() - {"hand_over"}


def test_arguments_that_do_not_fit_are_refused_before_the_tool_sees_them(fake, outside):
    ports = outside("email")
    events = played(
        fake, "send_email", {"to": "lena@example.org", "subject": "x", "body": "y", "bcc": ["z@example.org"]}, ports
    )
    [failed] = of(events, "tool_call.failed")
    assert "do not fit" in failed.message


def test_a_run_that_hands_over_waits_for_the_person(fake, outside):
    events = played(fake, "ask_person", {"question": "Which of the two?"}, outside("hand_over"))
    assert not of(events, "tool_call.finished")
    assert events[-1].type == "run.waiting"
