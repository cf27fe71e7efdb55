"""Is it convenient now, and is it you? Consent in its three forms, identity, taking an old talk up again."""

from __future__ import annotations

from followup.dialogue import answers, state as st
from followup.dialogue.effects import BookCallback, Outcome, RaiseTicket, TakeNote
from followup.dialogue.items import go_on
from followup.dialogue.reply import Reply
from followup.dialogue.turn import Turn, Verdict
from followup.dialogue.unclear import unclear
from followup.reading import Asked


_MOST_TOLD_EARLY = 3


def hear_consent(turn: Turn) -> Verdict:
    state, reply = turn.state, turn.reply
    if _denies_identity(turn):
        return answers.as_intent(turn, "wrong_person")
    if _names_themselves(turn):
        return agreed(turn)
    if turn.script.landline and _wants_landline(turn):
        return hear_landline(turn)
    if reply.base in ("consent", "satisfied", "neutral") and reply.sure or reply.has("consent") and not reply.interrupts:
        return agreed(turn)
    if (verdict := _told_at_once(turn)) is not None:
        return verdict
    if reply.interrupts:
        return Verdict.INTERRUPTED
    if reply.base in ("deny", "nothing_to_add") and reply.sure:
        return answers.as_intent(turn, "refuse" if "不用" in reply.text or "不需要" in reply.text else "busy")
    if state.open == st.RESUME and reply.sure:
        return agreed(turn, whole=True)
    yes = turn.read(Asked("yes_no"))
    if yes is not None and yes.fit == "strong":  # "可以，不过我只有一分钟"
        return agreed(turn) if yes.value else answers.as_intent(turn, "busy")
    if reply.base in ("dissatisfied", "suggest") and reply.sure:
        answers.remark(turn, reply)
        state.simpler = True
        return Verdict.GO_ON
    return unclear(turn)


def _told_at_once(turn: Turn) -> Verdict | None:
    """ "你好，我买的梨坏了" before anybody asked: taken where the script has a place for it, passed on where it has none."""
    state, told = turn.state, turn.reply.without("greet")
    if told.base not in ("inform", "dissatisfied", "suggest") or not told.sure or state.open == st.RESUME:
        return None
    first = next((question for question in turn.script.questions if not question.is_step), None)
    if first and state.open == st.CONSENT and any(one.heard_in(told.text) for one in first.listen_for):
        turn.effects.extend(go_on(turn.script, state))
        from followup.dialogue.hear import hear  # consent is heard by it; what was told is an answer

        return hear(Turn(turn.script, state, told, turn.effects))
    if told is turn.reply or state.count("told_early") > _MOST_TOLD_EARLY:
        return None
    if told.base == "dissatisfied":
        answers.remark(turn, told)
    else:
        turn.effects.append(TakeNote("suggestion" if told.base == "suggest" else "enquiry", told.text))
        turn.lead("acknowledge.also_noted")
    state.simpler = True
    return Verdict.GO_ON


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


def agreed(turn: Turn, whole: bool = False) -> Verdict:
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
        from followup.dialogue.hear import hear  # consent is heard by it; what came along is heard again

        first = Turn(turn.script, state, rest, turn.effects)
        return hear(first)
    return Verdict.GO_ON


def _means_go_ahead(reply: Reply) -> bool:
    """ "方便，你说吧" to "请问是张女士吗？" agrees to both; "是的" only says who it is."""
    return any(word in reply.text for word in ("方便", "可以", "你说", "您说", "说吧", "问吧", "讲吧", "开始", "行", "没问题", "ok", "OK"))


def _wants_landline(turn: Turn) -> bool:
    return any(word in turn.reply.text for word in ("座机", "固定电话", "固话", "办公室电话", "家里电话"))


def hear_landline(turn: Turn) -> Verdict:
    """The third form of consent: convenient, but on a landline. A colleague rings that number (63714 首日回访 ②)."""
    state, reply = turn.state, turn.reply
    phone = turn.read(Asked("phone"))
    if phone is None and state.open != st.LANDLINE:
        state.resume_at, state.open, state.asked_before = state.open, st.LANDLINE, False
        return Verdict.GO_ON
    if phone is None and reply.interrupts and reply.base not in ("refuse", "skip"):
        return Verdict.INTERRUPTED
    if phone is None:
        return answers.as_intent(turn, "busy") if state.count("landline") > 1 or reply.base in ("deny", "skip") else unclear(turn)
    words = f"{phone.value}　{reply.text}"
    turn.effects.append(TakeNote("landline", reply.text, topic=str(phone.value)))
    turn.effects.append(RaiseTicket("landline", "request", 3, "客户服务部", words, {"phone": phone.value}))
    turn.effects.append(BookCallback(None, "landline", reply.text, confirmed=True))
    return turn.end(Outcome.HANDED_OVER, "landline", turn.wording.say("busy.landline", number=phone.value))
