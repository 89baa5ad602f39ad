"""A connection to a mail server (SMTP), made to a checked address and bounded in time."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from integrations.outbound import OutboundError, dial
from mindloom.engine.ports import ToolError

SECONDS = 30.0
SECURITY = ("starttls", "ssl", "none")
PORTS = {"starttls": 587, "ssl": 465, "none": 25}


@contextmanager
def session(values: Mapping[str, str], *, seconds: float = SECONDS) -> Iterator[smtplib.SMTP]:
    """A mail server, greeted and signed in. Raises `ToolError` for whatever goes wrong, also inside the block."""
    host, security = values.get("host", ""), values.get("security") or "starttls"
    sockets: list[socket.socket] = []
    alarm = threading.Timer(seconds, _hang_up, (sockets,))
    alarm.daemon = True
    alarm.start()
    try:
        with _Server(host, int(values.get("port") or PORTS[security]), security, seconds, sockets) as server:
            server.ehlo_or_helo_if_needed()
            if security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if values.get("user"):
                server.login(values["user"], values.get("password", ""))
            yield server
    except OutboundError as error:
        raise ToolError(str(error)) from None
    except ssl.SSLCertVerificationError as error:
        raise ToolError(f"The certificate of {host} is not valid: {error.verify_message}.") from None
    except smtplib.SMTPAuthenticationError as error:
        raise ToolError(f"{host} refused the user name or password (it said {error.smtp_code}).") from None
    except smtplib.SMTPRecipientsRefused as error:
        raise ToolError(f"{host} refused these recipients: {', '.join(error.recipients)[:300]}.") from None
    except smtplib.SMTPResponseException as error:
        raise ToolError(f"{host} refused: {error.smtp_code} {_words(error.smtp_error)}") from None
    except smtplib.SMTPNotSupportedError:
        raise ToolError(
            f"{host} offers no {'STARTTLS' if security == 'starttls' else 'sign-in'}. Change the connection’s security."
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise ToolError(f"{host} broke off or did not answer within {seconds:g} seconds: {_words(error)}") from None
    finally:
        alarm.cancel()


class _Server(smtplib.SMTP):
    """The standard client over a socket that goes to a checked address."""

    def __init__(self, host: str, port: int, security: str, seconds: float, sockets: list[socket.socket]) -> None:
        self._security, self._sockets = security, sockets
        super().__init__(host, port, local_hostname="mindloom.invalid", timeout=seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        raw = dial(host, port, allowed=settings.OUTBOUND_ALLOWED_NETWORKS, seconds=timeout)
        self._sockets.append(raw)
        if self._security != "ssl":
            return raw
        secure = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        self._sockets.append(secure)
        return secure


def _hang_up(sockets: list[socket.socket]) -> None:
    """End a session that drips along: every wait of the client ends with an error."""
    for one in sockets:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def _words(said: object) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return f"{' '.join(text.split())[:200].rstrip('.')}."
