"""How people prove who they are: a code after the password, a passkey instead of both."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.accounts.authenticators import code_of
from tests.browser.conftest import sign_in
from tests.browser.product import Product

PHRASE = "a loom of one's own"


def newcomer(page: Page, product: Product, name: str) -> str:
    """Signs up, signs in, and stands on the page of their sign-in; their address."""
    address = f"{name.lower()}@elsewhere.example"
    page.goto("/sign-up/")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail").fill(address)
    page.get_by_label("Password", exact=True).fill(PHRASE)
    page.get_by_label("Department").select_option("Tech")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    sign_in(page, address, PHRASE)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")
    page.goto("/profile/sign-in/")
    return address


def test_an_authenticator_app_is_set_up_and_asked_for(window, product, trouble):
    trouble.expect("status of 422")
    page = window()
    address = newcomer(page, product, "Tova")
    page.get_by_role("link", name="Set up an authenticator app").click()
    page.get_by_label("Your password").fill(PHRASE)
    page.get_by_role("button", name="Go on").click()
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Code").fill(code_of(secret, steps=-1))
    page.get_by_role("button", name="Check the code").click()
    codes = page.get_by_label("Recovery codes").inner_text().split()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 of 10 left")).to_be_visible()

    other = window()
    sign_in(other, address, PHRASE)
    expect(other.get_by_role("heading", name="Second step")).to_be_visible()
    other.get_by_label("Code").fill("000000")
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_text("This code does not fit").first).to_be_visible()
    other.get_by_label("Code").fill(code_of(secret))
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", name="Hello, Tova")).to_be_visible()

    third = window()
    sign_in(third, address, PHRASE)
    third.get_by_label("Code").fill(codes[0])
    third.get_by_role("button", name="Sign in").click()
    expect(third.get_by_role("heading", name="Hello, Tova")).to_be_visible()


def test_a_passkey_is_made_and_signs_in_without_a_password(window, product):
    home = f"http://localhost:{product.port}"
    page = window(base_url=home)
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    made = device.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": options | {"isUserVerified": True, "automaticPresenceSimulation": True}},
    )
    assert made["authenticatorId"]
    newcomer(page, product, "Paz")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("My laptop")
    page.get_by_label("Your password").fill(PHRASE)
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_text("You see these once")).to_be_visible()
    page.goto("/")
    page.get_by_role("button", name="Your menu").click()
    page.get_by_role("button", name="Sign out").click()

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_role("heading", name="Hello, Paz")).to_be_visible()


def test_the_organisation_s_own_sign_in_opens_the_door(window, trouble):
    trouble.expect("picocss", "favicon.ico")
    page = window()
    page.goto("/profile/")
    page.get_by_role("link", name="Sign in with Loom Works").click()
    page.get_by_role("button", name="rosa").click()

    expect(page.get_by_role("heading", name="Rosa Lind")).to_be_visible()
    expect(page.get_by_text("You belong to no department yet")).to_be_visible()
