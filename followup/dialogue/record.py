"""What one answer writes down: its value, its ticket, its flags, its ending."""

from __future__ import annotations

from typing import Any, Mapping

from followup.dialogue.effects import RaiseTicket, StoreAnswer
from followup.dialogue.items import computed_again
from followup.dialogue.turn import Turn
from followup.scripts.model import DEPARTMENT, Ending, Question
from followup.scripts.walk import NOTHING, matches, shown


def ending_of(question: Question, value: Any) -> Ending | None:
    """The ending that this answer means, if its file says so."""
    kind = "skipped" if value in (None, NOTHING) else "answered"
    return question.ends.get(shown(value)) or question.ends.get(kind)


def holds_ticket(question: Question, value: Any) -> bool:
    """Whether the question's ticket is for this answer (`ticket: {if: [...]}`; without `if` for every one)."""
    wanted = (question.ticket or {}).get("if")
    return wanted is None or matches(wanted, value)


def store(turn: Turn, question: Question, value: Any, words: str, how: str) -> None:
    """Keep an answer and what follows from it."""
    turn.state.keep(question.id, value, words)
    turn.effects.append(StoreAnswer(question.id, value, words, how))
    turn.effects.extend(computed_again(turn.script, turn.state, question.id))
    if turn.script.customer_led:
        from followup.dialogue import reach

        turn.effects.extend(reach.identified(turn, question, value))


def listen(turn: Turn, question: Question) -> bool:
    """Set the flags of what this question listens for; True when anything was heard."""
    heard = [listener.flag for listener in question.listen_for if listener.heard_in(turn.reply.text)]
    turn.state.values.update({flag: True for flag in heard})
    return bool(heard)


def overhear(turn: Turn, question: Question) -> bool:
    """Set the flags that earlier questions listen for everywhere; True when one was heard that was not known yet."""
    values, text = turn.state.values, turn.reply.text
    heard = {
        listener.flag: True
        for earlier in turn.script.questions
        if earlier.id in values and earlier.id != question.id
        for listener in earlier.listen_for
        if listener.everywhere and listener.flag not in values and listener.heard_in(text)
    }
    values.update(heard)
    return bool(heard)


def completed_quantity(turn: Turn, question: Question, value: Any) -> Any:
    """ "坏了三个" with the total known from the order: the share is known too (fruit_order, 63714 2.3)."""
    if question.type != "quantity_of" or not isinstance(value, Mapping):
        return value
    value = dict(value)
    known = {**turn.script.demo_variables(), **turn.state.variables}.get(question.total)
    if value.get("total") is None and value.get("bad") is not None and known:
        value["total"] = float(known) if "." in str(known) else int(known)
    if value.get("bad") is not None and value.get("total"):
        value["ratio"] = round(value["bad"] / value["total"], 4)
        value["at_least_half"] = value["bad"] * 2 >= value["total"]
    return value


def displeasure(question: Question, words: str, topic: str = "") -> RaiseTicket:
    """The ticket of a dissatisfied answer."""
    return RaiseTicket(topic or question.id, "dissatisfaction", 3, question.department or DEPARTMENT, words)
