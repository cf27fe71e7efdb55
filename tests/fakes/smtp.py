"""A mail server that says what it is told to say, and takes only letters that are whole."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class FakeSmtp:
    """`fails`: what happens to the next letters, first to last. before: the connection is closed at MAIL; after: at the end of
    DATA, the letter taken; slow: no answer to DATA in time, the letter taken; garbage: an answer that is none; login: nobody is
    let in; `rcpt 550 ...`, `data 452 ...`, `mail 550 ...`: this answer."""

    def __init__(self) -> None:
        self.fails: list[str] = []
        self.letters: list[EmailMessage] = []
        self.asked = 0
        self.port = 0
        self._fate = ""
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def protocol() -> SMTP:
            self.asked += 1
            self._fate = self.fails.pop(0) if self.fails else ""
            return SMTP(self, loop=loop, authenticator=self._login, auth_require_tls=False, enable_SMTPUTF8=False)

        self._server = await loop.create_server(protocol, "127.0.0.1", 0, family=socket.AF_INET)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _login(self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=self._fate != "login", handled=False)

    async def handle_MAIL(self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if self._fate == "before":
            server.transport.abort()
        if self._fate.startswith("mail "):
            return self._fate[5:]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if self._fate.startswith("rcpt "):
            return self._fate[5:]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        if self._fate.startswith("data "):
            return self._fate[5:]
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        assert len(envelope.rcpt_tos) == 1 and message["To"] == envelope.rcpt_tos[0]
        self.letters.append(message)
        if self._fate == "after":
            server.transport.abort()
        if self._fate == "slow":
            await asyncio.sleep(5)
        return "nonsense" if self._fate == "garbage" else "250 OK"
