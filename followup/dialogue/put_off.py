"""Not now: the documented closings for who drives or eats, a call-back for who is busy, and times that are no call-back."""

from __future__ import annotations

import re
from typing import Any

from followup.dialogue import answers, appoint, state as st
from followup.dialogue.ahead import also_read
from followup.dialogue.effects import BookCallback, Outcome
from followup.dialogue.reply import ENDS_NOW
from followup.dialogue.turn import Turn
from followup.reading import Asked, Reading
from followup.scripts.model import Question, Script

_IS_IT_ALRIGHT = re.compile(r"(?:行|可以|成|好)(?:不行?|吗|么|不可以)|可不可以|能不能")
_I_COME = re.compile(r"(?:再|就)(?:去|过去|到)你们|(?:我|我们|咱)(?:自己|就|再|会|想|可以|准备|打算|直接|抽空|开车|带\w{1,4}|[今明后]天|[上下]午|早上|晚上|[周下][一二三四五六日天末周]|\d+号)*(?:去|过去|过来|到)(?:$|[吧啊呀。，,！!]|你们|你那|店|那|看|一趟|瞧|转)")
_VISITS = re.compile(r"(?:去|来|到)(?:你们)?(?:医院|店里|诊所)?(?:复查|复诊|拆线|换药|保养)")
_TOO_FAR = re.compile(r"(?:离|隔)?[^，。]{0,4}(?:太|有点|很|比较|得|挺|这么)远(?:了|啊|的)?|在外地")
_SENDS_LATER = re.compile(r"(?:回头|等会儿?|晚点|晚些|过会儿?|稍后|待会儿?)[^，。]{0,4}(?:发|给|报|拍)(?:给|一下|个)?(?:你|您|过)")
_RING = re.compile(r"打|联系|再说|再聊|聊|找我|回访|电话|忙")
_INVITES = re.compile(r"需要|过来|来店|到店|开到|来一趟|预约|约个|上门|来检查|复查")


def ends_now(turn: Turn) -> None:
    """Driving, in a meeting, eating, unwell, resting: the documented closing, no question after it."""
    act = next(a.base for a in turn.reply.acts if a.base in ENDS_NOW) if turn.reply.has(*ENDS_NOW) else turn.reply.base
    answers.put_off(turn, act)
    turn.state.lead.clear()
    turn.state.our_time = False
    named = _named_time(turn)
    if named is not None:
        answers.book(turn, named)
        return
    at = appoint.later(act, turn.reply.at)
    turn.state.callback_at, turn.state.our_time = at.isoformat(), True
    turn.effects.append(BookCallback(at, act, turn.reply.text, confirmed=False))
    turn.end(Outcome.APPOINTED, act, turn.wording.say(f"busy.{act}"))


def busy(turn: Turn) -> None:
    """With a time: booked and read back. Without: asked which day and which part of it (63714 (A)).

    "正开着呢，回头说" is a driver first: not one question more. "明天上午吧" may be the booking the script is heading for.
    """
    if turn.reply.has(*ENDS_NOW):
        ends_now(turn)
        return
    if wish_for_a_booking(turn):
        return
    if turn.state.open.startswith((st.QUESTION, st.CONSENT)) and _is_told(turn):
        turn.keep_told(turn.reply.text, topic=turn.state.question_id)
        if turn.state.open == st.CONSENT:
            turn.state.short = True
        return
    if _asks_for_another_time(turn):
        turn.for_a_colleague(turn.reply.text)
        turn.lead("answers.colleague")
        return
    turn.state.our_time = False
    answers.put_off(turn, "call_later" if turn.reply.base == "call_later" else "busy")
    named = _named_time(turn)
    if named is not None:
        answers.book(turn, named)
        return
    if turn.state.open == st.CALLBACK:
        answers.offer(turn, appoint.tomorrow_morning(turn.reply.at), "busy.offer")
        return
    turn.state.open, turn.state.asked_before = st.CALLBACK, False


def _is_told(turn: Turn) -> bool:
    """What is no wish for another time: "周末有空我去看看", "离得远不方便", "税号我回头给你"."""
    text = turn.reply.text
    return comes_by(text) or sends_later(text) or _TOO_FAR.search(text) is not None and _named_time(turn) is None


def sends_later(text: str) -> bool:
    """ "税号我回头给你": nobody is to ring."""
    return _SENDS_LATER.search(text) is not None


def comes_by(text: str) -> bool:
    """ "周末有空我去看看", "下周去复查": the customer will come by; nobody is to ring then."""
    return (_I_COME.search(text) or _VISITS.search(text)) is not None and _RING.search(text) is None


def _asks_for_another_time(turn: Turn) -> bool:
    """ "周日行不，带我媳妇一起" to what is on Saturday: a question about our event, no call-back."""
    reply = turn.reply
    if not turn.state.open.startswith(st.QUESTION) or reply.base != "propose_time":
        return False
    return _IS_IT_ALRIGHT.search(reply.text) is not None and _RING.search(reply.text) is None


def wish_for_a_booking(turn: Turn) -> bool:
    """ "下午不行，明天上午吧" to "您需要免费检查吗？": yes, and the time for the script's own booking; no call-back."""
    state, script = turn.state, turn.script
    if not state.open.startswith(st.QUESTION) or turn.reply.base != "propose_time" or _named_time(turn) is None:
        return False
    question = script.question(state.question_id)
    if question.type not in ("yes_no", "confirm") or not _INVITES.search(question.ask):
        return False
    booking = next((one for one in _later(script, question) if "propose_time" in one.takes or one.type == "datetime"), None)
    if booking is None or booking.id in state.values:
        return False
    for one in (booking, *(script.question(i) for i in booking.also_reads)):
        also_read(turn, one)
    turn.lead("acknowledge.time_noted")
    answers.take(turn, question, Reading(True, "yes_no:time_named", "strong"))
    return True


def _later(script: Script, question: Question) -> tuple[Question, ...]:
    """The questions after this one, in the file's order."""
    return tuple(script.questions[script.questions.index(question) + 1 :])


def _named_time(turn: Turn) -> Any:
    reading = turn.read(Asked("datetime"))
    return reading.value if reading else None
