"""A reply to the open item: an answer, an interruption, or not understood. Each kind of item has its own module."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from followup.dialogue import answers, health, inbound, state as st
from followup.dialogue.buttons import meant_otherwise, pressed
from followup.dialogue.consent import hear_consent, hear_landline
from followup.dialogue.doubt import believed
from followup.dialogue.go_ahead import as_agreement, told_to_go_on
from followup.dialogue.open_question import hear_probe, hear_question
from followup.dialogue.reply import NEVER_CONTACT
from followup.dialogue.somebody_else import hear_other_user, hear_third_person
from followup.dialogue.turn import Turn, Verdict
from followup.dialogue.unclear import unclear
from followup.dialogue.when import hear_callback, hear_offer

AWAY = timedelta(hours=1)
"""After this long a customer is welcomed back."""
_READY = re.compile(
    r"好了|行了|可以了|我?(?:忙|弄|开|吃|讲|说|办)?完了|我?回?来了|我?在了|现在(?:可以|方便)|接着来?|继续|[说讲问](?=吧|$|[^\w])"
    r"|(?:刚才)?(?:说|问)到哪儿?了?"
)
_BACK = re.compile(rf"(?:{_READY.pattern}|[嗯哦喂啊吧呀呢了哈]|好的?|行|可以|现在|ok|不好意思|(?:让[你您])?久等了?|[你您请]|[^\w])*+")
"""What people write when they are back and have answered nothing yet: "好了 你说"."""
_CHINESE_OR_NUMBER = re.compile(r"[\u4e00-\u9fff0-9]")


def hear(turn: Turn) -> Verdict:
    """Take the reply into the talk. The caller asks next, closes, or lets a rule handle the interruption."""
    state, reply = turn.state, turn.reply
    _welcome_back(turn)
    state.last_at = state.now = reply.at.isoformat()
    if not any(ch.isalnum() for ch in reply.text) and not reply.sure:
        return unclear(turn, no_text=True)
    if not _CHINESE_OR_NUMBER.search(reply.text) and not reply.sure:
        return unclear(turn)  # "/restart", "asdf": the understanding takes letters for no more than a guess
    health.pass_on(turn)
    if reply.has(NEVER_CONTACT) and not pressed(turn):
        return Verdict.INTERRUPTED
    if (verdict := meant_otherwise(turn)) is not None:
        return verdict
    if _is_back(turn):
        return Verdict.GO_ON
    if not turn.script.customer_led and told_to_go_on(turn):
        turn.reply = as_agreement(turn)
        if state.question_id:
            return Verdict.GO_ON  # the question is asked again: a yes is no answer to it
    turn.reply = believed(turn)
    verdict = _HANDLERS[state.open.split(":")[0]](turn)
    return inbound.settle(turn, verdict) if turn.script.customer_led else verdict


def _welcome_back(turn: Turn) -> None:
    state = turn.state
    if state.open not in (st.RESUME, st.IDENTITY) and state.last_at and turn.reply.at - datetime.fromisoformat(state.last_at) > AWAY:
        state.lead.append(turn.wording.say("welcome_back"))


def _is_back(turn: Turn) -> bool:
    """Back after "稍等一下", and ready for the question: what is said here is no answer to it."""
    state = turn.state
    waited, state.waiting = state.waiting, False
    words = turn.reply.text.strip().lower()
    return waited and bool(state.question_id and _READY.search(words) and _BACK.fullmatch(words))


def _complaint(turn: Turn) -> Verdict:
    if turn.reply.base in ("request_human", "wrong_person") and turn.reply.sure:
        return Verdict.INTERRUPTED
    return answers.complained(turn, turn.reply.text)


_HANDLERS = {
    st.CONSENT: hear_consent,
    st.IDENTITY: hear_consent,
    st.RESUME: hear_consent,
    st.CALLBACK: hear_callback,
    st.OFFER: hear_offer,
    st.THIRD_PERSON: hear_third_person,
    st.COMPLAINT: _complaint,
    st.LANDLINE: hear_landline,
    st.OTHER_USER: hear_other_user,
    st.OTHER_NAME: hear_other_user,
    st.LISTENING: inbound.listen,
    st.QUESTION.rstrip(":"): hear_question,
    st.REASON.rstrip(":"): hear_probe,
    st.IMPROVE.rstrip(":"): hear_probe,
}
