"""Sends e-mail through the mail server of a connection."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from typing import Any

from integrations.tools import mail
from integrations.tools.base import ConfigField, OpenConnection, Setup, Tool, function
from integrations.tools.wording import needed, shortened
from mindloom.engine.ports import ToolContext, ToolError, ToolFunction

MOST_RECIPIENTS = 20
MOST_CHARACTERS = 100_000
_EMAIL = re.compile(
    r"([^\s@<>,;:\"()\[\]\\]{1,64})@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63})"
)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_ADDRESSES = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_RECIPIENTS}


def domain(text: str) -> str:
    """A domain to which mail may go. Raises `ValueError` with a sentence."""
    name = text.strip().lower().removeprefix("@")
    if not _DOMAIN.fullmatch(name):
        raise ValueError(f"“{text.strip()[:60]}” is not a domain. Write it like example.org, one a line.")
    return name


def _send(
    connection: OpenConnection | None, domains: list[str], arguments: dict[str, Any], context: ToolContext
) -> str:
    assert connection is not None
    to, copies = _addresses(arguments.get("to"), domains), _addresses(arguments.get("cc"), domains)
    if not to:
        raise ToolError("Say in `to` who the e-mail is for.")
    if len(to) + len(copies) > MOST_RECIPIENTS:
        raise ToolError(f"An e-mail goes to at most {MOST_RECIPIENTS} people.")
    message = EmailMessage()
    message["From"] = _address(connection.values["from_address"])
    message["To"] = to
    if copies:
        message["Cc"] = copies
    if arguments.get("reply_to"):
        message["Reply-To"] = _addresses([arguments["reply_to"]], [])
    message["Subject"] = " ".join(needed(arguments, "subject", "what the e-mail is about", 300).split())
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain=connection.values["from_address"].rpartition("@")[2])
    message.set_content(needed(arguments, "body", "what the e-mail says", MOST_CHARACTERS).replace("\r\n", "\n") + "\n")
    with mail.session(connection.values) as server:
        refused = server.send_message(message)
    sent = [one.addr_spec for one in [*to, *copies] if one.addr_spec not in refused]
    failed = f" The mail server refused: {', '.join(refused)}." if refused else ""
    return f"Sent “{shortened(message['Subject'], 100)}” to {', '.join(sent)}.{failed}"


def _addresses(given: object, domains: list[str]) -> list[Address]:
    texts = given if isinstance(given, list) else []
    return [_address(str(text), domains) for text in dict.fromkeys(texts)]


def _address(text: str, domains: list[str] | None = None) -> Address:
    match = _EMAIL.fullmatch(text.strip())
    if match is None or not text.isascii():
        raise ToolError(
            f"“{shortened(text, 80)}” is not an e-mail address. Write only the address, such as lena@example.org."
        )
    if domains and not any(match[2].lower() == one or match[2].lower().endswith(f".{one}") for one in domains):
        raise ToolError(f"This agent may not write to {match[0]}, only to addresses of {', '.join(domains)[:300]}.")
    try:
        return Address(username=match[1], domain=match[2])
    except ValueError:
        raise ToolError(f"“{shortened(text, 80)}” is not an e-mail address.") from None


def _functions(setup: Setup) -> list[ToolFunction]:
    return [
        function(
            "send_email",
            "Send an e-mail in plain text.",
            {
                "to": {**_ADDRESSES, "minItems": 1, "description": "E-mail addresses"},
                "subject": {"type": "string"},
                "body": {"type": "string", "description": "The whole text, with greeting and signature"},
                "cc": {**_ADDRESSES, "description": "E-mail addresses that get a copy"},
                "reply_to": {"type": "string", "description": "Where answers go, if not to the sender"},
            },
            partial(_send, setup.connection, list(setup.config.get("domains") or [])),
            required=("to", "subject", "body"),
            effect="sends",
        )
    ]


TOOL = Tool(
    key="email",
    name="Send e-mail",
    description="Sends e-mail in plain text through the mail server of a connection.",
    icon="mail",
    effect="sends",
    functions=_functions,
    connection="smtp",
    ask_first="on",
    config_fields=(
        ConfigField(
            name="domains",
            label="Allowed domains",
            kind="lines",
            help="Who may be written to: one domain a line, such as example.org. Empty: everyone.",
            check=domain,
        ),
    ),
)
