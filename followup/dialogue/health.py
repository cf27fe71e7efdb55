"""A remark about the customer's health: passed on the same day, whatever becomes of the talk (63714 客服回访制度; 333 模式)."""

from __future__ import annotations

from followup.dialogue.effects import RaiseTicket
from followup.dialogue.turn import Turn
from followup.scripts.model import SATISFACTION_TYPES, Question

_SURE = 0.5
"""A doctor is rather called once too often."""


def pass_on(turn: Turn) -> None:
    """Raise the script's ticket when the reply says that the customer is unwell. Scripts without `unwell:` raise none."""
    unwell, text = turn.script.unwell, turn.reply.text
    if unwell is None or not (_says_so(turn) or unwell.told_in(text)):
        return
    spec = unwell.ticket
    ticket = RaiseTicket(
        spec.get("topic", "unwell"), spec["kind"], spec.get("severity", 2), spec["department"], text
    )
    if ticket not in turn.effects:  # a reply to the consent is heard again as an answer
        turn.effects.append(ticket)


def _says_so(turn: Turn) -> bool:
    act = turn.reply.has("unwell")
    return act is not None and act.confidence >= _SURE and not turn.script.unwell.denied_in(act.text)


def is_no_verdict(turn: Turn, question: Question) -> bool:
    """ "我头晕得厉害" says how the customer is, not how the service was. What the question listens for is its own matter."""
    reply = turn.reply
    if any(listener.heard_in(reply.text) for listener in question.listen_for):
        return False
    return question.type in (*SATISFACTION_TYPES, "score") and reply.base == "unwell" and reply.confidence >= _SURE
