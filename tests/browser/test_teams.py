"""Teams are put together and published, with the keyboard alone and with the mouse."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.test_agents import has_stayed, stays
from tests.processes.harness import until

MOST_TABS = 250


def tab_to(page: Page, role: str, name: str | re.Pattern) -> None:
    """Press the Tab key until it has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True)
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.count() and wanted.first.evaluate("here => here === document.activeElement"):
            return
    raise AssertionError(f"The {role} {name!r} is not reached by the Tab key")


def test_a_team_of_three_is_built_and_published_by_keyboard_alone(window, product):
    for name in ("Reed planner", "Reed writer", "Reed checker"):
        product.agent("ben", name, draft={"instructions": "Do your part."})
    page = window("ben")
    page.goto("/")
    page.wait_for_load_state()
    page.keyboard.press("Control+k")
    page.keyboard.type("new team")
    expect(page.get_by_role("option", selected=True)).to_have_text(re.compile("New team"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New team")).to_be_visible()
    tab_to(page, "radio", re.compile("Coordinate"))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name=re.compile("Collaborate"))).to_be_checked()
    tab_to(page, "textbox", "Name")
    page.keyboard.type("Loom desk")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Loom desk")).to_be_visible()
    stays(page)
    members = page.get_by_role("list", name="Members in their order").locator("> li")
    steps = (("Reed planner", "Plans."), ("Reed writer", "Writes."), ("Reed checker", "Checks."))
    for count, (name, role) in enumerate(steps, 1):
        tab_to(page, "combobox", "Agents that you may run")
        page.keyboard.type(name)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(members).to_have_count(count)
        expect(members.last.get_by_role("textbox", name="Role in the team")).to_be_focused()
        page.keyboard.type(role)
    order = members.locator(".name").all_inner_texts()
    tab_to(page, "button", f"Move {order[2]} up")
    page.keyboard.press("Enter")
    expect(members.locator(".name")).to_have_text([order[0], order[2], order[1]])
    expect(page.get_by_role("button", name=f"Move {order[2]} up")).to_be_focused()
    expect(page.locator("#team-words")).to_contain_text(f"{order[0]}, {order[2]} and {order[1]}")
    tab_to(page, "textbox", "Instructions")
    page.keyboard.type("Make one answer of what the members bring.")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    expect(page.get_by_role("navigation", name="Sections").locator(".warn")).to_have_count(0)
    assert has_stayed(page)
    tab_to(page, "button", "Publish v1")
    page.keyboard.press("Enter")
    tab_to(page, "button", "Publish")
    page.keyboard.press("Enter")

    expect(page.get_by_text("is published. Runs use it from now on.")).to_be_visible()
    expect(page.get_by_text(f"Collaborate: {order[0]}, {order[2]} and {order[1]}")).to_be_visible()


def test_a_variable_of_the_team_is_handed_on_and_what_is_missing_is_said(window, product):
    writer = product.agent(
        "maya", "Weft writer", draft={"instructions": "Write about {{ topic }}.", "variables": [{"name": "topic"}]}
    )
    checker = product.agent("maya", "Weft checker", draft={"instructions": "Check."})
    draft = {"instructions": "Share it out.", "members": [{"agent": writer}, {"agent": checker}]}
    uuid = product.api("maya", "POST", "teams", {"name": "Weft desk", "draft": draft})["uuid"]
    page = window("maya")
    page.goto(f"/teams/{uuid}/edit/")
    form = page.get_by_role("form", name="Team")
    members = form.get_by_role("region", name="Members")
    expect(members.get_by_text("Weft writer needs Topic").first).to_be_visible()

    form.get_by_role("button", name="Add variable").click()
    row = form.get_by_role("group", name="Variable").last
    row.get_by_role("textbox", name="Name").fill("subject")
    row.get_by_role("textbox", name="Label").fill("Subject")
    members.get_by_role("combobox", name="Topic comes from").select_option("Team: Subject")

    expect(members.get_by_text("Weft writer needs Topic")).to_have_count(0)
    kept = product.api("maya", "GET", f"teams/{uuid}")["draft"]
    assert kept["members"][0]["variables"] == {"topic": {"from": "subject"}}


def test_members_are_found_dragged_and_taken_out(window, product):
    agents = [
        product.agent("maya", f"Thread {name}", draft={"instructions": "Go."}) for name in ("one", "two", "three")
    ]
    draft = {"instructions": "Share it out.", "members": [{"agent": agents[0]}, {"agent": agents[1]}]}
    uuid = product.api("maya", "POST", "teams", {"name": "Thread desk", "draft": draft})["uuid"]
    page = window("maya")
    page.set_viewport_size({"width": 1440, "height": 2000})
    page.goto(f"/teams/{uuid}/edit/")
    stays(page)
    page.get_by_role("searchbox", name="Find an agent").fill("thread three")
    choice = page.get_by_role("combobox", name="Agents that you may run")
    expect(choice.locator("option")).to_have_text(["Thread three"])
    page.get_by_role("button", name="Add", exact=True).click()
    names = page.get_by_role("list", name="Members in their order").locator(".name")
    expect(names).to_have_text(["Thread one", "Thread two", "Thread three"])
    page.locator("[data-grip]").first.drag_to(page.locator("[data-member]").nth(1), target_position={"x": 80, "y": 200})
    expect(names).to_have_text(["Thread two", "Thread one", "Thread three"])
    page.get_by_role("button", name="Take Thread three out of the team").click()
    expect(names).to_have_text(["Thread two", "Thread one"])
    until(lambda: kept_members(product, uuid) == [agents[1], agents[0]], "the draft is kept")
    assert has_stayed(page)


def kept_members(product, uuid: str) -> list[str]:
    return [one["agent"] for one in product.api("maya", "GET", f"teams/{uuid}")["draft"]["members"]]
