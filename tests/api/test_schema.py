"""The OpenAPI schema is complete, is the one in docs/, and is true: real answers are held against it."""

from __future__ import annotations

import io
import re

import pytest
import yaml
from django.core.management import call_command
from jsonschema import Draft202012Validator

from tests.api.routes import every_route
from tests.api.test_route_matrix import ROWS, address, send, visitor
from tests.architecture.sources import ROOT

JSON = "application/json"


@pytest.fixture(scope="module")
def text():
    """The schema; making it fails on any warning."""
    written = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=written)
    return written.getvalue()


@pytest.fixture(scope="module")
def schema(text):
    return yaml.safe_load(text)


@pytest.fixture
def stage(standing, db):
    return standing


def operations(schema):
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield f"{method.upper()} {path}", operation


def test_the_schema_is_openapi_3_1(schema):
    assert schema["openapi"].startswith("3.1")


def test_every_operation_has_a_summary_and_a_name_of_its_own(schema):
    found = dict(operations(schema))
    assert [name for name, one in found.items() if not one.get("summary")] == []
    assert len({one["operationId"] for one in found.values()}) == len(found)


def template(path):
    """A route's path as the schema writes it."""
    return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", path)


def test_every_route_of_the_api_is_described(schema):
    routes = {template(one.path) for one in every_route() if one.name.startswith("api:")}
    assert routes == set(schema["paths"])


def test_every_operation_says_what_errors_look_like(schema):
    for name, one in operations(schema):
        assert "application/problem+json" in one["responses"]["default"]["content"], name


def test_what_needs_no_sign_in_is_said_to_need_none(schema):
    open_to_all = {
        name for name, one in operations(schema) if {} in one.get("security", [{}]) or not one.get("security", [{}])
    }
    named = [row for row in ROWS if row[1].startswith("api:") and row[2] != "401"]
    assert len(open_to_all) == len(named)


def test_the_schema_in_docs_is_up_to_date(text):
    assert (ROOT / "docs" / "openapi.yaml").read_text().strip() == text.strip(), "Run: make docs"


def holds(schema, part, value):
    """What is wrong with a value, by the schema's own words."""
    return [
        error.message for error in Draft202012Validator({**part, "components": schema["components"]}).iter_errors(value)
    ]


def described(schema, method, route):
    """The operation of a row of the matrix."""
    path = next(template(one.path) for one in every_route() if one.name == route)
    return schema["paths"][path][method.lower()]


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row[1].startswith("api:")], ids=lambda row: f"{row[0]} {row[1]}"
)
def test_an_answer_is_what_the_schema_says(schema, stage, row):
    method, route, *_ = row
    answer = send(visitor(stage, "alice", route), stage, method, route)
    responses = described(schema, method, route)["responses"]
    told = responses.get(str(answer.status_code), responses["default"])
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]

    if media_type in {JSON, "application/problem+json"}:
        assert holds(schema, told["content"][media_type]["schema"], answer.json()) == []
    elif answer.streaming or answer.content:
        assert told["content"]
    else:
        assert answer.status_code == 204


def test_a_problem_is_what_the_schema_says(schema, stage):
    answer = visitor(stage, "mallory", "api:runs").get(address(stage, "GET", "api:run"))
    told = described(schema, "GET", "api:run")["responses"]["default"]["content"]["application/problem+json"]["schema"]

    assert answer.status_code == 404
    assert holds(schema, told, answer.json()) == []


def test_the_documentation_page_loads_without_other_servers(client):
    page = client.get("/api/docs/").content.decode()
    assert "https://" not in page.replace("https://json-schema.org", "")
