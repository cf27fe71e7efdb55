"""Not the customer: somebody who uses the car, or somebody who can tell how the customer is reached."""

from __future__ import annotations

import re
from typing import Mapping

from followup.dialogue import answers, appoint, state as st
from followup.dialogue.effects import BookCallback, Outcome, TakeNote
from followup.dialogue.put_off import comes_by
from followup.dialogue.reply import FIRM, tells_something
from followup.dialogue.state import TalkState
from followup.dialogue.turn import Turn, Verdict
from followup.dialogue.unclear import unclear
from followup.reading import Asked


_HERE = re.compile(
    r"就?在我?(?:旁边|身边|边上|跟前)|(?:手机|电话)(?:递?给|交给)(?:他|她|本人)"
    r"|(?:叫|喊|换|让)(?:他|她|本人|我?[爸妈哥姐]|我?老[公婆])(?:本人|自己)?来?(?:接|听|看|跟[你您]说)"
)


_WHEREABOUTS = re.compile(r"不在|没在|[上放]学|上课|在[家校]|旁边|回来|上班|下班|出差|外地|出门|不知道|不清楚|不晓得|电话|手机|号码|联系|[忙睡]|开会|找[他她]")
"""Where the customer is or how they are reached, which needs nobody to do anything."""
_WOULD_ANSWER = re.compile(r"我[也都]?(?:能|可以|会)(?:代|替|帮|来)?.{0,2}(?:答|说)|(?:问|跟|和|对)我[也都就]?(?:说|讲|一样|行|可以)")
_USES_IT = re.compile(r"车(?:都|一直|平时|现在|就)?(?:是)?我(?:自己)?(?:在|来)?[开用](?!会)|我(?:自己)?(?:在|一直)[开用](?:这|车|着)")
_OFFERS = re.compile(r"^[嗯哦噢好行啊呀的，。\s]*(?:可以|能|方便)[的呀啊吧哒滴。！!]*$")


def comes_to_the_phone(turn: Turn) -> bool:
    """ "我妈在旁边": the customer is asked in, and whoever writes next says first who it is. False: nothing of the kind was said."""
    state = turn.state
    if not _HERE.search(turn.reply.text) or "here" not in turn.script.wording["third_person"]:
        return False
    turn.lead("third_person.here")
    state.open, state.asked_before, state.quiet = st.IDENTITY, False, True
    return True


def would_answer(text: str) -> bool:
    """ "这个我也能回答": kindly meant, but only the customer is asked."""
    return _WOULD_ANSWER.search(text) is not None


def hear_other_user(turn: Turn) -> Verdict:
    """Not the customer, but perhaps who uses the car: recorded, and the talk goes on with them (63714 三日回访 ②)."""
    state, reply = turn.state, turn.reply
    if state.open == st.OTHER_NAME:
        name = turn.read(Asked("name"))
        if name is None and reply.interrupts and reply.confidence >= FIRM:
            return Verdict.INTERRUPTED
        turn.effects.append(TakeNote("other_user", reply.text, topic=str(name.value) if name else ""))
        state.variables["customer"], state.variables["title"] = _addressed(str(name.value) if name else "")
        state.open, state.asked_before = st.CONSENT, False
        return Verdict.GO_ON
    yes = turn.read(Asked("yes_no"))
    if (yes is None or yes.value) and _tells_a_name(turn):
        state.open = st.OTHER_NAME  # "姓王" to "are you the one who drives it?"
        return hear_other_user(turn)
    if yes is not None and yes.value:
        state.open, state.asked_before = st.OTHER_NAME, False
        return Verdict.GO_ON
    if yes is None and reply.interrupts:
        return Verdict.INTERRUPTED
    if yes is None:
        return unclear(turn)
    # Neither the customer nor the user of the car: when can the customer be reached? (63714 三日回访 ②: 预约、致谢)
    state.resume_at = st.IDENTITY
    state.open, state.asked_before = st.THIRD_PERSON, False
    return hear_third_person(turn) if turn.read(Asked("phone")) or turn.read(Asked("datetime")) else Verdict.GO_ON


def _tells_a_name(turn: Turn) -> bool:
    name = turn.read(Asked("name"))
    return name is not None and name.how in ("name:surname", "name:stated")


def uses_it(text: str) -> bool:
    """ "我是他媳妇，车我开": who uses it has said so."""
    return _USES_IT.search(text) is not None


def _addressed(name: str) -> tuple[str, str]:
    """(customer, title) for somebody of whom no title is known: a full name as it is, a bare surname is not called out."""
    return (name, "") if len(name) > 1 else ("您", "")


def will_be_there(turn: Turn, value: Mapping[str, str]) -> Verdict:
    """The time at which the customer can be reached, said back; nobody but the customer can agree to it (63714 预约、致谢)."""
    state, reply = turn.state, turn.reply
    at = answers.point(value, reply.at)
    if not appoint.in_wished_hours(at):
        at = appoint.nearest_proper(at)
    state.callback_reason, state.callback_at, state.our_time = "third_person", at.isoformat(), True
    turn.effects.append(BookCallback(at, "third_person", reply.text, confirmed=False))
    said = turn.wording.say("third_person.time", time=appoint.spoken(at, reply.at))
    return turn.end(Outcome.APPOINTED, "third_person", said)


def is_somebody_else(state: TalkState) -> bool:
    """Whether the talk ended with somebody who is not the customer, so that the next one asks again who it is."""
    return state.outcome == Outcome.WRONG_PERSON or state.callback_reason == "third_person"


def hear_third_person(turn: Turn) -> Verdict:
    """Another number or time if offered; never a word of the customer's business (63714 接触话术)."""
    reply = turn.reply
    if comes_to_the_phone(turn):
        return Verdict.GO_ON
    phone = turn.read(Asked("phone"))
    time = turn.read(Asked("datetime"))
    if phone is not None:
        turn.effects.append(TakeNote("third_contact", reply.text, topic=str(phone.value)))
        return turn.end(Outcome.WRONG_PERSON, "other_number", turn.wording.say("third_person.thanks"))
    if time is not None and not comes_by(reply.text):
        return will_be_there(turn, time.value)
    if reply.base in ("propose_time", "call_later") and reply.sure:  # a time that nobody can put on the calendar
        turn.effects.append(TakeNote("third_contact", reply.text))
        turn.effects.append(BookCallback(None, "third_person", reply.text))
        return turn.end(Outcome.WRONG_PERSON, "third_person", turn.wording.say("third_person.thanks"))
    if would_answer(reply.text):
        return Verdict.INTERRUPTED
    if any(words in reply.text for words in ("转告", "告诉他", "告诉她", "帮你问", "帮您问", "跟他说", "跟她说")):
        turn.effects.append(TakeNote("third_contact", reply.text))
        return turn.end(Outcome.WRONG_PERSON, "third_person", turn.wording.say("third_person.thanks"))
    if reply.base in ("deny", "refuse", "nothing_to_add", "skip", "goodbye", "busy") and reply.sure:
        if reply.confidence < FIRM:  # "孩子戴着呢，说有点晕" only resembles a no
            turn.effects.append(TakeNote("third_contact", reply.text))
        return turn.end(Outcome.WRONG_PERSON, "third_person_refused", turn.wording.say("third_person.declined"))
    if reply.interrupts and reply.base != "thank":
        return Verdict.INTERRUPTED
    if _offers(turn):
        turn.lead("third_person.which")
        turn.state.quiet = True
        return Verdict.GO_ON
    turn.effects.append(TakeNote("third_contact", reply.text))
    if not tells_something(reply.text):
        return turn.end(Outcome.WRONG_PERSON, "third_person", turn.wording.say("third_person.thanks"))
    if not _WHEREABOUTS.search(reply.text):
        turn.must_be_read(reply.text)  # "他说饭菜太咸"
    return turn.end(Outcome.WRONG_PERSON, "third_person", turn.wording.say("third_person.noted"))


def _offers(turn: Turn) -> bool:
    """ "可以的" to "would you leave a time or a number?": it is asked for, once."""
    if turn.reply.base != "consent" or _OFFERS.search(turn.reply.text) is None or "which" not in turn.script.wording["third_person"]:
        return False
    return turn.state.count("third_person.which") == 1
