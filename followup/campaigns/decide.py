"""What is to be done with an entry whose time has come. Pure: one table of decisions, from facts to a step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from followup.campaigns.definition import UNFINISHED, Definition
from followup.campaigns.gate import DO_NOT_CONTACT, LINK, Standing, no_way
from followup.campaigns.windows import is_open, next_open
from followup.settings import SHANGHAI

PAST_DEADLINE, NO_OPENING, AFTER_END, CANNOT_SEND = "past_deadline", "no_opening", "after_end", "cannot_send"
NOT_DELIVERED = "not_delivered"
"""Why an entry waits: its message could not be delivered for the moment."""
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk that the customer has opened, as it stands."""

    heard_at: datetime
    """The customer's last sign of life: a message, or the link opened."""
    came_by: str = ""
    """The channel of the message that brought them; empty: none that can be used again."""
    over: bool = False
    """It has come to an end: only a talk that fell silent is gone on with."""
    held: bool = False
    """A call-back stands, a colleague speaks, or it is our turn to say something: left alone for now."""
    sent: int = 0
    """Messages that asked the customer to go on, delivered or not."""
    sent_at: datetime | None = None
    """The last of them."""
    unclear: bool = False
    """Nobody knows whether one of them arrived."""


@dataclass(frozen=True, slots=True)
class Facts:
    """An entry at a moment. `came`: the customer has opened the talk, or it is over for another reason."""

    state: str
    """waiting (nothing was sent on `channel` yet, or it failed), sent, or closed (who came is asked to go on)."""
    channel: str
    tries: int
    """Deliveries made on `channel`."""
    sent_at: datetime | None
    """The last one that may have arrived."""
    not_after: datetime
    came: bool
    standing: Standing
    failed_at: datetime | None = None
    """When the newest delivery, on `channel`, turned out not to be delivered for the moment; None: that is not how it stands."""
    failures: int = 0
    """Deliveries on `channel` that were not delivered for the moment."""
    talk: Talk | None = None
    """Of a customer who came, where it matters."""


@dataclass(frozen=True, slots=True)
class Send:
    channel: str
    kind: str
    """first | reminder | unfinished"""


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at `until`."""

    until: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing more by itself. `state`: suppressed (never contacted), closed (came), or unreachable (contacted in vain)."""

    state: str
    reason: str = ""


Step = Send | Wait | Stop


def decide(definition: Definition, facts: Facts, at: datetime, daily_cap: int) -> Step:
    """The next step of an entry. Asked again with the same facts it says the same."""
    if facts.came:
        return _go_on(definition, facts, at, daily_cap)
    contacted = facts.sent_at is not None
    if facts.standing.blocked:
        return Stop("closed" if contacted else "suppressed", DO_NOT_CONTACT)
    if (again := _same_channel(definition, facts, at, daily_cap)) is not None:
        return again
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


# —— not opened ————————————————————————————————————————————————————————————


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
    when = _after_cap(facts, at, daily_cap)
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


# —— not delivered for the moment ————————————————————————————————————————————


def _same_channel(definition: Definition, facts: Facts, at: datetime, daily_cap: int) -> Step | None:
    """Once more on the channel that failed for the moment. None: that is not how it stands, or no time is left for it."""
    again = definition.retry.not_delivered
    failed = facts.failed_at is not None and facts.failures <= again.times and facts.channel in definition.channels
    if not failed or facts.state != "waiting" or facts.channel not in facts.standing.ways:
        return None
    opens = _opening(definition, facts, max(facts.failed_at + again.interval, at), at, daily_cap)
    if opens is None:
        return None
    return Wait(opens, NOT_DELIVERED) if opens > at else Send(facts.channel, "reminder" if facts.tries else "first")


# —— opened, and not finished ——————————————————————————————————————————————————


def _go_on(definition: Definition, facts: Facts, at: datetime, daily_cap: int) -> Step:
    """Who came and went away before the end is asked to go on, on the channel they came by; whoever has finished is left in peace."""
    again, talk, standing = definition.retry.unfinished, facts.talk, facts.standing
    if talk is None or talk.over or talk.unclear or talk.sent >= again.times:
        return Stop("closed")
    if standing.blocked or talk.came_by not in standing.ways or talk.came_by == LINK:
        return Stop("closed")
    due = at + _ONE_DAY if talk.held else max(talk.heard_at, talk.sent_at or talk.heard_at) + again.interval
    opens = _opening(definition, facts, max(due, at), at, daily_cap)
    if opens is None:
        return Stop("closed")
    return Wait(opens) if opens > at else Send(talk.came_by, UNFINISHED)


def _opening(definition: Definition, facts: Facts, due: datetime, at: datetime, daily_cap: int) -> datetime | None:
    """The first moment from `due` on that hours and daily cap allow; None: it is after the deadline, or the campaign's last day."""
    opens = next_open(definition.hours, max(due, _after_cap(facts, at, daily_cap)))
    if opens is None or opens >= facts.not_after:
        return None
    late = definition.ends_on is not None and opens.astimezone(SHANGHAI).date() > definition.ends_on
    return None if late else opens


def _after_cap(facts: Facts, at: datetime, daily_cap: int) -> datetime:
    """`at`, or the next midnight when the customer has been contacted often enough today."""
    if facts.standing.contacted_today < daily_cap:
        return at
    return (at + _ONE_DAY).replace(hour=0, minute=0, second=0, microsecond=0)
