"""When shall we come back? The customer is asked for a time, or one is offered."""

from __future__ import annotations

import re
from datetime import datetime

from followup.dialogue import answers, appoint, state as st
from followup.dialogue.aspects import aspects_in
from followup.dialogue.consent import agreed, begin, first_question
from followup.dialogue.effects import BookCallback, Outcome, TakeNote
from followup.dialogue.go_ahead import says_go_ahead
from followup.dialogue.items import question_asked
from followup.dialogue.put_off import comes_by
from followup.dialogue.reply import ENDS_NOW, FEELINGS, FIRM, NOT_NOW, asks_something
from followup.dialogue.turn import Turn, Verdict
from followup.reading import Asked
from followup.scripts.model import SATISFACTION_TYPES, Question

_AGREES = re.compile(r"^[嗯哦那，\s]*(?:好|行|可以|成|没问题|ok|OK|就这样|嗯)")
""" "好的再见" to an offered time."""
_NOW = ("现在", "继续", "这会儿")
_ANY_WORDS = ("open", "yes_no", "confirm")
"""Questions that other words resemble an answer to: "好像收到了" is no yes to "地址对吗？"."""
_OF_THE_TIME = ("consent", "deny", "refuse", "skip", "nothing_to_add", "thank", "goodbye", "greet")
_SAYS_SOMETHING = 4
"""Characters."""


def hear_callback(turn: Turn) -> Verdict:
    state, reply = turn.state, turn.reply
    reading = turn.read(Asked("datetime"))
    if comes_by(reply.text) and state.resume_at != st.IDENTITY:
        return _comes_by(turn)
    if reading is not None:
        state.our_time = False
        return answers.book(turn, reading.value)
    if (verdict := _taken_up(turn)) is not None:
        return verdict
    if reply.base == "goodbye" and reply.sure:
        return _unnamed(turn)
    if reply.base in ("refuse", "request_human", "complain", "abuse", "wrong_person", "third_person") and reply.sure:
        return Verdict.INTERRUPTED
    if reply.has(*ENDS_NOW):
        return Verdict.INTERRUPTED
    if reply.has("ask_who", "ask_purpose", "ask_source", "ask_duration", "ask_privacy", "bot_challenge", "faq", "wait"):
        return Verdict.INTERRUPTED
    _told_meanwhile(turn)
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
    if (verdict := _taken_up(turn)) is not None:
        return verdict
    parts_agreed = reply.base == "goodbye" and _AGREES.match(reply.text)
    if reply.base in ("consent", "satisfied", "neutral", "thank") and reply.sure or parts_agreed:
        return answers.booked(turn, offered)
    if "换" in reply.text and "时间" in reply.text:
        state.open, state.asked_before = st.CALLBACK, False
        return Verdict.GO_ON
    if reply.base in ("refuse", "request_human", "complain", "abuse", "wrong_person") and reply.sure:
        return Verdict.INTERRUPTED
    _told_meanwhile(turn)
    return _unnamed(turn)


# —— no time, but an answer ———————————————————————————————————————————————


def _comes_by(turn: Turn) -> Verdict:
    """ "那周日我去": an answer where one is asked for, else kept; nobody is to ring then, and the talk goes on."""
    question = _waiting_question(turn)
    reading = turn.read(question_asked(question)) if question is not None else None
    if question is not None and reading is not None and reading.fit == "strong":
        return _heard_as_answer(turn)
    turn.keep_told(turn.reply.text)
    turn.state.open = st.RESUME
    return agreed(turn)


def _taken_up(turn: Turn) -> Verdict | None:
    """ "现在可以", "你说吧", or an answer instead of a time: the talk goes on at once."""
    state, reply = turn.state, turn.reply
    if reply.has("consent") and (says_go_ahead(reply.text) or any(word in reply.text for word in _NOW)):
        if state.resume_at == st.IDENTITY:  # nobody has said yet who it is
            state.open, state.asked_before = st.IDENTITY, False
            return Verdict.GO_ON
        state.open = st.RESUME
        return agreed(turn)
    question = _waiting_question(turn)
    if question is None or not _answers(turn, question):
        return None
    return _heard_as_answer(turn)


def _heard_as_answer(turn: Turn) -> Verdict:
    """No time is looked for any more; the question is opened at which the talk was put off."""
    from followup.dialogue.hear import hear  # the reply is heard again, now as the answer

    state = turn.state
    state.callback_at = state.callback_reason = state.offered = ""
    if state.resume_at == st.CONSENT:
        turn.effects.extend(begin(turn.script, state))
    else:
        state.open, state.asked_before = state.resume_at, False
    state.resume_at = ""
    return hear(turn)


def _waiting_question(turn: Turn) -> Question | None:
    """The question at which the talk was put off, or the first one; none where nobody has said yet who it is."""
    at = turn.state.resume_at
    if at == st.CONSENT:
        return first_question(turn)
    return turn.script.question(at.removeprefix(st.QUESTION)) if at.startswith(st.QUESTION) else None


def _answers(turn: Turn, question: Question) -> bool:
    """Whether the words answer it beyond doubt: a bare "挺好的" agrees to the time that was offered."""
    reply = turn.reply
    if reply.has(*NOT_NOW) or asks_something(reply.text):
        return False
    if _heard(question, reply.text):
        return True
    if not reply.sure or reply.base not in ("inform", *FEELINGS):
        return False
    if question.type in SATISFACTION_TYPES:
        return reply.base in FEELINGS and bool(set(aspects_in(reply.text)) & set(question.aspects))
    if question.type in _ANY_WORDS:
        return False
    reading = turn.read(question_asked(question))
    return reading is not None and reading.fit == "strong"


def _heard(question: Question, text: str) -> bool:
    return any(one.heard_in(text) for one in question.listen_for)


def _told_meanwhile(turn: Turn) -> None:
    """What is told or asked instead of a time and answers nothing is kept, and a displeasure apologised for."""
    reply = turn.reply
    if len(reply.text) < _SAYS_SOMETHING or reply.has(*NOT_NOW) or reply.base in _OF_THE_TIME:
        return
    if asks_something(reply.text):
        turn.for_a_colleague(reply.text)
    elif reply.base == "dissatisfied" and reply.confidence >= FIRM:
        answers.remark(turn, reply)
    elif reply.base in ("inform", "suggest") or not reply.sure:
        turn.effects.append(TakeNote("suggestion" if reply.base == "suggest" else "enquiry", reply.text))


def _unnamed(turn: Turn) -> Verdict:
    """The customer parts without a time: a colleague sees that one is still to be found."""
    turn.effects.append(BookCallback(None, turn.state.callback_reason, turn.reply.text))
    return turn.end(Outcome.UNREACHABLE, "no_time_named")
