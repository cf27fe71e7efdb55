"""When shall we come back? The customer is asked for a time, or one is offered."""

from __future__ import annotations

import re
from datetime import datetime

from followup.dialogue import answers, appoint, state as st
from followup.dialogue.consent import agreed
from followup.dialogue.effects import BookCallback, Outcome
from followup.dialogue.reply import ENDS_NOW
from followup.dialogue.turn import Turn, Verdict
from followup.reading import Asked

_AGREES = re.compile(r"^[嗯哦那，\s]*(?:好|行|可以|成|没问题|ok|OK|就这样|嗯)")
""" "好的再见" to an offered time."""


def hear_callback(turn: Turn) -> Verdict:
    state, reply = turn.state, turn.reply
    reading = turn.read(Asked("datetime"))
    if reading is not None:
        state.our_time = False
        return answers.book(turn, reading.value)
    if reply.has("consent") and any(w in reply.text for w in ("现在", "继续", "这会儿")):
        state.open = st.RESUME
        return agreed(turn)
    if reply.base == "goodbye" and reply.sure:
        return _unnamed(turn)
    if reply.base in ("refuse", "request_human", "complain", "abuse", "wrong_person", "third_person") and reply.sure:
        return Verdict.INTERRUPTED
    if reply.has(*ENDS_NOW):
        return Verdict.INTERRUPTED
    if reply.has("ask_who", "ask_purpose", "ask_source", "ask_duration", "ask_privacy", "bot_challenge", "faq", "wait"):
        return Verdict.INTERRUPTED
    if state.count("asked_when") == 1 and not reply.has("deny", "call_later", "consent", "inform", "nothing_to_add", "busy"):
        state.simpler = True
        return Verdict.GO_ON
    return answers.offer(turn, appoint.tomorrow_morning(reply.at), "busy.offer")


def hear_offer(turn: Turn) -> Verdict:
    state, reply = turn.state, turn.reply
    offered = datetime.fromisoformat(state.offered)
    reading = turn.read(Asked("datetime"))
    state.our_time = False
    if reading is not None:
        return answers.book(turn, reading.value)
    parts_agreed = reply.base == "goodbye" and _AGREES.match(reply.text)
    if reply.base in ("consent", "satisfied", "neutral", "thank") and reply.sure or parts_agreed:
        return answers.booked(turn, offered)
    if "换" in reply.text and "时间" in reply.text:
        state.open, state.asked_before = st.CALLBACK, False
        return Verdict.GO_ON
    if reply.base in ("refuse", "request_human", "complain", "abuse", "wrong_person") and reply.sure:
        return Verdict.INTERRUPTED
    return _unnamed(turn)


def _unnamed(turn: Turn) -> Verdict:
    """The customer parts without a time: a colleague sees that one is still to be found."""
    turn.effects.append(BookCallback(None, turn.state.callback_reason, turn.reply.text))
    return turn.end(Outcome.UNREACHABLE, "no_time_named")
