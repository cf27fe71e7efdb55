"""Answers given ahead of their question: stored, passed on and, where they end the talk, heeded when their turn comes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from followup.dialogue.aspects import aspects_in, may_be_said_of_somebody, speaks_of_another_side, subjects_in, without_waiting
from followup.dialogue.effects import Outcome
from followup.dialogue.items import question_asked, ticket_of
from followup.dialogue.record import completed_quantity, displeasure, ending_of, holds_ticket, store
from followup.dialogue.reason import names_a_fault
from followup.dialogue.reply import FEELINGS, Act, Reply
from followup.dialogue.spoken import spoken
from followup.dialogue.turn import Turn, Verdict
from followup.reading import Reading
from followup.scripts.model import SATISFACTION_TYPES, Question
from followup.scripts.walk import holds, matches

_CLAUSE = re.compile(r"[，,。；;！!\s]+")
_CONCEDED = re.compile(r"倒(?:是|也|还|挺|没)|至少|起码")
""" "师傅倒是挺客气的" is praise of one side of something that is not praised."""
_EVERYTHING_ELSE = re.compile(r"别的|其他|其它|其余|剩下的")


def split_by_aspect(turn: Turn, question: Question) -> tuple[Reply | None, list[tuple[Question, Act]]]:
    """What of the reply speaks to the open question, and which clauses answer a later one ("期限还行，服务太差")."""
    foreign: list[tuple[Question, Act]] = []
    named: list[Act] = []  # "设计师" of "设计师还行，挺有耐心": what follows is said of him
    taken: set[int] = set()
    for one in turn.reply.acts:
        act = one
        if act.base not in FEELINGS:
            named = [act] if subjects_in(act.text) else named
            continue
        whose = subjects_in(act.text) or (subjects_in(named[0].text) if named and may_be_said_of_somebody(act.text) else frozenset())
        if (other := _question_about(turn, act, whose, question)) is not None:
            if foreign and foreign[-1][0] is other:
                act = replace(act, text=f"{foreign.pop()[1].text}，{act.text}")
            foreign.append((other, act))
            taken.update(map(id, [one, *named]))
        named = [one] if subjects_in(one.text) else named
    if not foreign:
        return turn.reply, []
    rest = tuple(act for act in turn.reply.acts if id(act) not in taken)
    feeling = tuple(act for act in rest if act.base not in ("thank", "greet"))
    if not feeling:
        return None, foreign
    text = "，".join(act.text for act in rest)
    return replace(turn.reply, text=text, acts=rest, intent=feeling[0].intent, confidence=feeling[0].confidence), foreign


def without_the_rest(question: Question, reply: Reply) -> Reply:
    """ "就是利率有点贵，别的还行" to a question about the price: what is said of everything else does not soften it."""
    if not 0 < len(question.aspects) <= 2:
        return reply
    parts = [part for part in _CLAUSE.split(reply.text) if part.strip()]
    kept = [part for part in parts if not _EVERYTHING_ELSE.search(part)]
    if not kept or len(kept) == len(parts):
        return reply
    text = "，".join(kept)
    acts = tuple(act for act in reply.acts if not _EVERYTHING_ELSE.search(act.text))
    return replace(reply, text=text, acts=acts, intent=acts[0].intent if acts else "", confidence=acts[0].confidence if acts else 0.0)


def _question_about(turn: Turn, act: Act, subjects: frozenset[int], open_question: Question) -> Question | None:
    if subjects & subjects_in(open_question.ask):
        return None
    named = frozenset(aspects_in(without_waiting(act.text)))
    if not subjects and (not named or named & set(open_question.aspects)):
        return None
    for question in turn.script.questions:
        if question.id in turn.state.values or question.id == open_question.id or question.type not in ("scale3", "scale5"):
            continue
        if len(question.aspects) > 2 and _CONCEDED.search(act.text):
            continue
        same = subjects & subjects_in(question.ask) if subjects_in(question.ask) else not named & set(open_question.aspects) and named & set(question.aspects)
        if same and holds(question.ask_if, {**turn.state.variables, **turn.state.values}):
            return question
    return None


def of_something_else(question: Question, reply: Reply) -> Reply | None:
    """The displeasure in a reply that speaks of nothing the question asks about: "药有点贵" to "对环境满意吗？"."""
    if question.type not in SATISFACTION_TYPES or subjects_in(reply.text) & subjects_in(question.ask):
        return None
    acts = tuple(act for act in reply.acts if act.base == "dissatisfied" and speaks_of_another_side(act.text, question.aspects))
    if not acts or any(act not in acts and act.base in FEELINGS for act in reply.acts):
        return None
    return replace(reply, text="，".join(act.text for act in acts), acts=acts)


def take_ahead(turn: Turn, foreign: list[tuple[Question, Act]]) -> bool:
    """Store what was said about later questions; they will not be asked again."""
    took = False
    for question, act in foreign:
        part = replace(turn.reply, text=act.text, acts=(act,), intent=act.intent, confidence=act.confidence)
        reading = turn.read(question_asked(question), part)
        if reading is None or question.id in turn.state.values:
            continue
        _keep(turn, question, reading.value, act.text, reading.how)
        if not matches(question.probe_if, reading.value) and names_a_fault(part):
            turn.effects.append(displeasure(question, act.text))
        took = True
    return took


def also_read(turn: Turn, question: Question) -> None:
    """An answer given ahead of its question; only what names itself, so that nothing is guessed."""
    values = turn.state.values
    if question.id in values:
        return
    if isinstance(question.ask_if, Mapping) and any(wanted is False and values.get(name) is True for name, wanted in question.ask_if.items()):
        return  # the number that was read out, sent back, corrects nothing
    reading = turn.read(question_asked(question))
    if reading is None or reading.fit != "strong":
        return
    value = completed_quantity(turn, question, reading.value)
    if question.type == "quantity_of" and value.get("at_least_half") is None:
        return
    _keep(turn, question, value, turn.reply.text, reading.how)


def corrected_outright(turn: Turn, question: Question) -> Reading | None:
    """A number sent to "您的电话是138…，对吗？": the same number is a yes, another one a no and the correction itself."""
    if question.type != "confirm":
        return None
    for other in map(turn.script.question, question.also_reads):
        if other.type != "phone" or other.ask_if != {question.id: False}:
            continue
        reading = turn.read(question_asked(other))
        if reading is not None and reading.fit == "strong":
            return Reading(str(reading.value) in turn.wording.fill(str(question.ask)), "confirm:sent", "strong")
    return None


def _keep(turn: Turn, question: Question, value: Any, words: str, how: str) -> None:
    store(turn, question, value, words, f"ahead:{how}")
    if matches(question.probe_if, value):
        turn.effects.append(displeasure(question, words))
    turn.state.ahead.append(question.id)


def settle(turn: Turn) -> Verdict | None:
    """What an early answer leads to, as soon as its question would be asked: its ticket, and the end of the talk if it ends it.

    A question whose condition does not hold waits: its answer may never matter. None: the talk goes on.
    """
    state = turn.state
    for question_id in list(state.ahead):
        question, value = turn.script.question(question_id), state.values.get(question_id)
        if not holds(question.ask_if, {**turn.script.demo_variables(), **state.variables, **state.values}):
            continue
        state.ahead.remove(question_id)
        probed = matches(question.probe_if, value)
        if question.ticket and holds_ticket(question, value) and not (probed and "if" not in question.ticket):
            turn.effects.append(ticket_of(question, state.words[question_id], {"answer": value}))
        if not probed and (ending := ending_of(question, value)) is not None and not turn.reply.has("complain"):
            said = spoken(value, state.words[question_id], turn.reply.at)
            return turn.end(Outcome(ending.outcome), question_id, turn.wording.fill(ending.say, answer=said))
    return None
