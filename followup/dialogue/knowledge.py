"""Which written answer fits a question about the business (catalogue C): by topic, trade, the words asked, what is known.

What nobody wrote down, or what this company has no value for, is not guessed: it is recorded for a colleague (58741 (3)).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping

from followup.dialogue.turn import Turn
from followup.knowledge.load import KNOWLEDGE_DIR, Entry, Topic, company_values, load_topics
from followup.scripts.checks.facts import BUILT_IN_VARIABLES

__all__ = ["KNOWLEDGE_DIR", "Answer", "answer_in", "answer_to", "known_answer", "tell"]

_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True)
class Answer:
    """What may be said."""

    topic: str
    say: tuple[str, ...]
    """Wordings that mean the same; the topic's variables are filled in, {customer} and the like are not."""
    record: bool
    """The answer promises a colleague: the question is recorded too."""


def answer_to(
    intent: str, trade: str, asked: str = "", known: Mapping[str, str] | None = None, demo: bool = True
) -> Answer | None:
    """The first answer to `faq/<topic>` that fits; None when there is none, and then nothing is guessed.

    `asked` are the customer's words, `known` what is known of this customer (before the company's own values).
    `demo`: a talk of the demo company, which may use sample answers and sample values.
    """
    topic = load_topics().get(intent.partition("/")[2])
    if topic is None or (topic.demo and not demo):
        return None
    samples = {name: one.demo for name, one in topic.variables.items() if demo and one.demo is not None}
    values = {**samples, **company_values(), **{name: str(v) for name, v in (known or {}).items() if v not in (None, "")}}
    for entry in topic.answers:
        if _fits(entry, trade, asked) and _needed(entry) <= values.keys() | set(BUILT_IN_VARIABLES):
            return Answer(topic.name, tuple(_fill(sentence, topic, values) for sentence in entry.say), entry.record)
    return None


def known_answer(intent: str, trade: str, asked: str = "") -> str | None:
    """The answer in the words a demo talk uses first; None when nobody wrote one. In a talk use `tell`."""
    answer = answer_to(intent, trade, asked)
    return answer.say[0] if answer else None


def tell(turn: Turn, otherwise: str = "answers.colleague") -> bool:
    """Answer the question that leads this reply, or say `otherwise`. Whether it was answered.

    Recorded under its topic when it was not answered, or when the answer promises a colleague.
    """
    reply, state = turn.reply, turn.state
    answer = answer_in(turn)
    if answer is None or answer.record:
        turn.for_a_colleague(reply.text, topic=reply.intent.partition("/")[2])
    if answer is None:
        turn.lead(otherwise)
        return False
    state.lead.append(turn.wording.fill(turn.wording.pick(list(answer.say), answer.topic)))
    return True


def answer_in(turn: Turn) -> Answer | None:
    """The answer to the question that leads this reply, in one of the trades the script may answer for. Changes nothing."""
    reply, variables = turn.reply, turn.state.variables
    samples = turn.script.demo_variables()
    # A company that gave its own name has no use for another one's carrier.
    demo = variables.get("company") in (None, "", samples.get("company"))
    known = {**samples, **variables} if demo else variables
    asked = next((act.text for act in reply.acts if act.intent == reply.intent), "") or reply.text
    found = (answer_to(reply.intent, trade, asked, known, demo) for trade in turn.script.knowledge or (turn.script.trade,))
    return next((answer for answer in found if answer), None)


def _fits(entry: Entry, trade: str, asked: str) -> bool:
    if entry.trades and trade not in entry.trades:
        return False
    if entry.asked and not any(word in asked for word in entry.asked):
        return False
    return not any(word in asked for word in entry.not_asked)


def _needed(entry: Entry) -> set[str]:
    """Variables without which the answer cannot be given."""
    return {*entry.needs, *(name for sentence in entry.say for name in _VARIABLE.findall(sentence))}


def _fill(sentence: str, topic: Topic, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda m: values[m[1]] if m[1] in topic.variables else m[0], sentence)
