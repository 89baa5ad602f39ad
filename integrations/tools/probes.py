"""Tries connections for real: each says in a sentence what it found, or raises `ToolError` with what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import psycopg

from integrations.tools import mail, postgres
from integrations.tools.calling import ask, call, good
from mindloom.engine.ports import ToolError

SECONDS = 10.0
Values = Mapping[str, str]


def web_search(values: Values) -> str:
    """Searches for a word."""
    headers = bearer(values)
    found = ask(
        "The search service", values["base_url"], {"q": "test", "format": "json"}, headers=headers, seconds=SECONDS
    )
    if not isinstance(found, dict) or not isinstance(found.get("results"), list):
        raise ToolError(
            "The address answers, but not like a search service: there are no “results”. Check the address."
        )
    return f"The search service works: a search for “test” found {len(found['results'])} pages."


def http_api(values: Values) -> str:
    """Reads the base address."""
    answer = call(values["base_url"], headers=secret_header(values), seconds=SECONDS)
    if answer.status in {401, 403}:
        raise ToolError(
            f"{_host(values['base_url'])} refused the secret (HTTP {answer.status}). Check it and its header."
        )
    if answer.status >= 500:
        good(_host(values["base_url"]), answer)
    return f"{_host(values['base_url'])} answers (HTTP {answer.status})."


def sql(values: Values) -> str:
    """Opens the database and counts what can be read."""
    try:
        with postgres.session(values, seconds=10) as connection:
            row = connection.execute(
                "select count(*) from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema')"
            ).fetchone()
    except psycopg.Error as error:
        raise ToolError(f"The database did not answer: {postgres.said(error)}") from None
    count = row[0] if row else 0
    return f"The database “{values['database']}” is open for reading: {count:,} {'table' if count == 1 else 'tables'} or views."


def smtp(values: Values) -> str:
    """Greets the mail server and signs in; nothing is sent."""
    with mail.session(values, seconds=SECONDS) as server:
        server.noop()
    signed = f" and accepts the user {values['user']}" if values.get("user") else ""
    return f"{values['host']} answers{signed}. Nothing was sent."


def translate(values: Values) -> str:
    """Asks which languages there are."""
    found = ask("The translation service", f"{values['base_url'].rstrip('/')}/languages", seconds=SECONDS)
    if not isinstance(found, list) or not all(isinstance(one, dict) and one.get("code") for one in found):
        raise ToolError(
            "The address answers, but not like LibreTranslate: there is no list of languages. Check the address."
        )
    return f"The translation service works: it knows {len(found)} languages."


def webhook(values: Values) -> str:
    """Knocks without sending anything: most endpoints answer that they only take messages, which is answer enough."""
    answer = call(values["url"], method="HEAD", headers=secret_header(values), seconds=SECONDS)
    if answer.status in {401, 403}:
        raise ToolError(f"{_host(values['url'])} refused the secret (HTTP {answer.status}). Check it and its header.")
    if answer.status in {404, 410}:
        raise ToolError(f"{_host(values['url'])} does not know this address (HTTP {answer.status}). Check it.")
    if answer.status >= 500:
        good(_host(values["url"]), answer)
    return f"{_host(values['url'])} answers (HTTP {answer.status}). Nothing was sent."


def bearer(values: Values) -> dict[str, str]:
    """The header that carries the key, if there is one."""
    return {"authorization": f"Bearer {values['api_key']}"} if values.get("api_key") else {}


def secret_header(values: Values) -> dict[str, str]:
    """The header that the connection names, with its secret."""
    return {values.get("header") or "Authorization": values["secret"]} if values.get("secret") else {}


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "The address")[:100]
