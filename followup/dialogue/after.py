"""A message after the talk is over: never left unanswered, nothing in it lost, nothing asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from followup.dialogue import answers, health, appoint, inbound, knowledge, state as st
from followup.dialogue.consent import begin
from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, Reopen, SetOutcome, StopContact, TakeNote
from followup.dialogue.put_off import comes_by
from followup.dialogue.reason import went_wrong
from followup.dialogue.reply import FIRM, NEVER_CONTACT, QUESTIONS_TO_US, Reply, asks_something, tells_something
from followup.dialogue.somebody_else import is_somebody_else, will_be_there
from followup.dialogue.state import TalkState
from followup.dialogue.turn import Turn
from followup.dialogue.wording import AFTER
from followup.reading import Asked
from followup.reading.words import adds_a_wish
from followup.scripts.model import DEPARTMENT, Script

RESUMABLE = (Outcome.APPOINTED, Outcome.UNREACHABLE, Outcome.ENDED_EARLY, Outcome.REFUSED, Outcome.WRONG_PERSON)
_DAY = re.compile(r"[今明后昨]天|[今明后]儿|[周日号月]|星期|礼拜|现在|马上|小时|钟头|分钟|一会|晚点|稍后")
_GO_ON = re.compile(
    r"继续|接着(?:聊|说|问|来)|现在(?:可以|有空|方便|行|就)|忙完了|开完会|吃完了|到家了|有空了|方便了|可以了|(?:你|您)?(?:问|说|讲)吧|^(?:那)?(?:你)?快点[吧啊问说讲]*[！!。]?$"
)
_NOT_YET = re.compile(r"等|再说|再继续|再聊|没空|没时间|不方便|不想|不用|不要|别|还没|之后|以后")
_TIME_WORDS = ("propose_time", "call_later", "busy", "correct", "consent", "deny")
_WISH = re.compile(r"(?:行|可以|好|成|行不行|可不可以|好不好)[吗么吧呢]?[？?]?$")
_APOLOGY = re.compile(r"不好意思|对不起|抱歉|别介意|别见怪|别往心里去|别生气")
_PROMISE_UNKEPT = re.compile(r"(?:说好|说了|讲好|答应|承诺|保证|约好).*(?:没|不|还)|到现在(?:都|也|还)?没|一直没")
_URGENT = re.compile(r"必须|赶紧|马上|立刻|越快越好|尽快|抓紧|今天就|现在就(?:来|给|派)")
_WHEN_ANSWERED = re.compile(r"(?:什么时候|啥时候|几时|多久|几天|哪天|何时)[^，。]{0,6}(?:答复|回复|处理|解决|联系|结果|说法)")
_WANTS = re.compile(r"还是(?:给|帮|要|想|来|订|留|换)|[帮给替]我|麻烦|请|希望|最好|让[他她你师]|记得|别忘|转告|改成|换成|先(?:跟|给)我|一点[，。！]|通知|寄|送|登记|预约|取消")
_OURS = re.compile(r"你们|业务员|师傅|快递|店里|客服|经理|顾问")


def after(turn: Turn) -> bool:
    """Answer into the state's lead. True when the customer wants to go on with the talk now."""
    state, reply = turn.state, turn.reply
    state.last_at = reply.at.isoformat()
    health.pass_on(turn)
    if turn.script.customer_led:
        from followup.dialogue.hear import hear
        from followup.dialogue.interrupt import respond

        return inbound.again(turn, hear, respond)
    if (act := reply.has(NEVER_CONTACT)) is not None and act.confidence >= FIRM:
        turn.effects.append(StopContact(reply.text))
        turn.end(Outcome.DO_NOT_CONTACT, reply.text[:200])
        turn.lead("after.do_not_contact")
        return False
    state.count(AFTER)
    if state.outcome in RESUMABLE and _wants_to_go_on(turn):
        turn.effects.append(Reopen())
        return True
    if _third_person_number(turn) or _third_person_time(turn) or state.outcome == Outcome.APPOINTED and _rebook(turn):
        return False
    _say(turn)
    return False


def resume(script: Script, state: TalkState, agreed: bool = False) -> None:
    """Open the talk again at its unanswered question; consent is asked anew unless the customer just gave it."""
    if script.customer_led:
        if not agreed:
            inbound.open_again(state)
        return
    if state.open not in (st.END, st.CALLBACK, st.OFFER):
        state.resume_at = state.open
    anybody = is_somebody_else(state)
    state.outcome = state.outcome_reason = state.closing = ""
    state.asked_before = state.simpler = state.quiet = False
    state.unclear.clear()
    state.counts.clear()
    begun = state.resume_at.startswith((st.QUESTION, st.REASON, st.IMPROVE))
    if anybody:  # whoever has the telephone now says who it is before anything else
        state.open = st.IDENTITY
    elif not agreed:
        state.open = st.RESUME
    elif begun:
        state.open = state.resume_at
    else:
        begin(script, state)


def _wants_to_go_on(turn: Turn) -> bool:
    """ "现在有空，你问吧", "继续"; not "等忙完了再说", and not what presses us to do something."""
    text = turn.reply.text
    if turn.reply.has("complain", "request_human") or _URGENT.search(text) and not turn.reply.has("consent"):
        return False
    return _GO_ON.search(text) is not None and not _NOT_YET.search(text)


def _rebook(turn: Turn) -> bool:
    """ "不对，后天吧": the appointment moves; "十点" only names the hour of the day that stands."""
    reply, booked = turn.reply, turn.state.callback_at
    if booked and not _DAY.search(reply.text):
        midnight = datetime.fromisoformat(booked).replace(hour=0, minute=0)
        reply = replace(reply, at=max(midnight, reply.at))
    if reply.base not in _TIME_WORDS and not (len(reply.text) <= _SHORT and not asks_something(reply.text)):
        return False  # "晚上带老二，哪有早睡的" names an hour, and wishes nothing
    if asks_something(reply.text) and not _WISH.search(reply.text):
        return False
    reading = turn.read(Asked("datetime"), reply)
    if reading is None:
        return False
    at = answers.point(reading.value, reply.at)
    if not appoint.in_wished_hours(at):
        at = appoint.nearest_proper(at)
    turn.state.callback_at, turn.state.our_time = at.isoformat(), False
    turn.effects.append(BookCallback(at, turn.state.callback_reason or "busy", turn.reply.text, confirmed=True))
    turn.lead("busy.rebooked", time=appoint.spoken(at, turn.reply.at))
    return True


def _third_person_number(turn: Turn) -> bool:
    """Somebody else who answered sends the customer's number after all (63714 接触话术)."""
    if "third_person" not in (turn.state.outcome_reason, turn.state.callback_reason):
        return False
    phone = turn.read(Asked("phone"))
    if phone is None:
        return False
    turn.effects.append(TakeNote("third_contact", turn.reply.text, topic=str(phone.value)))
    turn.lead("third_person.thanks")
    return True


def _third_person_time(turn: Turn) -> bool:
    """ "那你晚上七点以后再联系吧，她散步回来": kept, also when the talk had ended without a time."""
    state = turn.state
    if not (state.outcome_reason.startswith("third_person") or state.callback_reason == "third_person"):
        return False
    reading = turn.read(Asked("datetime"))
    if reading is None or comes_by(turn.reply.text) or asks_something(turn.reply.text) and not _WISH.search(turn.reply.text):
        return False
    state.resume_at = state.resume_at or st.IDENTITY
    will_be_there(turn, reading.value)
    state.lead.append(state.closing)
    state.closing = ""
    return True


def _displeased(turn: Turn) -> bool:
    """A firm displeasure, or a promise that was not kept; a reply that merely resembles one is noted (58741 (5))."""
    reply = turn.reply
    if _PROMISE_UNKEPT.search(reply.text):
        return True
    return reply.base in ("complain", "dissatisfied", "abuse") and reply.confidence >= FIRM or went_wrong(reply)


def _apologises(turn: Turn) -> bool:
    """ "刚才说话冲了点，不好意思啊": the customer's own apology is no complaint."""
    return _APOLOGY.search(turn.reply.text) is not None and not _OURS.search(turn.reply.text)


_THANKS = re.compile(r"^(?:好[的啊]?[，,]?)?(?:谢谢|多谢|辛苦)")
_SHORT = 8
_SAYS_SOMETHING = 4
_ASKS_IN = 5
"""Characters; less asks nothing and tells nothing."""


def _asks(turn: Turn) -> bool:
    """A plain question, whatever it was taken for: "那个保温杯要不要钱的呀？"."""
    base, text = turn.reply.base, turn.reply.text
    if not turn.reply.sure and _QUESTION.search(text):  # "那个保温杯要不要钱的呀？"
        return True
    if base == "consent" and len(text) > _SHORT and _QUESTION.search(text):  # "对了，临牌啥时候到期来着"
        return True
    return base in ("inform", "suggest", "objection", "faq", "dissatisfied", "satisfied") and bool(_QUESTION.search(text))


_QUESTION = re.compile(r"[?？]|要不要|能不能|可不可以|怎么(?:办|走|去|弄|用|收|算|联系|预约)|多少钱|(?:什么|啥)时候|几时|来着$|想问|多少(?!.*[。！])|哪(?:里|儿|家)|[吗么]$")


def _keep(turn: Turn) -> None:
    """ "半价的话还是给我留一份吧" wants something of a colleague; "梨已经吃完了" is kept with the talk."""
    if _WANTS.search(turn.reply.text) or adds_a_wish(turn.reply.text) or _changes_the_time(turn):
        turn.passed_on(turn.reply.text)
        return
    turn.effects.append(TakeNote("after", turn.reply.text))
    turn.lead("after.noted")


def _changes_the_time(turn: Turn) -> bool:
    """ "十点" after "明天上午": whoever keeps the appointment must hear of it."""
    agreed = any(isinstance(value, Mapping) and "precision" in value for value in turn.state.values.values())
    return agreed and turn.read(Asked("datetime")) is not None


def _tells(reply: Reply, base: str) -> bool:
    """ "药按时吃着呢", "还是给我留一份吧" tell something, whatever they were taken for; "好的没问题，到时候联系" does not."""
    if base == "consent":
        return len(reply.text) >= _ASKS_IN and not _ONLY_AGREES.search(reply.text)
    return adds_a_wish(reply.text) or base in ("inform", "suggest", "neutral", "") and len(reply.text) > _SHORT


_ONLY_AGREES = re.compile(r"^[嗯哦那喔噢，,\s]*(?:好|行|可以|成|没问题|ok|是|对|收到|知道|明白|了解|方便|没事|谢|辛苦|再见|等)", re.IGNORECASE)


def _with_a_third_person(state: TalkState) -> bool:
    """Whether somebody who knows the customer talks with us; who dialled wrong, or is left in peace, does not."""
    if state.outcome in (Outcome.WRONG_PERSON, Outcome.DO_NOT_CONTACT):
        return state.outcome == Outcome.WRONG_PERSON and state.outcome_reason.startswith("third_person")
    return state.callback_reason == "third_person"


def _say(turn: Turn) -> None:
    reply, state = turn.reply, turn.state
    base = reply.base if reply.sure else ""
    if _with_a_third_person(state) and tells_something(reply.text):
        turn.passed_on(reply.text)
    elif state.outcome in (Outcome.WRONG_PERSON, Outcome.DO_NOT_CONTACT):
        # Whoever this is, nothing of the customer's business is said.
        if base not in ("thank", "goodbye", "consent", "greet"):
            turn.effects.append(TakeNote("after", reply.text))
        turn.lead("after.do_not_contact" if state.outcome == Outcome.DO_NOT_CONTACT else "after.ok")
    elif state.callback_reason == "third_person":  # nor while the customer has not answered
        if base not in ("thank", "goodbye", "consent", "greet"):
            turn.effects.append(TakeNote("after", reply.text))
        turn.lead("after.third_person")
    elif _apologises(turn):
        turn.effects.append(TakeNote("after", reply.text))
        turn.lead("after.no_offence")
    elif (phone := turn.read(Asked("phone"))) is not None and phone.fit == "strong" and reply.base not in ("complain", "request_human"):
        turn.passed_on(reply.text)  # bare digits resemble anything
    elif state.outcome == Outcome.COMPLAINED and _WHEN_ANSWERED.search(reply.text):
        turn.lead("complaint.promise", department=DEPARTMENT, due="两个工作日")
    elif base == "correct" and state.order:
        answers.correct(turn)
        state.open = st.END
        turn.effects.append(SetOutcome(Outcome(state.outcome), state.outcome_reason))
    elif _displeased(turn) or base == "request_human":
        kind = "complaint" if base == "complain" else "request" if base == "request_human" else "dissatisfaction"
        turn.effects.append(RaiseTicket("after", kind, 2 if kind != "dissatisfaction" else 3, DEPARTMENT, reply.text))
        turn.lead("after.dissatisfied" if base != "request_human" else "after.colleague")
    elif _URGENT.search(reply.text):
        turn.effects.append(RaiseTicket("after", "request", 2, DEPARTMENT, reply.text))
        turn.lead("after.urgent")
    elif base == "faq" and asks_something(reply.text):
        knowledge.tell(turn, "after.colleague")
    elif base in QUESTIONS_TO_US and base != "faq":
        turn.lead(f"answers.{base}")
    elif base in ("out_of_scope", "ask_repeat", "not_understood") or _asks(turn):
        turn.for_a_colleague(reply.text)
        turn.lead("after.colleague")
    elif base == "satisfied" and reply.confidence >= FIRM:
        turn.effects.append(TakeNote("after", reply.text))
        turn.lead("answers.praise")
    elif base == "thank" or _THANKS.match(reply.text):
        turn.lead("after.thank")
    elif base == "goodbye":
        turn.lead("after.goodbye")
    elif base in ("deny", "nothing_to_add", "neutral") and len(reply.text) >= _ASKS_IN and _QUESTION.search(reply.text):
        turn.for_a_colleague(reply.text)  # "没去过，怎么走"
        turn.lead("after.colleague")
    elif _tells(reply, base):
        _keep(turn)
    elif state.outcome == Outcome.APPOINTED and (reply.sure or len(reply.text) < _SAYS_SOMETHING):
        turn.lead("after.appointed")
    elif base in ("consent", "greet", "nothing_to_add", "deny"):
        turn.lead("after.ok")
    else:
        _keep(turn)
