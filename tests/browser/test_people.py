"""People come in: sign-in, sign-up, a forgotten password, departments, light and dark."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import sign_in


def test_a_wrong_password_is_said_and_the_right_one_opens_the_door(window, product, trouble):
    trouble.expect("status of 422")
    page = window()
    sign_in(page, "maya@mindloom.example", "not the password")
    expect(page.get_by_role("alert")).to_contain_text("password")
    expect(page.get_by_label("E-mail")).to_have_value("maya@mindloom.example")
    page.get_by_label("Password", exact=True).fill(product.password("maya"))
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="Hello, Maya Ortiz")).to_be_visible()


def test_who_signs_up_waits_until_a_manager_lets_them_in_and_then_runs_an_agent(window, product):
    page = window()
    page.goto("/sign-up/")
    page.get_by_label("Your name").fill("Zoe Quint")
    page.get_by_label("E-mail").fill("zoe@elsewhere.example")
    page.get_by_label("Password", exact=True).fill("a loom of one's own")
    page.get_by_label("Department").select_option("Tech")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    sign_in(page, "zoe@elsewhere.example", "a loom of one's own")
    expect(page.get_by_text("Waiting for Tech's managers")).to_be_visible()
    expect(page.get_by_role("link", name="Incident report writer")).to_have_count(0)

    manager = window("tara")
    manager.goto("/people/")
    manager.get_by_role("button", name="Accept Zoe Quint").click()
    expect(manager.get_by_role("row", name="Zoe Quint")).to_contain_text("Member")

    page.reload()
    expect(page.get_by_role("link", name="Incident report writer", exact=True)).to_be_visible()
    agent = product.agent("tara", "Greeter", draft={"instructions": "Greet whoever comes."})
    page.goto(f"/agents/{agent}/run/")
    page.get_by_label("Message").or_(page.get_by_label("What should the agent work on?")).fill("A first run.")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("banner").locator("..").get_by_text("Completed").first).to_be_visible()


def test_a_forgotten_password_is_set_anew_by_the_mailed_link(window, product):
    page = window()
    page.goto("/sign-in/")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail").fill("omar@mindloom.example")
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()

    page.goto(product.mailed_link("password/reset/"))
    page.get_by_label("New password", exact=True).fill("warp and weft and patience")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your new password is set")).to_be_visible()
    sign_in(page, "omar@mindloom.example", "warp and weft and patience")

    expect(page.get_by_role("heading", name="Hello, Omar Haddad")).to_be_visible()


def test_switching_the_department_changes_what_is_seen(window):
    page = window("ada")
    for department, agent, other in [
        ("Marketing", "Campaign brief writer", "Invoice extractor"),
        ("Finance", "Invoice extractor", "Campaign brief writer"),
    ]:
        page.goto("/agents/")
        page.get_by_role("button", name="Switch department").click()
        page.get_by_role("complementary", name="Workspace").get_by_role(
            "button", name=department, exact=False
        ).last.click()
        page.goto("/agents/")
        expect(page.get_by_role("link", name=agent)).to_be_visible()
        expect(page.get_by_role("link", name=other)).to_have_count(0)


def test_the_choice_between_light_and_dark_stays(window):
    page = window("maya", color_scheme="light")
    page.goto("/")
    expect(page.locator("html")).to_have_css("color-scheme", "light dark")
    page.get_by_role("banner").get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_css("color-scheme", "dark")
    page.goto("/runs/")
    page.reload()

    expect(page.locator("html")).to_have_css("color-scheme", "dark")
