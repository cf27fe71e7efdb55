"""A colleague spoke for a while: where the bot stands afterwards. What was said to the colleague it never heard."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Mapping

from followup.dialogue import appoint, inbound, reach, state as st
from followup.dialogue.effects import Outcome, SetOutcome
from followup.dialogue.items import first_item, go_on
from followup.dialogue.turn import Turn

_GO_ON_AFTER = ("", Outcome.HANDED_OVER, Outcome.UNREACHABLE)
"""After any other outcome there is nothing left to ask: that one stands."""
_FIRST = (st.CONSENT, st.IDENTITY, st.RESUME)
_PUT_OFF = (st.CALLBACK, st.OFFER, st.RESUME, st.END)
_DAYS_AHEAD = 15  # longer than any holiday


class How(StrEnum):
    """How a colleague's take-over ended."""

    HANDED_BACK = "handed_back"
    CLOSED = "closed"
    EXPIRED = "expired"
    """The customer waited too long for a line."""
    LEFT = "left"
    """Nobody said anything any more, neither the customer nor the colleague."""

    def key(self, take_over_id: int) -> str:
        """The key of the trigger that tells Rasa."""
        return f"colleague-{self.value}-{take_over_id}"

    @classmethod
    def of_key(cls, key: str) -> How | None:
        """What a trigger's key says; None for any other trigger's."""
        first, _, rest = key.partition("-")
        value = rest.rpartition("-")[0]
        return cls(value) if first == "colleague" and value in set(cls) else None


def take_back(turn: Turn, how: How, *, blocked: bool = False) -> bool:
    """The bot has the word again. True when it goes on at the open question; else what the talk had come to stands."""
    state = turn.state
    if blocked:
        turn.end(Outcome.DO_NOT_CONTACT, state.outcome_reason)
        return False
    state.lead.clear()
    if state.outcome not in _GO_ON_AFTER:
        turn.effects.append(SetOutcome(Outcome(state.outcome), state.outcome_reason))
        _say(turn, "away" if how is How.EXPIRED else "back_over")
        return False
    _open_again(turn)
    _say(turn, "away" if how is How.EXPIRED else "back")
    return True


def part(turn: Turn, outcome: str, reason: str, callback_at: datetime | None) -> None:
    """The colleague has ended the talk: one sentence, and the bot knows that it is over."""
    state = turn.state
    if state.open not in _PUT_OFF:
        state.resume_at = state.open
    state.lead.clear()
    state.open, state.outcome, state.outcome_reason, state.closing = st.END, outcome, reason, ""
    state.callback_at = callback_at.isoformat() if callback_at else ""
    if outcome == Outcome.DO_NOT_CONTACT:
        state.lead.append(turn.wording.fill(turn.wording.pick(turn.script.closing[outcome], f"closing:{outcome}")))
    elif callback_at is not None:
        turn.lead("inbound.appointed", time=appoint.spoken(callback_at, turn.reply.at))
    else:
        _say(turn, "closed")


def next_hour_of_staff(hours: Mapping[str, Any], at: datetime) -> datetime:
    """`at` when colleagues are there, else ten o'clock of their next day. `at` is aware, in Asia/Shanghai."""
    from followup.dialogue.interrupt import staff_are_in

    if staff_are_in(dict(hours), at):
        return at
    days = (appoint.tomorrow_morning(at - timedelta(days=1) + timedelta(days=n)) for n in range(_DAYS_AHEAD))
    return next((day for day in days if day > at and staff_are_in(dict(hours), day)), appoint.tomorrow_morning(at))


def _open_again(turn: Turn) -> None:
    state, script = turn.state, turn.script
    ended, was_put_off = state.over, state.open in _PUT_OFF
    state.outcome = state.outcome_reason = state.closing = ""
    state.simpler = state.quiet = False
    if script.customer_led:
        if ended or was_put_off or state.values.get(reach.WISH):  # the number was for the colleague's call
            state.values.pop(reach.REACH, None)
            inbound.open_again(state)
        return
    if ended or was_put_off:
        state.callback_at = state.callback_reason = ""
        state.open = state.resume_at or st.END
        if state.open in _PUT_OFF:  # an older talk did not remember where it was
            state.open = first_item(script)
            if state.order:
                turn.effects.extend(go_on(script, state))
    state.counts.pop("silence", None)
    state.short = state.open in _FIRST
    state.asked_before = state.open.startswith(st.QUESTION)


def _say(turn: Turn, key: str) -> None:
    """A sentence of `handover`; a revision made before it was written says who is speaking instead."""
    known = turn.script.wording["handover"]
    turn.lead(f"handover.{key}" if key in known else "answers.ask_who")
