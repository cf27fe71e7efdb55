"""What is to be done with an entry whose time has come. Pure: one table of decisions, from facts to a step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from followup.campaigns.definition import Definition
from followup.campaigns.gate import DO_NOT_CONTACT, Standing, no_way
from followup.campaigns.windows import is_open, next_open

PAST_DEADLINE, NO_OPENING, AFTER_END, CANNOT_SEND = "past_deadline", "no_opening", "after_end", "cannot_send"
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """An entry at a moment. `came`: the customer has opened the talk, or it is over for another reason."""

    state: str
    """waiting (nothing was sent on `channel` yet) or sent."""
    channel: str
    tries: int
    """Deliveries made on `channel`."""
    sent_at: datetime | None
    """The last one that may have arrived."""
    not_after: datetime
    came: bool
    standing: Standing


@dataclass(frozen=True, slots=True)
class Send:
    channel: str
    kind: str
    """first | reminder"""


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing more by itself. `state`: suppressed (never contacted), closed (came), or unreachable (contacted in vain)."""

    state: str
    reason: str = ""


Step = Send | Wait | Stop


def decide(definition: Definition, facts: Facts, at: datetime, daily_cap: int) -> Step:
    """The next step of an entry. Asked again with the same facts it says the same."""
    if facts.came:
        return Stop("closed")
    contacted = facts.sent_at is not None
    if facts.standing.blocked:
        return Stop("closed" if contacted else "suppressed", DO_NOT_CONTACT)
    wanted = _wanted(definition, facts)
    if wanted is None:
        reason = no_way(facts.standing, definition.channels) if not facts.channel else CANNOT_SEND
        return _in_vain(definition, facts, at) if contacted else Stop("suppressed", reason)
    if at >= facts.not_after or (definition.ends_on is not None and at.date() > definition.ends_on):
        reason = PAST_DEADLINE if at >= facts.not_after else AFTER_END
        return _in_vain(definition, facts, at) if contacted else Stop("suppressed", reason)
    if contacted and facts.sent_at + definition.retry.interval > at:
        return Wait(facts.sent_at + definition.retry.interval)
    return _in_hours(definition, facts, wanted, at, daily_cap)


def after_sending(definition: Definition, at: datetime) -> datetime:
    """When to look again at an entry of which a delivery has just been made."""
    return at + min(definition.retry.interval, definition.retry.expires)


def _wanted(definition: Definition, facts: Facts) -> Send | None:
    """The first contact, a reminder on the same channel, or the first on the next channel the customer agreed to."""
    ways = [channel for channel in definition.channels if channel in facts.standing.ways]
    if facts.state == "sent" and facts.tries <= definition.retry.times and facts.channel in ways:
        return Send(facts.channel, "reminder")
    left = definition.channels
    if facts.channel in definition.channels:
        left = definition.channels[definition.channels.index(facts.channel) + 1 :]
    return next((Send(channel, "first") for channel in left if channel in ways), None)


def _in_hours(definition: Definition, facts: Facts, wanted: Send, at: datetime, daily_cap: int) -> Step:
    """`wanted` now, or when the windows and the customer's daily cap allow it."""
    when = at
    if facts.standing.contacted_today >= daily_cap:
        when = (at + _ONE_DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    if when == at and is_open(definition.hours, at):
        return wanted
    opens = next_open(definition.hours, when)
    if opens is not None and opens < facts.not_after:
        return Wait(opens)
    return _in_vain(definition, facts, at) if facts.sent_at is not None else Stop("suppressed", NO_OPENING)


def _in_vain(definition: Definition, facts: Facts, at: datetime) -> Step:
    """Nothing more will be sent: the customer may still come until the link has run out."""
    expires = facts.sent_at + definition.retry.expires
    return Wait(expires) if at < expires else Stop("unreachable")
