"""A message after the talk is over: never left unanswered, nothing in it lost, nothing asked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from followup.dialogue import answers, health, appoint, inbound, knowledge, state as st
from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, Reopen, SetOutcome, StopContact, TakeNote
from followup.dialogue.items import go_on
from followup.dialogue.state import TalkState
from followup.dialogue.reply import FIRM, NEVER_CONTACT, QUESTIONS_TO_US
from followup.dialogue.turn import Turn
from followup.reading import Asked
from followup.scripts.model import Script

RESUMABLE = (Outcome.APPOINTED, Outcome.UNREACHABLE, Outcome.ENDED_EARLY, Outcome.REFUSED)
_DAY = re.compile(r"[今明后昨]天|[今明后]儿|[周日号月]|星期|礼拜|现在|马上|小时|钟头|分钟|一会|晚点|稍后")
_GO_ON = ("继续", "现在可以", "现在有空", "现在方便", "现在就", "忙完了", "开完会", "吃完了", "到家了", "接着", "有空了", "方便了", "可以了", "你问吧", "问吧", "说吧", "快点")


def after(turn: Turn) -> bool:
    """Answer into the state's lead. True when the customer wants to go on with the talk now."""
    state, reply = turn.state, turn.reply
    state.last_at = reply.at.isoformat()
    health.pass_on(turn)
    if turn.script.customer_led:
        from followup.dialogue.hear import hear
        from followup.dialogue.interrupt import respond

        return inbound.again(turn, hear, respond)
    if (act := reply.has(NEVER_CONTACT)) is not None and act.confidence >= FIRM:
        turn.effects.append(StopContact(reply.text))
        turn.end(Outcome.DO_NOT_CONTACT, reply.text[:200])
        turn.lead("after.do_not_contact")
        return False
    if state.outcome in RESUMABLE and any(word in reply.text for word in _GO_ON):
        turn.effects.append(Reopen())
        return True
    if _third_person_number(turn) or state.outcome == Outcome.APPOINTED and _rebook(turn):
        return False
    _say(turn)
    return False


def resume(script: Script, state: TalkState, agreed: bool = False) -> None:
    """Open the talk again at its unanswered question; consent is asked anew unless the customer just gave it."""
    if script.customer_led:
        if not agreed:
            inbound.open_again(state)
        return
    if state.open not in (st.END, st.CALLBACK, st.OFFER):
        state.resume_at = state.open
    state.outcome = state.outcome_reason = state.closing = ""
    state.asked_before = state.simpler = state.quiet = False
    state.unclear.clear()
    state.counts.clear()
    begun = state.resume_at.startswith((st.QUESTION, st.REASON, st.IMPROVE))
    if not agreed:
        state.open = st.RESUME
    elif begun:
        state.open = state.resume_at
    else:
        go_on(script, state)


def _rebook(turn: Turn) -> bool:
    """ "不对，后天吧": the appointment moves; "十点" only names the hour of the day that stands."""
    reply, booked = turn.reply, turn.state.callback_at
    if booked and not _DAY.search(reply.text):
        midnight = datetime.fromisoformat(booked).replace(hour=0, minute=0)
        reply = replace(reply, at=max(midnight, reply.at))
    reading = turn.read(Asked("datetime"), reply)
    if reading is None:
        return False
    at = answers.point(reading.value, reply.at)
    if not appoint.in_wished_hours(at):
        at = appoint.nearest_proper(at)
    turn.state.callback_at = at.isoformat()
    turn.effects.append(BookCallback(at, turn.state.callback_reason or "busy", turn.reply.text, confirmed=True))
    turn.lead("busy.rebooked", time=appoint.spoken(at, turn.reply.at))
    return True


def _third_person_number(turn: Turn) -> bool:
    """Somebody else who answered sends the customer's number after all (63714 接触话术)."""
    if "third_person" not in (turn.state.outcome_reason, turn.state.callback_reason):
        return False
    phone = turn.read(Asked("phone"))
    if phone is None:
        return False
    turn.effects.append(TakeNote("third_contact", turn.reply.text, topic=str(phone.value)))
    turn.lead("third_person.thanks")
    return True


def _say(turn: Turn) -> None:
    reply, state = turn.reply, turn.state
    base = reply.base if reply.sure else ""
    if state.outcome in (Outcome.WRONG_PERSON, Outcome.DO_NOT_CONTACT):
        # Whoever this is, nothing of the customer's business is said.
        if base not in ("thank", "goodbye", "consent", "greet"):
            turn.effects.append(TakeNote("after", reply.text))
        turn.lead("after.do_not_contact" if state.outcome == Outcome.DO_NOT_CONTACT else "after.ok")
    elif base == "correct" and state.order:
        answers.correct(turn)
        state.open = st.END
        turn.effects.append(SetOutcome(Outcome(state.outcome), state.outcome_reason))
    elif base in ("complain", "dissatisfied", "request_human", "abuse"):
        kind = "complaint" if base == "complain" else "request" if base == "request_human" else "dissatisfaction"
        turn.effects.append(RaiseTicket("after", kind, 2 if kind != "dissatisfaction" else 3, "客户服务部", reply.text))
        turn.lead("after.dissatisfied" if base != "request_human" else "after.colleague")
    elif base == "faq":
        knowledge.tell(turn, "after.colleague")
    elif base in QUESTIONS_TO_US:
        turn.lead(f"answers.{base}")
    elif base in ("out_of_scope", "ask_repeat", "not_understood"):
        turn.effects.append(TakeNote("colleague_question", reply.text))
        turn.lead("after.colleague")
    elif base == "satisfied":
        turn.effects.append(TakeNote("after", reply.text))
        turn.lead("answers.praise")
    elif base == "thank":
        turn.lead("after.thank")
    elif base == "goodbye":
        turn.lead("after.goodbye")
    elif state.outcome == Outcome.APPOINTED:
        turn.lead("after.appointed")
    elif base in ("consent", "greet", "nothing_to_add", "deny"):
        turn.lead("after.ok")
    else:
        turn.effects.append(TakeNote("after", reply.text))
        turn.lead("after.noted")
