"""Every page, wide and narrow, light and dark: it fits and it is accessible.

With SCREENSHOTS set to a folder, pictures of all of them are kept there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import signed_in, window_of
from tests.browser.places import OWN, Place
from tests.browser.product import Product
from tests.processes.harness import until

WIDTHS = (1440, 390)
THEMES = ("light", "dark")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules that look at colours."""
DRAWN = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  for (const change of document.getAnimations()) if (change instanceof CSSTransition) change.finish();
  await frame();
}"""
"""Waits until the page is drawn in its new theme and size: what fades from colour to colour has its last one."""
BROKEN = "/broken/"


PLACES = [
    *OWN,
    Place("sign-in", None, "/sign-in/", "Forgot your password?"),
    Place("sign-up", None, "/sign-up/", "Its managers let you in"),
    Place("sign-up-sent", None, "/sign-up/sent/", "Look at your mail"),
    Place("forgot", None, "/password/forgot/", "Mail me a link"),
    Place("forgot-sent", None, "/password/forgot/sent/", "Look at your mail"),
    Place("dead-link", None, "/password/reset/x/y/", "This link does not work", 410),
    Place("home", "maya", "/", "Recent runs"),
    Place("home-without-runs", "tara", "/", "Nothing has run yet"),
    Place("home-viewer", "vera", "/", "Recent runs"),
    Place("home-without-department", "nobody", "/", "You belong to no department yet"),
    Place("audit", "ada", "/audit/", "Entries are chained"),
    Place("audit-filters", "maya", "/audit/?filters=1&action=run", "run.started"),
    Place("administration", "ada", "/administration/", "Why runs failed"),
    Place("all-runs", "ada", "/administration/runs/", "Stop the marked runs"),
    Place("all-agents", "ada", "/administration/agents/", "Take out of use"),
    Place("features", "ada", "/administration/features/", "The OpenAI-compatible API"),
    Place("about", "ada", "/administration/about/", "Packages and their licences"),
    Place("agents", "maya", "/agents/", "Campaign brief writer"),
    Place("agents-none", "maya", "/agents/?q=zzz", "No agent matches"),
    Place("gallery", "maya", "/agents/gallery/?template=campaign-brief", "Use this template"),
    Place("agent-new", "maya", "/agents/new/?template=campaign-brief", "Make agent"),
    Place("agent", "maya", "/agents/{agent}/", "Versions"),
    Place("builder", "maya", "/agents/{agent}/edit/", "Test the draft"),
    Place("version", "maya", "/agents/{agent}/versions/1/", "What was new"),
    Place("versions", "maya", "/agents/{agent}/versions/", "in use"),
    Place("compare", "maya", "/agents/{agent}/compare/", "Nothing: both are the same"),
    Place("review", "maya", "/agents/{agent}/publish/", "Publish version 2"),
    Place("agent-import", "maya", "/agents/import/", "Files hold no secrets"),
    Place("agent-transfer", "maya", "/agents/{agent}/transfer/", "New owner"),
    Place("agent-archive", "maya", "/agents/{agent}/archive/", "What uses it stops working"),
    Place("run-form", "maya", "/agents/{agent}/run/", "you can stop it"),
    Place("teams", "maya", "/teams/", "Campaign desk"),
    Place("teams-none", "tara", "/teams/", "No teams yet"),
    Place("team-new", "maya", "/teams/new/", "Make team"),
    Place("team-import", "maya", "/teams/import/", "holds no keys"),
    Place("team", "maya", "/teams/{team}/", "Campaign brief writer"),
    Place("team-builder", "maya", "/teams/{team}/edit/", "Agents that you may run"),
    Place("team-review", "maya", "/teams/{team}/publish/", "Back to the draft"),
    Place("team-versions", "maya", "/teams/{team}/versions/", "First version"),
    Place("team-version", "maya", "/teams/{team}/versions/1/", "What was new"),
    Place("team-compare", "maya", "/teams/{team}/compare/", "both are the same"),
    Place("team-transfer", "maya", "/teams/{team}/transfer/", "New owner"),
    Place("team-uses", "maya", "/teams/using-agent/{agent}/", "Campaign desk"),
    Place("runs", "maya", "/runs/", "Slow weaver"),
    Place("runs-none", "tara", "/runs/", "Nothing has run yet"),
    Place("runs-none-here", "tara", "/runs/?view=cancelled", "No runs here"),
    Place("run-live", "maya", "/runs/{live}/", "Taken by worker"),
    Place("run", "maya", "/runs/{run}/", "Completed"),
    Place("run-output", "maya", "/runs/{run}/output/", "Key messages"),
    Place("run-artifacts", "maya", "/runs/{run}/artifacts/", "SHA-256"),
    Place("run-file", "maya", "/runs/{run}/artifacts/{file}/preview/", "About this file"),
    Place("run-delete", "maya", "/runs/{run}/delete/", "no way back"),
    Place("retention", "maya", "/departments/{department}/retention/", "Would go now"),
    Place("run-metrics", "maya", "/runs/{run}/metrics/", "Where the time went"),
    Place("run-compare", "maya", "/runs/compare/?a={run}", "Compare runs"),
    Place("run-inputs", "maya", "/runs/{run}/inputs/", "Cyclists in cities"),
    Place("run-waiting", "maya", "/runs/{waiting}/", "Exactly this call"),
    Place("run-waiting-viewer", "vera", "/runs/{waiting}/", "or a manager of Marketing can decide"),
    Place("run-question", "maya", "/runs/{asking}/", "Which city"),
    Place("run-team", "maya", "/runs/{team_run}/", "Who does what"),
    Place("run-answer", "maya", "/runs/{formed}/output/", "Horizon"),
    Place("run-answer-json", "maya", "/runs/{formed}/output/?as=json", "Horizon"),
    Place("team-run-form", "maya", "/teams/{desk}/run/", "you can stop it"),
    Place("test-both", "maya", "/agents/{agent}/test/?with=both", "side by side"),
    Place("runs-waiting", "maya", "/runs/?view=waiting", "Waiting"),
    Place("run-failed", "maya", "/runs/{failed}/", "The provider"),
    Place("conversations", "maya", "/conversations/", "What about tea?"),
    Place("conversations-none", "ben", "/conversations/", "No conversations yet"),
    Place("conversation", "maya", "/conversations/{talk}/", "Edit and resend"),
    Place("conversation-new", "maya", "/conversations/{quiet_talk}/", "Talk with"),
    Place("models", "ada", "/models/", "Laboratory"),
    Place("provider-kinds", "ada", "/models/providers/new/", "Ollama"),
    Place("provider-new", "ada", "/models/providers/new/?kind=openai_like", "Extra headers"),
    Place("provider", "ada", "{provider}", "List models"),
    Place("tools", "maya", "/tools/", "Calculator"),
    Place("tools-none", "maya", "/tools/?q=zzz", "No tool matches"),
    Place("tool", "maya", "/tools/web_page/", "fetch_page"),
    Place("connections", "maya", "/connections/", "Office mail"),
    Place("connections-none", "tara", "/connections/", "No connections yet"),
    Place("connection-kinds", "maya", "/connections/new/", "Mail server"),
    Place("connection-new", "maya", "/connections/new/?kind=smtp", "Sender"),
    Place("connection", "maya", "/connections/{connection}/", "Last test"),
    Place("connection-viewer", "vera", "/connections/{connection}/", "only its owner and managers"),
    Place("mcp-servers-none", "ada", "/mcp-servers/", "No MCP servers yet"),
    Place("mcp-server-new", "ada", "/mcp-servers/new/", "Short name"),
    Place("webhooks", "maya", "/webhooks/", "Ticket system"),
    Place("webhooks-none", "tara", "/webhooks/", "No webhooks yet"),
    Place("webhook-new", "maya", "/webhooks/new/", "Tell when a run is"),
    Place("webhook", "maya", "/webhooks/{webhook}/", "A test"),
    Place("webhook-message", "maya", "/webhooks/{webhook}/deliveries/{message}/", "webhook.test"),
    Place("buckets", "maya", "/buckets/", "House rules"),
    Place("buckets-none", "tara", "/buckets/", "No content buckets yet"),
    Place("bucket-new", "maya", "/buckets/new/", "Make bucket"),
    Place("bucket", "maya", "/buckets/{bucket}/", "1 of 1 searchable"),
    Place("bucket-viewer", "vera", "/buckets/{bucket}/", "1 of 1 searchable"),
    Place("bucket-paste", "maya", "/buckets/{bucket}/paste/", "Add text"),
    Place("bucket-search", "maya", "/buckets/{bucket}/search/?q=parking", "Because of"),
    Place("bucket-uses", "maya", "/buckets/{bucket}/uses/", "No team reads it yet"),
    Place("bucket-settings", "maya", "/buckets/{bucket}/settings/", "Hand over"),
    Place("bucket-web", "maya", "/buckets/{bucket}/web/", "Address of a page or feed"),
    Place("bucket-preview", "maya", "/buckets/{bucket}/preview/", "The lengths compared"),
    Place("bucket-narrowed", "maya", "/buckets/{bucket}/search/?q=parking&tag=prices", "1 passage in"),
    Place("bucket-delete", "maya", "/buckets/{bucket}/delete/", "Keep it"),
    Place("document", "maya", "/buckets/{bucket}/files/{document}/", "Parking costs"),
    Place("document-passages", "maya", "/buckets/{bucket}/files/{document}/?view=passages", "characters"),
    Place("schedules", "maya", "/schedules/", "Every Monday at 07:00"),
    Place("schedules-none", "tara", "/schedules/", "Nothing starts by itself yet"),
    Place("schedules-week", "maya", "/schedules/week/", "by the clock of"),
    Place("schedule-choose", "maya", "/schedules/new/", "Published agents and teams can"),
    Place("schedule-new", "maya", "/schedules/new/?agent={agent}", "Make schedule"),
    Place("schedule", "maya", "/schedules/{schedule}/", "Started by hand"),
    Place("schedule-edit", "maya", "/schedules/{schedule}/edit/", "In trouble"),
    Place("notifications", "maya", "/notifications/", "What concerns you"),
    Place("notifications-none", "vera", "/notifications/?kind=limit", "Nothing here"),
    Place("notification-settings", "maya", "/notifications/settings/", "Daily mail at"),
    Place("people", "maya", "/people/", "Ben Adler"),
    Place("people-invite", "maya", "/people/invite/", "They get a link"),
    Place("people-import", "maya", "/people/import/", "Or the table itself"),
    Place("everyone", "ada", "/everyone/", "All people of this installation"),
    Place("department-allowed", "ada", "/departments/{department}/allowed/", "can be neither published nor run"),
    Place("people-waiting", "finn", "/people/", "Waiting to join"),
    Place("departments", "ada", "/departments/", "Marketing"),
    Place("department-new", "ada", "/departments/new/", "Make department"),
    Place("profile", "maya", "/profile/", "API tokens"),
    Place("password", "maya", "/password/change/", "Forgotten it?"),
    Place("403", "vera", "/agents/{agent}/edit/", "Error 403", 403),
    Place("404", "maya", "/nothing/", "Error 404", 404),
    Place("500", None, BROKEN, "Error 500", 500),
]


@pytest.fixture(scope="package")
def scene(product, models, chromium):
    """Agents and runs in every state, somebody who waits and somebody who belongs nowhere."""
    slow = models("slow-weaver", {"text": ["thread "] * 400, "pace_ms": 1000})
    broken = models(
        "broken", {"status": 402, "error": {"message": "Your credit is used up.", "code": "insufficient_quota"}}
    )
    weaver = product.agent(
        "maya", "Slow weaver", description="Weaves slowly.", draft={"instructions": "Weave.", "model": slow}
    )
    failing = product.agent(
        "maya", "Ledger check", category="Marketing", draft={"instructions": "Check.", "model": broken}
    )
    places = {
        "agent": next(one["uuid"] for one in product.api("maya", "GET", "agents?q=Campaign+brief")["results"]),
        "team": product.api("maya", "GET", "teams?q=Campaign")["results"][0]["uuid"],
        "run": product.api("maya", "GET", "runs")["results"][-1]["uuid"],
        "failed": product.run("maya", failing),
        "live": product.run("maya", weaver),
        "provider": models.address,
        "connection": product.api("maya", "POST", "connections", OFFICE_MAIL)["uuid"],
    }
    places["webhook"] = product.api("maya", "POST", "webhooks", HOOK)["uuid"]
    places["message"] = product.api("maya", "POST", f"webhooks/{places['webhook']}/test")["uuid"]
    weekly = {
        "name": "Monday",
        "agent": weaver,
        "input": "Weave.",
        "rule": {"kind": "weekly", "days": [1], "at": "07:00"},
    }
    places["schedule"] = product.api("maya", "POST", "schedules", weekly | {"time_zone": "Europe/Brussels"})["uuid"]
    by_hand = product.api("maya", "POST", f"schedules/{places['schedule']}/run")["run"]
    product.api("maya", "POST", f"runs/{by_hand}/cancel")
    places["file"] = product.api("maya", "GET", f"runs/{places['run']}/artifacts")[0]["uuid"]
    places["department"] = product.api("maya", "GET", "auth/me")["current_department"]
    talks = [product.api("maya", "POST", "conversations", {"agent": places["agent"]})["uuid"] for _ in range(2)]
    places |= {"talk": talks[0], "quiet_talk": talks[1]}
    said = {"text": "What about tea?", "variables": {"audience": "Tea drinkers"}}
    product.run_ends("maya", product.api("maya", "POST", f"conversations/{talks[0]}/messages", said)["uuid"])
    places |= special_runs(product, models, places["connection"]) | bucket_with_rules(product)
    sign_up(product, "Wanda Waits", "wanda@elsewhere.example", "Finance")
    sign_up(product, "Nobody Yet", "nobody@mindloom.example", "Tech")
    turn_down(product, chromium, "Nobody Yet")
    product.passwords["nobody"] = PASSPHRASE
    product.run_ends("maya", places["failed"])
    return places


def bucket_with_rules(product):
    """A bucket with a text that can be searched."""
    bucket = product.api("maya", "POST", "buckets", {"name": "House rules"})["uuid"]
    text = {"name": "Rules", "text": "# Parking\n\nParking costs five euros a day.", "tags": ["prices"]}
    document = product.api("maya", "POST", f"buckets/{bucket}/documents", text)["uuid"]
    address = f"buckets/{bucket}/documents/{document}"
    until(lambda: product.api("maya", "GET", address)["live"], "the rules can be searched")
    return {"bucket": bucket, "document": document}


def special_runs(product, models, connection):
    """Runs that wait for people, of a team with a member that fails, and with an answer in a form."""
    asks = models("asks-first", {"tool_calls": [{"name": "send_email", "arguments": MAIL}]}, {"text": "Sent."})
    clerk = product.agent(
        "maya",
        "Clerk",
        draft={
            "instructions": "Do it.",
            "model": asks,
            "tools": [{"key": "email", "connection": connection, "ask_first": True}],
        },
    )
    question = {"name": "ask_person", "arguments": {"question": "Which city should the fair be in?"}}
    wonders = models("wonders", {"tool_calls": [question]}, {"text": "Noted."})
    guide = product.agent(
        "maya", "Guide", draft={"instructions": "Do it.", "model": wonders, "tools": [{"key": "hand_over"}]}
    )
    formed = models("formed", {"text": json.dumps({"title": "Open calls", "calls": [{"name": "Horizon"}]})})
    scout = product.agent("maya", "Scout", draft={"instructions": "Do it.", "model": formed, "output": CALLS})
    broken = models("broken-member", {"status": 401, "error": {"message": "no"}})
    lead = models("lead", {"tool_calls": [ASK_ALL]}, {"text": "All went well."})
    writer = product.agent(
        "maya", "Writer", draft={"instructions": "Do it.", "model": models("writer", {"text": "A digest."})}
    )
    reviewer = product.agent("maya", "Reviewer", draft={"instructions": "Do it.", "model": broken})
    members = [{"agent": one, "version": None, "role": "", "variables": {}} for one in (writer, reviewer)]
    draft = {"type": "collaborate", "instructions": "Work together.", "model": lead, "members": members}
    desk = product.api("maya", "POST", "teams", {"name": "Grant desk", "draft": draft})["uuid"]
    product.api("maya", "POST", f"teams/{desk}/publish", {})
    found = {
        "waiting": product.run("maya", clerk),
        "asking": product.run("maya", guide),
        "formed": product.run("maya", scout),
        "team_run": product.api("maya", "POST", "runs", {"team": desk, "input": "Begin."})["uuid"],
        "desk": desk,
    }
    for name in ("waiting", "asking"):
        product.run_waits("maya", found[name])
    for name in ("formed", "team_run"):
        product.run_ends("maya", found[name])
    return found


MAIL = {"to": ["anna@example.org"], "subject": "The digest", "body": "Dear Anna,\n\nhere it is."}
ASK_ALL = {"name": "delegate_task_to_members", "arguments": {"task": "Work on the digest"}}
CALLS = {
    "name": "Calls",
    "schema": {
        "type": "object",
        "required": ["title", "calls"],
        "properties": {
            "title": {"type": "string"},
            "calls": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        },
    },
}
OFFICE_MAIL = {
    "kind": "smtp",
    "name": "Office mail",
    "settings": {"host": "mail.example.org", "user": "office", "from_address": "office@example.org"},
    "secrets": {"password": "a secret of the office"},
}
HOOK = {"name": "Ticket system", "url": "https://tickets.example.org/hooks/mindloom", "states": ["failed", "waiting"]}
PASSPHRASE = "a loom of one's own"


def sign_up(product: Product, name: str, address: str, department: str) -> None:
    listed = httpx.get(f"{product.url}/api/v1/departments").raise_for_status().json()["results"]
    uuid = next(one["uuid"] for one in listed if one["name"] == department)
    given = {"name": name, "email": address, "password": PASSPHRASE, "department": uuid}
    httpx.post(f"{product.url}/api/v1/auth/register", json=given).raise_for_status()


def turn_down(product: Product, chromium: Browser, name: str) -> None:
    page = chromium.new_page(base_url=product.url, storage_state=signed_in(chromium, product, "tara"))
    page.goto("/people/")
    page.get_by_role("button", name=f"Turn {name} down").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Turn down").click()
    expect(page.get_by_role("button", name=f"Turn {name} down")).to_have_count(0)
    page.close()


@pytest.fixture(scope="package")
def pictures():
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder) if folder else None


@pytest.fixture(scope="package")
def desks(chromium, product, sessions):
    """A window for each person that stays open from place to place, so that scripts and fonts are loaded once."""
    pages: dict[str | None, Page] = {}

    def desk(who: str | None) -> Page:
        if who not in pages:
            pages[who] = window_of(chromium, product, sessions, who)
        return pages[who]

    yield desk
    for page in pages.values():
        page.context.close()


@pytest.fixture
def desk(desks, trouble):
    """The same for one test, which hears what the browser complains about."""
    watched = []

    def sit_down(who: str | None) -> Page:
        watched.append(desks(who))
        trouble.watch(watched[-1])
        return watched[-1]

    yield sit_down
    for page in watched:
        trouble.leave(page)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_the_page_fits_and_is_accessible(place, desk, scene, pictures, trouble):
    page = desk(place.who)
    if place.status != 200:
        trouble.expect(f"status of {place.status}")
    if place.path == BROKEN:
        page.route(f"**{BROKEN}", broken)
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.emulate_media(color_scheme=THEMES[0], reduced_motion="reduce")
    answer = page.goto(place.path.format(**scene))
    assert answer.status == place.status
    expect(page.locator("body")).to_contain_text(place.text)
    page.evaluate(AXE_SCRIPT)
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.evaluate(DRAWN)
            if pictures is not None:
                page.screenshot(path=pictures / f"{place.name}-{theme}-{width}.png", full_page=True)
            # A theme changes colours and nothing else: tests/architecture/test_templates.py holds the style sheets to that.
            rules = RULES if theme == THEMES[0] else COLOURS
            wrong += [f"{width} {theme}: {problem}" for problem in problems(page, rules)]

    assert not wrong, "\n".join(wrong)


def broken(route: Route) -> None:
    """What the server says when it breaks."""
    route.fulfill(status=500, content_type="text/html", body=render_to_string("500.html"))


def problems(page: Page, rules: list[str] = RULES) -> list[str]:
    """What is wider than the window, and what breaks an accessibility rule."""
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    found = page.evaluate("(rules) => axe.run({ runOnly: rules, resultTypes: ['violations'] })", rules)["violations"]
    broken = [
        f"{one['id']}: {one['help']}: {node['target']} {node['html'][:200]}"
        for one in found
        for node in one["nodes"][:3]
    ]
    return [*(["wider than the window"] if wide else []), *broken]
