"""Who may do what, on one page: every route and method, for each kind of person, at objects of Marketing.

Ada, the administrator, works in Marketing here. Pages send strangers to the sign-in page (302), the API answers 401.
404: not for you; 403: you see it, but may not do this. A route, or a method of one, without a row fails.
"""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.core.signals import request_finished
from django.db import close_old_connections, transaction
from django.test import Client
from django.urls import reverse

from accounts.services import issue_tokens
from mindloom.web.api import StrangerThrottle
from tests.api import stage as stages
from tests.api.routes import every_route

MATRIX = """
#      route                          nobody    Carol     Bob       Alice     Mallory   Ada
#                                               viewer    member    manager   Finance   admin
# Pages that combine apps, and answers for machines
GET    home                           302       200       200       200       200       200
GET    livez                          200       200       200       200       200       200
GET    readyz                         200       200       200       200       200       200
GET    gallery                        404       404       404       404       404       404
GET    api_schema                     200       200       200       200       200       200
GET    api_docs                       200       200       200       200       200       200
GET    ^api/                          404       404       404       404       404       404
# People and departments
GET    accounts:sign_in               200       302       302       302       302       302
POST   accounts:sign_in               302       302       302       302       302       302
GET    accounts:sign_up               200       302       302       302       302       302
POST   accounts:sign_up               302       302       302       302       302       302
GET    accounts:sign_up_sent          200       200       200       200       200       200
POST   accounts:sign_out              302       302       302       302       302       302
GET    accounts:confirm_email         410       410       410       410       410       410
POST   accounts:confirm_email         410       410       410       410       410       410
GET    accounts:setup                 410       410       410       410       410       410
POST   accounts:setup                 410       410       410       410       410       410
GET    accounts:password_forgot       200       200       200       200       200       200
POST   accounts:password_forgot       302       302       302       302       302       302
GET    accounts:password_forgot_sent  200       200       200       200       200       200
GET    accounts:password_reset        410       410       410       410       410       410
POST   accounts:password_reset        410       410       410       410       410       410
GET    accounts:password_change       302       200       200       200       200       200
POST   accounts:password_change       302       302       302       302       302       302
GET    accounts:profile               302       200       200       200       200       200
POST   accounts:profile               302       302       302       302       302       302
POST   accounts:send_confirmation     302       302       302       302       302       302
POST   accounts:join_department       302       302       302       302       302       302
POST   accounts:switch_department     302       302       302       302       404       302
GET    accounts:people                302       403       403       200       200       200
POST   accounts:accept_member         302       403       403       302       404       302
POST   accounts:refuse_member         302       403       403       302       404       302
POST   accounts:set_role              302       403       403       302       404       302
POST   accounts:remove_member         302       403       403       302       404       302
GET    accounts:departments           302       403       403       403       403       200
GET    accounts:department_create     302       403       403       403       403       200
POST   accounts:department_create     302       403       403       403       403       302
GET    accounts:department_edit       302       403       403       403       403       200
POST   accounts:department_edit       302       403       403       403       403       302
POST   accounts:department_archive    302       403       403       403       403       302
POST   accounts:department_restore    302       403       403       403       403       302
# Models and providers
GET    integrations:list              302       403       403       403       403       200
GET    integrations:create            302       403       403       403       403       200
POST   integrations:create            302       403       403       403       403       302
GET    integrations:provider          302       403       403       403       403       200
POST   integrations:provider          302       403       403       403       403       302
POST   integrations:test              302       403       403       403       403       302
POST   integrations:sync              302       403       403       403       403       302
POST   integrations:enable            302       403       403       403       403       302
POST   integrations:remove_key        302       403       403       403       403       302
POST   integrations:delete            302       403       403       403       403       302
POST   integrations:add_model         302       403       403       403       403       302
GET    integrations:model             302       403       403       403       403       200
POST   integrations:model             302       403       403       403       403       302
POST   integrations:enable_model      302       403       403       403       403       302
POST   integrations:default           302       403       403       403       403       302
POST   integrations:add_price         302       403       403       403       403       422
POST   integrations:remove_price      302       403       403       403       403       302
POST   integrations:delete_model      302       403       403       403       403       302
# Tools, connections, MCP servers
GET    integrations:tools             302       200       200       200       200       200
GET    integrations:tool              302       200       200       200       200       200
GET    integrations:connections       302       200       200       200       200       200
GET    integrations:connection_create 302       403       200       200       200       200
POST   integrations:connection_create 302       403       302       302       302       302
GET    integrations:connection        302       200       200       200       404       200
POST   integrations:connection        302       403       403       302       404       302
POST   integrations:connection_test   302       403       302       302       404       302
POST   integrations:connection_enable 302       403       403       302       404       302
POST   integrations:connection_delete 302       403       403       302       404       302
GET    integrations:servers           302       403       403       403       403       200
GET    integrations:server_create     302       403       403       403       403       200
POST   integrations:server_create     302       403       403       403       403       302
GET    integrations:server            302       403       403       403       403       200
POST   integrations:server            302       403       403       403       403       302
POST   integrations:server_test       302       403       403       403       403       302
POST   integrations:server_enable     302       403       403       403       403       302
POST   integrations:server_remove_key 302       403       403       403       403       302
POST   integrations:server_delete     302       403       403       403       403       302
# Agents
GET    agents:list                    302       200       200       200       200       200
GET    agents:gallery                 302       200       200       200       200       200
GET    agents:create                  302       403       200       200       200       200
POST   agents:create                  302       403       302       302       302       302
GET    agents:detail                  302       200       200       200       404       200
GET    agents:edit                    302       403       403       200       404       200
POST   agents:edit                    302       403       403       302       404       302
POST   agents:autosave                302       403       403       200       404       200
GET    agents:publish                 302       403       403       200       404       200
POST   agents:publish                 302       403       403       302       404       302
POST   agents:discard                 302       403       403       302       404       302
POST   agents:duplicate               302       403       302       302       404       302
GET    agents:archive                 302       403       403       200       404       200
POST   agents:archive                 302       403       403       302       404       302
POST   agents:restore                 302       403       403       302       404       302
POST   agents:delete                  302       403       403       302       404       302
GET    agents:version                 302       200       200       200       404       200
GET    agents:versions                302       200       200       200       404       200
POST   agents:restore_version         302       403       403       302       404       302
GET    agents:compare                 302       200       200       200       404       200
GET    agents:export                  302       200       200       200       404       200
GET    agents:transfer                302       403       403       200       404       200
POST   agents:transfer                302       403       403       302       404       302
GET    agents:import                  302       403       200       200       200       200
POST   agents:import                  302       403       302       302       302       302
GET    agents:using_tool              302       200       200       200       200       200
GET    agents:using_connection        302       200       200       200       200       200
# Teams
GET    teams:list                     302       200       200       200       200       200
GET    teams:create                   302       403       200       200       200       200
POST   teams:create                   302       403       302       302       302       302
GET    teams:import                   302       403       200       200       200       200
POST   teams:import                   302       403       422       422       422       422
GET    teams:using_agent              302       200       200       200       200       200
GET    teams:detail                   302       200       200       200       404       200
GET    teams:edit                     302       403       403       200       404       200
POST   teams:edit                     302       403       403       302       404       302
POST   teams:autosave                 302       403       403       200       404       200
GET    teams:publish                  302       403       403       200       404       200
POST   teams:publish                  302       403       403       302       404       302
POST   teams:discard                  302       403       403       302       404       302
POST   teams:duplicate                302       403       302       302       404       302
POST   teams:archive                  302       403       403       302       404       302
POST   teams:restore                  302       403       403       302       404       302
GET    teams:transfer                 302       403       403       200       404       200
POST   teams:transfer                 302       403       403       302       404       302
POST   teams:delete                   302       403       403       302       404       302
GET    teams:compare                  302       200       200       200       404       200
GET    teams:export                   302       200       200       200       404       200
GET    teams:versions                 302       200       200       200       404       200
GET    teams:version                  302       200       200       200       404       200
POST   teams:restore_version          302       403       403       302       404       302
# Runs
GET    runs:list                      302       200       200       200       200       200
GET    runs:compare                   302       404       404       404       404       404
GET    runs:export                    302       200       200       200       200       200
GET    runs:start                     302       200       200       200       404       200
POST   runs:start                     302       403       302       302       404       302
GET    runs:test_panel                302       200       200       200       404       200
POST   runs:test_panel                302       403       403       200       404       200
GET    runs:start_team                302       200       200       200       404       200
POST   runs:start_team                302       403       302       302       404       302
GET    runs:test_team                 302       200       200       200       404       200
POST   runs:test_team                 302       403       403       200       404       200
GET    runs:detail                    302       200       200       200       404       200
GET    runs:output                    302       200       200       200       404       200
GET    runs:output_csv                302       200       200       200       404       200
GET    runs:output_json               302       200       200       200       404       200
GET    runs:artifacts                 302       200       200       200       404       200
GET    runs:metrics                   302       200       200       200       404       200
GET    runs:inputs                    302       200       200       200       404       200
GET    runs:result                    302       200       200       200       404       200
POST   runs:stop                      302       403       403       302       404       302
POST   runs:decide                    302       403       403       302       404       302
POST   runs:again                     302       403       302       302       404       302
GET    runs:log_text                  302       200       200       200       404       200
GET    runs:log_lines                 302       200       200       200       404       200
GET    runs:artifacts_zip             302       200       200       200       404       200
GET    runs:artifact_preview          302       200       200       200       404       200
GET    runs:artifact_picture          302       404       404       404       404       404
POST   runs:pin                       302       403       403       302       404       302
GET    runs:delete                    302       403       403       200       404       200
POST   runs:delete                    302       403       403       302       404       302
GET    runs:retention                 302       403       403       200       404       200
POST   runs:retention                 302       403       403       302       404       302
GET    runs:artifact                  302       200       200       200       404       200
# Conversations: Alice's; Ada, who manages everywhere, reads along
GET    runs:conversations             302       200       200       200       200       200
POST   runs:converse                  302       403       302       302       404       302
POST   runs:converse_team             302       403       302       302       404       302
GET    runs:conversation              302       404       404       200       404       200
POST   runs:conversation              302       404       404       302       404       403
POST   runs:conversation_rename       302       404       404       302       404       403
POST   runs:conversation_delete       302       404       404       302       404       403
GET    runs:turn                      302       404       404       200       404       200
POST   runs:turn_resend               302       404       404       302       404       403
POST   runs:turn_retry                302       404       404       302       404       403
POST   runs:turn_stop                 302       404       404       302       404       403
GET    runs:memories                  302       200       200       200       200       200
POST   runs:memory_forget             302       404       404       302       404       404
# API
POST   api:register                   202       202       202       202       202       202
POST   api:login                      200       200       200       200       200       200
POST   api:refresh                    200       200       200       200       200       200
POST   api:logout                     204       204       204       204       204       204
POST   api:password_forgot            202       202       202       202       202       202
POST   api:password_reset             400       400       400       400       400       400
GET    api:me                         401       200       200       200       200       200
PATCH  api:me                         401       200       200       200       200       200
GET    api:departments                200       200       200       200       200       200
GET    api:models                     401       200       200       200       200       200
GET    api:tools                      401       200       200       200       200       200
GET    api:connection_kinds           401       200       200       200       200       200
GET    api:connections                401       200       200       200       200       200
POST   api:connections                401       403       201       201       201       201
GET    api:connection                 401       200       200       200       404       200
PATCH  api:connection                 401       403       403       200       404       200
DELETE api:connection                 401       403       403       204       404       204
POST   api:connection_test            401       403       200       200       404       200
GET    api:agents                     401       200       200       200       200       200
POST   api:agents                     401       403       201       201       201       201
GET    api:agent                      401       200       200       200       404       200
PATCH  api:agent                      401       403       403       200       404       200
DELETE api:agent                      401       403       403       204       404       204
POST   api:agent_publish              401       403       403       201       404       201
POST   api:agent_duplicate            401       403       201       201       404       201
POST   api:agent_archive              401       403       403       200       404       200
POST   api:agent_restore              401       403       403       200       404       200
GET    api:agent_versions             401       200       200       200       404       200
POST   api:agent_import               401       403       201       201       201       201
GET    api:agent_export               401       200       200       200       404       200
GET    api:agent_compare              401       200       200       200       404       200
POST   api:agent_transfer             401       403       403       200       404       200
POST   api:agent_restore_version      401       403       403       200       404       200
GET    api:templates                  401       200       200       200       200       200
GET    api:teams                      401       200       200       200       200       200
POST   api:teams                      401       403       201       201       201       201
GET    api:team                       401       200       200       200       404       200
PATCH  api:team                       401       403       403       200       404       200
DELETE api:team                       401       403       403       204       404       204
POST   api:team_publish               401       403       403       201       404       201
POST   api:team_duplicate             401       403       201       201       404       201
POST   api:team_archive               401       403       403       200       404       200
POST   api:team_restore               401       403       403       200       404       200
POST   api:team_transfer              401       403       403       200       404       200
POST   api:team_restore_version       401       403       403       200       404       200
GET    api:team_versions              401       200       200       200       404       200
GET    api:team_compare               401       200       200       200       404       200
GET    api:team_export                401       200       200       200       404       200
POST   api:team_import                401       403       201       201       400       201
GET    api:runs                       401       200       200       200       200       200
POST   api:runs                       401       403       201       201       404       201
GET    api:run                        401       200       200       200       404       200
POST   api:run_cancel                 401       403       403       202       404       202
POST   api:run_retry                  401       403       201       201       404       201
GET    api:run_events                 401       200       200       200       404       200
GET    api:run_artifacts              401       200       200       200       404       200
GET    api:run_artifacts_zip          401       200       200       200       404       200
DELETE api:run                        401       403       403       204       404       204
POST   api:run_pin                    401       403       403       200       404       200
DELETE api:run_pin                    401       403       403       200       404       200
GET    api:retention                  401       403       403       200       404       200
PATCH  api:retention                  401       403       403       200       404       200
GET    api:retention_reports          401       403       403       200       404       200
GET    api:run_artifact               401       200       200       200       404       200
GET    api:run_approvals              401       200       200       200       404       200
POST   api:approval_decide            401       403       403       200       404       200
GET    api:run_output_csv             401       200       200       200       404       200
GET    api:run_usage                  401       200       200       200       404       200
GET    api:usage                      401       200       200       200       200       200
GET    api:run_log_text               401       200       200       200       404       200
GET    api:run_log_lines              401       200       200       200       404       200
GET    api:conversations              401       200       200       200       200       200
POST   api:conversations              401       403       201       201       404       201
GET    api:conversation               401       404       404       200       404       200
PATCH  api:conversation               401       404       404       200       404       403
DELETE api:conversation               401       404       404       204       404       403
GET    api:conversation_messages      401       404       404       200       404       200
POST   api:conversation_messages      401       404       404       201       404       403
POST   api:conversation_resend        401       404       404       201       404       403
# OpenAI's protocol
GET    openai:models                  401       200       200       200       200       200
GET    openai:model                   401       404       200       200       404       200
POST   openai:chat_completions        401       403       200       200       404       200
GET    openai:nothing                 404       404       404       404       404       404
"""
API = ("api:", "openai:")
PEOPLE = (None, "carol", "bob", "alice", "mallory", "ada")
ROWS = [line.split() for line in MATRIX.splitlines() if line and not line.startswith("#")]
ROUTES = {route.name: route for route in every_route() if not route.is_admin}


@pytest.fixture
def stage(cast, monkeypatch):
    monkeypatch.setattr(StrangerThrottle, "allow_request", lambda *_: True)
    return stages.build(cast)


def visitor(stage, person, route):
    user = getattr(stage.cast, person) if person else None
    if user is None:
        return Client()
    if route.startswith(API):
        return Client(headers={"Authorization": f"Bearer {issue_tokens(actor=user)['access']}"})
    client = Client()
    client.force_login(user, backend="accounts.backends.EmailBackend")
    if person == "ada":
        client.post(reverse("accounts:switch_department"), {"department": "marketing"})
    return client


def address(stage, method, route):
    known = ROUTES[route]
    if route == "^api/":
        return "/api/no-such-address"
    return reverse(route, kwargs=stages.arguments(stage, method, route, set(known.parts)))


def send(client, stage, method, route):
    """The answer to the route's own request: JSON to the API, forms to pages."""
    path = address(stage, method, route)
    if method == "GET":
        return client.get(path)
    content = stages.body(stage, method, route)
    if route.startswith(API):
        return client.generic(method, path, json.dumps(content), "application/json")
    return client.post(path, content)


def put_away(answer):
    """Close a streamed answer that nobody reads, as the test client does: the connection has a transaction under way."""
    request_finished.disconnect(close_old_connections)
    answer.close()
    request_finished.connect(close_old_connections)


def visit(stage, person, method, route):
    """The status that the person gets; whatever the visit changed is undone."""
    client = visitor(stage, person, route)
    with transaction.atomic():
        answer = send(client, stage, method, route)
        if answer.streaming:
            put_away(answer)
        transaction.set_rollback(True)
    return str(answer.status_code)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_each_person_gets_what_the_table_says(stage, row):
    method, route, *wanted = row
    assert {person: visit(stage, person, method, route) for person in PEOPLE} == dict(zip(PEOPLE, wanted, strict=True))


def test_every_method_of_every_route_has_one_row(stage):
    found = []
    for route in ROUTES:
        # A method that nobody has makes the route tell which ones it has.
        answer = visitor(stage, "ada", route).generic("PURGE", address(stage, "GET", route))
        allowed = {one.strip() for one in answer.headers.get("Allow", "GET").split(",")}
        found += [f"{method} {route}" for method in allowed - {"HEAD", "OPTIONS"}]
    assert sorted(f"{method} {route}" for method, route, *_ in ROWS) == sorted(found)


# --- the Django admin, which is for administrators ---

ADMIN_ROUTES = sorted({route.name for route in every_route() if route.is_admin and route.name.startswith("admin:")})
OPEN = {"admin:login", "admin:logout"}


def admin_address(stage, route):
    known = next(one for one in every_route() if one.name == route)
    values = {"object_id": str(stage.agent.pk), "app_label": "agents", "content_type_id": 1, "url": "x/"}
    return reverse(route, kwargs={part: values[part] for part in known.parts if part in values})


@pytest.mark.parametrize("person", [None, "carol", "bob", "alice", "mallory"], ids=str)
def test_the_admin_sends_everybody_else_to_its_sign_in_page(stage, person):
    client = visitor(stage, person, "admin:index")
    for route in ADMIN_ROUTES:
        answer = client.get(admin_address(stage, route))
        if route not in OPEN:
            assert answer.status_code == 302, route
            assert answer.headers["Location"].startswith(f"/{settings.ADMIN_PATH}/login/"), route


def test_the_admin_answers_the_administrator(stage):
    client = visitor(stage, "ada", "admin:index")
    statuses = {
        route: client.get(admin_address(stage, route)).status_code for route in ADMIN_ROUTES if "logout" not in route
    }
    assert {route: status for route, status in statuses.items() if status not in {200, 302, 403, 404, 405}} == {}
    assert statuses["admin:index"] == statuses["admin:agents_agent_changelist"] == 200
