"""The post office: letters of ours to a mail server, and what became of each. Nothing here is logged that names a customer."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from enum import StrEnum
from urllib.parse import unquote, urlsplit

import aiosmtplib

from followup import clock

_log = logging.getLogger(__name__)
TIMEOUT_SECONDS = 20
"""For each answer of the server."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NotSent(RuntimeError):
    """Nobody took the message. The text holds no address and no password."""


class LetsNobodyIn(NotSent):
    """The server does not take our account."""


class Fate(StrEnum):
    SENT = "sent"
    LATER = "later"
    """Put off (4xx: greylisting, a full mailbox): worth another try."""
    REFUSED = "refused"
    """Never (5xx: no such mailbox)."""


Post = Callable[[EmailMessage], Awaitable[Fate]]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over."""

    host: str
    port: int
    user: str
    password: str
    tls: bool
    """TLS from the first byte (smtps)."""
    starttls: bool | None
    """True: must; None: when the server offers it; False: never (a server on this machine)."""
    sender: str

    def __repr__(self) -> str:
        return f"MailServer(host={self.host!r}, port={self.port})"  # no password in tracebacks


def server_of(url: str, sender: str) -> MailServer:
    """From FOLLOWUP_SMTP_URL and FOLLOWUP_MAIL_FROM, both checked by the settings.

    A password goes over an encrypted line only, but for a server on this very machine.
    """
    parts = urlsplit(url)
    host, tls = parts.hostname or "", parts.scheme == "smtps"
    user = unquote(parts.username or "")
    starttls = None
    if tls or host in _LOOPBACK:
        starttls = False
    elif user:
        starttls = True
    return MailServer(host, parts.port or (465 if tls else 587), user, unquote(parts.password or ""), tls, starttls, sender)


def letter(sender: str, to: str, subject: str, text: str, html: str = "") -> EmailMessage:
    """A message as plain text, and as HTML too where there is some. ValueError for line breaks in `to` or `subject`."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"  # no out-of-office answers, please (RFC 3834)
    message.set_content(text, cte="base64")
    if html:
        message.add_alternative(html, subtype="html", cte="base64")
    return message


@asynccontextmanager
async def connected(server: MailServer, *, timeout: float = TIMEOUT_SECONDS) -> AsyncIterator[aiosmtplib.SMTP]:
    """A connection to the server, logged in. Raises NotSent when it is not there, LetsNobodyIn when the account is refused."""
    smtp = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user or None,
        password=server.password or None,
        use_tls=server.tls,
        start_tls=server.starttls,
        local_hostname="localhost",  # not this machine's own name
        timeout=timeout,
    )
    try:
        await smtp.connect()
    except aiosmtplib.SMTPAuthenticationError as error:
        raise LetsNobodyIn(_named(error)) from None
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
        raise NotSent(_named(error)) from None
    try:
        yield smtp
    finally:
        smtp.close()


@asynccontextmanager
async def courier(server: MailServer, *, timeout: float = TIMEOUT_SECONDS) -> AsyncIterator[Post]:
    """One connection for all letters of a round. Raises NotSent when the server is not there or lets nobody in."""
    async with connected(server, timeout=timeout) as smtp:
        yield _post_of(smtp)


def _post_of(smtp: aiosmtplib.SMTP) -> Post:
    async def post(message: EmailMessage) -> Fate:
        try:
            await smtp.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _fate(error.recipients[0].code)
        except aiosmtplib.SMTPResponseException as error:
            return _fate(error.code)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotSent(_named(error)) from None
        return Fate.SENT

    return post


def _fate(code: int) -> Fate:
    return Fate.LATER if 400 <= code < 500 else Fate.REFUSED


def _named(error: Exception) -> str:
    """What happened without what the server said, which may repeat the account's name."""
    code = f" {error.code}" if isinstance(error, aiosmtplib.SMTPResponseException) else ""
    return type(error).__name__ + code
