"""A reply to the open item: an answer, an interruption, or not understood.

One rule of precedence (catalogue B): what names the answer itself beats an interruption in the same clause; an
interruption beats a weak answer; when both are there in different clauses, the answer is taken first and the
interruption is then handled. Nobody is asked the same thing more than three times.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from followup.dialogue import answers, appoint, state as st
from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, SetOutcome, StoreAnswer, TakeNote
from followup.dialogue.items import asked, go_on
from followup.dialogue.reply import (
    ENDS_NOW,
    FEELINGS,
    FIRM,
    INTERRUPTIONS,
    NEVER_CONTACT,
    QUESTIONS_TO_US,
    Reply,
    asks_something,
)
from followup.dialogue.turn import Turn, Verdict
from followup.reading import Asked, Reading
from followup.scripts.model import SATISFACTION_TYPES, Question

AWAY = timedelta(hours=1)
"""After this long a customer is welcomed back."""
_DOES_NOT_KNOW = ("不知道", "不清楚", "不记得", "记不得", "记不清", "忘了", "忘记了", "说不上来", "说不好", "没注意", "没留意")
_NOT_ON_A_GUESS = ("refuse", "goodbye", "wrong_person", "abuse", "complain")
"""No talk ends because a reply resembles one of these a little."""
_NO_MORE = ("别问", "不想回答", "不想聊", "不想说", "别烦", "烦不烦", "没完", "不参加", "不接受回访", "挂了")
_NEVER_AN_ANSWER = ("third_person", "wrong_person", "abuse", "go_back", "correct", "ask_repeat", "not_understood", "wait")
_CHINESE_OR_NUMBER = re.compile(r"[\u4e00-\u9fff0-9]")
_RIGHT_NOW = re.compile(r"我不舒服|身体不舒服|开车|开着车|高速上|开会|吃饭|用餐|睡觉|午休|打点滴|输液")
_WONT_SAY = ("不方便", "不太方便", "不想说", "不愿意", "不便", "保密", "隐私", "算了", "不用了", "不说了")


def hear(turn: Turn) -> Verdict:
    """Take the reply into the talk. The caller asks next, closes, or lets a rule handle the interruption."""
    state, reply = turn.state, turn.reply
    _welcome_back(turn)
    state.last_at = state.now = reply.at.isoformat()
    if not any(ch.isalnum() for ch in reply.text) and not reply.sure:
        return _unclear(turn, no_text=True)
    if not _CHINESE_OR_NUMBER.search(reply.text) and not reply.sure:
        return _unclear(turn)  # "/restart", "asdf"
    if reply.has(NEVER_CONTACT):
        return Verdict.INTERRUPTED
    if state.open.startswith(st.QUESTION):
        return _question(turn)
    return _HANDLERS[state.open.split(":")[0]](turn)


def _welcome_back(turn: Turn) -> None:
    state = turn.state
    if state.open != st.RESUME and state.last_at and turn.reply.at - datetime.fromisoformat(state.last_at) > AWAY:
        state.lead.append(turn.wording.say("welcome_back"))


def _is_interruption(reply: Reply) -> bool:
    if reply.base in _NOT_ON_A_GUESS and reply.confidence < 0.5:
        return False
    return reply.base in INTERRUPTIONS and reply.sure


# —— consent, identity, resume ————————————————————————————————————————


def _consent(turn: Turn) -> Verdict:
    state, reply = turn.state, turn.reply
    if _denies_identity(turn):
        return answers.as_intent(turn, "wrong_person")
    if _names_themselves(turn):
        return _agreed(turn)
    if turn.script.landline and _wants_landline(turn):
        return _landline(turn)
    if reply.base in ("consent", "satisfied", "neutral") and reply.sure or reply.has("consent") and not _is_interruption(reply):
        return _agreed(turn)
    if _is_interruption(reply):
        return Verdict.INTERRUPTED
    if reply.base in ("deny", "nothing_to_add") and reply.sure:
        return answers.as_intent(turn, "refuse" if "不用" in reply.text or "不需要" in reply.text else "busy")
    if state.open == st.RESUME and reply.sure:
        return _agreed(turn, whole=True)
    yes = turn.read(Asked("yes_no"))
    if yes is not None and yes.fit == "strong":  # "可以，不过我只有一分钟"
        return _agreed(turn) if yes.value else answers.as_intent(turn, "busy")
    if reply.base in ("dissatisfied", "suggest") and reply.sure:
        answers.remark(turn, reply)
        state.simpler = True
        return Verdict.GO_ON
    return _unclear(turn)


def _names_themselves(turn: Turn) -> bool:
    """ "我是张女士", "我就是" to "请问是张女士吗？"."""
    if turn.state.open != st.IDENTITY or not turn.reply.text.strip().startswith(("我是", "我就是", "是我", "本人", "就是我")):
        return False
    customer = str(turn.state.variables.get("customer") or "")
    rest = turn.reply.text.strip().removeprefix("我就是").removeprefix("我是")
    return not turn.reply.has("third_person", "wrong_person") and (not rest.strip("，。！啊呀 ") or rest.startswith((customer, "本人")))


def _denies_identity(turn: Turn) -> bool:
    """ "不是" to an opening that asks who it is."""
    asks_who = turn.state.open == st.IDENTITY or (turn.state.open == st.CONSENT and "请问是" in turn.script.opening)
    return asks_who and turn.reply.base == "deny" and turn.reply.text.strip("，。！~ ").startswith(("不是", "不对", "我不是", "否"))


def _agreed(turn: Turn, whole: bool = False) -> Verdict:
    """Consent is given; what else the reply holds is an answer to the first question."""
    state, reply = turn.state, turn.reply
    if state.open == st.IDENTITY and not _means_go_ahead(reply):
        state.open, state.asked_before = st.CONSENT, False
        return Verdict.GO_ON
    if state.open == st.RESUME:
        state.open, state.asked_before = state.resume_at or st.CONSENT, False
        state.callback_at = state.resume_at = ""
        if state.open in (st.CONSENT, st.IDENTITY, st.RESUME):
            turn.effects.extend(go_on(turn.script, state))
    else:
        if turn.script.after_consent:
            state.lead.append(turn.wording.fill(turn.script.after_consent))
        turn.effects.extend(go_on(turn.script, state))
    rest = reply if whole else reply.without("consent", "greet")
    if (rest is not reply or whole) and rest.base in ("inform", "satisfied", "neutral", "dissatisfied") and rest.sure:
        first = Turn(turn.script, state, rest, turn.effects)
        return hear(first)
    return Verdict.GO_ON


def _wants_landline(turn: Turn) -> bool:
    return any(word in turn.reply.text for word in ("座机", "固定电话", "固话", "办公室电话", "家里电话"))


def _landline(turn: Turn) -> Verdict:
    """The third form of consent: convenient, but on a landline. A colleague rings that number (63714 首日回访 ②)."""
    state, reply = turn.state, turn.reply
    phone = turn.read(Asked("phone"))
    if phone is None and state.open != st.LANDLINE:
        state.resume_at, state.open, state.asked_before = state.open, st.LANDLINE, False
        return Verdict.GO_ON
    if phone is None and _is_interruption(reply) and reply.base not in ("refuse", "skip"):
        return Verdict.INTERRUPTED
    if phone is None:
        return answers.as_intent(turn, "busy") if state.count("landline") > 1 or reply.base in ("deny", "skip") else _unclear(turn)
    words = f"{phone.value}　{reply.text}"
    turn.effects.append(TakeNote("landline", reply.text, topic=str(phone.value)))
    turn.effects.append(RaiseTicket("landline", "request", 3, "客户服务部", words, {"phone": phone.value}))
    turn.effects.append(BookCallback(None, "landline", reply.text, confirmed=True))
    return turn.end(Outcome.HANDED_OVER, "landline", turn.wording.say("busy.landline", number=phone.value))


def _other_user(turn: Turn) -> Verdict:
    """Not the customer, but perhaps who uses the car: recorded, and the talk goes on with them (63714 三日回访 ②)."""
    state, reply = turn.state, turn.reply
    if state.open == st.OTHER_NAME:
        name = turn.read(Asked("name"))
        if name is None and _is_interruption(reply) and reply.confidence >= FIRM:
            return Verdict.INTERRUPTED
        turn.effects.append(TakeNote("other_user", reply.text, topic=str(name.value) if name else ""))
        state.variables["customer"], state.variables["title"] = (str(name.value) if name else "您"), ""
        state.open, state.asked_before = st.CONSENT, False
        return Verdict.GO_ON
    yes = turn.read(Asked("yes_no"))
    if yes is not None and yes.value:
        state.open, state.asked_before = st.OTHER_NAME, False
        return Verdict.GO_ON
    if yes is None and _is_interruption(reply):
        return Verdict.INTERRUPTED
    if yes is None:
        return _unclear(turn)
    return turn.end(Outcome.WRONG_PERSON, "other_user")


def _means_go_ahead(reply: Reply) -> bool:
    """ "方便，你说吧" to "请问是张女士吗？" agrees to both; "是的" only says who it is."""
    return any(word in reply.text for word in ("方便", "可以", "你说", "您说", "说吧", "问吧", "讲吧", "开始", "行", "没问题", "ok", "OK"))


# —— call-backs ——————————————————————————————————————————————————————


def _callback(turn: Turn) -> Verdict:
    state, reply = turn.state, turn.reply
    reading = turn.read(Asked("datetime"))
    if reading is not None:
        return answers.book(turn, reading.value)
    if reply.has("consent") and any(w in reply.text for w in ("现在", "继续", "这会儿")):
        state.open = st.RESUME
        return _agreed(turn)
    if reply.base in ("refuse", "goodbye", "request_human", "complain", "abuse", "wrong_person", "third_person") and reply.sure:
        return Verdict.INTERRUPTED
    if reply.has(*ENDS_NOW):
        return Verdict.INTERRUPTED
    if reply.has("ask_who", "ask_purpose", "ask_source", "ask_duration", "ask_privacy", "bot_challenge", "faq", "wait"):
        return Verdict.INTERRUPTED
    if state.count("asked_when") == 1 and not reply.has("deny", "call_later", "consent", "inform", "nothing_to_add", "busy"):
        state.simpler = True
        return Verdict.GO_ON
    return answers.offer(turn, appoint.tomorrow_morning(reply.at), "busy.offer")


def _offer(turn: Turn) -> Verdict:
    state, reply = turn.state, turn.reply
    offered = datetime.fromisoformat(state.offered)
    reading = turn.read(Asked("datetime"))
    if reading is not None:
        return answers.book(turn, reading.value)
    if reply.base in ("consent", "satisfied", "neutral", "thank") and reply.sure:
        return answers.booked(turn, offered)
    if "换" in reply.text and "时间" in reply.text:
        state.open, state.asked_before = st.CALLBACK, False
        return Verdict.GO_ON
    if reply.base in ("refuse", "request_human", "complain", "abuse", "wrong_person") and reply.sure:
        return Verdict.INTERRUPTED
    turn.effects.append(BookCallback(None, state.callback_reason, reply.text))
    return turn.end(Outcome.UNREACHABLE, "no_time_named")


# —— somebody else answers, complaint, reason, improvement ——————————————————————


def _third_person(turn: Turn) -> Verdict:
    """Another number or time if offered; never a word of the customer's business (63714 接触话术)."""
    state, reply = turn.state, turn.reply
    phone = turn.read(Asked("phone"))
    time = turn.read(Asked("datetime"))
    if phone is not None:
        turn.effects.append(TakeNote("third_contact", reply.text, topic=str(phone.value)))
        return turn.end(Outcome.WRONG_PERSON, "other_number", turn.wording.say("third_person.thanks"))
    if time is not None:
        state.callback_reason = "third_person"
        at = answers.point(time.value, reply.at)
        state.callback_at = at.isoformat()
        turn.effects.append(BookCallback(at, "third_person", reply.text, confirmed=False))
        return turn.end(Outcome.APPOINTED, "third_person", turn.wording.say("third_person.thanks"))
    if any(words in reply.text for words in ("转告", "告诉他", "告诉她", "帮你问", "帮您问", "跟他说", "跟她说")):
        turn.effects.append(TakeNote("third_contact", reply.text))
        return turn.end(Outcome.WRONG_PERSON, "third_person", turn.wording.say("third_person.thanks"))
    if reply.base in ("deny", "refuse", "nothing_to_add", "skip", "goodbye") and reply.sure:
        return turn.end(Outcome.WRONG_PERSON, "third_person_refused", turn.wording.say("third_person.declined"))
    if _is_interruption(reply) and reply.base not in ("thank", "call_later"):
        return Verdict.INTERRUPTED
    turn.effects.append(TakeNote("third_contact", reply.text))
    return turn.end(Outcome.WRONG_PERSON, "third_person", turn.wording.say("third_person.thanks"))


def _complaint(turn: Turn) -> Verdict:
    if turn.reply.base in ("request_human", "wrong_person") and turn.reply.sure:
        return Verdict.INTERRUPTED
    return answers.complained(turn, turn.reply.text)


def _probe(turn: Turn) -> Verdict:
    """The reason of a dissatisfaction, then what should be better; word for word (58741 (5), 2.2)."""
    state, reply = turn.state, turn.reply
    kind, question = state.open.split(":")[0], turn.script.question(state.question_id)
    if reply.base == "complain" and reply.sure:
        return Verdict.INTERRUPTED
    if _is_interruption(reply) and reply.confidence >= FIRM and reply.base not in ("skip", "out_of_scope", "objection", "thank", "faq"):
        rest = reply.without(*INTERRUPTIONS)
        if rest is not reply:
            answers.probe_answer(turn, question, kind, rest.text)
        return Verdict.INTERRUPTED
    silent = reply.base in ("deny", "nothing_to_add", "skip", "refuse", "thank") or _says(reply, _DOES_NOT_KNOW)
    answers.probe_answer(turn, question, kind, "" if silent else reply.text)
    return answers.finished(turn) if state.open == st.END else Verdict.GO_ON


# —— a question of the script ——————————————————————————————————————————


def _question(turn: Turn) -> Verdict:
    state, reply = turn.state, turn.reply
    question = turn.script.question(state.question_id)
    wanted = asked(turn.script, state.open)
    if _is_interruption(reply) and not _answers_anyway(turn, question, wanted):
        return _interrupted(turn, question, wanted)
    mine, foreign = reply, []
    if question.type in SATISFACTION_TYPES:
        mine, foreign = answers.split_by_aspect(turn, question)
        mine = mine and answers.without_the_rest(question, mine)
    reading = turn.read(wanted, mine.without("thank", "greet")) if mine else None
    if reading is None and answers.listen(turn, question):
        reading = Reading("不满意", "listen", "strong")
    ahead = answers.take_ahead(turn, foreign)
    if reading is None and ahead:
        turn.lead("acknowledge.also_noted")
        return Verdict.GO_ON
    if reading is not None and _has_nothing_to_say(question, reply):
        return answers.nothing(turn, question)
    if reading is not None and reading.fit != "strong" and len(reply.text) <= 10 and _says(reply, _DOES_NOT_KNOW):
        return answers.passed(turn, question, "unknown")
    if reading is not None and not _is_remark(turn, question, reading):
        return answers.take(turn, question, reading)
    return _no_reading(turn, question)


def _interrupted(turn: Turn, question: Question, wanted: Asked) -> Verdict:
    """An interruption stands: take what else the reply answers, then let a rule handle it."""
    reply = turn.reply
    if question.optional and _passes(reply):
        return answers.passed(turn, question, "skipped")
    rest = reply.without(*INTERRUPTIONS)
    if rest is reply or reply.base in ("correct", "go_back"):
        return Verdict.INTERRUPTED
    part = Turn(turn.script, turn.state, rest, turn.effects)
    if _has_nothing_to_say(question, rest):
        verdict = answers.nothing(part, question)
    elif (reading := part.read(wanted)) is not None:
        verdict = answers.take(part, question, reading)
    else:
        return Verdict.INTERRUPTED
    if verdict is Verdict.OVER and reply.base == "complain":
        _heard_out(turn)
        return Verdict.INTERRUPTED
    return verdict if verdict is Verdict.OVER else Verdict.INTERRUPTED


def _heard_out(turn: Turn) -> None:
    """The answer would have ended the talk, but nobody is dismissed with a complaint on his lips (b9e91 四步)."""
    state = turn.state
    state.outcome = state.outcome_reason = state.closing = ""
    turn.effects[:] = [effect for effect in turn.effects if not isinstance(effect, SetOutcome)]


def _has_nothing_to_say(question: Question, reply: Reply) -> bool:
    return (
        question.type == "open"
        and reply.base in ("deny", "nothing_to_add")
        and reply.confidence >= FIRM  # "定速巡航我也不太会用" only resembles a no
        and len(reply.text) <= 12
    )


def _is_remark(turn: Turn, question: Question, reading: Reading) -> bool:
    """A feeling about the business is no answer to "how did you hear of us", though any words would do there."""
    if turn.reply.base in question.takes:
        return False
    return question.type == "choice" and reading.fit != "strong" and turn.reply.base in (*FEELINGS, "suggest", "deny")


def _answers_anyway(turn: Turn, question: Question, wanted: Asked) -> bool:
    """Whether what looks like an interruption is the answer to this very question."""
    reply = turn.reply
    if reply.base in question.takes:
        return True
    if question.optional and _passes(reply):
        return False
    if question.type == "datetime" and reply.base in ("busy", "call_later") and _says(reply, _DOES_NOT_KNOW):
        return True  # "还不知道哪天有空": the day is open, the talk is not put off
    if question.type == "open" and reply.confidence < FIRM:
        return not (reply.base in ("faq", "out_of_scope") and asks_something(reply.text))
    if reply.base in _NEVER_AN_ANSWER or reply.base in (*QUESTIONS_TO_US, "request_human") and reply.confidence >= FIRM:
        return False
    if reply.base in ENDS_NOW and reply.confidence >= FIRM and (question.type != "choice" or _RIGHT_NOW.search(reply.text)):
        return False  # an option may be about driving ("半路抛锚了"); "我在开车" never is one
    if reply.base == "complain" and question.type != "choice":  # "退钱！" is a choice where a refund is offered
        return False
    if question.type == "open":
        # "烂了一块，都软了": facts beside what looks like a question about the fruit.
        return reply.base in ("objection", "out_of_scope") and reply.has("inform", "suggest", *FEELINGS) is not None
    if reply.base == "refuse" and _says(reply, _NO_MORE):  # "不需要" may answer "您需要吗？"; this answers nothing
        return False
    reading = turn.read(wanted)
    if reading is None or reading.fit != "strong":
        return False
    # "我在开车，服务很好": the answer stands in a clause of its own, so the interruption is real.
    return len(reply.acts) <= 1


def _passes(reply: Reply) -> bool:
    return reply.base in ("skip", "refuse", "deny") or reply.base == "busy" and _says(reply, _WONT_SAY)


def _says(reply: Reply, phrases: tuple[str, ...]) -> bool:
    return any(phrase in reply.text for phrase in phrases)


def _no_reading(turn: Turn, question: Question) -> Verdict:
    """Nothing readable for the open question: declined, unknown, about something else, or unclear."""
    state, reply = turn.state, turn.reply
    if question.optional and reply.base in ("deny", "nothing_to_add", "skip", "refuse"):
        return answers.passed(turn, question, "skipped")
    if question.type == "open" and reply.base in ("deny", "nothing_to_add"):
        return answers.nothing(turn, question)
    if _says(reply, _DOES_NOT_KNOW):
        return answers.passed(turn, question, "unknown")
    if reply.base in FEELINGS and reply.sure and answers.take_ahead(turn, answers.split_by_aspect(turn, question)[1]):
        turn.lead("acknowledge.also_noted")
        state.asked_before = True
        return Verdict.GO_ON
    if reply.base == "dissatisfied" and reply.sure:
        answers.remark(turn, reply)
        state.asked_before = True
        return Verdict.GO_ON
    if reply.base == "suggest" and reply.sure:
        turn.effects.append(TakeNote("suggestion", reply.text, topic=question.id))
        turn.lead("acknowledge.suggest")
        state.asked_before = True
        return Verdict.GO_ON
    return _unclear(turn)


def _unclear(turn: Turn, no_text: bool = False) -> Verdict:
    """First: please again; second: simpler words; third: passed over and flagged (8035c, b9e91 服务用语)."""
    state, reply = turn.state, turn.reply
    times = state.unclear[state.open] = state.unclear.get(state.open, 0) + 1
    if times == 1:
        turn.lead("unclear.no_text" if no_text else "unclear.first")
        state.asked_before = False
        state.simpler = state.open in (st.CONSENT, st.IDENTITY, st.RESUME)
        return Verdict.GO_ON
    if times == 2:
        turn.lead("unclear.second")
        state.simpler = True
        return Verdict.GO_ON
    turn.effects.append(TakeNote("unclear", reply.text, topic=state.open))
    return give_up(turn)


def give_up(turn: Turn) -> Verdict:
    """The open item is passed over: the third time in vain."""
    state = turn.state
    if state.open.startswith(st.QUESTION):
        question = turn.script.question(state.question_id)
        turn.effects.append(StoreAnswer(question.id, None, turn.reply.text, "unclear"))
        state.keep(question.id, None, turn.reply.text)
        if (ending := answers.ending_of(question, None)) is not None:
            return turn.end(Outcome(ending.outcome), "unclear", turn.wording.fill(ending.say))
        turn.lead("acknowledge.unclear_skipped")
        return answers.proceed(turn)
    if state.open.startswith((st.REASON, st.IMPROVE)):
        return answers.proceed(turn)
    if state.open == st.THIRD_PERSON:
        return turn.end(Outcome.WRONG_PERSON, "unclear", turn.wording.say("third_person.declined"))
    turn.effects.append(BookCallback(None, "unclear", turn.reply.text))
    return turn.end(Outcome.UNREACHABLE, "unclear")


_HANDLERS = {
    st.CONSENT: _consent,
    st.IDENTITY: _consent,
    st.RESUME: _consent,
    st.CALLBACK: _callback,
    st.OFFER: _offer,
    st.THIRD_PERSON: _third_person,
    st.COMPLAINT: _complaint,
    st.LANDLINE: _landline,
    st.OTHER_USER: _other_user,
    st.OTHER_NAME: _other_user,
    st.REASON.rstrip(":"): _probe,
    st.IMPROVE.rstrip(":"): _probe,
}

