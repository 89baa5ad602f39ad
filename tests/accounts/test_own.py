"""One's picture, and another address."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from accounts import services
from accounts.models import PersonPicture, User
from mindloom.web.errors import Invalid
from tests.conftest import PASSWORD

PROFILE, SET, ADDRESS = (reverse(f"accounts:{name}") for name in ("profile", "picture_set", "address_change"))


def drawn(kind: str = "PNG", size: tuple[int, int] = (900, 300), mode: str = "RGB", **options: object) -> bytes:
    into = io.BytesIO()
    Image.new(mode, size, 120 if mode in {"L", "P"} else (120,) * len(mode)).save(into, kind, **options)
    return into.getvalue()


def give(client, data: bytes, name: str = "me.png"):
    return client.post(SET, {"picture": SimpleUploadedFile(name, data)}, follow=True)


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("GIF", "P"), ("PNG", "L")]
)
def test_a_picture_is_drawn_anew_small_and_square(cast, client_as, kind, mode):
    client = client_as(cast.alice)
    give(client, drawn(kind, mode=mode))
    cast.alice.refresh_from_db()

    shown = client.get(cast.alice.picture_address)

    assert shown["Content-Type"] == "image/webp"
    assert Image.open(io.BytesIO(shown.content)).size == (256, 256)
    assert cast.alice.picture_address.replace("&", "&amp;") in client.get(PROFILE).content.decode()


def test_nothing_else_in_the_file_survives(cast, client_as):
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    give(client_as(cast.alice), drawn("JPEG", exif=exif) + b"<script>alert(1)</script>")

    kept = bytes(PersonPicture.objects.get().data)
    assert b"secret" not in kept
    assert b"script" not in kept


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"%PDF-1.7",
        drawn()[:60],
        drawn(size=(13_000, 2)),
        drawn(size=(5000, 5000)),
        drawn("BMP"),
        drawn("TIFF"),
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
    ],
    ids=["empty", "text", "svg", "pdf", "cut", "wide", "many", "bmp", "tiff", "zeros"],
)
def test_what_is_no_small_picture_of_a_known_kind_is_refused(cast, client_as, data):
    give(client_as(cast.alice), data)

    assert not PersonPicture.objects.exists()


def test_a_large_file_is_refused_before_it_is_read(cast):
    with pytest.raises(Invalid, match="values are not right"):
        services.set_picture(actor=cast.alice, file=io.BytesIO(), size=6 * 1024**2)


def test_colleagues_see_it_and_others_do_not(cast, client_as):
    give(client_as(cast.alice), drawn())
    cast.alice.refresh_from_db()
    seen = {
        name: client_as(getattr(cast, name)).get(cast.alice.picture_address).status_code
        for name in ("bob", "carol", "ada", "mallory", "nora")
    }

    assert seen == {"bob": 200, "carol": 200, "ada": 200, "mallory": 404, "nora": 404}


def test_it_is_removed_again(cast, client_as):
    client = client_as(cast.alice)
    give(client, drawn())
    client.post(SET, {"remove": "1"})

    cast.alice.refresh_from_db()
    assert (cast.alice.picture_address, PersonPicture.objects.count()) == ("", 0)


def test_density_and_shortcuts_hold_from_the_next_page_on(cast, client_as):
    client = client_as(cast.alice)
    assert "data-density" not in client.get(PROFILE).content.decode().partition("<head>")[0]
    client.post(PROFILE, {"name": "Alice", "theme": "system", "time_zone": "UTC", "density": "compact"})

    head = client.get(PROFILE).content.decode().partition("<head>")[0]
    assert 'data-density="compact"' in head
    assert 'data-shortcuts="off"' in head


def ask(client, email: str, password: str = PASSWORD):
    return client.post(ADDRESS, {"email": email, "password": password})


def test_the_new_mailbox_confirms_and_the_old_one_is_told(cast, client_as, mailoutbox, link_in):
    client = client_as(cast.alice)
    assert ask(client, "new@corp.example").status_code == 302
    told, asked = mailoutbox
    assert (told.to, asked.to) == (["alice@example.org"], ["new@corp.example"])
    path = link_in(asked, "profile/address")
    assert client.get(path).status_code == 200
    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice@example.org"

    client.post(path)

    cast.alice.refresh_from_db()
    assert (cast.alice.email, cast.alice.email_confirmed_at is not None) == ("new@corp.example", True)
    assert mailoutbox[-1].to == ["alice@example.org"]
    assert client.post(path).status_code == 410


def test_the_password_is_asked(cast, client_as, mailoutbox):
    assert ask(client_as(cast.alice), "new@corp.example", "guess").status_code == 422
    assert not mailoutbox


def test_an_address_that_has_an_account_gets_the_same_answer(cast, client_as, mailoutbox):
    free, taken = ask(client_as(cast.alice), "free@corp.example"), ask(client_as(cast.alice), cast.bob.email)

    assert (free.status_code, free["Location"]) == (taken.status_code, taken["Location"])
    assert "profile/address" not in mailoutbox[-1].body


@pytest.mark.parametrize("email", ["", "x", "a\x00@b.example", "x" * 300 + "@b.example", "\N{KELVIN SIGN}@b.example"])
def test_what_is_no_address_is_refused(cast, client_as, email):
    assert ask(client_as(cast.alice), email).status_code == 422


def test_a_link_is_its_person_s_alone_and_dies_with_the_password(cast, client_as, mailoutbox, link_in):
    ask(client_as(cast.alice), "new@corp.example")
    path = link_in(mailoutbox[-1], "profile/address")
    assert client_as(cast.bob).post(path).status_code == 410
    assert client_as(None).get(path).status_code == 302

    services.change_password(actor=cast.alice, current=PASSWORD, new="a wholly new pass phrase")
    assert client_as(cast.alice).post(path).status_code == 410


def test_an_address_that_was_taken_meanwhile_stays_with_its_owner(cast, client_as, mailoutbox, link_in):
    client = client_as(cast.alice)
    ask(client, "new@corp.example")
    path = link_in(mailoutbox[-1], "profile/address")
    User.objects.create_user("NEW@corp.example", name="First")

    client.post(path)

    cast.alice.refresh_from_db()
    assert cast.alice.email == "alice@example.org"
