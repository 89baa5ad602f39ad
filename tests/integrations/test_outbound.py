"""What the outbound client refuses, against real sockets."""

from __future__ import annotations

import gzip
import ipaddress
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integrations.outbound import OutboundError, dial, fetch, is_allowed

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
ZEROS = gzip.compress(b"0" * 50_000_000)


class Site(BaseHTTPRequestHandler):
    """Misbehaves on request."""

    seen: list[dict[str, str]] = []

    def do_GET(self):
        self.seen.append(dict(self.headers))
        try:
            getattr(self, f"answer_{self.path.strip('/').partition('?')[0] or 'hello'}")()
        except (BrokenPipeError, ConnectionResetError):
            pass

    do_POST = do_GET

    def send(self, body=b"", status=200, **headers):
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_hello(self):
        self.send("Grüße".encode(), content_type="text/plain; charset=utf-8")

    def answer_huge(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(1000):
            self.wfile.write(b"x" * 100_000)

    def answer_slow(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.1)

    def answer_drip(self):
        for letter in b"HTTP/1.1 200 OK\r\nx-long: " + b"y" * 200:
            self.wfile.write(bytes([letter]))
            self.wfile.flush()
            time.sleep(0.1)

    def answer_bomb(self):
        self.send(ZEROS, content_encoding="gzip")

    def answer_zipped(self):
        self.send(gzip.compress(b"small"), content_encoding="gzip")

    def answer_broken(self):
        self.send(b"not gzip at all", content_encoding="gzip")

    def answer_brotli(self):
        self.send(b"x", content_encoding="br")

    def answer_private(self):
        self.send(status=302, location="http://10.0.0.1/")

    def answer_metadata(self):
        self.send(status=302, location="http://169.254.169.254/")

    def answer_file(self):
        self.send(status=302, location="file:///etc/passwd")

    def answer_loop(self):
        self.send(status=302, location="/loop")

    def answer_once(self):
        self.send(status=302, location="/hello")

    def answer_other(self):
        self.send(status=307, location=f"http://localhost:{self.server.server_port}/hello")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "2001:0:7f00:1::",
    ],
)  # fmt: skip
def test_private_and_reserved_addresses_are_not_allowed(address):
    assert not is_allowed(address, [])


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_allowed(address):
    assert is_allowed(address, [])


def test_an_allowed_network_opens_just_itself():
    assert is_allowed("127.0.0.1", LOOPBACK)
    assert is_allowed("::ffff:127.0.0.1", LOOPBACK)
    assert not is_allowed("10.0.0.1", LOOPBACK)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
        "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/", "http://0/", "http://[fe80::1]/",
    ],
)  # fmt: skip
def test_loopback_is_refused_in_every_spelling(url):
    with pytest.raises(OutboundError, match=r"private or reserved|no address|not an address"):
        fetch(url, seconds=3)


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "ftp://example.org/", "file:///etc/passwd", "gopher://x/", "http://", "http:///x", "http://user:pw@example.org/",
        "http://exa mple.org/", "http://example.org:99999/", "http://[::1", "http://example.org/\x00", "http://" + "a" * 5000, "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(OutboundError):
        fetch(url, seconds=3)


def test_an_allowed_site_is_read(site):
    answer = fetch(site, allowed=LOOPBACK)
    assert (answer.status, answer.text, answer.media_type) == (200, "Grüße", "text/plain")


def test_the_name_is_kept_and_the_checked_address_is_used(site):
    port = site.rpartition(":")[2]
    fetch(f"http://shop.example:{port}/hello", allowed=LOOPBACK, resolver=lambda host, port: ["127.0.0.1"])
    assert Site.seen[-1]["Host"] == f"shop.example:{port}"


def test_a_name_that_changes_its_mind_gains_nothing(site):
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])
    asked = []

    def resolver(host, port):
        asked.append(host)
        return next(answers)

    before = len(Site.seen)
    with pytest.raises(OutboundError):
        fetch(f"http://rebind.example:{site.rpartition(':')[2]}/hello", resolver=resolver, seconds=1)
    assert len(asked) == 1
    assert len(Site.seen) == before


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(OutboundError, match="private or reserved"):
        fetch("http://mixed.example/", resolver=lambda host, port: ["8.8.8.8", "10.0.0.1"])


@pytest.mark.parametrize("page", ["private", "metadata"])
def test_a_redirect_to_a_private_address_is_refused(site, page):
    with pytest.raises(OutboundError, match="private or reserved"):
        fetch(f"{site}/{page}", allowed=LOOPBACK)


def test_a_redirect_to_a_file_is_refused(site):
    with pytest.raises(OutboundError, match=r"http and https|not an address"):
        fetch(f"{site}/file", allowed=LOOPBACK)


def test_redirects_end(site):
    assert fetch(f"{site}/once", allowed=LOOPBACK).text == "Grüße"
    with pytest.raises(OutboundError, match="more than 5 times"):
        fetch(f"{site}/loop", allowed=LOOPBACK)


def test_a_redirect_is_checked_by_the_caller_too(site):
    def only_once(url):
        if "hello" in url:
            raise OutboundError("Not there.")

    with pytest.raises(OutboundError, match="Not there"):
        fetch(f"{site}/once", allowed=LOOPBACK, check_url=only_once)


def test_a_secret_does_not_travel_to_another_host(site):
    fetch(
        f"{site}/other",
        allowed=[*LOOPBACK, ipaddress.ip_network("::1/128")],
        headers={"authorization": "Bearer secret", "x-any-name": "secret"},
    )
    assert {"authorization", "x-any-name"}.isdisjoint(name.lower() for name in Site.seen[-1])
    assert Site.seen[-2]["authorization"] == "Bearer secret"


def test_a_post_is_not_sent_elsewhere(site):
    with pytest.raises(OutboundError, match="only followed when reading"):
        fetch(f"{site}/once", allowed=LOOPBACK, method="POST", json={})


def test_a_downgrade_to_http_is_refused():
    from integrations.outbound import _redirected

    with pytest.raises(OutboundError, match="https to http"):
        _redirected("https://example.org/", "http://example.org/", {})


def test_a_huge_body_is_cut_off(site):
    with pytest.raises(OutboundError, match="larger than 200,000 bytes"):
        fetch(f"{site}/huge", allowed=LOOPBACK, max_bytes=200_000)


def test_a_compressed_bomb_is_cut_off(site):
    with pytest.raises(OutboundError, match="larger than"):
        fetch(f"{site}/bomb", allowed=LOOPBACK, max_bytes=1_000_000)
    assert fetch(f"{site}/zipped", allowed=LOOPBACK).body == b"small"


@pytest.mark.parametrize("page", ["broken", "brotli"])
def test_a_body_that_cannot_be_unfolded_is_refused(site, page):
    with pytest.raises(OutboundError):
        fetch(f"{site}/{page}", allowed=LOOPBACK)


@pytest.mark.parametrize("page", ["slow", "drip"])
def test_a_slow_answer_ends_at_the_deadline(site, page):
    started = time.monotonic()
    with pytest.raises(OutboundError, match=r"within 0\.5 seconds"):
        fetch(f"{site}/{page}", allowed=LOOPBACK, seconds=0.5)
    assert time.monotonic() - started < 8, "that is how long the page takes"


def test_a_name_that_is_never_resolved_ends_at_the_deadline():
    with pytest.raises(OutboundError, match="within"):
        fetch("http://slow.example/", resolver=lambda host, port: time.sleep(2) or [], seconds=0.3)


@pytest.mark.parametrize(
    ("host", "port"),
    [("localhost", 25), ("127.1", 25), ("2130706433", 25), ("0177.0.0.1", 25), ("::ffff:127.0.0.1", 25), ("169.254.169.254", 25), ("fe80::1%eth0", 25), ("", 25), ("example.org", 0)],
)  # fmt: skip
def test_other_protocols_go_through_the_same_check(host, port):
    with pytest.raises(OutboundError, match=r"private or reserved|no address|not a host"):
        dial(host, port, seconds=3)


def test_other_protocols_connect_to_the_address_that_was_checked(site):
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    port = int(site.rpartition(":")[2])
    with dial("rebind.example", port, allowed=LOOPBACK, resolver=lambda host, port: next(answers)) as connection:
        assert connection.getpeername() == ("127.0.0.1", port)
    assert next(answers) == ["10.0.0.1"]


def test_proxies_of_the_environment_are_not_used(site, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert fetch(site, allowed=LOOPBACK).status == 200
