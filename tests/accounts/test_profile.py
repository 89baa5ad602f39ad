"""A person's own page."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts import services
from mindloom.web.errors import Invalid


def save(client, **values: str):
    known = {"name": "Alice", "theme": "system", "time_zone": "UTC", "density": "comfortable"}
    return client.post(reverse("accounts:profile"), known | values)


def test_a_theme_holds_from_the_next_page_on(cast, client_as):
    client = client_as(cast.alice)

    assert save(client, theme="dark").status_code == 302

    assert 'data-theme="dark"' in client.get(reverse("accounts:profile")).content.decode()


def test_times_are_shown_in_the_chosen_zone(cast, client_as):
    client = client_as(cast.alice)
    save(client, time_zone="Asia/Tokyo")

    page = client.get(reverse("accounts:profile"))

    assert page.context["form"].initial["time_zone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 500),
        ("name", "a\x00"),
        ("theme", "pink"),
        ("time_zone", "Mars/Base"),
        ("time_zone", "../../etc"),
    ],
)
def test_what_cannot_be_kept_is_refused_beside_the_field(cast, client_as, field, value):
    response = save(client_as(cast.alice), **{field: value})

    assert response.status_code == 422
    assert response.context["form"].errors.get(field)


def test_the_service_refuses_it_too(cast):
    with pytest.raises(Invalid) as caught:
        services.update_profile(actor=cast.alice, time_zone="localtime")

    assert list(caught.value.fields) == ["time_zone"]


def test_fields_that_are_not_on_the_form_change_nothing(cast, client_as):
    save(client_as(cast.bob), is_superuser="on", is_staff="on", email="root@example.org", role="manager")

    cast.bob.refresh_from_db()
    assert (cast.bob.is_superuser, cast.bob.is_staff, cast.bob.email) == (False, False, "bob@example.org")


def test_a_stranger_is_sent_to_sign_in(client_as):
    response = client_as(None).get(reverse("accounts:profile"))

    assert response["Location"] == "/sign-in/?next=/profile/"


def test_one_can_ask_to_join_from_here(cast, client_as):
    client = client_as(cast.bob)

    client.post(reverse("accounts:join_department"), {"department": str(cast.finance.uuid)})

    assert "Waiting" in client.get(reverse("accounts:profile")).content.decode()
