"""Tools that read from the web: search, feeds, Wikipedia, arXiv, weather, translation, webhooks."""

from __future__ import annotations

import pytest

from integrations.tools import arxiv, weather, wikipedia
from tests.integrations.tools.helpers import call, functions, opened, refusal

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>House news</title>
<item><title>New &amp; good</title><link>/1</link><pubDate>Mon, 02 Nov 2026 09:30:00 GMT</pubDate>
<description>&lt;p&gt;The &lt;b&gt;first&lt;/b&gt; one.&lt;/p&gt;</description></item>
<item><title>Second</title><link>https://example.org/2</link></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Atoms</title><entry><title>One</title><link rel="self" href="/self"/>
<link href="https://example.org/a"/><updated>2026-11-02T10:00:00Z</updated><summary>Short.</summary></entry></feed>"""
PAPERS = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Query</title><entry><id>http://arxiv.org/abs/2106.01345v2</id>
<published>2021-06-02T17:53:39Z</published><title>Decision
 Transformer</title><summary>We turn   reinforcement learning into sequences.</summary>
<author><name>Lili Chen</name></author><author><name>Kevin Lu</name></author></entry></feed>"""
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><rss><channel><title>&b;</title></channel></rss>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss><channel><title>&a;</title></channel></rss>'


def test_the_web_is_searched_with_the_connection(service):
    service.answer(
        "/search",
        {"results": [{"url": "https://example.org/a", "title": "First\nhit", "content": "Words.", "publishedDate": "2026-11-01T00:00:00"}, {"url": ""}, "?"]},
    )  # fmt: skip
    connection = opened("web_search", {"base_url": f"{service.url}/search", "api_key": "key-123456"})
    said = call("web_search", "web_search", None, None, connection, query="office & home", newer_than="week", limit=3)
    assert said == "1. First hit (2026-11-01)\nhttps://example.org/a\nWords."
    [request] = service.requests
    assert (request.first("q"), request.first("time_range"), request.first("format")) == (
        "office & home",
        "week",
        "json",
    )
    assert request.headers["authorization"] == "Bearer key-123456"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [(200, {"results": []}, ""), (200, {"error": 1}, "did not answer with results"), (403, "", "refused"), (200, "<html>", "JSON")],
)  # fmt: skip
def test_a_search_that_finds_nothing_or_fails_says_so(service, status, body, words):
    service.answer("/search", body, status)
    connection = opened("web_search", {"base_url": f"{service.url}/search"})
    if words:
        assert words in refusal("web_search", "web_search", None, None, connection, query="x")
    else:
        assert "Nothing was found" in call("web_search", "web_search", None, None, connection, query="x")


def test_a_search_service_at_a_private_address_is_not_called(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    connection = opened("web_search", {"base_url": "http://10.0.0.1/search"})
    assert "private or reserved" in refusal("web_search", "web_search", None, None, connection, query="x")


def test_feeds_are_read(service):
    said = call("feeds", "read_feed", feed_url=service.answer("/rss", RSS))
    assert said.startswith("House news: 2 entries, 2 of them here.")
    assert f"- New & good (2026-11-02 09:30)\n  {service.url}/1\n  The first one." in said
    said = call("feeds", "read_feed", feed_url=service.answer("/atom", ATOM))
    assert "- One (2026-11-02 10:00)\n  https://example.org/a\n  Short." in said


def test_a_feed_is_searched_and_bounded(service):
    url = service.answer("/rss", RSS)
    assert "New & good" not in call("feeds", "read_feed", feed_url=url, about="second")
    assert "no entry about" in call("feeds", "read_feed", feed_url=url, about="nothing")
    assert "2 entries, 1 of them here" in call("feeds", "read_feed", feed_url=url, limit=1)


@pytest.mark.parametrize(
    ("body", "words"),
    [(LAUGHS, "entities"), (OUTSIDE, "entities"), ("<rss>", "not well-formed"), ("", "not well-formed"), ("<html></html>", "no feed"),
     ("<a>" * 5_000 + "</a>" * 5_000, "deeper than")],
)  # fmt: skip
def test_what_is_no_feed_is_refused(service, body, words):
    assert words in refusal("feeds", "read_feed", feed_url=service.answer("/feed", body))


def test_wikipedia_is_searched_and_read(service, monkeypatch):
    monkeypatch.setattr(wikipedia, "ADDRESS", service.url + "/{language}")

    def api(request):
        if request.first("list") == "search":
            return {
                "query": {
                    "search": [
                        {"title": "Ada Lovelace", "snippet": 'an <span class="hit">English</span> mathematician'}
                    ]
                }
            }
        if request.first("titles") == "Ada Lovelace":
            return {
                "query": {
                    "pages": [
                        {
                            "title": "Ada Lovelace",
                            "extract": "Ada was first." + (" More." if not request.first("exintro") else ""),
                        }
                    ]
                }
            }
        return {"query": {"pages": [{"title": request.first("titles"), "missing": True}]}}

    service.answers["/de/w/api.php"] = api
    config = {"language": "de"}
    assert (
        call("wikipedia", "wikipedia_search", None, config, query="Ada") == "1. Ada Lovelace\nan English mathematician"
    )
    said = call("wikipedia", "wikipedia_article", None, config, title="Ada Lovelace")
    assert said.startswith("# Ada Lovelace\n")
    assert said.endswith("/wiki/Ada_Lovelace\n\nAda was first.")
    assert call("wikipedia", "wikipedia_article", None, config, title="Ada Lovelace", whole=True).endswith(
        "first. More."
    )
    assert "no article" in refusal("wikipedia", "wikipedia_article", None, config, title="Nobody")


@pytest.mark.parametrize("code", ["example.org/", "de.evil", "DEUTSCH", "a", "../de"])
def test_a_language_cannot_lead_elsewhere(code):
    with pytest.raises(ValueError, match="not the code of a language"):
        wikipedia.language(code)


def test_papers_are_found_and_read(service, monkeypatch):
    monkeypatch.setattr(arxiv, "ADDRESS", service.answer("/api/query", PAPERS))
    said = call("arxiv", "arxiv_search", query='decision "transformer" AND (x', limit=2, order="newest")
    assert said == (
        "Decision Transformer\nLili Chen, Kevin Lu (2021-06-02)\nhttps://arxiv.org/abs/2106.01345v2\n"
        "We turn reinforcement learning into sequences."
    )  # fmt: skip
    assert service.requests[-1].first("search_query") == "all:decision AND all:transformer AND all:AND AND all:x"
    assert "Decision Transformer" in call("arxiv", "arxiv_paper", paper_id="https://arxiv.org/abs/2106.01345")
    assert "not the number" in refusal("arxiv", "arxiv_paper", paper_id="cats")
    service.answer("/api/query", '<feed xmlns="http://www.w3.org/2005/Atom"></feed>')
    assert "no paper" in call("arxiv", "arxiv_search", query="cats")
    service.answer("/api/query", "", 503)
    assert "problem of its own" in refusal("arxiv", "arxiv_search", query="cats")


FORECAST = {
    "timezone": "Europe/Vienna",
    "current": {"time": "2026-11-25T12:00", "temperature_2m": 4.6, "weather_code": 3, "wind_speed_10m": 11.2, "relative_humidity_2m": 81},
    "daily": {
        "time": ["2026-11-25", "2026-11-26"], "weather_code": [61, 0], "temperature_2m_min": [1.2, -3.4], "temperature_2m_max": [5.6, 2.2],
        "precipitation_sum": [2.5, None], "wind_speed_10m_max": [20, 12],
    },
}  # fmt: skip


def test_the_weather_is_told(service, monkeypatch):
    places = [
        {"name": "Vienna", "country": "United States", "country_code": "US", "latitude": 1, "longitude": 2},
        {
            "name": "Vienna",
            "admin1": "Vienna",
            "country": "Austria",
            "country_code": "AT",
            "latitude": 48.2,
            "longitude": 16.4,
        },
    ]
    monkeypatch.setattr(weather, "GEOCODING", service.answer("/places", {"results": places}))
    monkeypatch.setattr(weather, "FORECAST", service.answer("/forecast", FORECAST))
    said = call("weather", "weather", place="Vienna", country="at", days=2)
    assert "Vienna, Vienna, Austria (times in Europe/Vienna)" in said
    assert "Now, 2026-11-25 12:00: 5 °C, overcast, wind 11 km/h, humidity 81 %." in said
    assert "| 2026-11-26 | clear sky | -3 to 2 °C | 0 mm | 12 km/h |" in said
    assert service.requests[-1].first("latitude") == "48.2"
    assert "was not found in xx" in refusal("weather", "weather", place="Vienna", country="xx")
    service.answer("/forecast", {"current": {}})
    assert "cannot be read" in refusal("weather", "weather", place="Vienna")


def test_text_is_translated(service):
    service.answers["/translate"] = lambda request: {
        "translatedText": f"[{request.json['target']}] {request.json['q']} {request.json['api_key']}"
    }
    service.answer("/languages", [{"code": "de", "name": "German"}])
    connection = opened("translate", {"base_url": f"{service.url}/", "api_key": "key-123456"})
    assert call("translate", "translate_text", None, None, connection, text="Hello", target="de") == "[de] Hello •••"
    assert service.requests[-1].json["source"] == "auto"
    assert call("translate", "translation_languages", None, None, connection) == "Languages: de (German)"
    assert "not the code" in refusal(
        "translate", "translate_text", None, None, connection, text="Hello", target="German!"
    )
    service.answer("/translate", {"error": "de is not supported"}, 400)
    assert "It said: de is not supported" in refusal(
        "translate", "translate_text", None, None, connection, text="Hello", target="de"
    )


def test_a_message_is_posted_to_the_webhook(service):
    service.answer("/hook", "ok")
    connection = opened(
        "webhook", {"url": f"{service.url}/hook", "header": "X-Secret", "secret": "hook-secret"}, "Team chat"
    )
    said = call(
        "webhook", "post_to_webhook", None, None, connection, text="Done", fields={"text": "forged", "channel": "x"}
    )
    assert said == "Posted to “Team chat” (HTTP 200). It said: ok"
    [request] = service.requests
    assert (request.method, request.json, request.headers["x-secret"]) == (
        "POST",
        {"text": "Done", "channel": "x"},
        "hook-secret",
    )
    service.answer("/hook", "no such channel", 400)
    assert "did not accept" in refusal("webhook", "post_to_webhook", None, None, connection, text="Done")


def test_a_webhook_does_not_follow_redirects(service):
    service.answer("/hook", "", 307, location="http://169.254.169.254/")
    connection = opened("webhook", {"url": f"{service.url}/hook"})
    assert "only followed when reading" in refusal("webhook", "post_to_webhook", None, None, connection, text="Done")


def test_a_person_is_asked_and_nothing_is_called():
    one = functions("hand_over")["ask_person"]
    assert one.asks == "answer"
    assert "A person answers" in refusal("hand_over", "ask_person", question="May I?")
