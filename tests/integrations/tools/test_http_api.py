"""The HTTP API tool: operations of an OpenAPI description become functions that call it."""

from __future__ import annotations

import json
import time

import pytest

from integrations import tools
from integrations.tools import openapi
from mindloom.engine.errors import EngineError
from mindloom.engine.spec import ToolSpec
from tests.integrations.tools.helpers import call, functions, opened, refusal

SHOP = """
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: "SERVER/{version}", variables: {version: {default: v1}}}]
paths:
  /orders:
    parameters: [{$ref: "#/components/parameters/Tenant"}]
    get:
      operationId: list-orders
      summary: List orders
      parameters:
        - {name: state, in: query, schema: {type: string, enum: [open, paid]}}
        - {name: tag, in: query, schema: {type: array, items: {type: string}}}
        - {name: Authorization, in: header, schema: {type: string}}
    post:
      operationId: createOrder
      description: Create an order
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
  /orders/{id}/notes:
    post:
      operationId: addNote
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      requestBody: {content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {text: {type: string}}}}}}
components:
  parameters:
    Tenant: {name: X-Tenant, in: header, schema: {type: string}}
  schemas:
    Order:
      type: object
      required: [item, id]
      properties:
        id: {type: integer, readOnly: true}
        item: {type: string, nullable: true, pattern: "(a+)+$"}
        parts: {type: array, items: {$ref: "#/components/schemas/Order"}}
"""


@pytest.fixture
def shop(service):
    service.text = SHOP.replace("SERVER", service.url)
    service.config = {"description": service.text, "operations": ["GET /orders", "createOrder", "addNote"]}
    service.answer("/v1/orders", {"orders": [{"id": 1}]})
    service.answer("/v1/orders/a%2Fb%3Fc/notes", "", 204)
    return service


def test_operations_become_functions(shop):
    made = functions("http_api", shop.config)
    assert {name: one.info.effect for name, one in made.items()} == {
        "list_orders": "reads",
        "createOrder": "sends",
        "addNote": "sends",
    }
    assert made["list_orders"].info.description == "List orders."
    assert made["list_orders"].info.parameters["properties"].keys() == {"X_Tenant", "state", "tag"}
    order = made["createOrder"].info.parameters["properties"]["body"]
    assert order["required"] == ["item"]
    assert order["properties"].keys() == {"item", "parts"}
    assert order["properties"]["item"] == {"type": ["string", "null"]}
    assert made["addNote"].info.parameters["required"] == ["id"]


def test_without_a_choice_only_what_reads_is_offered(shop):
    assert list(functions("http_api", {"description": shop.text})) == ["list_orders"]
    assert functions("http_api") == {}


def test_an_operation_is_called_with_what_it_takes(shop):
    said = call("http_api", "list_orders", None, shop.config, state="open", tag=["a&b", "c"], X_Tenant="blue")
    assert json.loads(said) == {"orders": [{"id": 1}]}
    request = shop.requests[-1]
    assert (request.method, request.query, request.headers["x-tenant"]) == (
        "GET",
        {"state": ["open"], "tag": ["a&b", "c"]},
        "blue",
    )
    call("http_api", "createOrder", None, shop.config, body={"item": "Chair"})
    assert shop.requests[-1].json == {"item": "Chair"}
    assert shop.requests[-1].headers["content-type"] == "application/json"


def test_values_stay_where_they_belong(shop):
    assert (
        call("http_api", "addNote", None, shop.config, id="a/b?c", body={"text": "x&y=1"})
        == "Done (HTTP 204); the answer is empty."
    )
    assert shop.requests[-1].body == b"text=x%26y%3D1"
    for id in ("..", ".", ""):
        assert "cannot stand in the address" in refusal("http_api", "addNote", None, shop.config, id=id)
    assert "one short line" in refusal("http_api", "list_orders", None, shop.config, X_Tenant="a\r\nAuthorization: b")


def test_the_connection_gives_the_address_and_the_secret(shop):
    connection = opened("http_api", {"base_url": f"{shop.url}/v2", "header": "X-Tenant", "secret": "tenant-secret"})
    shop.answers["/v2/orders"] = lambda request: f"You are {request.headers['x-tenant']}"
    assert "X_Tenant" not in functions("http_api", shop.config, connection)["list_orders"].info.parameters["properties"]
    assert call("http_api", "list_orders", None, shop.config, connection) == "You are •••"
    shop.answer("/v2/orders", {"message": "tenant-secret is wrong"}, 401)
    assert "It said: ••• is wrong" in refusal("http_api", "list_orders", None, shop.config, connection)


def test_a_description_is_fetched_from_its_address(shop):
    url = shop.answer("/openapi.yaml", shop.text.replace(shop.url, ""))
    assert "orders" in call("http_api", "list_orders", None, {"url": url})
    with pytest.raises(EngineError, match=r"cannot be used: .*private or reserved"):
        functions("http_api", {"url": "http://10.0.0.1/openapi.json"})
    with pytest.raises(EngineError, match="no operation “deleteAll”"):
        functions("http_api", {"description": shop.text, "operations": ["deleteAll"]})


def test_what_sends_asks_first(shop):
    made = tools.functions(ToolSpec(key="http_api", config=shop.config, ask_first=True))
    assert {one.info.name: one.asks for one in made} == {
        "list_orders": "",
        "createOrder": "approval",
        "addNote": "approval",
    }
    assert [one.acts_outside for one in made] == [False, True, True]


@pytest.mark.parametrize(
    "text",
    ["{", "a: [", "hello", "[]", "swagger: '2.0'", "openapi: 3.1.0", "openapi: 3.1.0\npaths: {}", "openapi: 3.1.0\npaths: {/a: {}}", "openapi: 3.1.0\npaths: {/a: 1}",
     "openapi: 3.1.0\npaths: []", "!!python/object/apply:os.system ['id']", "{" * 5_000],
)  # fmt: skip
def test_what_is_no_description_is_refused_when_it_is_entered(text):
    _, wrong = tools.tool("http_api").check_config({"description": text})
    assert wrong.keys() == {"description"}
    assert wrong["description"].endswith((".", "”."))


def test_a_description_that_unfolds_for_ever_is_cut():
    names = [f"S{n}" for n in range(40)]
    schemas = {
        name: {
            "type": "object",
            "properties": {f"p{n}": {"$ref": f"#/components/schemas/{names[(i + 1) % 40]}"} for n in range(10)},
        }
        for i, name in enumerate(names)
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}
    text = json.dumps(
        {"openapi": "3.1.0", "paths": {"/a": {"post": {"requestBody": body}}}, "components": {"schemas": schemas}}
    )
    began = time.process_time()
    [one] = openapi.operations(openapi.read(text))
    assert time.process_time() - began < 3
    assert len(json.dumps(one.body)) < 1_000_000


@pytest.mark.parametrize(
    ("first", "level"), [("{k: v}", "{{<<: [{0}, {0}, {0}, {0}]}}"), ("[x]", "[{0}, {0}, {0}, {0}]")]
)
def test_a_short_text_that_unfolds_by_aliases_is_refused(first, level):
    """Four in the power of twenty: nobody has the memory for it."""
    lines = [f"a0: &a0 {first}", *(f"a{n}: &a{n} {level.format(f'*a{n - 1}')}" for n in range(1, 21))]
    text = "\n".join(["openapi: 3.1.0", *lines, "paths: {/a: {get: {}}}"])
    with pytest.raises(openapi.DescriptionError, match="with \\*"):
        openapi.read(text)


def test_a_reference_to_itself_ends():
    text = json.dumps(
        {
            "openapi": "3.1.0",
            "paths": {"/a": {"$ref": "#/paths/~1a"}, "/b": {"get": {"parameters": [{"$ref": "file:///etc/passwd"}]}}},
        }
    )
    [one] = openapi.operations(openapi.read(text))
    assert one.parameters == ()
