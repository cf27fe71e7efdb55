"""A talk that the customer begins: they lead, we listen, answer, take down, and end when they have nothing more.

There is no consent and no list to work through. The script's questions (what happened, a number to call, a name) are
asked only when something said makes them needful: a flag (`MATTER`, `reach.REACH`, `reach.STOP`) then opens them by their `ask_if`.
Whose number it is opens nothing here: docs/decisions/0007.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Callable

from followup.dialogue import answers, reach, state as st
from followup.dialogue.effects import (
    BookCallback,
    Outcome,
    RaiseTicket,
    Reopen,
    SetOutcome,
    StoreAnswer,
    TakeNote,
)
from followup.dialogue.finish import close
from followup.dialogue.items import go_on
from followup.dialogue.knowledge import tell
from followup.dialogue.put_off import sends_later
from followup.dialogue.reason import states_reason
from followup.dialogue.reply import ENDS_NOW, NEVER_CONTACT, Act, asks_something
from followup.dialogue.turn import Turn, Verdict
from followup.dialogue.unclear import unclear
from followup.reading import Asked
from followup.scripts.model import DEPARTMENT, Concern

MATTER = "matter_unknown"
"""Flag a script's questions look at: what happened is not known. The other two are `reach.REACH` and `reach.STOP`."""
_COMPLAINED, _SERVED = "complained", "served"
_MOST_OFF_TOPIC = 4

_COURTESY = ("greet", "thank", "goodbye", "consent")
_PARTING = frozenset(("thank", "goodbye", "nothing_to_add", "deny", "refuse", "skip"))
_COURTESY_AFTER = _PARTING | {"consent"}
_TO_US = ("ask_who", "ask_purpose", "ask_source", "ask_duration", "ask_privacy", "bot_challenge")
_AS_ELSEWHERE = (*_TO_US, "abuse", "wait", "ask_repeat", "not_understood", "correct", "go_back")
_LEAVES = (*ENDS_NOW, "busy")
_MORE = re.compile(r"^(?:有|有的|有啊|还有|有事|有个事|是的?|对)[呢吧啊的]?$")
_WANTS_TO_ASK = re.compile(r"咨询|想问|请教|问一下|问下|问个|打听|有(?:个|些|点)?(?:问题|事)")
_FILLER = re.compile(r"我|想|要|你们|你|您|一下|下|个|些|点|事情|事|问题|能|可以|不|吗|啊|呢|吧|的|了|好|[^\w]")
_LOOK_UP = re.compile(r"查一下|查查|查下|查询|想知道|想了解|看一下进度|帮我看")
_BUSINESS = re.compile(r"你们|贵公司|订单|下单|快递|发货|物流|商品|产品|价|货|账户|会员|优惠|活动|发票|保修|维修|退|换|门店|店|营业|地址|上班")
_BARE = re.compile(
    r"我|要|想|得|就是|必须|投诉|举报|曝光|反映|你们|你|的|了|啊|有|个|点|些|商品|产品|东西|货|服务|问题|毛病|不满意|不满|退货|退款|退钱|退|换货|换|赔偿|赔|太|很|[^\w]"
)
_OTHER = Concern("concern", ())
"""What none of the script's concerns names."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


# —— hooks of the other modules ——————————————————————————————————————————


def listen(turn: Turn) -> Verdict:
    """Whatever the customer says of their own accord; each thing in the reply is taken."""
    state, reply = turn.state, turn.reply
    said = {act.base for act in reply.acts} if reply.sure else {""}
    if said <= _PARTING | {"consent"} and "" not in said:
        return _closes(turn, said)
    parts = [_part(turn, act) for act in reply.acts if len(reply.acts) == 1 or act.base not in _COURTESY]
    for part in parts:
        if state.over or state.open != st.LISTENING:
            break
        _take(part)
    if not state.over and state.open == st.LISTENING:
        turn.effects.extend(go_on(turn.script, state))
    return settle(turn, Verdict.OVER if state.over else Verdict.GO_ON)


def respond(turn: Turn) -> bool:
    """What an interruption of the few questions means here; False: it is handled as in every talk."""
    base = turn.reply.base
    if turn.reply.has(NEVER_CONTACT):
        reach.opt_out(turn)
    elif base in ("complain", "dissatisfied"):
        _heard_at_question(turn)
    elif base == "request_human":
        _person(turn)
    elif base in ("propose_time", "call_later") and sends_later(turn.reply.text):
        turn.keep_told(turn.reply.text)
    elif base in ("propose_time", "call_later") and turn.state.open not in (st.CALLBACK, st.OFFER):
        _person(turn)
    elif base in _LEAVES or base in ("refuse", "goodbye"):
        _leave(turn)
    elif base == "faq":
        _business_question(turn)
    elif base in ("wrong_person", "third_person"):
        _context(turn)
    else:
        return False
    if not turn.state.over and turn.state.open == st.LISTENING:
        turn.effects.extend(go_on(turn.script, turn.state))
    settle(turn, Verdict.GO_ON)
    return True


def settle(turn: Turn, verdict: Verdict) -> Verdict:
    """A time is agreed, or a person is wanted: ask how to reach the customer, then hand over."""
    state = turn.state
    if state.outcome in (Outcome.APPOINTED, Outcome.UNREACHABLE) and state.callback_reason == "request_human":
        # The booking stands; it is a colleague who keeps it, so the talk must not wait for us to go on with it.
        state.outcome = state.outcome_reason = state.closing = ""
        turn.effects[:] = [effect for effect in turn.effects if not isinstance(effect, SetOutcome)]
        state.values[reach.WISH] = "call"
        if state.callback_at:
            reach.in_staff_hours(turn)
        reach.want_contact(turn)
        turn.effects.extend(go_on(turn.script, state))
    if not state.over and state.open == st.LISTENING and state.values.get(reach.WISH):
        return reach.handed_over(turn)
    if state.over:
        return Verdict.OVER
    return Verdict.GO_ON if verdict is Verdict.OVER else verdict


def proceed(turn: Turn) -> Verdict:
    """One of the few questions is answered or passed: what follows from it, then the customer's turn again."""
    state = turn.state
    if state.question_id and turn.script.question(state.question_id).ask_if and state.values.get(MATTER):
        words = state.words.get(state.question_id, "")
        if state.values.get(state.question_id) and turn.script.question(state.question_id).type == "open":
            _record(turn, words, _concerns(turn, words), bool(state.values.get(_COMPLAINED)), topic="concern")
        state.values[MATTER] = False
    elif state.question_id and state.values.get(state.question_id) is None and (heard := _concerns(turn, turn.reply.text)):
        _record(turn, turn.reply.text, heard, complaint=False)  # "算了你直接给我退了" instead of a number
    turn.effects.extend(go_on(turn.script, state))
    return settle(turn, Verdict.GO_ON)


def give_up(turn: Turn) -> Verdict:
    """Three times not understood: the words are taken down for a colleague; the second time the talk ends."""
    state = turn.state
    state.unclear.pop(st.LISTENING, None)
    if state.count("gave_up") > 1:
        return turn.end(Outcome.ENDED_EARLY, "unclear")
    turn.effects.append(RaiseTicket("question", "question", 4, turn.script.questions_to, turn.reply.text))
    turn.lead("inbound.gave_up")
    reach.want_contact(turn)
    turn.effects.extend(go_on(turn.script, state))
    return Verdict.GO_ON


def again(turn: Turn, hear: Callable[[Turn], Verdict], interrupted: Callable[[Turn], None]) -> bool:
    """The customer writes after the end: thanks are returned, anything else opens the talk again."""
    state, reply = turn.state, turn.reply
    said = {act.base for act in reply.acts} if reply.sure else {""}
    if said <= _COURTESY_AFTER and "" not in said:
        turn.lead("after.thank" if "thank" in said else "after.ok")
        return False
    if state.outcome == Outcome.HANDED_OVER and not reply.has("faq", NEVER_CONTACT):
        turn.passed_on(reply.text)
        return False
    turn.effects.append(Reopen())
    open_again(state)
    if hear(turn) is Verdict.INTERRUPTED:
        interrupted(turn)
    if state.over:
        state.lead = [close(turn.script, state, reply.at)]
        return False
    return True


def open_again(state: st.TalkState) -> None:
    """The customer has the word again."""
    state.outcome = state.outcome_reason = state.closing = state.callback_at = state.callback_reason = ""
    state.values.pop(reach.WISH, None)
    state.unclear.clear()
    state.counts = {"opened": 1}
    state.open, state.asked_before = st.LISTENING, False


# —— one thing said ——————————————————————————————————————————————————————


def _part(turn: Turn, act: Act) -> Turn:
    """The turn as if only this had been said; state and effects are the same ones."""
    reply = turn.reply
    if len(reply.acts) > 1:
        reply = replace(reply, text=act.text, intent=act.intent, confidence=act.confidence, acts=(act,))
    return Turn(turn.script, turn.state, reply, turn.effects)


def _take(turn: Turn) -> None:
    reply = turn.reply
    concerns = _concerns(turn, reply.text)
    base = reply.base if reply.sure else ""
    if reach.take_number(turn) and not concerns:
        return
    if reply.has(NEVER_CONTACT):
        reach.opt_out(turn)
    elif base == "greet" and not concerns:
        turn.lead("answers.greet")
    elif base in ("request_human", "propose_time", "call_later"):
        _person(turn)
    elif base == "faq" and not _is_fault(turn, concerns) and _told(turn):
        pass
    elif concerns or base == "complain" or base == "dissatisfied" and len(_CHINESE.findall(reply.text)) > 2:
        _complained(turn, concerns)
    elif _only_wants_to_ask(reply.text):
        turn.lead("inbound.go_ahead")
        turn.state.quiet = True
    elif base in _AS_ELSEWHERE:
        from followup.dialogue import interrupt  # it asks us first what an interruption means here

        interrupt.respond(turn)
    elif base in _LEAVES:
        _leave(turn)
    else:
        _take_the_rest(turn, base)


def _take_the_rest(turn: Turn, base: str) -> None:
    reply = turn.reply
    if base == "satisfied":
        turn.effects.append(TakeNote("praise", reply.text))
        _served(turn, "answers.praise")
    elif base in ("suggest", "objection"):
        turn.effects.append(TakeNote("suggestion", reply.text))
        _served(turn, "acknowledge.suggest")
    elif base == "faq" or _asks_about_business(reply.text, base):
        _business_question(turn)
    elif base == "out_of_scope":
        _off_topic(turn)
    elif base in ("inform", "third_person", "wrong_person", "neutral") and len(_CHINESE.findall(reply.text)) >= 4:
        _context(turn)
    elif unclear(turn) is Verdict.GO_ON and turn.state.unclear.get(st.LISTENING) == 1:
        turn.state.quiet = True  # "say it once more" asks already


def _only_wants_to_ask(text: str) -> bool:
    """ "我想咨询一下" announces a question; "咨询一下退货" is one."""
    return bool(_WANTS_TO_ASK.search(text)) and len(_FILLER.sub("", _WANTS_TO_ASK.sub("", text))) < 2


def _asks_about_business(text: str, base: str) -> bool:
    if base == "out_of_scope":
        return bool(_BUSINESS.search(text))
    return asks_something(text) or bool(_LOOK_UP.search(text))


def _closes(turn: Turn, said: set[str]) -> Verdict:
    """Nothing more, thanks, a bare "好的": the talk ends, unless it has hardly begun."""
    state = turn.state
    if said == {"consent"}:
        if _MORE.match(turn.reply.text.strip("，。！~ ")):
            turn.lead("inbound.go_ahead")
        elif state.count("ok") > 1:
            return _done(turn)
        else:
            turn.lead("inbound.ok")
        state.quiet = True
        return Verdict.GO_ON
    if said == {"thank"} and not state.values.get(_SERVED) and state.count("thank") == 1:
        turn.lead("answers.thank")
        turn.effects.extend(go_on(turn.script, state))
        return Verdict.GO_ON
    return _done(turn)


def _done(turn: Turn) -> Verdict:
    return turn.end(Outcome.COMPLAINED if turn.state.values.get(_COMPLAINED) else Outcome.COMPLETED)


def _served(turn: Turn, sentence: str, **extra: object) -> None:
    """Something was done for the customer: said once in a turn."""
    turn.state.values[_SERVED] = True
    turn.state.counts.pop("ok", None)
    said = turn.wording.say(sentence, **extra)
    if said not in turn.state.lead:
        turn.state.lead.append(said)


# —— what went wrong ——————————————————————————————————————————————————————


def _concerns(turn: Turn, words: str) -> list[Concern]:
    """Which of the script's concerns are spoken of, in the order of the words."""
    heard = [(one.heard_at(words), one) for one in turn.script.concerns]
    return [one for place, one in sorted(heard, key=lambda pair: pair[0]) if place >= 0]


def _is_fault(turn: Turn, concerns: list[Concern]) -> bool:
    """ "梨坏了怎么办" tells of a fault; "退货怎么办" with a known answer only asks."""
    return any(one.kind != "request" or not asks_something(turn.reply.text) for one in concerns)


def _complained(turn: Turn, concerns: list[Concern]) -> None:
    """Listen first (b9e91 四步): without the matter itself it is asked for; the ticket stands from the first word on."""
    state, words = turn.state, turn.reply.text
    complaint = turn.reply.base == "complain" and not all(one.kind == "request" for one in concerns or (_OTHER,))
    if complaint:
        state.values[_COMPLAINED] = True
    if not _tells_what(words, turn.reply.base):
        turn.effects.append(_ticket("concern", (concerns or [_OTHER])[0], words, complaint))
        state.values[_SERVED] = state.values[MATTER] = True
        for question in turn.script.questions:
            if MATTER in question.ask_if:
                state.values.pop(question.id, None)
        return
    _record(turn, words, concerns, complaint)


def _heard_at_question(turn: Turn) -> None:
    """A complaint while a question of ours is open; at "what happened?" it is the answer."""
    state, reply = turn.state, turn.reply
    question = turn.script.question(state.question_id) if state.question_id else None
    matter = question is not None and question.type == "open" and bool(state.values.get(MATTER))
    if question is not None and matter:
        state.keep(question.id, reply.text, reply.text)
        turn.effects.append(StoreAnswer(question.id, reply.text, reply.text, "open:complaint"))
        state.values[MATTER] = False
        state.open = st.LISTENING
    complaint = reply.base == "complain"
    state.values[_COMPLAINED] = bool(state.values.get(_COMPLAINED)) or complaint
    _record(turn, reply.text, _concerns(turn, reply.text), complaint, topic="concern" if matter else "")


def _tells_what(words: str, base: str) -> bool:
    """Whether there is a matter in the words: "我要投诉", "你们太差了" have none."""
    rest = _BARE.sub("", words)
    return len(rest) >= 2 and (base == "complain" or states_reason(words))


def _record(turn: Turn, words: str, concerns: list[Concern], complaint: bool, topic: str = "") -> None:
    """Empathy, apology, whom it goes to and by when; a second concern is not apologised for in the same words.

    `topic`: the ticket that was raised before the matter was known takes it in, with the department now known.
    """
    heard = concerns or [_OTHER]
    for one in heard[:1] if topic else heard:
        turn.effects.append(_ticket(topic or one.topic, one, words, complaint))
    departments = "和".join(dict.fromkeys(one.department for one in heard))
    request = all(one.kind == "request" for one in heard)
    key = "request" if request else "more" if turn.state.count("concerns") > 1 else "concern"
    _served(turn, f"inbound.{key}", department=departments)
    reach.want_contact(turn)


def _ticket(topic: str, concern: Concern, words: str, complaint: bool) -> RaiseTicket:
    kind = "complaint" if complaint else concern.kind
    return RaiseTicket(topic, kind, 2 if complaint else 3, concern.department, words)


# —— questions, courtesy, leaving ————————————————————————————————————————————


def _business_question(turn: Turn) -> None:
    """Answered when somebody wrote an answer; otherwise taken down for a colleague, never guessed (58741 (3))."""
    if turn.reply.base == "faq" and _told(turn):
        return
    turn.for_a_colleague(turn.reply.text)
    _served(turn, "inbound.question")
    reach.want_contact(turn)


def _told(turn: Turn) -> bool:
    """Say what is written for one of the script's trades; an answer that promises a colleague makes a ticket too."""
    for trade in turn.script.knowledge:
        state = replace(turn.state, lead=[])
        asked = Turn(replace(turn.script, trade=trade), state, turn.reply)
        if tell(asked):
            turn.state.lead.extend(state.lead)
            turn.state.values[_SERVED] = True
            turn.effects.extend(asked.effects)
            if asked.effects:
                reach.want_contact(turn)
            return True
    return False


def _context(turn: Turn) -> None:
    """ "我上周买了一箱梨": kept; what is wanted is still to come."""
    turn.effects.append(TakeNote("enquiry", turn.reply.text))
    turn.lead("inbound.noted")


def _off_topic(turn: Turn) -> None:
    times = turn.state.count("off_topic")
    if times > _MOST_OFF_TOPIC:
        turn.end(Outcome.ENDED_EARLY, "off_topic")
        return
    turn.lead("answers.out_of_scope" if times == 1 else "answers.business_only")


def _leave(turn: Turn) -> None:
    """Busy, driving, enough of it: nothing more is asked; the page stays open for them."""
    if turn.reply.base in ("refuse", "goodbye"):
        _done(turn)
        return
    turn.end(Outcome.ENDED_EARLY, turn.reply.base, turn.wording.say("inbound.leave"))


# —— a person ————————————————————————————————————————————


def _person(turn: Turn) -> None:
    """In hours a colleague comes; out of hours, or at a time the customer names, they call (63714)."""
    from followup.dialogue.interrupt import staff_are_in

    state, words = turn.state, turn.reply.text
    turn.effects.append(RaiseTicket("handover", "request", 2, DEPARTMENT, words))
    turn.effects.append(TakeNote("handover", words))
    state.values[_SERVED] = True
    if state.count("person") > 1 and turn.reply.base == "request_human":
        _hand_over_as_it_stands(turn)
        return
    named = turn.read(Asked("datetime")) if turn.reply.has("propose_time", "call_later") else None
    if named is not None:
        state.callback_reason = "request_human"
        if state.question_id:
            turn.lead("inbound.noted")  # "明天上午在家" to "your name?"; when we call is said in the end
        answers.book(turn, named.value)
        settle(turn, Verdict.GO_ON)
    elif turn.reply.base == "request_human" and staff_are_in(turn.script.wording["handover"]["hours"], turn.reply.at):
        state.values[reach.WISH] = state.values.get(reach.WISH) or "person"
        turn.lead("inbound.person")
        reach.want_contact(turn)
    elif state.values.get(reach.WISH) is None:
        answers.put_off(turn, "request_human")
        state.open, state.asked_before = st.CALLBACK, False
        if turn.reply.base == "request_human":
            turn.lead("handover.out_of_hours")
            state.quiet = True


def _hand_over_as_it_stands(turn: Turn) -> None:
    """Asked for a person again instead of answering us: nothing more is asked."""
    state = turn.state
    if state.values.get(reach.WISH) is None:
        turn.effects.append(BookCallback(None, "request_human", turn.reply.text))
        state.values[reach.WISH] = "call"
    reach.handed_over(turn)
