"""A quick reply that was clicked, or typed word for word: it means what stands on it, whatever the words resemble."""

from __future__ import annotations

from dataclasses import replace

from followup.dialogue import answers, state as st
from followup.dialogue.reply import Act
from followup.dialogue.turn import Turn, Verdict
from followup.reading import Reading
from followup.reading.text import core
from followup.scripts.model import Question

_MEANINGS = {
    st.CONSENT: ("consent", "busy"),
    st.RESUME: ("consent", "busy"),
    st.IDENTITY: ("consent", "wrong_person"),
    st.OFFER: ("consent", ""),
    st.OTHER_USER: ("consent", "deny"),
}
"""Open item -> what its buttons mean, in the order of the shared wording; "" is read from the words."""


def pressed(turn: Turn) -> bool:
    """Whether the reply is, word for word, an answer that the open item offers."""
    item = turn.state.open
    if item.startswith(st.QUESTION):
        return chosen(turn, turn.script.question(turn.state.question_id)) is not None
    return _meaning(turn) != ""


def meant_otherwise(turn: Turn) -> Verdict | None:
    """A button of consent, identity and the like that was taken for something else; None where there is nothing to mend."""
    if turn.state.open.startswith(st.QUESTION) and not turn.script.customer_led:
        return _passed_over(turn, turn.script.question(turn.state.question_id))
    meaning = _meaning(turn)
    if not meaning or turn.reply.base == meaning:
        return None
    if meaning in ("consent", "deny"):
        turn.reply = replace(turn.reply, intent=meaning, confidence=1.0, acts=(Act(meaning, 1.0, turn.reply.text),))
        return None
    return answers.as_intent(turn, meaning)


def chosen(turn: Turn, question: Question) -> Reading | None:
    """The option of a question that the reply is, word for word."""
    said = core(turn.reply.text)
    if question.type == "choice":
        for option in question.options:
            if said in (core(option.value) or option.value, *(core(word) for word in option.say if len(word) > 1)):
                return Reading([option.value] if question.multiple else option.value, "choice:exact")
        return None
    if question.type in ("scale3", "scale5"):
        words = turn.script.wording["buttons"][question.type]
        return next((Reading(word, f"{question.type}:exact") for word in words if said == word), None)
    if question.type in ("yes_no", "confirm"):
        yes, no = turn.script.wording["buttons"]["yes_no"]
        words = {**dict.fromkeys((yes, *question.yes), True), **dict.fromkeys((no, *question.no), False)}
        return Reading(words[said], f"{question.type}:exact") if said in words else None
    return None


def _passed_over(turn: Turn, question: Question) -> Verdict | None:
    """ "不方便透露", or what the script writes on that button ("不去了"), where the question shows it."""
    named, said = turn.script.wording["buttons"], core(turn.reply.text)
    shown = question.optional and question.buttons is None and question.type not in (*named, "choice", "confirm")
    return answers.passed(turn, question, "skipped") if shown and said in map(core, named["skip"]) else None


def _meaning(turn: Turn) -> str:
    named = turn.script.wording["buttons"]
    words = named.get("yes_no" if turn.state.open == st.OTHER_USER else turn.state.open, ())
    meanings = dict(zip(map(core, words), _MEANINGS.get(turn.state.open, ())))
    return meanings.get(core(turn.reply.text), "")
