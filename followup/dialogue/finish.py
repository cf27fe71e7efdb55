"""The last sentence of a talk, by its outcome."""

from __future__ import annotations

from datetime import datetime

from followup.dialogue import appoint
from followup.dialogue.state import END, TalkState
from followup.dialogue.wording import Wording
from followup.scripts.model import Script


def close(script: Script, state: TalkState, now: datetime) -> str:
    """What is said before parting: what is still to be said, then the closing. Clears the lead."""
    wording = Wording(script, state)
    lead, state.lead = "".join(state.lead), []
    text = state.closing or wording.fill(
        wording.pick(script.closing[state.outcome], f"closing:{state.outcome}"), callback=_callback(wording, state, now)
    )
    state.open, state.closing = END, ""
    return lead + text


def _callback(wording: Wording, state: TalkState, now: datetime) -> str:
    if not state.callback_at:
        return wording.say("busy.later")
    return wording.say("busy.booked", time=appoint.spoken(datetime.fromisoformat(state.callback_at), now))
