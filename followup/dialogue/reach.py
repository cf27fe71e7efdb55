"""How a visitor who began the talk can be reached: the number, the person who will call, and never again.

Whose number it is opens nothing here: docs/decisions/0007.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from followup.dialogue import answers, appoint, state as st
from followup.dialogue.effects import BookCallback, Effect, IdentifyCustomer, Outcome, StopContact, StoreAnswer
from followup.dialogue.turn import Turn, Verdict
from followup.reading import Asked
from followup.scripts.model import Question

REACH, STOP = "reach", "stop"
"""Flags a script's questions look at: a way to reach the customer is wanted; never again."""
KNOWN = "known"
"""Variable: the customer came by a link of their own, so nobody need ask for a number."""
WISH = "wish"
"""Kept in the values: `person` wants one now, `call` later."""
_DAYS_AHEAD = 15  # longer than any holiday


def want_contact(turn: Turn) -> None:
    """Somebody is to come back on it: a number is needed, unless the customer is known by their link."""
    if not turn.state.variables.get(KNOWN):
        turn.state.values[REACH] = True


def take_number(turn: Turn) -> bool:
    """A number given unasked is the answer to the question for it."""
    reading = turn.read(Asked("phone"))
    question = next((q for q in turn.script.questions if q.type == "phone" and REACH in q.ask_if), None)
    if reading is None or question is None:
        return False
    turn.state.values[REACH] = True
    turn.state.keep(question.id, reading.value, turn.reply.text)
    turn.effects.append(StoreAnswer(question.id, reading.value, turn.reply.text, f"ahead:{reading.how}"))
    turn.effects.extend(identified(turn, question, reading.value))
    turn.state.lead.append(answers.acknowledgement(turn, question, reading.value))
    return True


def identified(turn: Turn, question: Question, value: Any) -> list[Effect]:
    """A number or a name was given: for the records; with it an opt-out can take effect."""
    if value is None or question.type not in ("phone", "name"):
        return []
    who = IdentifyCustomer(phone=str(value)) if question.type == "phone" else IdentifyCustomer(name=str(value))
    return [who, StopContact(turn.reply.text)] if turn.state.values.get(STOP) else [who]


def in_staff_hours(turn: Turn) -> None:
    """A colleague keeps the appointment, so it moves to a time when colleagues are there."""
    from followup.dialogue.interrupt import staff_are_in

    state, hours = turn.state, turn.script.wording["handover"]["hours"]
    at = datetime.fromisoformat(state.callback_at)
    if staff_are_in(hours, at):
        return
    days = (appoint.tomorrow_morning(at - timedelta(days=1) + timedelta(days=n)) for n in range(_DAYS_AHEAD))
    moved = next((day for day in days if day > turn.reply.at and staff_are_in(hours, day)), at)
    state.callback_at = moved.isoformat()
    turn.effects[:] = [e for e in turn.effects if not isinstance(e, BookCallback)]
    turn.effects.append(BookCallback(moved, "request_human", turn.reply.text))
    turn.lead("inbound.moved")


def handed_over(turn: Turn) -> Verdict:
    state = turn.state
    closing = ""
    if state.values.pop(WISH) == "call":
        at = datetime.fromisoformat(state.callback_at) if state.callback_at else None
        time = appoint.spoken(at, turn.reply.at) if at else ""
        closing = turn.wording.say("inbound.appointed", time=time) if time else turn.wording.say("inbound.later")
    return turn.end(Outcome.HANDED_OVER, "request_human", closing)


def opt_out(turn: Turn) -> None:
    """Never again: for this visitor at once; for a number as soon as it is known whose it is."""
    state = turn.state
    turn.effects.append(StopContact(turn.reply.text))
    state.lead.clear()
    if state.variables.get(KNOWN):
        turn.end(Outcome.DO_NOT_CONTACT, turn.reply.text[:200])
        return
    state.values[STOP] = True
    given = turn.read(Asked("phone"))
    if given is None and state.values.get(_phone_id(turn)):
        given_before = str(state.values[_phone_id(turn)])
        turn.effects.extend([IdentifyCustomer(phone=given_before), StopContact(turn.reply.text)])
    elif given is not None:
        turn.effects.extend([IdentifyCustomer(phone=str(given.value)), StopContact(turn.reply.text)])
    else:
        state.open = st.LISTENING  # the question for the number comes next
        return
    turn.end(Outcome.DO_NOT_CONTACT, turn.reply.text[:200])


def _phone_id(turn: Turn) -> str:
    return next((q.id for q in turn.script.questions if q.type == "phone" and REACH in q.ask_if), "")
