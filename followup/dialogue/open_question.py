"""A reply to a question of the script, or to the reason and improvement asked after it.

One rule of precedence (catalogue B): what names the answer itself beats an interruption in the same clause; an
interruption beats a weak answer; when both are there in different clauses, the answer is taken first and the
interruption is then handled.
"""

from __future__ import annotations

import re
from dataclasses import replace

from followup.dialogue import ahead, answers, state as st
from followup.dialogue.buttons import chosen
from followup.dialogue.effects import RaiseTicket, SetOutcome, TakeNote
from followup.dialogue.health import is_no_verdict
from followup.dialogue.items import asked
from followup.dialogue.record import listen, overhear
from followup.dialogue.reason import went_wrong
from followup.dialogue.reply import (
    DOES_NOT_KNOW,
    ENDS_NOW,
    FEELINGS,
    FIRM,
    INTERRUPTIONS,
    QUESTIONS_TO_US,
    Reply,
    asks_something,
    wants_showing,
)
from followup.dialogue.turn import Turn, Verdict
from followup.dialogue.unclear import unclear
from followup.reading import Asked, Reading
from followup.reading.words import adds_a_wish
from followup.scripts.model import SATISFACTION_TYPES, Question

_OFTEN_A_REASON = ("skip", "out_of_scope", "objection", "thank", "faq")
_NO_MORE = ("别问", "不想回答", "不想聊", "不想说", "别烦", "烦不烦", "没完", "不参加", "不接受回访", "挂了")
_NOT_THIS_WAY = re.compile(r"不(?:打分?|评分?|填|答|回答)了(?!吗|么|\?)|懒得(?:打分|评|填|答|回答|说)|别让我(?:打分|评|填)")
_NEVER_AN_ANSWER = ("third_person", "wrong_person", "abuse", "go_back", "correct", "ask_repeat", "not_understood", "wait")
_CHANGED_MIND = re.compile(r"改(?:变)?主意|反悔|想了想还是|又想了想|^(?:[那嗯哦哎我，,]|还是|帮我|给我|麻烦)*(?:改一下吧|改成|换成|改为)")
_NO_MORE_BUT_KIND = re.compile(r"(?:嗯|哦|那)?(?:暂时|目前|真的)?没(?:有|啥|什么)?了?[啦呀啊哦哈]?[，,、 ]")
_AGREES_AGAIN = re.compile(r"[嗯哦好行，,\s]*(?:我)?(?:现在|这会儿?)(?:就|也)?(?:可以|方便|有空|有时间)[的啊呀呢了吧]*[，,。！!\s]*")
_WISH_TO_US = re.compile(r"[那就你您，,\s]*(?:麻烦|请|能|可以)?(?:给我|帮我|教教?我|跟我)(?:讲|说|教|弄|看|安排|约)")
_WISHES = re.compile(r"就(?:很|更)?[好行]|要是|希望|最好|能|建议|解决|改")
_ONLY_THANKS = re.compile(r"(?:好|好的|行|嗯|哦|可以|知道了?|明白了?|谢谢|多谢|感谢|谢了|辛苦|不客气|没问题|你们|您|你|啊|呀|哈|了|的|[\W_])+")
_NOTHING = re.compile(r"没(?!给|来|人|送|发|收|到|修|装|做|办|解决|退|打|回|用|动|管)|不|无|木有|冇|就这|暂时|好了")
_ASKS_WHEN = re.compile(r"什么时候|几点|哪天|多久|什么时间|几时")
_NO_OPINION_WANTED = re.compile(r"[用办去来做买听看]过|用过.{0,12}[吗呢]|(?:是否|有没有)用|需要吗|需不需要|要不要|愿意|有兴趣|想不想")
"""A yes-or-no question that no opinion answers: "之前用过吗？", "您需要吗？"."""
_BEGINS_WITH_NO = re.compile(r"^[嗯啊呃哦唉，,\s]*(?:没|不是|未|否|从来?没|不[，,。]|不$)")
_NOT_TRIED = re.compile(r"(?:我们?|家里|现在|目前|也)?(?:都|还|也)*没有?(?:怎么|来得及|顾上|舍得|空)?(?:用|吃|开|住|试|尝|拆|喝|打开)(?:过|上|它|封)*[呢啊呀哦了]*[。！!]?")
""" "还没用过呢" to "您满意吗？": nobody can tell yet."""
_NOT_RECEIVED = re.compile(r"(?:我们?|这边|货|东西|快递|车)?(?:到现在|现在)?(?:都|还|也|一直|根本|压根)*没有?(?:收到|到货|拿到|送到|取到|寄到|送来|发货|到手)")
_SHORT = 14
_NO_GUESS = 0.55
_LAUGH = re.compile(r"[呵哈嘿嘻]+[\W]*")
_ASKS_WHAT_ONE_KNOWS = re.compile(r"印象|记得|知道|了解|清楚|忘")
_ASKS_WHICH = re.compile(r"哪(?:些|个|几|一?项|方面|里)|什么样|为什么|什么原因")
_ASKS_A_DEED = re.compile(r"主动|邀请")
_ASKS_A_FACT = re.compile(r"有没有|主动|是否(?!满意)|提供")
_CANNOT_USE = re.compile(r"不会(?:用|弄|使|搞|玩|上网|操作)|用不来|玩不转|老年机")
_ENTRIES = ("地址", "电话", "手机", "受益人", "签名", "签字", "代签", "职业", "身份证", "保额", "保费", "回执", "发票")
"""What is read back to be confirmed."""
_RING_LATER = re.compile(r"再打|打来|打过来|打给我|联系|再说|再聊")
_COUNTS = ("number", "quantity_of", "score")
_FIGURES = ("phone", "address", "date", "number", "quantity_of", "score")
_RIGHT_NOW = re.compile(r"我不舒服|身体不舒服|开车|开着车|高速上|开会|吃饭|用餐|睡觉|午休|打点滴|输液")
_BARE = 6
"""Characters; a remark on the moment itself ("听不懂", "我不舒服") is no longer than this."""
_WONT_SAY = ("不方便", "不太方便", "不想说", "不愿意", "不便", "保密", "隐私", "算了", "不用了", "不说了")


def hear_question(turn: Turn) -> Verdict:
    state, reply = turn.state, turn.reply
    question = turn.script.question(state.question_id)
    wanted = asked(turn.script, state.open)
    if (exact := chosen(turn, question)) is not None:
        return answers.take(turn, question, exact)
    if (question.type == "open" or question.other) and not state.order and _AGREES_AGAIN.fullmatch(reply.text):
        state.asked_before = False  # "嗯"，"现在可以": the yes to the talk, said twice
        return Verdict.GO_ON
    if _CHANGED_MIND.search(reply.text) and reply.base != "correct" and turn.state.order:
        return answers.as_intent(turn, "correct")
    if gives_no_more_marks(reply.text):
        return answers.as_intent(turn, "refuse")
    if _only_thanks(question, reply):
        return answers.nothing(turn, question)
    if (corrected := ahead.corrected_outright(turn, question)) is not None:
        return answers.take(turn, question, corrected)
    if reply.interrupts and not _answers_anyway(turn, question, wanted):
        return _interrupted(turn, question, wanted)
    mine, foreign = reply, []
    if question.type in SATISFACTION_TYPES:
        mine, foreign = ahead.split_by_aspect(turn, question)
        if mine and not foreign and (other := ahead.of_something_else(question, mine)) is not None:
            answers.remark(turn, other)
            state.asked_before = True
            return Verdict.GO_ON
        mine = mine and ahead.without_the_rest(question, mine)
    if question.type in SATISFACTION_TYPES and (verdict := _cannot_judge(turn, question)) is not None:
        return verdict
    if question.type in SATISFACTION_TYPES and _needs_showing(question, reply):
        turn.for_a_colleague(reply.text)
        turn.lead("answers.colleague")
        state.asked_before = True
        return Verdict.GO_ON
    reading = turn.read(wanted, mine.without("thank", "greet")) if mine else None
    if reading is not None and (_is_a_guess(reply, reading) or _only_agrees(reply, reading)):
        return unclear(turn)
    if reading is None and listen(turn, question):
        if question.type not in SATISFACTION_TYPES:
            return answers.only_heard(turn, question)
        reading = Reading("不满意", "listen", "strong")
    if overhear(turn, question) and reading is None:
        return answers.proceed(turn)  # what it leads to is asked first; this question comes again
    early = ahead.take_ahead(turn, foreign)
    if reading is None and early:
        _thanked_or_apologised(turn)
        return Verdict.GO_ON
    if reading is not None and _asks_more_than_it_answers(question, reply, reading):
        return Verdict.INTERRUPTED
    if reading is not None and _has_nothing_to_say(question, reply):
        return answers.nothing(turn, question)
    if reading is not None and _only_does_not_know(question, reply, reading):
        return answers.passed(turn, question, "unknown")
    if reading is not None and not _is_remark(turn, question, reading):
        return answers.take(turn, question, reading, mine if early else None)
    return _no_reading(turn, question)


def _cannot_judge(turn: Turn, question: Question) -> Verdict | None:
    """ "还没用过呢" has no verdict yet; "还没收到呢" is a fault that is passed on."""
    text = turn.reply.text
    if _NOT_TRIED.fullmatch(text):
        return answers.passed(turn, question, "unknown")
    if len(text) <= _SHORT and _NOT_RECEIVED.match(text):
        answers.remark(turn, turn.reply)
        return answers.only_heard(turn, question)
    return None


def _is_a_guess(reply: Reply, reading: Reading) -> bool:
    """ "别人都说好", "呵呵": no figure of satisfaction stands on what the words only resemble, or on a laugh."""
    if not reading.how.startswith("scale") or not reading.how.endswith(":intent"):
        return False
    return reply.confidence < _NO_GUESS or _LAUGH.fullmatch(reply.text) is not None


def _only_agrees(reply: Reply, reading: Reading) -> bool:
    """ "好的要" to "where do you have it repaired?" names no place."""
    return reading.how == "choice:other" and reply.base == "consent" and reply.confidence >= FIRM and len(reply.text) <= _BARE


def _needs_showing(question: Question, reply: Reply) -> bool:
    """ "导航不太会用" to "手续办得满意吗？": help is wanted, no verdict given."""
    return wants_showing(reply.text) and len(reply.acts) == 1 and "讲解" not in question.ask and "使用" not in question.ask


def _only_does_not_know(question: Question, reply: Reply, reading: Reading) -> bool:
    """ "不记得了" is a no to "还有印象吗？" only."""
    if len(reply.text) > 10 or not reply.says(DOES_NOT_KNOW):
        return False
    return reading.fit != "strong" or reading.how == "yes_no:word" and not _ASKS_WHAT_ONE_KNOWS.search(question.ask)


def gives_no_more_marks(text: str) -> bool:
    """ "不打分了，太麻烦" is no displeasure with what was asked about."""
    return _NOT_THIS_WAY.search(text) is not None


def _thanked_or_apologised(turn: Turn) -> None:
    """What belongs to a later question is kept; a displeasure is not merely noted (58741 (5))."""
    displeased = any(isinstance(effect, RaiseTicket) and effect.kind == "dissatisfaction" for effect in turn.effects)
    turn.lead("dissatisfied.beside" if displeased else "acknowledge.also_noted")


def _only_thanks(question: Question, reply: Reply) -> bool:
    """ "好，谢谢" to "还有什么需要我们做的吗": nothing to add."""
    if question.type != "open" or not _ONLY_THANKS.fullmatch(reply.text):
        return False
    return "谢" in reply.text and len(reply.text) <= 12 or reply.base == "consent" and len(reply.text) <= 3  # "好的"


def _interrupted(turn: Turn, question: Question, wanted: Asked) -> Verdict:
    """An interruption stands: take what else the reply answers, then let a rule handle it."""
    reply = turn.reply
    if question.optional and _passes(reply):
        return answers.passed(turn, question, "skipped")
    rest = reply.without(*INTERRUPTIONS)
    if rest is reply or reply.base in ("correct", "go_back") or _leads_to_a_question(question, reply, rest):
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


def _leads_to_a_question(question: Question, reply: Reply, rest: Reply) -> bool:
    """ "这梨现在有点硬，怎么吃呀？" asks; the first half is no suggestion of its own."""
    if question.type != "open" or reply.base != "faq" or not asks_something(reply.text):
        return False
    return len(rest.text) <= 12 and rest.has("suggest", "complain", "nothing_to_add") is None and not re.search(r"[。！!；;]", reply.text[:-1])


def _heard_out(turn: Turn) -> None:
    """The answer would have ended the talk, but nobody is dismissed with a complaint on his lips (b9e91 四步)."""
    state = turn.state
    state.outcome = state.outcome_reason = state.closing = ""
    turn.effects[:] = [effect for effect in turn.effects if not isinstance(effect, SetOutcome)]


def _has_nothing_to_say(question: Question, reply: Reply) -> bool:
    if question.type == "open" and reply.base in ("satisfied", "thank") and _NO_MORE_BUT_KIND.match(reply.text):
        return len(reply.text) <= 14 and not _WISHES.search(reply.text)  # "没有了，小姑娘你真好"
    return (
        question.type == "open"
        and reply.base in ("deny", "nothing_to_add")
        and reply.confidence >= FIRM  # "定速巡航我也不太会用" only resembles a no
        and len(reply.text) <= 12
        and not adds_a_wish(reply.text)
        and (reply.base != "deny" or bool(_NOTHING.search(reply.text)))  # "到现在也没给我" is a matter, not a no
    )


def _asks_more_than_it_answers(question: Question, reply: Reply, reading: Reading) -> bool:
    """A question about the business where `takes: [faq]` stands: an answer only where it names one, or words are free."""
    return reply.base == "faq" and "faq" in question.takes and question.type != "open" and reading.fit != "strong"


def _is_remark(turn: Turn, question: Question, reading: Reading) -> bool:
    """A feeling about the business is no answer to "how did you hear of us", though any words would do there."""
    if turn.reply.base in question.takes:
        return False
    if _feels_instead_of_answering(question, turn.reply, reading):
        return True
    if question.type == "yes_no" and turn.reply.base == "neutral" and not reading.how.endswith(":own") and _ASKS_A_FACT.search(question.ask):
        return True  # "还行吧" to "有主动邀请您吗？"
    if question.type == "confirm" and (_speaks_of_another_thing(question, turn.reply) or turn.reply.base == "inform" and reading.fit != "strong"):
        return True  # "签名是我老公代签的", "好像是重疾险吧" to "电话是138...，对吗？"
    return question.type == "choice" and reading.fit != "strong" and turn.reply.base in (*FEELINGS, "suggest", "deny")


def _feels_instead_of_answering(question: Question, reply: Reply, reading: Reading) -> bool:
    """ "监管员天天盯着，烦" to "之前用过吗？", "跑高速有点嗡嗡响" to "您需要吗？".

    A no that comes after the displeasure ("不太满意，我不是要投诉") belongs to it, and not to the question.
    """
    if question.type not in ("yes_no", "confirm") or reply.base != "dissatisfied":
        return False
    felt = reading.how.endswith((":opinion", ":intent"))
    if not _NO_OPINION_WANTED.search(str(question.ask)):
        return felt and _ASKS_A_DEED.search(str(question.ask)) is not None
    return felt or reading.value is False and not _BEGINS_WITH_NO.match(reply.text)


def _speaks_of_another_thing(question: Question, reply: Reply) -> bool:
    """ "签名是我老公代签的" to the telephone, "不会用智能机" to "您办过卡，对吗？"."""
    if _CANNOT_USE.search(reply.text) and "用" not in question.ask and "会" not in question.ask:
        return True
    named = [entry for entry in _ENTRIES if entry in reply.text]
    return bool(named) and not any(entry in question.ask for entry in named)


def _answers_anyway(turn: Turn, question: Question, wanted: Asked) -> bool:
    """Whether what looks like an interruption is the answer to this very question."""
    reply = turn.reply
    if is_no_verdict(turn, question):
        return False
    if question.type in _COUNTS and reply.base == "propose_time" and _RING_LATER.search(reply.text):
        return False  # "下午三点再打" to "how many?"
    if reply.base in question.takes:
        return True
    if question.optional and _passes(reply):
        return False
    if _names_it_outright(turn, question, wanted):
        return True
    if question.type == "datetime" and reply.base in ("busy", "call_later") and reply.says(DOES_NOT_KNOW):
        return True  # "还不知道哪天有空": the day is open, the talk is not put off
    if question.type == "open" and reply.base == "out_of_scope" and _WISH_TO_US.match(reply.text):
        return True  # "给我讲讲怎么开省油就行" to "what may we help with?"
    if question.type == "open" and reply.confidence < FIRM:
        return not (reply.base in (*QUESTIONS_TO_US, "out_of_scope") and asks_something(reply.text))
    # "洗完脸就用" asks nothing; "我那单发了没发啊" is sure to.
    free = question.type == "open" and not _ASKS_WHICH.search(str(question.ask))  # there, "保修期" may well be a question
    told = reply.base in (*QUESTIONS_TO_US, "not_understood") and not free and not asks_something(reply.text)
    told = told and (reply.confidence < 0.9 or question.type == "choice" and reply.base == "faq")  # "去外面修了，便宜" to "why?", however near to what is asked
    if reply.base in _NEVER_AN_ANSWER and not told or reply.base in (*QUESTIONS_TO_US, "request_human") and reply.confidence >= FIRM and not told:
        return False
    if reply.base in ENDS_NOW and reply.confidence >= FIRM and (question.type != "choice" or _RIGHT_NOW.search(reply.text)):
        return False  # an option may be about driving ("半路抛锚了"); "我在开车" never is one
    if reply.base == "complain" and question.type != "choice":  # "退钱！" is a choice where a refund is offered
        return False
    if question.type == "open":
        if reply.base == "faq" and not asks_something(reply.text):
            return True  # "抵三百，还有设计费打折" tells, whatever topic it is near to
        # "烂了一块，都软了": facts beside what looks like a question about the fruit.
        return reply.base in ("objection", "out_of_scope") and reply.has("inform", "suggest", *FEELINGS) is not None
    if reply.base == "refuse" and reply.says(_NO_MORE):  # "不需要" may answer "您需要吗？"; this answers nothing
        return False
    reading = turn.read(wanted)
    if reading is None or reading.fit != "strong":
        return False
    # "我在开车，服务很好": the answer stands in a clause of its own, so the interruption is real.
    return told or len(reply.acts) <= 1 or _answers_in_its_clause(turn, wanted)


def _names_it_outright(turn: Turn, question: Question, wanted: Asked) -> bool:
    """An answer in full that only resembles an interruption: a number to "what number", an hour to "since when", "让老公去"."""
    reply = turn.reply
    if question.type == "open":
        return reply.base in ("propose_time", "call_later") and bool(_ASKS_WHEN.search(str(question.ask))) and not re.search(r"打|联系|再说|再聊", reply.text)
    if question.type in _FIGURES and reply.base in ("third_person", "complain", "suggest", "propose_time", "refuse"):
        reading = turn.read(wanted)
        return reading is not None and reading.fit == "strong"
    if reply.base in ("third_person", "not_understood") and question.type in ("choice", "yes_no", "confirm") and turn.state.order:
        reading = turn.read(wanted)
        return reading is not None and reading.fit == "strong"
    return False


def _answers_in_its_clause(turn: Turn, wanted: Asked) -> bool:
    """Whether the very clause that looks like an interruption names the answer ("就晚上用一次，早上起不来哈哈")."""
    reply = turn.reply
    act = reply.has(reply.base)
    if act is None or reply.base in (*ENDS_NOW, "do_not_contact", "request_human", "busy", "call_later"):
        return False
    reading = turn.read(wanted, replace(reply, text=act.text, acts=(act,)))
    return reading is not None and reading.fit == "strong"


def _passes(reply: Reply) -> bool:
    if reply.base in ("skip", "refuse", "deny"):
        return True
    # "号码不太方便给你" is near to "how do you have my number"
    return reply.base in ("busy", *QUESTIONS_TO_US) and reply.says(_WONT_SAY) and not asks_something(reply.text)


def _no_reading(turn: Turn, question: Question) -> Verdict:
    """Nothing readable for the open question: declined, unknown, about something else, or unclear."""
    state, reply = turn.state, turn.reply
    if reply.base in ("third_person", "wrong_person") and reply.base in question.takes and turn.state.order:
        return unclear(turn)  # "也是他签的" speaks of a signature; nobody else is on the line
    if question.type == "datetime" and reply.base in ("busy", "call_later") and reply.says(DOES_NOT_KNOW):
        return answers.passed(turn, question, "unknown")  # "不知道什么时候有空": the day is open, the talk goes on
    if reply.interrupts and reply.base in question.takes:
        return Verdict.INTERRUPTED  # it might have been an answer here, but it is none
    if question.type == "confirm" and _speaks_of_another_thing(question, reply) and not asks_something(reply.text):
        turn.keep_told(reply.text, topic=question.id)
        state.asked_before = True
        return Verdict.GO_ON
    if question.optional and reply.base in ("deny", "nothing_to_add", "skip", "refuse"):
        return answers.passed(turn, question, "skipped")
    if question.type == "open" and reply.base in ("deny", "nothing_to_add"):
        return answers.nothing(turn, question)
    if reply.says(DOES_NOT_KNOW):
        return answers.passed(turn, question, "unknown")
    if reply.base in FEELINGS and reply.sure and ahead.take_ahead(turn, ahead.split_by_aspect(turn, question)[1]):
        _thanked_or_apologised(turn)
        state.asked_before = True
        return Verdict.GO_ON
    if reply.base == "dissatisfied" and reply.sure or question.type in SATISFACTION_TYPES and went_wrong(reply):
        answers.remark(turn, reply)
        state.asked_before = True
        return Verdict.GO_ON
    if reply.base == "suggest" and reply.sure:
        turn.effects.append(TakeNote("suggestion", reply.text, topic=question.id))
        turn.lead("acknowledge.suggest")
        state.asked_before = True
        return Verdict.GO_ON
    return unclear(turn)


def _stands_at_a_reason(turn: Turn) -> bool:
    """A reason is free words, so little stands against it: "他讲的我听不懂" is a reason, "听不懂" alone is not."""
    reply = turn.reply
    if not reply.interrupts or reply.confidence < FIRM or reply.base in _OFTEN_A_REASON:
        return False
    if reply.base == "unwell" and turn.script.unwell is not None:
        return len(reply.text) <= _BARE  # "我不舒服" is; "打完针头晕得厉害" is the reason, and the doctor hears of it anyway
    return reply.base not in ("not_understood", "ask_repeat") or len(reply.text) <= _BARE or asks_something(reply.text)


def hear_probe(turn: Turn) -> Verdict:
    """The reason of a dissatisfaction, then what should be better; word for word (58741 (5), 2.2)."""
    state, reply = turn.state, turn.reply
    kind, question = state.open.split(":")[0], turn.script.question(state.question_id)
    if reply.base == "complain" and reply.sure:
        return Verdict.INTERRUPTED
    if _stands_at_a_reason(turn):
        rest = reply.without(*INTERRUPTIONS)
        if rest is not reply:
            answers.probe_answer(turn, question, kind, rest.text)
        return Verdict.INTERRUPTED
    silent = reply.base in ("deny", "nothing_to_add", "skip", "refuse", "thank") or reply.says(DOES_NOT_KNOW)
    answers.probe_answer(turn, question, kind, "" if silent else reply.text)
    if state.over:
        return Verdict.OVER
    return answers.finished(turn) if state.open == st.END else Verdict.GO_ON
