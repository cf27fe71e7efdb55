"""What was not understood: asked again, asked in simpler words, then passed over. Nobody is asked more than three times."""

from __future__ import annotations

import re

from followup.dialogue import answers, state as st
from followup.dialogue.effects import BookCallback, Outcome, StoreAnswer, TakeNote
from followup.dialogue.items import ticket_of
from followup.dialogue.record import ending_of
from followup.dialogue.reply import asks_something, tells_something
from followup.dialogue.turn import Turn, Verdict

_PATIENCE = 3
_BACK_AT_US = re.compile(r"(?:那|那么)?[你您]们?(?:觉得|说|猜|看|认为)呢?[？?]?")
"""The question, given back: nothing that a colleague could answer."""
_HEARD = re.compile(r"(?:哦|噢|喔|这样啊?|是吗|原来如此|原来是你们?)[，。！!…~～\s]*(?:哦|噢|这样啊?)?[。！!…~～]*")
_ASKED_FIRST = (st.CONSENT, st.IDENTITY, st.RESUME)
_TELLINGS = ("inform", "suggest", "satisfied", "neutral")


def unclear(turn: Turn, no_text: bool = False) -> Verdict:
    """First: please again; second: simpler words; third: passed over and flagged (8035c, b9e91 服务用语)."""
    state, reply = turn.state, turn.reply
    times = state.unclear[state.open] = state.unclear.get(state.open, 0) + 1
    if times == 1 and state.open in _ASKED_FIRST and state.asked_before and _HEARD.fullmatch(reply.text):
        state.short = True  # "哦" says that we were heard: whether to go on is asked without an apology
        return Verdict.GO_ON
    kept = None if no_text or times >= _PATIENCE else _kept(turn)
    if times == 1:
        turn.lead("unclear.no_text" if no_text else kept or "unclear.first")
        state.asked_before = False
        state.simpler = state.open in _ASKED_FIRST
        state.short = not state.simpler
        return Verdict.GO_ON
    if times == 2:
        turn.lead(kept or "unclear.second")
        state.simpler = state.short = True
        return Verdict.GO_ON
    turn.effects.append(TakeNote("unclear", reply.text, topic=state.open))
    return give_up(turn)


def _kept(turn: Turn) -> str | None:
    """What was told or asked, and answers nothing here, is written down; the sentence that says so."""
    reply = turn.reply
    if not tells_something(reply.text) or turn.state.open == st.LISTENING:  # there, all that is told is kept anyway
        return None
    if _BACK_AT_US.fullmatch(reply.text):
        return None
    if asks_something(reply.text):
        turn.for_a_colleague(reply.text)
        return "answers.colleague"
    if reply.sure and reply.base in _TELLINGS or turn.script.customer_led:
        turn.effects.append(TakeNote("enquiry", reply.text))
        turn.told_early()
        return "acknowledge.also_noted"
    return None


def give_up(turn: Turn) -> Verdict:
    """The open item is passed over: the third time in vain."""
    state = turn.state
    if state.open.startswith(st.QUESTION):
        question = turn.script.question(state.question_id)
        turn.effects.append(StoreAnswer(question.id, None, turn.reply.text, "unclear"))
        state.keep(question.id, None, turn.reply.text)
        if question.ticket:  # "请同事核对" is a promise: whoever would have had the ticket looks at the words
            turn.effects.append(ticket_of(question, turn.reply.text, {"answer": None, "unclear": True}))
        if (ending := ending_of(question, None)) is not None:
            return turn.end(Outcome(ending.outcome), "unclear", turn.wording.fill(ending.say))
        turn.lead("acknowledge.unclear_skipped")
        return answers.proceed(turn)
    if state.open.startswith((st.REASON, st.IMPROVE)):
        return answers.proceed(turn)
    if state.open == st.LISTENING:
        from followup.dialogue import inbound  # it hears through this module

        return inbound.give_up(turn)
    if state.open == st.THIRD_PERSON:
        return turn.end(Outcome.WRONG_PERSON, "unclear", turn.wording.say("third_person.declined"))
    turn.effects.append(BookCallback(None, "unclear", turn.reply.text))
    return turn.end(Outcome.UNREACHABLE, "unclear")
