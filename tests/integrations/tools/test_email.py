"""Sending e-mail, to a real mail server on loopback."""

from __future__ import annotations

import ipaddress
from email import message_from_bytes, policy

import pytest

from tests.integrations.tools.helpers import call, functions, opened, refusal


def send(mailbox, config=None, /, **arguments):
    given = {"to": ["lena@example.org"], "subject": "Report", "body": "Hello Lena,\n\nall is well."} | arguments
    return call("email", "send_email", None, config, opened("smtp", mailbox.values), **given)


def refused(mailbox, config=None, /, **arguments):
    given = {"to": ["lena@example.org"], "subject": "Report", "body": "Hello"} | arguments
    return refusal("email", "send_email", None, config, opened("smtp", mailbox.values), **given)


def test_an_email_is_sent_as_it_was_written(mailbox):
    said = send(
        mailbox,
        cc=["omar@example.org"],
        reply_to="team@example.org",
        subject="Größe\r\nBcc: all@example.org",
        body="Grüße.\n.\nEnd €",
    )
    assert said == "Sent “Größe Bcc: all@example.org” to lena@example.org, omar@example.org."
    [(sender, recipients, content)] = mailbox.messages
    message = message_from_bytes(content, policy=policy.default)
    assert (sender, recipients) == ("office@example.org", ["lena@example.org", "omar@example.org"])
    assert message["Subject"] == "Größe Bcc: all@example.org"
    assert message["Bcc"] is None
    assert (message["From"], message["Reply-To"]) == ("office@example.org", "team@example.org")
    assert message.get_content_type() == "text/plain"
    assert message.get_content().splitlines() == ["Grüße.", ".", "End €"]
    assert message["Date"]
    assert message["Message-ID"].endswith("@example.org>")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"to": []}, "who the e-mail is for"),
        ({"to": ["lena"]}, "not an e-mail address"),
        ({"to": ["Lena <lena@example.org>"]}, "not an e-mail address"),
        ({"to": ["lena@example.org, omar@example.org"]}, "not an e-mail address"),
        ({"to": ["lena@example.org\r\nBcc: x@example.org"]}, "not an e-mail address"),
        ({"to": ["lena@exämple.org"]}, "not an e-mail address"),
        ({"to": [f"p{n}@example.org" for n in range(21)]}, "at most 20 people"),
        ({"subject": "  "}, "what the e-mail is about"),
        ({"body": ""}, "what the e-mail says"),
        ({"body": "x" * 100_001}, "are the most"),
        ({"reply_to": "nobody"}, "not an e-mail address"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_it_is(mailbox, change, words):
    assert words in refused(mailbox, **change)
    assert mailbox.messages == []


def test_an_agent_writes_only_to_the_domains_that_it_may(mailbox):
    assert "only to addresses of example.org" in refused(mailbox, {"domains": ["Example.org"]}, to=["x@notexample.org"])
    assert "Sent" in send(mailbox, {"domains": ["@example.org"]}, to=["x@mail.example.org"])
    assert "Sent" in send(mailbox, {"domains": ["example.org"]})


def test_recipients_that_the_server_refuses_are_named(mailbox):
    mailbox.refuse = "omar@example.org"
    assert "The mail server refused: omar@example.org." in send(mailbox, cc=["omar@example.org"])
    mailbox.refuse = "lena@example.org"
    assert "refused these recipients: lena@example.org" in refused(mailbox)


def test_a_wrong_password_is_said_without_the_password(mailbox):
    mailbox.values["password"] = "not-the-password"
    said = refused(mailbox)
    assert "refused the user name or password" in said
    assert "not-the-password" not in said


def test_a_mail_server_at_a_private_address_is_not_called(mailbox, settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("10.9.0.0/16")]
    assert "private or reserved" in refused(mailbox)


def test_it_asks_first_unless_that_is_switched_off(mailbox):
    from integrations import tools
    from mindloom.engine.spec import ToolSpec

    connection = opened("smtp", mailbox.values)
    [one] = tools.functions(ToolSpec(key="email", ask_first=True), connection)
    assert one.asks == "approval"
    other = functions("email", None, connection)["send_email"]
    assert (other.asks, other.acts_outside) == ("", True)
