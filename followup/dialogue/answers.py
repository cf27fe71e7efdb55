"""Answers taken, acknowledged, probed and corrected; call-backs booked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any, Mapping

from followup.dialogue import appoint, state as st
from followup.dialogue.ahead import also_read, settle
from followup.dialogue.aspects import aspects_in
from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, StoreAnswer, TakeNote, WithdrawTicket
from followup.dialogue.items import go_on, question_asked, ticket_of
from followup.dialogue.record import completed_quantity, displeasure, ending_of, holds_ticket, listen, store
from followup.dialogue.reason import names_a_fault, states_reason
from followup.dialogue.reply import FIRM, Act, Reply
from followup.dialogue.spoken import point, spoken
from followup.dialogue.turn import Turn, Verdict
from followup.reading import Reading, polarity
from followup.scripts.model import DEPARTMENT, SATISFACTION_TYPES, Question
from followup.scripts.walk import NOTHING, matches, shown

_COMPLAINS = re.compile(r"投诉|举报|曝光|12315|12345|消协|工商|法院|起诉|律师|骗|坑|凭什么|过分|气死|差评|怎么办事|说法|赔")
_YES_BUT = re.compile(r"[，,。\s](?:就是|但是?|不过|可惜|只是|可是)")
DISSATISFIED = ("不满意", "非常不满意")
_ADVISES = re.compile(r"请|应该|希望|最好|要是|如果|不就|再|就好了|能不能|建议|多.{1,6}点")
_CORRECTION = re.compile(r"^.*?(?:应该是|应该算|应该说|改成|改为|我是说|我想说的是|我的意思是|换成|更正为|更正一下|改一下|说错了|搞错了|弄错了|点错了|改(?:变)?主意了?|反悔了?|不对|错了)")


def proceed(turn: Turn) -> Verdict:
    """Open the next question; the talk is completed after the last."""
    if turn.script.customer_led:
        from followup.dialogue import inbound  # it takes answers through this module

        return inbound.proceed(turn)
    if (over := settle(turn)) is not None:
        return over
    turn.effects.extend(go_on(turn.script, turn.state))
    return finished(turn) if turn.state.open == st.END else Verdict.GO_ON


def finished(turn: Turn) -> Verdict:
    return turn.end(Outcome.COMPLETED)


def take(turn: Turn, question: Question, reading: Reading, said: Reply | None = None) -> Verdict:
    """Store what was read, with everything else the same reply holds; acknowledge, probe or go on.

    `said`: what of the reply speaks to this question, where the rest was kept with another.
    """
    state, reply = turn.state, turn.reply
    value = completed_quantity(turn, question, reading.value)
    listen(turn, question)
    store(turn, question, value, reply.text, reading.how)
    for other_id in question.also_reads:
        also_read(turn, turn.script.question(other_id))
    probed = matches(question.probe_if, value)
    if question.ticket and holds_ticket(question, value) and not (probed and "if" not in question.ticket):
        turn.effects.append(ticket_of(question, reply.text, {"answer": value}))
    if probed:
        return _dissatisfied(turn, question)
    beside = value not in DISSATISFIED and _fault_beside(turn, question, said or reply)
    if (ending := ending_of(question, value)) is not None and not reply.has("complain"):
        return turn.end(Outcome(ending.outcome), question.id, turn.wording.fill(ending.say, answer=spoken(value, reply.text, reply.at)))
    if (over := settle(turn)) is not None:
        return over
    if beside:
        turn.lead("dissatisfied.beside")
    elif not (question.probe_unless and state.values.get(question.probe_unless)):  # no thanks before an apology
        state.lead.append(acknowledgement(turn, question, value))
    if reply.has("complain") and not _only_sounds_like_a_complaint(turn, question, reading):
        return Verdict.INTERRUPTED
    return proceed(turn)


def _only_sounds_like_a_complaint(turn: Turn, question: Question, reading: Reading) -> bool:
    """ "给我补发一箱吧" picks what was offered; it is a complaint only where it surely is one."""
    act = turn.reply.has("complain")
    if act is None or act.confidence >= 0.9 or _COMPLAINS.search(act.text):
        return False
    return reading.fit == "strong" and question.type not in SATISFACTION_TYPES


def _fault_beside(turn: Turn, question: Question, said: Reply) -> bool:
    """ "质量还可以，就是工期拖了半个月": the answer stands, the fault is passed on as well (58741 (5), 2.2), once."""
    state, reply = turn.state, turn.reply
    if not names_a_fault(reply) or reply.has("complain") or not (question.type in SATISFACTION_TYPES or _said_yes_but(turn, question)):
        return False
    if question.probe_unless and state.values.get(question.probe_unless):
        return False
    if said is reply or names_a_fault(said):
        turn.effects.append(displeasure(question, reply.text))
    return True


def _said_yes_but(turn: Turn, question: Question) -> bool:
    """ "都挺好，就是脚垫味道大" to "路上顺利吗？", which asks how it was (`probe_if`)."""
    return question.type in ("choice", "yes_no", "confirm") and bool(question.probe_if) and _YES_BUT.search(turn.reply.text) is not None


# —— dissatisfaction ——————————————————————————————————————————————————


def _dissatisfied(turn: Turn, question: Question) -> Verdict:
    """Always the reason, the apology, the improvement, the ticket (58741 (5), 2.2); a reason given is not asked for."""
    state, reply = turn.state, turn.reply
    if question.probe_unless and state.values.get(question.probe_unless):
        turn.effects.append(replace(displeasure(question, reply.text, topic=question.probe_unless), severity=4))
        return proceed(turn)
    turn.effects.append(displeasure(question, reply.text))
    if reply.has("complain"):
        return Verdict.INTERRUPTED
    if states_reason(reply.text) or "reason" not in question.probes:
        turn.lead("dissatisfied.given")
        return proceed(turn)
    state.open, state.asked_before = st.REASON + question.id, False
    return Verdict.GO_ON


def probe_answer(turn: Turn, question: Question, kind: str, words: str) -> None:
    """Record a reason or an improvement (no words: none was given) and open what follows."""
    state = turn.state
    if words:
        turn.effects.append(StoreAnswer(f"{question.id}.{kind}", words, words, "open:words"))
        turn.effects.append(displeasure(question, words))
    if kind == "reason" and words and "improve" in question.probes:
        state.open, state.asked_before = st.IMPROVE + question.id, False
        return
    turn.lead("dissatisfied.improve_thanks" if words else "acknowledge.nothing")
    if settle(turn) is None:
        turn.effects.extend(go_on(turn.script, state))


def remark(turn: Turn, reply: Reply) -> None:
    """A dissatisfaction that belongs to no question: apologised for, kept word for word, passed on."""
    turn.effects.append(RaiseTicket("remark", "dissatisfaction", 3, DEPARTMENT, reply.text))
    turn.lead("dissatisfied.remark" if turn.state.count("remark") == 1 else "dissatisfied.beside")


def complained(turn: Turn, words: str) -> Verdict:
    """Listen, empathy, apology, solution and time (b9e91 四步); the ticket is raised the same day."""
    department = DEPARTMENT
    turn.effects.append(RaiseTicket("complaint", "complaint", 2, department, words))
    turn.lead("complaint.promise", department=department, due="两个工作日")
    return turn.end(Outcome.COMPLAINED, words[:200])


# —— passed over, nothing to say, corrected ————————————————————————————————————


def passed(turn: Turn, question: Question, how: str) -> Verdict:
    """The customer does not want to, or cannot, answer this one."""
    state = turn.state
    if question.required and how == "skipped" and state.count(f"skip:{question.id}") == 1:
        turn.lead("skip.required")
        return Verdict.GO_ON
    store(turn, question, None, turn.reply.text, how)
    if (ending := ending_of(question, None)) is not None:
        return turn.end(Outcome(ending.outcome), question.id, turn.wording.fill(ending.say))
    state.lead.append(acknowledgement(turn, question, None))
    return proceed(turn)


def only_heard(turn: Turn, question: Question) -> Verdict:
    """No answer to this question, but something it listens for ("我用了过敏" to "您用上了吗？"): the flag leads on."""
    store(turn, question, None, turn.reply.text, "listen")
    return proceed(turn)


def nothing(turn: Turn, question: Question) -> Verdict:
    """ "没有了" to a request for suggestions."""
    store(turn, question, NOTHING, turn.reply.text, "open:nothing")
    if (ending := ending_of(question, NOTHING)) is not None:
        return turn.end(Outcome(ending.outcome), question.id, turn.wording.fill(ending.say))
    turn.state.lead.append(acknowledgement(turn, question, NOTHING))
    return proceed(turn)


def acknowledgement(turn: Turn, question: Question, value: Any) -> str:
    """The question's own words for this value, else the shared ones."""
    kind = "skipped" if value is None else "nothing" if value == NOTHING else "answered"
    own = question.acknowledge
    if isinstance(own, Mapping):
        own = _own_sentence(own, value, "nothing" if kind == "skipped" else kind)
    if own is not None and (kind != "skipped" or isinstance(question.acknowledge, Mapping)):
        said = turn.wording.fill(turn.wording.pick(own, f"ack:{question.id}"), answer=spoken(value, turn.reply.text, turn.reply.at))
        return turn.wording.say("answers.praise") if _thanks_for_advice(said) and _only_praises(turn.reply) else said
    shared = turn.script.wording["acknowledge"]
    key = value if isinstance(value, str) and value in shared else "很满意" if value in ("非常满意", "满意") else kind
    return turn.wording.say(f"acknowledge.{key}")


def _thanks_for_advice(said: str) -> bool:
    return "建议" in said and "谢" in said


def _only_praises(reply: Reply) -> bool:
    """ "梨挺甜的" is no advice; "请老师傅试一圈，问题不就出来了" is, though it resembles praise."""
    if reply.base != "satisfied" or any(act.base not in ("satisfied", "thank") for act in reply.acts):
        return False
    opinion = polarity.level(reply.text)
    return reply.confidence >= FIRM and opinion is not None and opinion[0] > 0 and not _ADVISES.search(reply.text)


def _own_sentence(own: Mapping[str, Any], value: Any, kind: str) -> Any:
    """What the file says to this answer; to several answers at once, what it says to the one it names first."""
    given = {shown(one) for one in value} if isinstance(value, list) else {shown(value)}
    return next((say for key, say in own.items() if key in given), own.get(kind))


def correct(turn: Turn) -> None:
    """ "刚才说错了，应该是不满意": the answer is changed, the earlier one is kept in the store."""
    state = turn.state
    rest = _CORRECTION.sub("", turn.reply.text).strip("，。,.吧 ")
    rest = re.sub(r"^(?:应该是|应该算|应该说|改成|改为|是)", "", rest)
    part = replace(turn.reply, text=rest, intent="", confidence=0.0, acts=())
    target = _corrected_question(turn, part)
    if target is None:
        turn.lead("correct.nothing")
        return
    reading = turn.read(question_asked(target), part) if rest else None
    if reading is None:
        reopen(turn, target, "correct.ask_again")
        return
    value, before = completed_quantity(turn, target, reading.value), state.values.get(target.id)
    turn.effects.append(TakeNote("correction", turn.reply.text, topic=target.id))
    store(turn, target, value, turn.reply.text, "corrected")
    turn.lead("acknowledge.corrected")
    _correct_ticket(turn, target, value, before)
    if matches(target.probe_if, value) and not state.over:
        turn.effects.append(displeasure(target, turn.reply.text))
        if not states_reason(rest):
            state.open, state.asked_before = st.REASON + target.id, False


def _correct_ticket(turn: Turn, question: Question, value: Any, before: Any) -> None:
    """The ticket follows the answer: nobody refunds what is to be sent again, nor acts on what was taken back."""
    if question.ticket and holds_ticket(question, value):
        turn.effects.append(ticket_of(question, turn.reply.text, {"answer": value}))
    elif question.ticket and holds_ticket(question, before):
        turn.effects.append(WithdrawTicket(ticket_of(question, "", {}).topic, turn.reply.text))
    if matches(question.probe_if, before) and not matches(question.probe_if, value):
        turn.effects.append(WithdrawTicket(question.id, turn.reply.text))


def _corrected_question(turn: Turn, part: Reply) -> Question | None:
    """The question whose subject is named, else the last one that the new words answer, else the last one."""
    answered = [turn.script.question(i) for i in turn.state.order if _is_question(turn, i)]
    named = set(aspects_in(turn.reply.text))
    for question in reversed(answered):
        if named & set(question.aspects):
            return question
    for question in reversed(answered):
        reading = turn.read(question_asked(question), part) if part.text else None
        if reading is not None and reading.fit == "strong" and question.type != "open":
            return question
    return answered[-1] if answered else None


def _is_question(turn: Turn, question_id: str) -> bool:
    return any(q.id == question_id and not q.is_step for q in turn.script.questions)


def reopen(turn: Turn, question: Question, lead: str) -> None:
    """Ask an answered question again; the new answer supersedes."""
    state = turn.state
    state.values.pop(question.id, None)
    if question.id in state.order:
        state.order.remove(question.id)
    state.open, state.asked_before = st.QUESTION + question.id, False
    turn.lead(lead)


def go_back(turn: Turn) -> None:
    """ "回到上一题"."""
    answered = [i for i in turn.state.order if _is_question(turn, i)]
    if not answered:
        turn.lead("go_back.nothing")
        return
    reopen(turn, turn.script.question(answered[-1]), "go_back.ask")


# —— call-backs ——————————————————————————————————————————————————————


def put_off(turn: Turn, reason: str) -> None:
    """Remember why, and where to go on later."""
    state = turn.state
    state.callback_reason = reason
    if state.open not in (st.CALLBACK, st.OFFER, st.RESUME):
        state.resume_at = state.open


def book(turn: Turn, value: Mapping[str, str]) -> Verdict:
    """Book the time the customer named, or offer the nearest proper hour ("凌晨三点")."""
    at = point(value, turn.reply.at)
    if appoint.in_wished_hours(at):
        return booked(turn, at)
    return offer(turn, appoint.nearest_proper(at), "busy.offer_proper")


def offer(turn: Turn, at: datetime, sentence: str) -> Verdict:
    state = turn.state
    state.open, state.offered = st.OFFER, at.isoformat()
    turn.lead(sentence, time=appoint.spoken(at, turn.reply.at))
    return Verdict.GO_ON


def booked(turn: Turn, at: datetime, confirmed: bool = True) -> Verdict:
    state = turn.state
    state.callback_at, state.offered = at.isoformat(), ""
    reason = state.callback_reason or "busy"
    turn.effects.append(BookCallback(at, reason, turn.reply.text, confirmed))
    return turn.end(Outcome.APPOINTED, reason)


def as_intent(turn: Turn, intent: str) -> Verdict:
    """Handle the reply as if its leading intent were `intent` ("不是" to "请问是张女士吗？")."""
    turn.reply = replace(turn.reply, intent=intent, confidence=1.0, acts=(Act(intent, 1.0, turn.reply.text),))
    from followup.dialogue import interrupt  # the two modules are one subject; this is the only way back

    interrupt.respond(turn)
    return Verdict.OVER if turn.state.over else Verdict.GO_ON
