"""What can be open in a talk, and how it is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from followup.dialogue import state as st
from followup.dialogue.effects import Effect, RaiseTicket, StoreAnswer
from followup.dialogue.state import TalkState
from followup.dialogue.wording import Wording
from followup.reading import Asked, Option
from followup.scripts.compute import COMPUTATIONS
from followup.scripts.model import DEPARTMENT, Question, Script
from followup.scripts.walk import next_question


LONG = 40
"""Characters of a question that nobody wants to read twice."""
_SENTENCE = re.compile(r"[^。！？]*[。！？]?")
OPENING_SAID = "@opening"
"""Among the steps told: the opening was read, which tells who we are and what for."""
APART = "\f"
"""Stands around what is to be a message of its own."""


@dataclass(frozen=True)
class Said:
    """What the bot says in one turn, with quick replies where the question has choices."""

    text: str
    buttons: tuple[str, ...] = ()

    @property
    def messages(self) -> list[str]:
        """One message, or several where something is to stand apart; blank ones are left out."""
        return [part.strip() for part in self.text.split(APART) if part.strip()]


def asked(script: Script, item: str) -> Asked:
    """What the open item wants to read. ValueError for an item that reads nothing (consent, identity ...)."""
    for prefix in (st.REASON, st.IMPROVE):
        if item.startswith(prefix):
            return Asked("open")
    if item.startswith(st.QUESTION):
        return question_asked(script.question(item.removeprefix(st.QUESTION)))
    if item in (st.CALLBACK, st.OFFER):
        return Asked("datetime")
    raise ValueError(item)


def question_asked(question: Question) -> Asked:
    """The reader's view of a question."""
    return Asked(
        type=question.type,
        options=tuple(Option(option.value, option.say) for option in question.options),
        multiple=question.multiple,
        other=question.other,
        yes=question.yes,
        no=question.no,
        any_time=question.type == "datetime",
        low=question.low,
        high=question.high,
    )


_HELLO = "您好！"


def ask(script: Script, state: TalkState) -> Said:
    """The open item as a message, after what is to be said before it. Clears the lead."""
    wording = Wording(script, state)
    buttons = _buttons(script, state, wording)
    if state.quiet:
        text = ""
        buttons = ()
    elif state.simpler:
        text = _simpler(script, state, wording)
        if state.short and text == _short(script, state, wording):  # said the first time; now the other way to put it
            text = _alone(_plain(script, state, wording))
    elif state.short:
        text = _short(script, state, wording)
    else:
        text = _plain(script, state, wording)
    lead, state.lead = "".join(state.lead), []
    if state.asked_before and not state.quiet and not state.simpler and state.open.startswith(st.QUESTION):
        lead += wording.say("back_to_question")
    if state.open == st.CONSENT and text == _plain(script, state, wording) and OPENING_SAID not in state.told:
        state.told.append(OPENING_SAID)
    state.simpler = state.short = state.quiet = False
    state.asked_before = True
    if state.open == st.LISTENING:
        state.counts["opened"] = 1
    if lead.endswith(_HELLO) and text.startswith(_HELLO):
        lead = lead.removesuffix(_HELLO)  # greeted, and greeted back by the opening itself
    return Said(lead + text, buttons)


def go_on(script: Script, state: TalkState) -> list[Effect]:
    """Open the next question; `tell` and `compute` steps on the way are said first. END after the last.

    Returns computed results, and the tickets that steps ask for.
    """
    wording = Wording(script, state)
    state.asked_before = False
    effects: list[Effect] = []
    variables = _variables(wording, state)
    while (question := next_question(script, state.values, state.told, variables)) is not None and question.is_step:
        state.told.append(question.id)
        if question.type == "tell":
            if wording.can_say(question.say):
                said = wording.fill(question.say)
                state.lead.append(f"{APART}{said}{APART}" if question.apart else said)
            if question.ticket:
                effects.append(ticket_of(question, _words(question, state), _results(question, state)))
        else:
            effects.extend(_compute(question, state, wording))
    last = st.LISTENING if script.customer_led else st.END
    state.open = last if question is None else st.QUESTION + question.id
    return effects


def _compute(question: Question, state: TalkState, wording: Wording) -> list[Effect]:
    result = COMPUTATIONS[question.compute](question, state.values, _variables(wording, state))
    state.values[question.id] = result
    words = _words(question, state)
    ticket = [ticket_of(question, words, result or {})] if question.ticket else []
    if result is None:
        # A figure is missing: a colleague settles it, nothing is promised that was not computed.
        return [*ticket]
    if question.say and None not in result.values():
        state.lead.append(wording.fill(question.say, **result))
    return [StoreAnswer(question.id, result, words, f"compute:{question.compute}"), *ticket]


def _words(question: Question, state: TalkState) -> str:
    """What the customer said to the questions that a step looks at."""
    return "；".join(state.words[i] for i in state.order if i in _sources(question))


def computed_again(script: Script, state: TalkState, question_id: str) -> list[Effect]:
    """The results that an answer went into, once more: it was given again after they had been computed. Nothing is said."""
    variables = _variables(Wording(script, state), state)
    effects: list[Effect] = []
    for step in script.questions:
        if step.id in state.told and question_id in step.of:
            result = state.values[step.id] = COMPUTATIONS[step.compute](step, state.values, variables)
            effects.append(StoreAnswer(step.id, result, _words(step, state), f"compute:{step.compute}"))
    return effects


def _results(question: Question, state: TalkState) -> dict[str, Any]:
    """The computed results that a step looks at: the facts of its ticket."""
    computed = (state.values.get(i) for i in _sources(question) if i in state.told)
    return {key: value for result in computed if isinstance(result, Mapping) for key, value in result.items()}


def _sources(question: Question) -> set[str]:
    conditions = [question.ask_if] if isinstance(question.ask_if, Mapping) else question.ask_if
    return {*question.of, *(key.split(".")[0] for condition in conditions for key in condition)}


def ticket_of(question: Question, words: str, data: Mapping[str, Any]) -> RaiseTicket:
    """The ticket a question or a computed result asks for in its file."""
    spec = question.ticket or {}
    return RaiseTicket(
        topic=spec.get("topic", question.id),
        kind=spec.get("kind", "request"),
        severity=spec.get("severity", 3),
        department=spec.get("department", DEPARTMENT),
        reason=words,
        data=dict(data),
    )


def _variables(wording: Wording, state: TalkState) -> dict:
    return {**wording.script.demo_variables(), **state.variables}


def _plain(script: Script, state: TalkState, wording: Wording) -> str:
    item = state.open
    if item.startswith(st.QUESTION):
        return wording.fill(script.question(state.question_id).ask)
    if item.startswith(st.REASON):
        own = script.question(state.question_id).ask_reason
        return wording.fill(own) if own else wording.say("dissatisfied.ask_reason")
    if item.startswith(st.IMPROVE):
        own = script.question(state.question_id).ask_improve
        return wording.fill(own) if own else wording.say("dissatisfied.ask_improve")
    return {
        st.IDENTITY: lambda: wording.fill(script.identity_ask) if script.identity_ask else wording.say("identity_again"),
        st.CONSENT: lambda: wording.fill(script.opening),
        st.RESUME: lambda: wording.say("resume_callback" if state.callback_at and not state.our_time else "resume_opening"),
        st.CALLBACK: lambda: wording.say("busy.ask_when" if not state.asked_before else "busy.ask_when_again"),
        st.OFFER: lambda: "",
        st.THIRD_PERSON: lambda: wording.say("third_person.ask"),
        st.COMPLAINT: lambda: wording.say("complaint.ask"),
        st.LANDLINE: lambda: wording.say("busy.ask_landline"),
        st.OTHER_USER: lambda: wording.fill(script.other_user),
        st.OTHER_NAME: lambda: wording.say("third_person.ask_name"),
        st.LISTENING: lambda: _your_turn(script, state, wording),
        st.END: lambda: "",
    }[item]()


def first_item(script: Script) -> str:
    """What is open when a talk begins."""
    if script.customer_led:
        return st.LISTENING
    return st.IDENTITY if script.identity_ask else st.CONSENT


def _your_turn(script: Script, state: TalkState, wording: Wording) -> str:
    """The customer has the word: greeted the first time, then asked what else there is."""
    if "opened" not in state.counts:
        return wording.fill(script.opening)
    return wording.say("inbound.anything_else" if state.values.get("served") else "inbound.ask")


def _simpler(script: Script, state: TalkState, wording: Wording) -> str:
    """The open item in simpler words: the script's own, else the plain question."""
    item = state.open
    if item == st.IDENTITY:
        return wording.say("unclear_identity")
    if item in (st.CONSENT, st.RESUME):
        return wording.say("unclear_consent")
    if item == st.CALLBACK:
        return wording.say("busy.ask_when_again")
    if item == st.LISTENING:
        return wording.say("inbound.examples")
    if item.startswith(st.QUESTION) and script.question(state.question_id).on_unclear:
        return wording.fill(script.question(state.question_id).on_unclear)
    return _plain(script, state, wording)


def _short(script: Script, state: TalkState, wording: Wording) -> str:
    """The question alone; where even that is long, the simpler words if they are shorter."""
    if state.open in (st.CONSENT, st.RESUME):
        return wording.say("consent_again")
    if state.open == st.IDENTITY:
        return wording.say("unclear_identity")
    text = _alone(_plain(script, state, wording))
    simpler = _simpler(script, state, wording)
    return simpler if len(text) > LONG and len(simpler) < len(text) else text


def _alone(whole: str) -> str:
    """What of a question asks; all of it where nothing has a question mark."""
    return "".join(part for part in _SENTENCE.findall(whole) if part.endswith("？")) or whole


def _buttons(script: Script, state: TalkState, wording: Wording) -> tuple[str, ...]:
    item = state.open
    named = wording.script.wording["buttons"]
    if item in (st.CONSENT, st.IDENTITY, st.RESUME, st.OFFER):
        return tuple(named[item])
    if item == st.OTHER_USER:
        return tuple(named["yes_no"])
    if item == st.LISTENING:
        return tuple(named["anything_else" if state.values.get("served") else "listening"])
    if not item.startswith(st.QUESTION):
        return ()
    question = script.question(state.question_id)
    if question.buttons is not None:
        return question.buttons
    if question.type == "choice":
        return tuple(option.value for option in question.options)
    if question.type == "confirm":
        return tuple(named["yes_no"])
    if question.type in named:
        return tuple(named[question.type])
    if question.optional:
        return tuple(named["skip"])
    return tuple(named["nothing"]) if question.type == "open" else ()
