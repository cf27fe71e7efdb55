"""What the bot does about an interruption (catalogue B). Each act has one handler; the sentences are in the script files."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Callable

from followup.dialogue import answers, inbound, knowledge, state as st
from followup.dialogue.doubt import believed
from followup.dialogue.effects import Outcome, RaiseTicket, StopContact, TakeNote
from followup.dialogue.put_off import busy, ends_now
from followup.dialogue.reply import ENDS_NOW, FIRM, NEVER_CONTACT, QUESTIONS_TO_US, Reply, asks_something, tells_something
from followup.dialogue.somebody_else import comes_to_the_phone, uses_it, would_answer
from followup.dialogue.turn import Turn
from followup.holidays import works_on
from followup.reading import Asked
from followup.scripts.model import DEPARTMENT
from followup.scripts.walk import NOTHING, next_question

_WRONG_NUMBER = re.compile(r"打错|不认识|没这个人|没有这个人|查无此人|号码不对|号码错|空号|换号|新号")
_PASSED_ON = ("too_expensive_to_buy", "cheaper_elsewhere", "over_budget")
"""Objections that the sentence said to them promises to tell a colleague (`objections` of the shared wording)."""
_SURELY_HAS = 0.8
_MOST_ANSWERED = 2
"""So many questions of one reply are answered: more would be a lecture."""
PATIENCE = 3
"""How often one thing is answered before the talk moves on."""
_TO_THIRD_PERSON = ("third_person.explain", "third_person.doubts")
_DENIES_THE_DEAL = re.compile(r"没有?(?:买|办|订|定|签|投|贷|做|用|去|装|修|取)过?|不是我(?:买|办|订|签|投)")
""" "我没买保险啊": no objection to be talked away, but word that the records may be wrong."""
_BARE_COMPLAINT = re.compile(r"我|要|想|得|就是|必须|投诉|举报|曝光|你们|你|了|啊|的|[^\w]")


def respond(turn: Turn) -> None:
    """Handle the leading act: say something before the open item is asked again, or end the talk.

    An opt-out anywhere in the reply comes before everything else (house rule).
    """
    state = turn.state
    if state.over:  # the answer in the same reply was the last one
        return
    if turn.script.customer_led and inbound.respond(turn):
        return
    if not turn.script.customer_led:
        turn.reply = believed(turn)
    if (act := turn.reply.has(NEVER_CONTACT)) is not None:
        _stop_contact(turn) if act.confidence >= FIRM else _perhaps_never_again(turn)
        return
    asks = turn.reply.base in (*QUESTIONS_TO_US, "not_understood", "out_of_scope", "objection")
    if state.open == st.THIRD_PERSON and (asks or would_answer(turn.reply.text)):
        _explain_to_third_person(turn)
        return
    _HANDLERS.get(turn.reply.base, _off_topic)(turn)


def _stop_contact(turn: Turn) -> None:
    turn.effects.append(StopContact(turn.reply.text))
    turn.state.lead.clear()
    turn.end(Outcome.DO_NOT_CONTACT, turn.reply.text[:200])


def _perhaps_never_again(turn: Turn) -> None:
    """ "不要再问了" may mean this talk or every talk: this one ends, and a colleague decides about the rest."""
    turn.effects.append(TakeNote("perhaps_opt_out", turn.reply.text))
    _refuse(turn)


# —— ended by the customer ————————————————————————————————————————————————


def _refuse(turn: Turn) -> None:
    begun = bool(turn.state.order)
    turn.state.lead.clear()
    turn.end(Outcome.ENDED_EARLY if begun else Outcome.REFUSED, turn.reply.text[:200])


def _goodbye(turn: Turn) -> None:
    """ "车来了先这样" to the last question, which is for suggestions: nothing more to say, and all was asked."""
    if _only_a_wish_is_left(turn):
        answers.nothing(turn, turn.script.question(turn.state.question_id))
        return
    turn.end(Outcome.ENDED_EARLY, "goodbye")


def _only_a_wish_is_left(turn: Turn) -> bool:
    state, script = turn.state, turn.script
    if script.customer_led or not state.open.startswith(st.QUESTION) or script.question(state.question_id).type != "open":
        return False
    steps = (step.id for step in script.questions if step.is_step)
    values = {**state.values, state.question_id: NOTHING}
    return next_question(script, values, [*state.told, *steps], {**script.demo_variables(), **state.variables}) is None


def _wait(turn: Turn) -> None:
    turn.lead("busy.wait")
    turn.state.quiet = turn.state.waiting = True


# —— who is speaking ——————————————————————————————————————————————————


def _wrong_person(turn: Turn) -> None:
    state = turn.state
    state.lead.clear()
    if _may_be_the_user(turn) and not _WRONG_NUMBER.search(turn.reply.text):
        state.open, state.asked_before = st.OTHER_USER, False
        return
    turn.end(Outcome.WRONG_PERSON, turn.reply.text[:200])


def _may_be_the_user(turn: Turn) -> bool:
    """Whoever answers for the customer may be the one who uses the car (63714 三日回访 ②); asked once, at the beginning."""
    state = turn.state
    return bool(turn.script.other_user) and state.open in (st.IDENTITY, st.CONSENT) and not state.order


def _someone_else(turn: Turn) -> None:
    """Somebody else answers: when or how can the customer be reached? Taken at once where it was said."""
    from followup.dialogue.hear import hear  # the reply is heard again, now as the third person's

    if turn.state.open == st.THIRD_PERSON:
        _explain_to_third_person(turn)
        return
    turn.state.lead.clear()
    turn.state.resume_at = turn.state.open
    if comes_to_the_phone(turn):
        return
    asks_who = turn.reply.has("ask_who", "ask_purpose", "ask_source", "bot_challenge") is not None
    if _may_be_the_user(turn) and not (turn.read(Asked("phone")) or turn.read(Asked("datetime"))):
        turn.state.open, turn.state.asked_before = st.OTHER_NAME if uses_it(turn.reply.text) else st.OTHER_USER, False
        return
    turn.state.open, turn.state.asked_before = st.THIRD_PERSON, False
    if turn.read(Asked("phone")) or turn.read(Asked("datetime")):
        hear(turn)
    elif asks_who:
        _explain_to_third_person(turn)


def _explain_to_third_person(turn: Turn) -> None:
    """Who we are and why we say no more; doubts are answered once more, then nobody is pressed (63714 接触话术)."""
    times = turn.state.count("third_person")
    if times > len(_TO_THIRD_PERSON):
        turn.end(Outcome.WRONG_PERSON, "third_person_doubts", turn.wording.say("third_person.declined"))
        return
    turn.lead(_TO_THIRD_PERSON[times - 1])
    turn.state.quiet = True


# —— questions to us ——————————————————————————————————————————————————


def _answer(turn: Turn) -> None:
    """Each question of the reply gets its answer: "你是谁啊？又要卖东西给我吧" asks two."""
    if _tired_of(turn):
        return
    for part in _questions(turn.reply):
        if part.base == "faq" and _only_tells(turn, part):
            turn.keep_told(part.text)
        elif part.base == "faq":
            knowledge.tell(replace(turn, reply=part))
        elif part.confidence < FIRM and turn.state.question_id and asks_something(part.text):
            turn.for_a_colleague(part.text)  # "什么活动" only resembles "what is this about"
            turn.lead("answers.colleague")
        elif part.base == "ask_who" and turn.state.count("told:who") > 1:
            turn.lead("objections.strangers")  # told once, and still in doubt
        else:
            turn.lead(f"answers.{part.base}")
    _shorten_consent(turn)


def _only_tells(turn: Turn, part: Reply) -> bool:
    """ "取车的时候给我讲了换了哪些件" is near to a question that we know, and asks nothing."""
    return bool(turn.state.question_id) and part.confidence < FIRM and tells_something(part.text) and not asks_something(part.text)


def _questions(reply: Reply) -> list[Reply]:
    """The questions to us in a reply, each once, the leading one first."""
    parts = {reply.base: reply}
    for act in reply.acts:
        if act.base in QUESTIONS_TO_US and act.confidence >= FIRM:
            parts.setdefault(act.base, replace(reply, intent=act.intent, confidence=act.confidence, text=act.text, acts=(act,)))
    return list(parts.values())[:_MOST_ANSWERED]


def _knowledge(turn: Turn) -> None:
    """A known topic is answered; anything else is recorded for a colleague, never guessed (58741 (3))."""
    _answer(turn)


def _ask_again(turn: Turn) -> None:
    """Asked to repeat: the same words, then simpler ones, then the question is passed over."""
    from followup.dialogue.unclear import give_up

    state = turn.state
    times = state.unclear[state.open] = state.unclear.get(state.open, 0) + 1
    if times >= PATIENCE:
        turn.effects.append(TakeNote("unclear", turn.reply.text, topic=state.open))
        give_up(turn)
        return
    state.simpler = turn.reply.base == "not_understood" or times == PATIENCE - 1
    turn.lead("unclear.simpler" if state.simpler else "unclear.repeat")
    state.asked_before = False


def _off_topic(turn: Turn) -> None:
    if _tired_of(turn):
        return
    if asks_something(turn.reply.text):
        turn.effects.append(TakeNote("colleague_question", turn.reply.text))
    elif turn.reply.confidence < FIRM and tells_something(turn.reply.text):
        turn.keep_told(turn.reply.text)
        _shorten_consent(turn)
        return
    first = turn.state.count("off_topic") == 1
    turn.lead("answers.out_of_scope" if first else "answers.business_only")
    _shorten_consent(turn)


def _shorten_consent(turn: Turn) -> None:
    """Ask for consent in a few words this time, where the whole opening was said already."""
    if turn.state.open in (st.CONSENT, st.RESUME, st.IDENTITY) and turn.state.asked_before:
        turn.state.short = True


def _tired_of(turn: Turn) -> bool:
    """The same item was put off by questions more than three times: it is passed over, so that no talk loops."""
    from followup.dialogue.unclear import give_up

    if turn.state.open == st.LISTENING or turn.state.count(f"aside:{turn.state.open}") <= PATIENCE:
        return False
    turn.effects.append(TakeNote("unclear", turn.reply.text, topic=turn.state.open))
    give_up(turn)
    return True


# —— courtesy and steering ——————————————————————————————————————————————


def _courtesy(turn: Turn) -> None:
    if _tired_of(turn):
        return
    turn.lead(f"answers.{turn.reply.base}")
    _shorten_consent(turn)


def _skip(turn: Turn) -> None:
    state = turn.state
    if state.open.startswith(st.QUESTION):
        answers.passed(turn, turn.script.question(state.question_id), "skipped")
    else:
        busy(turn) if state.open in (st.CONSENT, st.RESUME, st.CALLBACK) else _refuse(turn)


def _correct(turn: Turn) -> None:
    answers.correct(turn)


def _go_back(turn: Turn) -> None:
    answers.go_back(turn)


# —— displeasure ——————————————————————————————————————————————————————


def _complain(turn: Turn) -> None:
    """Listen first: without the matter itself it is asked for, with it the promise is made (b9e91 四步)."""
    turn.state.lead.clear()
    if len(_BARE_COMPLAINT.sub("", turn.reply.text)) >= 3 or turn.state.open == st.COMPLAINT:
        answers.complained(turn, turn.reply.text)
        return
    turn.effects.append(RaiseTicket("complaint", "complaint", 2, DEPARTMENT, turn.reply.text))
    turn.state.open, turn.state.asked_before = st.COMPLAINT, False


def _abuse(turn: Turn) -> None:
    """Reminded twice, then the talk ends (b9e91 3.3.11)."""
    times = turn.state.count("abuse")
    if times >= PATIENCE:
        turn.effects.append(TakeNote("abuse", turn.reply.text))
        turn.state.lead.clear()
        turn.end(Outcome.ENDED_EARLY, "abuse", turn.wording.say("abuse.last"))
        return
    turn.lead("abuse.first" if times == 1 else "abuse.second")
    _shorten_consent(turn)


def _objection(turn: Turn) -> None:
    """One gentle answer, then respected (b9e91 客户十大常见抗拒借口)."""
    if turn.state.open in (st.IDENTITY, st.CONSENT) and _DENIES_THE_DEAL.search(turn.reply.text):
        turn.keep_told(turn.reply.text)
        _shorten_consent(turn)
        return
    kind = turn.reply.intent.partition("/")[2] or "simply_no"
    if kind == "simply_no" and turn.reply.confidence < FIRM and turn.state.question_id and tells_something(turn.reply.text):
        turn.keep_told(turn.reply.text)  # "没有贷款打算，全款" only resembles a no to us
        return
    if kind == "already_have" and turn.reply.confidence < _SURELY_HAS and tells_something(turn.reply.text):  # "手机换了"
        turn.keep_told(turn.reply.text)
        _shorten_consent(turn)
        return
    if kind != "simply_no" and asks_something(turn.reply.text):  # "下月发工资再交行吗"
        if _tired_of(turn):
            return
        turn.for_a_colleague(turn.reply.text)
        turn.lead("answers.colleague")
        _shorten_consent(turn)
        return
    if kind not in ("simply_no", "strangers"):
        turn.effects.append(TakeNote("enquiry", turn.reply.text))
    if turn.state.count("objection") > 1:
        _refuse(turn)
        return
    if kind in _PASSED_ON:
        turn.effects.append(RaiseTicket("objection", "request", 4, DEPARTMENT, turn.reply.text))
    known = turn.script.wording["objections"]
    turn.lead(f"objections.{kind if kind in known else 'simply_no'}")
    _shorten_consent(turn)


def _human(turn: Turn) -> None:
    """In hours a colleague takes over; out of hours an appointment is made (63714)."""
    words = turn.reply.text
    turn.effects.append(RaiseTicket("handover", "request", 2, DEPARTMENT, words))
    turn.effects.append(TakeNote("handover", words))
    if staff_are_in(turn.script.wording["handover"]["hours"], turn.reply.at):
        if turn.state.open not in (st.CALLBACK, st.OFFER, st.RESUME):
            turn.state.resume_at = turn.state.open  # where we go on when the colleague hands the talk back
        turn.end(Outcome.HANDED_OVER, words[:200])
        return
    answers.put_off(turn, "request_human")
    turn.state.open, turn.state.asked_before = st.CALLBACK, False
    turn.lead("handover.out_of_hours")
    turn.state.quiet = True


def staff_are_in(hours: dict, at: datetime) -> bool:
    """Whether `at` lies in the staff's hours: {"days": [1..7], "from": "9:00", "to": "18:00"}.

    Public holidays are off, weekend days worked in exchange are on; who works all seven days works on holidays too.
    """
    minutes = [int(h) * 60 + int(m) for h, m in (str(hours[k]).split(":") for k in ("from", "to"))]
    return works_on(at.date(), hours["days"]) and minutes[0] <= at.hour * 60 + at.minute < minutes[1]


_HANDLERS: dict[str, Callable[[Turn], None]] = {
    **{act: ends_now for act in ENDS_NOW},
    "busy": busy,
    "call_later": busy,
    "propose_time": busy,
    "refuse": _refuse,
    "goodbye": _goodbye,
    "wait": _wait,
    "wrong_person": _wrong_person,
    "third_person": _someone_else,
    **{act: _answer for act in QUESTIONS_TO_US if act != "faq"},
    "faq": _knowledge,
    "ask_repeat": _ask_again,
    "not_understood": _ask_again,
    "out_of_scope": _off_topic,
    "greet": _courtesy,
    "thank": _courtesy,
    "skip": _skip,
    "correct": _correct,
    "go_back": _go_back,
    "complain": _complain,
    "abuse": _abuse,
    "objection": _objection,
    "request_human": _human,
}
