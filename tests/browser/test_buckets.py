"""Files are added by keyboard, also when the network goes away meanwhile."""

from __future__ import annotations

from playwright.sync_api import Route, expect

FILES = [
    {"name": "parking.txt", "mimeType": "text/plain", "buffer": b"Parking costs five euros a day."},
    {"name": "noise.txt", "mimeType": "text/plain", "buffer": b"None after ten."},
]


def test_files_are_uploaded_by_keyboard_and_go_on_when_the_network_was_gone(window, product, trouble):
    trouble.expect("ERR_INTERNET_DISCONNECTED", "ERR_FAILED")
    bucket = product.api("maya", "POST", "buckets", {"name": "Uploads"})["uuid"]
    page = window("maya")
    page.goto(f"/buckets/{bucket}/")
    lost = []

    def lose_the_first_two(route: Route) -> None:
        if route.request.method == "POST" and len(lost) < 2:
            lost.append(route.request.url)
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route("**/api/v1/buckets/*/documents", lose_the_first_two)
    picker = page.get_by_role("button", name="Add files")
    picker.focus()
    picker.set_input_files(FILES)  # what the picker of the operating system does
    page.keyboard.press("Tab")
    expect(page.get_by_label("Tags for these files")).to_be_focused()
    page.keyboard.type("house, rules")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Upload")).to_be_focused()
    page.keyboard.press("Enter")

    uploads = page.get_by_role("list", name="Uploads")
    expect(uploads.get_by_text("goes on in a moment").first).to_be_visible()
    expect(uploads.get_by_text("received")).to_have_count(2)
    expect(page.get_by_text("2 of 2 searchable")).to_be_visible(timeout=30_000)
    assert len(lost) == 2
    found = product.api("maya", "GET", f"buckets/{bucket}/documents")["results"]
    assert {one["name"]: one["tags"] for one in found} == {one["name"]: ["house", "rules"] for one in FILES}
