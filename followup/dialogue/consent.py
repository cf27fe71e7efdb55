"""Is it convenient now, and is it you? Consent in its three forms, identity, taking an old talk up again."""

from __future__ import annotations

import re
from dataclasses import replace

from followup.dialogue import answers, state as st
from followup.dialogue.aspects import aspects_in
from followup.dialogue.effects import BookCallback, Effect, Outcome, RaiseTicket, TakeNote
from followup.dialogue.items import OPENING_SAID, go_on, question_asked
from followup.dialogue.reply import FEELINGS, FIRM, QUESTIONS_TO_US, TOLD_EARLY, Act, Reply, asks_something, tells_something, wants_showing
from followup.dialogue.state import TalkState
from followup.dialogue.turn import Turn, Verdict
from followup.dialogue.unclear import unclear
from followup.dialogue.wording import Wording
from followup.reading import Asked
from followup.scripts.model import DEPARTMENT, SATISFACTION_TYPES, Question, Script

_TALKS_WITH_US, _IS_THE_CUSTOMER = 2, 3
"""Tellings before the first question."""
_PLAIN_NO = re.compile(
    r"^(?:嗯|哦|啊|那|我|现在|今天|这会儿?|暂时|真的|都|也|就|还是|[，,\s])*"
    r"(?:不(?:用|要|行|了|可以|太?方便|需要|想|是|必|接受|参加|好意思|感兴趣|聊|说|答|回答|打算)?|没(?:有|空|时间|兴趣|工夫|功夫|必要)?|算了|别|免了|拒绝)+"
    r"(?:再|给我|了|啦|吧|啊|哈|呢|谢谢?|聊|说|打|的|做|搞|弄|什么|啥|你们|这种|这些|这个|电话|回访|调查|评价|问卷|活动|浪费时间|麻烦|参与|配合)*(?:$|[，,。.！!～~\s])"
)
_IS_ME = re.compile(
    r"^(?:喂|哎|诶|你好|您好|嗯|我?来了|[，,。.！!～~\s])*"
    r"(?:(?:我就?是(?:他|她)本人|是我|我就是|就是我|我是本人|是本人|本人|我是|是的|是|对的|对)[呀啊哦呢嘛的哈啦]*(?=$|[，,。.！!～~\s])"
    r"|(?:是我|我就是|就是我)[呀啊哦呢嘛的哈啦]*(?=你|您|哪|什么|啥|怎么|有事|找我)"
    r"|我?在的?[呢啊呀]?[，,。.！!～~\s]*$)"
)
""" "是我呀，你是哪个？", "我是", "是，什么事", "是我你哪位", "在的"."""
_SAYS_NAME = re.compile(r"^(?:喂|哎|嗯|你好|您好|[，,\s])*(?:是的?[，,])?(?:我就是|我是|我叫|我姓)(?P<name>.{1,6}?)(?:[呀啊哦呢嘛哈]*)(?=$|[，,。.！!？?～~\s]|你|您)")
_FAMILIAR = re.compile(r"^(?:老|小|阿)")
_WHAT_FOR = re.compile(r"(?:什么|啥)事(?!都|也|儿?没)")
_HOW_TO_TALK = 12
"""Characters; more than that tells something."""
_YES_FIRST = re.compile(r"^[嗯哦喂那]*(?:可以|方便|好|行|能|没事|没问题)")
_IN_A_HURRY = re.compile(r"别太久|别太长|快点|快一点|快些|简单点|简短|抓紧|长话短说|尽快|赶时间|时间不多|别啰嗦|别耽误")
_ONLY_YES = re.compile(r"还?(?:可以|行)|好的?|嗯+|方便|没问题|能|有空|有时间")
_GREETING = re.compile(r"^(?:(?:你|您)好|喂|嗨|哈喽|(?:早上|上午|中午|下午|晚上)好)[啊呀]?[，,。！!\s]+")
_GRUMBLE = re.compile(r"(?:还|才|终于|总算)(?:知道|想起|想得起|记得|晓得)(?:要|来)?(?:找我|我|联系|打|问)")
_TELLS_WHO_AND_WHY = ("ask_who", "ask_purpose")


def hear_consent(turn: Turn) -> Verdict:
    state, reply = turn.state, turn.reply
    if _denies_identity(turn):
        return answers.as_intent(turn, "wrong_person")
    if _names_themselves(turn):
        return _it_is_them(turn)
    if turn.script.landline and _wants_landline(turn):
        return hear_landline(turn)
    if reply.base in ("consent", "satisfied", "neutral", "give_score") and reply.sure or reply.has("consent") and not reply.interrupts:
        return agreed(turn)
    if _agrees_and_asks(turn):
        agreed(turn)
        return Verdict.INTERRUPTED if asks_something(_leading(reply)) else Verdict.GO_ON
    if (verdict := _told_at_once(turn)) is not None:
        return verdict
    if _ends_what_was_told(turn):
        return turn.end(Outcome.ENDED_EARLY, reply.text[:200])
    if reply.interrupts:
        return Verdict.INTERRUPTED
    if reply.base == "deny" and reply.sure and state.open == st.CONSENT and not is_plain_no(reply.text):
        return _told_beside_a_no(turn)
    if reply.base in ("deny", "nothing_to_add") and reply.sure:
        return answers.as_intent(turn, "refuse" if "不用" in reply.text or "不需要" in reply.text else "busy")
    if state.open == st.RESUME and reply.sure:
        return agreed(turn, whole=True)
    yes = turn.read(Asked("yes_no"))
    if yes is not None and yes.fit == "strong":  # "可以，不过我只有一分钟"
        if yes.value:
            return agreed(turn)
        return unclear(turn) if state.open == st.IDENTITY else answers.as_intent(turn, "busy")
    if _WHAT_FOR.search(reply.text):
        return answers.as_intent(turn, "ask_purpose")  # "你先说什么事我再看方不方便"
    if _GRUMBLE.search(reply.text):
        turn.lead("answers.grumble")
        state.short = True
        return Verdict.GO_ON
    return unclear(turn)


def is_plain_no(text: str) -> bool:
    """ "不用了，谢谢", "不想做什么回访"; "不用手机银行，怕被骗" and "早不用了" tell something."""
    return _PLAIN_NO.match(text) is not None


def _told_beside_a_no(turn: Turn) -> Verdict:
    """A no to what we would ask, before we asked it: taken as the answer where it is one, else kept."""
    told = replace(turn.reply, intent="inform")
    if _answers_first_question(turn, told):
        turn.effects.extend(begin(turn.script, turn.state))
        return _hear_rest(turn, turn.reply)
    return _keep_told(turn, told)


def _agrees_and_asks(turn: Turn) -> bool:
    """ "你是机器人吗？可以，你问吧": agreed, and the question is answered on the way."""
    agrees = turn.reply.has("consent")
    asks = turn.reply.base in QUESTIONS_TO_US and turn.reply.sure
    return turn.state.open in (st.CONSENT, st.RESUME) and asks and agrees is not None and agrees.confidence >= FIRM


def _leading(reply: Reply) -> str:
    """The clause of the leading act."""
    return next((act.text for act in reply.acts if act.intent == reply.intent), reply.text)


# —— what was told before anybody asked ————————————————————————————————————————


def _told_at_once(turn: Turn) -> Verdict | None:
    """ "你好，我买的梨坏了", "老王介绍的": who begins to tell agrees to talk, and what is told is an answer where one is asked for.

    What the first question does not ask is kept or apologised for, and consent is asked.
    """
    state, told = turn.state, _without_greeting(turn)
    if len(told.text) <= _HOW_TO_TALK and _IN_A_HURRY.search(told.text) and _YES_FIRST.match(told.text):
        return agreed(turn)  # "可以，简单点"
    if told.base not in ("inform", "dissatisfied", "suggest") or not told.sure or state.open == st.RESUME:
        return None
    if state.open == st.CONSENT and _answers_first_question(turn, told):
        turn.effects.extend(begin(turn.script, state))
        return _hear_rest(turn, told)
    if told is turn.reply and told.base == "inform" and not (tells_something(told.text) and (told.confidence >= FIRM or state.open == st.CONSENT)):
        return None
    if told.base == "dissatisfied":
        answers.remark(turn, told)
        turn.told_early()
        first = first_question(turn)
        return _heard_already(turn, concern=first is not None and first.type in SATISFACTION_TYPES)
    return _keep_told(turn, told)


def _keep_told(turn: Turn, told: Reply) -> Verdict:
    turn.keep_told(told.text, "suggestion" if told.base == "suggest" else "enquiry")
    return _heard_already(turn)


def _heard_already(turn: Turn, concern: bool = False) -> Verdict:
    """Who tells us something twice is talking with us, and a concern with what is asked about is consent: the first question follows.

    Where it is not clear yet who it is, that is asked again; who has told so much of it by then is not asked a third time.
    """
    state = turn.state
    told = state.counts.get(TOLD_EARLY, 0)
    if state.open == st.CONSENT and (concern or told >= _TALKS_WITH_US):
        turn.effects.extend(begin(turn.script, state))
    elif state.open == st.IDENTITY and told >= _IS_THE_CUSTOMER:
        _now_ask_consent(turn)
    else:
        state.simpler = True
    return Verdict.GO_ON


def _ends_what_was_told(turn: Turn) -> bool:
    """ "就这样吧" after something was told: that was all, and no wish for another time."""
    return turn.reply.base in ("nothing_to_add", "goodbye") and turn.reply.sure and bool(turn.state.counts.get(TOLD_EARLY))


def _without_greeting(turn: Turn) -> Reply:
    """ "你好，我买的梨坏了" is more than a greeting where the first question would take the rest."""
    told = turn.reply.without("greet")
    rest = _GREETING.sub("", told.text)
    if told.base != "greet" or not rest or rest == told.text:
        return told
    part = replace(told, text=rest, intent="inform", confidence=FIRM, acts=(Act("inform", FIRM, rest),))
    return part if _answers_first_question(turn, part) else told


def first_question(turn: Turn) -> Question | None:
    """The script's first question that is asked, not told."""
    return next((question for question in turn.script.questions if not question.is_step), None)


def _answers_first_question(turn: Turn, told: Reply) -> bool:
    """Whether the script's first question would take these words: one of its options, its type, or what it listens for."""
    first = first_question(turn)
    if first is None:
        return False
    if any(one.heard_in(told.text) for one in first.listen_for):
        return True
    if first.type in SATISFACTION_TYPES and told.base == "dissatisfied":
        return False  # what it is about is asked
    if told.base in ("satisfied", "neutral") and first.aspects and (named := set(aspects_in(told.text))) and not named & set(first.aspects):
        return False  # "你们效率挺高啊" says nothing of the pears
    words = _ONLY_YES.sub("", told.text) if first.type == "choice" else told.text  # "还可以" agrees to talk
    reading = turn.read(question_asked(first), replace(told, text=words)) if words else None
    if reading is not None and first.type in ("yes_no", "confirm") and not reading.how.endswith(":own"):
        return False  # "我不会弄那个" is no "no" to "您办过卡吗？"; its own words are
    return reading is not None and reading.fit == "strong" and not asks_something(told.text)


def _hear_rest(turn: Turn, rest: Reply) -> Verdict:
    from followup.dialogue.hear import hear  # consent is heard by it; what came along is heard again

    return hear(Turn(turn.script, turn.state, rest, turn.effects))


# —— is it you? ————————————————————————————————————————————————————————


def _names_themselves(turn: Turn) -> bool:
    """ "我是张女士", "是我呀，你是哪个？", "我是老韩" to "请问是韩先生吗？"."""
    if turn.state.open != st.IDENTITY or turn.reply.has("wrong_person"):
        return False
    text = turn.reply.text.strip()
    if _IS_ME.match(text):
        return True
    said = _SAYS_NAME.match(text)
    return said is not None and _fits(said["name"], str(turn.state.variables.get("customer") or ""))


def _fits(name: str, customer: str) -> bool:
    """老韩, 韩先生, 小韩, 德明 fit 韩德明; 韩先生的女儿 does not."""
    if not customer or "的" in name:
        return False
    bare = re.sub(r"(?:先生|女士|小姐|太太|总|老师|师傅|大姐|大哥|阿姨|叔叔)$", "", _FAMILIAR.sub("", name))
    return bool(bare) and (bare in customer or len(customer) == 1 and bare.startswith(customer))


def _it_is_them(turn: Turn) -> Verdict:
    """The yes is taken whatever else the reply holds; who we are and what for, the opening tells in its next breath."""
    reply = turn.reply
    if not reply.interrupts or reply.base == "third_person":
        return agreed(turn)
    _now_ask_consent(turn)
    return Verdict.GO_ON if reply.base in _TELLS_WHO_AND_WHY else Verdict.INTERRUPTED


def _now_ask_consent(turn: Turn) -> None:
    """It is the customer: the opening comes next, or an old talk is taken up where it was put down."""
    state = turn.state
    begun = _begun(state.resume_at)
    state.open, state.asked_before = (st.RESUME if begun else st.CONSENT), False
    state.callback_at = state.callback_reason = ""
    state.our_time = False


def _denies_identity(turn: Turn) -> bool:
    """ "不是" to an opening that asks who it is."""
    asks_who = turn.state.open == st.IDENTITY or (turn.state.open == st.CONSENT and "请问是" in turn.script.opening)
    return asks_who and turn.reply.base == "deny" and turn.reply.text.strip("，。！~ ").startswith(("不是", "不对", "我不是", "否"))


# —— agreed ——————————————————————————————————————————————————————————


def agreed(turn: Turn, whole: bool = False) -> Verdict:
    """Consent is given; what else the reply holds is an answer to the first question."""
    state, reply = turn.state, turn.reply
    if state.open == st.IDENTITY:
        go_ahead = _means_go_ahead(reply)
        _now_ask_consent(turn)
        if not go_ahead or state.open == st.CONSENT and not introduction(turn.script):
            return Verdict.GO_ON
    if _IN_A_HURRY.search(reply.text) and not state.lead and "quick" in turn.script.wording["busy"]:
        turn.lead("busy.quick")
    if state.open == st.RESUME and _begun(state.resume_at):
        state.open, state.asked_before = state.resume_at, False
        state.callback_at = state.resume_at = ""
    else:
        state.callback_at = state.resume_at = ""
        turn.effects.extend(begin(turn.script, state))
    rest = reply if whole else reply.without("consent", "greet")
    if (rest is not reply or whole) and rest.base in ("inform", *FEELINGS) and rest.sure:
        return _hear_rest(turn, rest) if _worth_hearing(turn, rest) else Verdict.GO_ON
    if rest is reply and not whole and reply.base in ("satisfied", "neutral") and _answers_first_question(turn, reply):
        return _hear_rest(turn, reply)  # "脆，甜" to "现在方便吗？"
    act = reply.has("dissatisfied")
    if act is not None and act.confidence >= FIRM:  # "还可以，就是鼻托压得疼"
        answers.remark(turn, replace(reply, text=act.text))
        state.lead.insert(0, state.lead.pop())
    elif not whole and reply.base in ("satisfied", "neutral") and tells_something(reply.text):
        if wants_showing(reply.text):
            turn.for_a_colleague(reply.text)
        else:
            turn.effects.append(TakeNote("enquiry", reply.text))
    return Verdict.GO_ON


def begin(script: Script, state: TalkState) -> list[Effect]:
    """Open the first question, after what is told once consent is there. Who never read the opening is told it first."""
    wording = Wording(script, state)
    if OPENING_SAID not in state.told and script.identity_ask:
        state.lead.append(wording.fill(introduction(script)))
        state.told.append(OPENING_SAID)
    if script.after_consent:
        state.lead.append(wording.fill(script.after_consent))
    return go_on(script, state)


_ASKS_CONSENT = re.compile(r"方便|可以吗|占用|打扰|行吗|好吗")


def introduction(script: Script) -> str:
    """The opening without its question: who we are and what for. Empty where nothing is left."""
    told: list[str] = []
    for sentence in re.findall(r"[^。！？]+[。！？]?", script.opening):
        if not sentence.endswith("？"):
            told.append(sentence)
            continue
        *before, last = sentence.rstrip("？").split("，")
        if before and _ASKS_CONSENT.search(last):
            told.append("，".join(before) + "。")
    return "".join(told)


def _begun(item: str) -> bool:
    return item.startswith((st.QUESTION, st.REASON, st.IMPROVE))


def _worth_hearing(turn: Turn, rest: Reply) -> bool:
    """ "别太久" after "方便" says how to talk, and is no answer; words that any choice would take must name one."""
    if len(rest.text) <= _HOW_TO_TALK and _IN_A_HURRY.search(rest.text):
        return False
    if not turn.state.open.startswith(st.QUESTION):
        return True
    question = turn.script.question(turn.state.question_id)
    if question.type in (*SATISFACTION_TYPES, "open") or rest.base in FEELINGS:
        return True
    reading = turn.read(question_asked(question), rest)
    return reading is None or reading.fit == "strong" or any(one.heard_in(rest.text) for one in question.listen_for)


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
    turn.effects.append(RaiseTicket("landline", "request", 3, DEPARTMENT, words, {"phone": phone.value}))
    turn.effects.append(BookCallback(None, "landline", reply.text, confirmed=True))
    return turn.end(Outcome.HANDED_OVER, "landline", turn.wording.say("busy.landline", number=phone.value))
