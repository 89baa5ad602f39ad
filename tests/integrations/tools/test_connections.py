"""The kinds of connections: what they ask for, and that trying one really tries it."""

from __future__ import annotations

import socket
import threading
import time

import lucide
import pytest

from integrations.tools.base import OpenConnection, function
from integrations.tools.connections import KINDS, keeping_secrets
from mindloom.engine.ports import ToolError


def test_every_kind_describes_itself():
    for key, kind in KINDS.items():
        assert key == kind.key
        assert kind.description.endswith(".")
        assert lucide._render_icon(kind.icon, 16)
        for field in kind.fields:
            assert field.label[0].isupper()
            assert not field.choices or field.default in dict(field.choices)


GOOD = {
    "web_search": {"base_url": "https://search.example.org/search"},
    "http_api": {"base_url": "https://api.example.org", "header": "X-Key", "secret": "s3cret!"},
    "sql": {"host": "db.example.org", "database": "sales", "user": "reader"},
    "smtp": {"host": "mail.example.org", "from_address": "office@example.org"},
    "translate": {"base_url": "https://translate.example.org"},
    "webhook": {"url": "https://hooks.example.org/T1"},
}


@pytest.mark.parametrize("key", KINDS)
def test_good_values_are_read_and_defaults_filled_in(key):
    values, wrong = KINDS[key].read(GOOD[key])
    assert wrong == {}
    assert values.items() >= GOOD[key].items()
    assert values.keys() == {field.name for field in KINDS[key].fields}


@pytest.mark.parametrize("key", KINDS)
def test_what_is_required_is_asked_for(key):
    _, wrong = KINDS[key].read({})
    assert wrong.keys() == {field.name for field in KINDS[key].fields if field.required and not field.default}
    assert all(sentence.endswith(".") for sentence in wrong.values())


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        ("web_search", "base_url", "search.example.org"),
        ("web_search", "base_url", "file:///etc/passwd"),
        ("web_search", "base_url", "https://user:pw@example.org"),
        ("web_search", "base_url", "https://exa mple.org"),
        ("web_search", "api_key", "schlüssel"),
        ("http_api", "header", "X Key"),
        ("http_api", "header", "Host"),
        ("http_api", "secret", "a\r\nX-Other: b"),
        ("sql", "host", "db,evil"),
        ("sql", "host", "/var/run"),
        ("sql", "port", "0"),
        ("sql", "port", "٣"),
        ("sql", "database", "host=evil"),
        ("sql", "encryption", "rot13"),
        ("smtp", "from_address", "nobody"),
        ("smtp", "from_address", "a@example.org,b@example.org"),
        ("smtp", "security", "plain"),
        ("webhook", "url", "x" * 3000),
        ("webhook", "colour", "red"),
    ],
)
def test_a_wrong_value_is_refused_beside_its_field(key, name, value):
    _, wrong = KINDS[key].read({**GOOD[key], name: value})
    assert list(wrong) == [name]


def tried(key, values):
    read, wrong = KINDS[key].read(values)
    assert wrong == {}
    return KINDS[key].test(read)


def test_a_search_service_is_tried(service):
    service.answer("/search", {"results": [{}, {}]})
    said = tried("web_search", {"base_url": f"{service.url}/search", "api_key": "k-123456"})
    assert "found 2 pages" in said
    assert service.requests[-1].headers["authorization"] == "Bearer k-123456"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [(401, {}, "refused"), (404, {}, "does not know"), (429, {}, "too often"), (500, {}, "problem of its own"), (200, "<p>", "JSON"), (200, {}, "not like a search")],
)  # fmt: skip
def test_a_search_service_that_does_not_work_says_why(service, status, body, words):
    service.answer("/search", body, status)
    with pytest.raises(ToolError, match=words):
        tried("web_search", {"base_url": f"{service.url}/search"})


def test_an_api_is_tried_with_its_secret(service):
    service.answer("/v1", {})
    assert "HTTP 200" in tried("http_api", {"base_url": f"{service.url}/v1", "header": "X-Key", "secret": "s3cret!"})
    assert service.requests[-1].headers["x-key"] == "s3cret!"
    service.answer("/v1", {}, 403)
    with pytest.raises(ToolError, match="refused the secret"):
        tried("http_api", {"base_url": f"{service.url}/v1"})


def test_a_translation_service_is_tried(service):
    service.answer("/languages", [{"code": "en"}, {"code": "de"}])
    assert "2 languages" in tried("translate", {"base_url": f"{service.url}/"})
    service.answer("/languages", {"hello": 1})
    with pytest.raises(ToolError, match="not like LibreTranslate"):
        tried("translate", {"base_url": service.url})


def test_a_webhook_is_knocked_at_without_sending_anything(service):
    service.answer("/hook", "", 405)
    assert "Nothing was sent" in tried("webhook", {"url": f"{service.url}/hook"})
    assert [request.method for request in service.requests] == ["HEAD"]
    with pytest.raises(ToolError, match="does not know"):
        tried("webhook", {"url": f"{service.url}/elsewhere"})


def test_a_mail_server_is_tried_and_nothing_is_sent(mailbox):
    assert "accepts the user office" in tried("smtp", mailbox.values)
    assert mailbox.messages == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "refused the user name or password"),
        ({"security": "starttls"}, "offers no STARTTLS"),
        ({"security": "ssl"}, "127.0.0.1"),
        ({"port": "1"}, "could not be reached at port 1"),
        ({"host": "10.0.0.1"}, "private or reserved"),
        ({"host": "169.254.169.254"}, "private or reserved"),
        ({"host": "no-such-host.invalid"}, "no address"),
    ],
)
def test_a_mail_server_that_does_not_work_says_why(mailbox, change, words):
    with pytest.raises(ToolError, match=words):
        tried("smtp", mailbox.values | change)


def test_a_mail_server_that_drips_is_hung_up_on(monkeypatch):
    door = socket.create_server(("127.0.0.1", 0))

    def drip():
        near, _ = door.accept()
        try:
            for _ in range(200):
                near.sendall(b"220-wait\r\n")
                time.sleep(0.1)
        except OSError:
            near.close()

    threading.Thread(target=drip, daemon=True).start()
    monkeypatch.setattr("integrations.tools.probes.SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(ToolError, match="broke off or did not answer"):
        tried(
            "smtp",
            {
                "host": "127.0.0.1",
                "port": str(door.getsockname()[1]),
                "security": "none",
                "from_address": "a@example.org",
            },
        )
    assert time.monotonic() - began < 15, "it waited for what drips in 20 seconds"
    door.close()


def test_a_database_is_tried(database):
    assert "open for reading" in tried("sql", database)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"database": "nowhere"}, "cannot be opened"),
        ({"encryption": "require"}, "cannot be opened"),
        ({"host": "10.0.0.1"}, "private or reserved"),
        ({"host": "no-such-host.invalid"}, "no address"),
    ],
)
def test_a_database_that_cannot_be_opened_says_why(database, change, words):
    with pytest.raises(ToolError, match=words):
        tried("sql", database | change)


def test_a_secret_is_masked_in_results_and_refusals():
    def call(arguments, context):
        if arguments:
            raise ToolError("The service said: bad key s3cret-key.")
        return "You sent s3cret-key."

    connection = OpenConnection(kind="http_api", name="CRM", values={"base_url": "https://x", "secret": "s3cret-key"})
    [one] = keeping_secrets([function("f", "F.", {}, call, required=())], connection)
    assert one.call({}, None) == "You sent •••."
    with pytest.raises(ToolError, match="bad key •••"):
        one.call({"a": 1}, None)
