"""Invitations by e-mail: text and HTML, with one click to be left alone (RFC 2369, RFC 8058)."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import parseaddr
from functools import cache
from pathlib import Path

import aiosmtplib
import jinja2

from followup.channels import Accepted, Invitation, Refused, Unclear
from followup.channels.wording import load_wording
from followup.mail import LetsNobodyIn, MailServer, NotSent, connected, letter
from followup.settings import is_mail_address


class Email:
    """One letter, one connection, step by step: so it is known whether the server can have taken it."""

    channel = "email"
    provider = "smtp"

    def __init__(self, server: MailServer, *, timeout: float = 20.0) -> None:
        self._server, self._timeout = server, timeout

    async def send(self, invitation: Invitation) -> Accepted:
        if not is_mail_address(invitation.to):
            raise Refused("not_a_mail_address")
        message = invitation_letter(self._server.sender, invitation)
        try:
            async with connected(self._server, timeout=self._timeout) as smtp:
                await self._envelope(smtp, invitation.to)
                await _hand_over(smtp, message)
        except LetsNobodyIn as error:
            raise Refused("login_refused", str(error), "ours") from None
        except NotSent as error:
            raise Refused("not_reached", str(error), "temporary") from None
        return Accepted(str(message["Message-ID"]))

    async def _envelope(self, smtp: aiosmtplib.SMTP, to: str) -> None:
        try:
            await smtp.mail(parseaddr(self._server.sender)[1])
        except aiosmtplib.SMTPResponseException as error:
            raise Refused(f"smtp_{error.code}", "sender", _later(error.code) or "ours") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Refused("connection_lost", type(error).__name__, "temporary") from None
        try:
            await smtp.rcpt(to)
        except aiosmtplib.SMTPResponseException as error:
            raise Refused(f"smtp_{error.code}", "recipient", _later(error.code) or "permanent") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Refused("connection_lost", type(error).__name__, "temporary") from None


async def _hand_over(smtp: aiosmtplib.SMTP, message: EmailMessage) -> None:
    try:
        await smtp.data(message.as_bytes(policy=SMTP_POLICY))
    except aiosmtplib.SMTPResponseException as error:
        # aiosmtplib says -1 for an answer that is none.
        if error.code < 400:
            raise Unclear(f"smtp_{error.code}") from None
        raise Refused(f"smtp_{error.code}", "letter", _later(error.code) or "permanent") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Unclear(type(error).__name__) from None


def _later(code: int) -> str:
    """4xx: greylisting, a full mailbox, too much at once."""
    return "temporary" if 400 <= code < 500 else ""


def invitation_letter(sender: str, invitation: Invitation) -> EmailMessage:
    words = load_wording().mail
    kind = words.get(invitation.kind, words["first"])
    company = " ".join(invitation.company.split()) or words["no_company"]
    customer = " ".join(invitation.customer.split()) or words["nobody"]
    subject = kind["subject"].format(company=company)
    lines = [line.format(company=company) for line in kind["lines"]]
    dear, sign = words["dear"].format(customer=customer), words["sign"].format(company=company)
    parts = [dear, *lines, f"{kind['button']}：{invitation.link}", f"{words['until']}{words['safe']}", sign, words["auto"]]
    if invitation.opt_out:
        parts.append(f"{words['opt_out']}{invitation.opt_out}")
    html = _template().render(
        subject=subject, dear=dear, lines=lines, link=invitation.link, button=kind["button"], words=words, sign=sign,
        opt_out=invitation.opt_out,
    )  # fmt: skip
    message = letter(sender, invitation.to, subject, "\n\n".join(parts) + "\n", html)
    if invitation.opt_out:
        message["List-Unsubscribe"] = f"<{invitation.opt_out}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return message


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(Path(__file__).with_name("mail.html").read_text(encoding="utf-8"))
