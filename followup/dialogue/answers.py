"""Answers taken, acknowledged, probed and corrected; call-backs booked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any, Mapping

from followup.dialogue import appoint, state as st
from followup.dialogue.aspects import aspects_in
from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, StoreAnswer, TakeNote
from followup.dialogue.items import go_on, question_asked, ticket_of
from followup.dialogue.reason import states_reason
from followup.dialogue.reply import FEELINGS, Act, Reply
from followup.dialogue.turn import Turn, Verdict
from followup.reading import Reading
from followup.scripts.model import Ending, Question
from followup.scripts.walk import NOTHING, holds, matches, shown

DISSATISFIED = ("不满意", "非常不满意")
_CLAUSE = re.compile(r"[，,。；;！!\s]+")
_EVERYTHING_ELSE = re.compile(r"别的|其他|其它|其余|剩下的")
_CORRECTION = re.compile(r"^.*?(?:应该是|应该算|应该说|改成|改为|我是说|我想说的是|我的意思是|换成|更正为|更正一下|改一下|说错了|搞错了|弄错了|点错了|不对|错了)")


def proceed(turn: Turn) -> Verdict:
    """Open the next question; the talk is completed after the last."""
    turn.effects.extend(go_on(turn.script, turn.state))
    return finished(turn) if turn.state.open == st.END else Verdict.GO_ON


def finished(turn: Turn) -> Verdict:
    return turn.end(Outcome.COMPLETED)


def take(turn: Turn, question: Question, reading: Reading) -> Verdict:
    """Store what was read, with everything else the same reply holds; acknowledge, probe or go on."""
    state, reply = turn.state, turn.reply
    value = completed_quantity(turn, question, reading.value)
    listen(turn, question)
    _store(turn, question, value, reply.text, reading.how)
    for other_id in question.also_reads:
        _also_read(turn, turn.script.question(other_id))
    probed = matches(question.probe_if, value)
    if question.ticket and holds_ticket(question, value) and not (probed and "if" not in question.ticket):
        turn.effects.append(ticket_of(question, reply.text, {"answer": value}))
    if probed:
        return _dissatisfied(turn, question)
    if (ending := ending_of(question, value)) is not None and not reply.has("complain"):
        return turn.end(Outcome(ending.outcome), question.id, turn.wording.fill(ending.say, answer=spoken_answer(turn, value)))
    if not (question.probe_unless and state.values.get(question.probe_unless)):  # no thanks before an apology
        state.lead.append(acknowledgement(turn, question, value))
    if reply.has("complain"):
        return Verdict.INTERRUPTED
    return proceed(turn)


def ending_of(question: Question, value: Any) -> Ending | None:
    """The ending that this answer means, if its file says so."""
    kind = "skipped" if value in (None, NOTHING) else "answered"
    return question.ends.get(shown(value)) or question.ends.get(kind)


def holds_ticket(question: Question, value: Any) -> bool:
    """Whether the question's ticket is for this answer (`ticket: {if: [...]}`; without `if` for every one)."""
    wanted = (question.ticket or {}).get("if")
    return wanted is None or matches(wanted, value)


def spoken_answer(turn: Turn, value: Any) -> str:
    """The answer as it is read back: a time in plain words, anything else as the customer said it."""
    if isinstance(value, Mapping) and "precision" in value:
        if value["precision"] not in ("minute", "hour"):
            return turn.reply.text.strip("，。！!吧呢啊")
        return appoint.spoken(point(value, turn.reply.at), turn.reply.at)
    if isinstance(value, (list, tuple)):
        return "、".join(str(one) for one in value)
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else turn.reply.text


def _store(turn: Turn, question: Question, value: Any, words: str, how: str) -> None:
    turn.state.keep(question.id, value, words)
    turn.effects.append(StoreAnswer(question.id, value, words, how))


def listen(turn: Turn, question: Question) -> bool:
    """Set the flags of what this question listens for; True when anything was heard."""
    heard = [listener.flag for listener in question.listen_for if listener.heard_in(turn.reply.text)]
    turn.state.values.update({flag: True for flag in heard})
    return bool(heard)


def _also_read(turn: Turn, question: Question) -> None:
    """An answer given ahead of its question; only what names itself, so that nothing is guessed."""
    if question.id in turn.state.values:
        return
    reading = turn.read(question_asked(question))
    if reading is None or reading.fit != "strong":
        return
    value = completed_quantity(turn, question, reading.value)
    if question.type == "quantity_of" and value.get("at_least_half") is None:
        return
    _store(turn, question, value, turn.reply.text, f"ahead:{reading.how}")


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


# —— dissatisfaction ——————————————————————————————————————————————————


def _dissatisfied(turn: Turn, question: Question) -> Verdict:
    """Always the reason, the apology, the improvement, the ticket (58741 (5), 2.2); a reason given is not asked for."""
    state, reply = turn.state, turn.reply
    if question.probe_unless and state.values.get(question.probe_unless):
        turn.effects.append(replace(_ticket(question, reply.text, topic=question.probe_unless), severity=4))
        return proceed(turn)
    turn.effects.append(_ticket(question, reply.text))
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
        turn.effects.append(_ticket(question, words))
    if kind == "reason" and words and "improve" in question.probes:
        state.open, state.asked_before = st.IMPROVE + question.id, False
        return
    turn.lead("dissatisfied.improve_thanks" if words else "acknowledge.nothing")
    turn.effects.extend(go_on(turn.script, state))


def _ticket(question: Question, words: str, topic: str = "") -> RaiseTicket:
    return RaiseTicket(topic or question.id, "dissatisfaction", 3, question.department or "客户服务部", words)


def remark(turn: Turn, reply: Reply) -> None:
    """A dissatisfaction that belongs to no question: apologised for, kept word for word, passed on."""
    turn.effects.append(RaiseTicket("remark", "dissatisfaction", 3, "客户服务部", reply.text))
    turn.lead("dissatisfied.remark")


def complained(turn: Turn, words: str) -> Verdict:
    """Listen, empathy, apology, solution and time (b9e91 四步); the ticket is raised the same day."""
    department = "客户服务部"
    turn.effects.append(RaiseTicket("complaint", "complaint", 2, department, words))
    turn.lead("complaint.promise", department=department, due="两个工作日")
    return turn.end(Outcome.COMPLAINED, words[:200])


# —— answers ahead of their question, and remarks on other sides ——————————————————


def split_by_aspect(turn: Turn, question: Question) -> tuple[Reply | None, list[tuple[Question, Act]]]:
    """What of the reply speaks to the open question, and which clauses answer a later one ("期限还行，服务太差")."""
    foreign: list[tuple[Question, Act]] = []
    for act in turn.reply.acts:
        other = _question_about(turn, act, question) if act.base in FEELINGS else None
        if other is not None:
            foreign.append((other, act))
    if not foreign:
        return turn.reply, []
    taken = {id(act) for _, act in foreign}
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


def _question_about(turn: Turn, act: Act, open_question: Question) -> Question | None:
    named = aspects_in(act.text)
    if not named or set(named) & set(open_question.aspects):
        return None
    for question in turn.script.questions:
        if question.id in turn.state.values or question.id == open_question.id or question.type not in ("scale3", "scale5"):
            continue
        if set(named) & set(question.aspects) and holds(question.ask_if, {**turn.state.variables, **turn.state.values}):
            return question
    return None


def take_ahead(turn: Turn, foreign: list[tuple[Question, Act]]) -> bool:
    """Store what was said about later questions; they will not be asked again."""
    took = False
    for question, act in foreign:
        part = replace(turn.reply, text=act.text, acts=(act,), intent=act.intent, confidence=act.confidence)
        reading = turn.read(question_asked(question), part)
        if reading is None or question.id in turn.state.values:
            continue
        _store(turn, question, reading.value, act.text, f"ahead:{reading.how}")
        if matches(question.probe_if, reading.value):
            turn.effects.append(_ticket(question, act.text))
        took = True
    return took


# —— passed over, nothing to say, corrected ————————————————————————————————————


def passed(turn: Turn, question: Question, how: str) -> Verdict:
    """The customer does not want to, or cannot, answer this one."""
    state = turn.state
    if question.required and how == "skipped" and state.count(f"skip:{question.id}") == 1:
        turn.lead("skip.required")
        return Verdict.GO_ON
    _store(turn, question, None, turn.reply.text, how)
    if (ending := ending_of(question, None)) is not None:
        return turn.end(Outcome(ending.outcome), question.id, turn.wording.fill(ending.say))
    state.lead.append(acknowledgement(turn, question, None))
    return proceed(turn)


def nothing(turn: Turn, question: Question) -> Verdict:
    """ "没有了" to a request for suggestions."""
    _store(turn, question, NOTHING, turn.reply.text, "open:nothing")
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
        spoken = spoken_answer(turn, value)
        return turn.wording.fill(turn.wording.pick(own, f"ack:{question.id}"), answer=spoken)
    shared = turn.script.wording["acknowledge"]
    key = value if isinstance(value, str) and value in shared else "很满意" if value in ("非常满意", "满意") else kind
    return turn.wording.say(f"acknowledge.{key}")


def _own_sentence(own: Mapping[str, Any], value: Any, kind: str) -> Any:
    """What the file says to this answer; to several answers at once, what it says to the one it names first."""
    given = {shown(one) for one in value} if isinstance(value, list) else {shown(value)}
    return next((say for key, say in own.items() if key in given), own.get(kind))


def correct(turn: Turn) -> None:
    """ "刚才说错了，应该是不满意": the answer is changed, the earlier one is kept in the store."""
    state = turn.state
    target = _corrected_question(turn)
    if target is None:
        turn.lead("correct.nothing")
        return
    rest = _CORRECTION.sub("", turn.reply.text).strip("，。,. ")
    rest = re.sub(r"^(?:应该是|应该算|应该说|改成|改为|是)", "", rest)
    part = replace(turn.reply, text=rest, intent="", confidence=0.0, acts=())
    reading = turn.read(question_asked(target), part) if rest else None
    if reading is None:
        reopen(turn, target, "correct.ask_again")
        return
    value = completed_quantity(turn, target, reading.value)
    turn.effects.append(TakeNote("correction", turn.reply.text, topic=target.id))
    _store(turn, target, value, turn.reply.text, "corrected")
    turn.lead("acknowledge.corrected")
    if matches(target.probe_if, value) and not state.over:
        turn.effects.append(_ticket(target, turn.reply.text))
        if not states_reason(rest):
            state.open, state.asked_before = st.REASON + target.id, False


def _corrected_question(turn: Turn) -> Question | None:
    answered = [turn.script.question(i) for i in turn.state.order if _is_question(turn, i)]
    named = set(aspects_in(turn.reply.text))
    for question in reversed(answered):
        if named & set(question.aspects):
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


def point(value: Mapping[str, str], now: datetime) -> datetime:
    """The moment chosen within a time as read (ISO local times, Asia/Shanghai)."""
    start, end = (datetime.fromisoformat(value[key]).replace(tzinfo=now.tzinfo) for key in ("start", "end"))
    return appoint.chosen_point(start, end, value["precision"], now)


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
