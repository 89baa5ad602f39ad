"""MCP servers: administrators add them, and their keys stay inside."""

from __future__ import annotations

import io
import ipaddress

import pytest
from django.core.management import call_command
from django.urls import reverse

from audit.models import Entry
from integrations import services, tools
from integrations.models import McpServer
from integrations.tools import servers
from integrations.tools.base import Tool, function
from mindloom.engine.errors import EngineError
from mindloom.engine.spec import ToolSpec
from mindloom.web.errors import Invalid, NotAllowed
from tests.fakes.mcp_server import FakeMcp

pytestmark = pytest.mark.django_db
KEY = "Bearer very-secret-key-1234"
NEW = {"name": "Ticket desk", "slug": "tickets", "url": "https://tools.example.org/mcp", "timeout_seconds": "30"}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#test-result"}
OLD_KEY, NEW_KEY = b"a" * 32, b"b" * 32


@pytest.fixture
def server(cast):
    return services.create_server(
        actor=cast.ada,
        name="Ticket desk",
        slug="tickets",
        url="https://tools.example.org/mcp",
        secret_header="Authorization",
        secret=KEY,
    )


@pytest.fixture
def ada(client_as, cast):
    return client_as(cast.ada)


@pytest.fixture
def world(monkeypatch):
    """What servers answer, and what they are sent."""
    answers = {"functions": [], "refuses": ""}

    def tool_for(**given):
        def ask(setup):
            answers["sent"] = given
            if answers["refuses"]:
                raise EngineError(answers["refuses"])
            return [function(name, name, {}, lambda *_: "", required=()) for name in answers["functions"]]

        return Tool(
            key=given["key"],
            name=given["name"],
            description=given["description"],
            icon="blocks",
            effect="executes",
            functions=ask,
        )

    monkeypatch.setattr(servers.mcp, "tool_for", tool_for)
    return answers


def url(name, row):
    return reverse(f"integrations:{name}", args=[row.uuid])


def test_only_administrators_come_in(client_as, cast, server):
    for person in (cast.alice, cast.bob, cast.nora):
        assert client_as(person).get(reverse("integrations:servers")).status_code == 403
        assert client_as(person).post(url("server_delete", server)).status_code == 403
    for verb in (services.check_server, services.delete_server, services.remove_server_key):
        with pytest.raises(NotAllowed):
            verb(actor=cast.alice, server=server)


def test_a_server_is_added_and_its_tool_stands_in_the_catalogue(ada, client_as, cast):
    answer = ada.post(
        reverse("integrations:server_create"), NEW | {"secret_header": "X-Key", "secret": KEY}, follow=True
    )
    assert b"is added" in answer.content
    assert KEY not in answer.content.decode()
    assert b"Ticket desk" in client_as(cast.bob).get("/tools/").content


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"slug": "Not a slug"}, "slug"),
        ({"slug": ""}, "slug"),
        ({"url": "ftp://x.example"}, "url"),
        ({"url": "https://user:pw@x.example/mcp"}, "url"),
        ({"url": "nonsense"}, "url"),
        ({"headers": "no colon"}, "headers"),
        ({"headers": "Authorization: secret"}, "headers"),
        ({"effects": "close_ticket: explodes"}, "effects"),
        ({"effects": "close ticket: writes"}, "effects"),
        ({"timeout_seconds": "0"}, "timeout_seconds"),
        ({"timeout_seconds": "900"}, "timeout_seconds"),
        ({"secret": KEY, "secret_header": ""}, "secret_header"),
        ({"secret": KEY, "secret_header": "X Key"}, "secret_header"),
        ({"secret": "two\nlines", "secret_header": "X-Key"}, None),
        ({"departments": ["999999"]}, "departments"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(ada, change, field):
    answer = ada.post(reverse("integrations:server_create"), NEW | change)
    assert answer.status_code == 422
    assert KEY not in answer.content.decode()
    if field:
        assert field in answer.context["form"].errors
    assert not McpServer.objects.exists()


def test_a_name_or_short_name_that_is_taken_is_said_beside_it(ada, server):
    answer = ada.post(reverse("integrations:server_create"), NEW)
    assert {"name", "slug"} <= set(answer.context["form"].errors)


def test_it_is_changed_and_an_empty_key_keeps_the_one_there_is(ada, server, cast):
    changed = NEW | {"name": "Desk", "headers": "X-Team: a", "effects": "close_ticket: sends", "secret": ""}
    changed |= {"secret_header": "Authorization", "departments": [cast.finance.pk]}
    ada.post(url("server", server), changed)
    before = server.secret_sealed
    server.refresh_from_db()
    assert (server.name, server.slug, server.secret_sealed) == ("Desk", "tickets", before)
    assert (server.headers, server.effects) == ({"X-Team": "a"}, {"close_ticket": "sends"})
    assert server.departments == [cast.finance.pk]


def test_an_address_that_changes_its_host_asks_for_the_key_again(cast, server):
    with pytest.raises(Invalid) as caught:
        services.update_server(actor=cast.ada, server=server, url="https://evil.example.org/mcp")
    assert "secret" in caught.value.fields


def test_a_test_remembers_what_the_server_offers(ada, server, world):
    world["functions"] = ["search_tickets", "close_ticket"]
    part = ada.post(url("server_test", server), headers=HTMX).content.decode()
    assert "It works" in part
    assert "close_ticket" in part
    assert "<html" not in part
    assert world["sent"]["headers"] == {"Authorization": KEY}
    server.refresh_from_db()
    assert server.last_check_ok
    assert [one.name for one in tools.infos(tools.tool("mcp-tickets"))] == ["search_tickets", "close_ticket"]


def test_a_real_server_is_tested_and_used(ada, cast, settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    with FakeMcp(key=KEY) as fake:
        made = services.create_server(
            actor=cast.ada, name="Desk", slug="desk", url=fake.url, secret_header="Authorization", secret=KEY
        )
        assert b"It works" in ada.post(url("server_test", made), headers=HTMX).content
        found = {one.info.name: one for one in tools.functions(ToolSpec(key="mcp-desk", ask_first=True))}
        assert found["search_tickets"].call({"words": KEY}, None) == "Found: •••"
        assert {name: one.asks for name, one in found.items()} == {"search_tickets": "", "tickets_close": "approval"}
    part = ada.post(url("server_test", made), headers=HTMX).content.decode()
    assert "It does not work" in part


def test_a_server_that_refuses_is_told_without_the_key_and_keeps_what_was_known(ada, server, world):
    world["functions"] = ["search_tickets"]
    ada.post(url("server_test", server))
    world["refuses"] = f"Ticket desk does not accept {KEY}."
    page = ada.post(url("server_test", server), follow=True).content.decode()
    server.refresh_from_db()
    assert "does not accept [key]" in page
    assert KEY not in page + server.last_check_message
    assert server.last_check_ok is False
    assert len(server.functions) == 1


def test_runs_send_the_key_and_know_it_as_a_secret(server, world):
    world["functions"] = ["search_tickets"]
    assert [one.info.name for one in tools.functions(ToolSpec(key="mcp-tickets"))] == ["search_tickets"]
    assert world["sent"]["headers"] == {"Authorization": KEY}
    assert tools.secrets_of(ToolSpec(key="mcp-tickets")) == [KEY]
    assert tools.secrets_of(ToolSpec(key="calculator")) == []


def test_it_is_switched_off_loses_its_key_and_is_deleted(ada, server):
    ada.post(url("server_enable", server), {"enabled": "0"})
    ada.post(url("server_remove_key", server))
    server.refresh_from_db()
    assert (server.is_enabled, server.secret_sealed, server.secret_hint) == (False, "", "")
    ada.post(url("server_delete", server))
    assert not McpServer.objects.exists()


def test_the_list_shows_servers_and_an_empty_one_says_what_they_are(ada, server):
    assert b"Ticket desk" in ada.get(reverse("integrations:servers")).content
    McpServer.objects.all().delete()
    assert b"No MCP servers yet" in ada.get(reverse("integrations:servers")).content


def test_the_key_is_closed_anew_with_the_newest_key(cast, settings, world):
    settings.KEY_RING = {"old": OLD_KEY}
    services.create_server(
        actor=cast.ada, name="Desk", slug="desk", url="https://x.example/mcp", secret_header="X-Key", secret=KEY
    )
    settings.KEY_RING = {"new": NEW_KEY, "old": OLD_KEY}
    call_command("rotate_keys", stdout=io.StringIO())
    settings.KEY_RING = {"new": NEW_KEY}
    assert tools.secrets_of(ToolSpec(key="mcp-desk")) == [KEY]


def test_a_key_that_cannot_be_opened_says_so(server, settings, cast):
    settings.KEY_RING = {"other": NEW_KEY}
    with pytest.raises(EngineError, match="not in KEY_RING"):
        tools.functions(ToolSpec(key="mcp-tickets"))
    assert "not in KEY_RING" in services.check_server(actor=cast.ada, server=server).message


def test_the_key_is_in_no_page_and_no_audit_row(ada, server, world, client_as, cast, seeing_all):
    ada.post(url("server_test", server))
    ada.post(url("server", server), NEW | {"name": "", "secret": KEY})
    paths = [reverse("integrations:servers"), url("server", server), "/tools/mcp-tickets/", "/api/v1/tools"]
    paths.append(reverse("admin:integrations_mcpserver_change", args=[server.pk]))
    for path in paths:
        page = ada.get(path).content.decode()
        assert KEY not in page
        assert server.secret_sealed not in page
    assert not [entry for entry in Entry.objects.all() if KEY in f"{entry.data}{entry.target_label}"]
