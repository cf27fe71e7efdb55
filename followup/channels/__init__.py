"""Ways to a customer, behind one protocol: a message that brings them to a talk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Invitation:
    """What is to be said, and to whom. Each channel words it in its own way."""

    delivery_id: int
    """Ours, and the same each time we ask: providers that know request ids get it."""
    to: str
    """Phone number, mail address, or `account:OpenID` of WeChat; empty for the link that a colleague hands over."""
    link: str
    """Opens the talk. Never goes into a short message: carriers forbid links that differ (channels/sms)."""
    code: str
    """What the customer types at the fixed address instead."""
    company: str
    customer: str
    """Name and title, 张女士."""
    agent: str
    kind: str
    """first | reminder | callback | revisit | resume (a reply could not be delivered) | unfinished (the customer left before the end)"""
    opt_out: str = ""
    """The page on which one click ends all messages; mail only."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it. That it arrived is told by its report, later."""

    provider_id: str | None = None


class Refused(Exception):
    """The provider did not take it, for certain.

    `kind`: permanent (never to this customer by this channel), blocked (the customer opted out at the provider), temporary,
    throttled (both: later), ours (balance, signature, template: the campaign must stop and staff be told).
    """

    def __init__(self, code: str, message: str = "", kind: str = "permanent") -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code, self.kind = code, kind


class Unclear(Exception):
    """The request went out and no answer came: nobody knows whether the provider has it."""


class Notifier(Protocol):
    """Sends invitations on one channel."""

    channel: str
    """sms | email | wechat | link"""
    provider: str

    async def send(self, invitation: Invitation) -> Accepted:
        """Raises Refused or Unclear. Takes at most a minute."""
        ...
