"""What a reply only resembles: acts that would end or turn the talk are believed where the words bear them out.

The understanding gives a confidence; what it does to a talk decides how much of it is needed. A driver is left alone at
once, but "我在等车" is no driver; somebody else's sleep is no reason to end a talk that the customer has just agreed to.

The one place where an act is doubted: `believed` is asked before anything else looks at the reply (dialogue.hear), and
whatever is handled later stands on the acts it leaves. Where each act is believed: docs/understanding.md, "Decisions".
"""

from __future__ import annotations

import re
from dataclasses import replace

from followup.dialogue import state as st
from followup.dialogue.go_ahead import says_go_ahead
from followup.dialogue.reply import ENDS_NOW, FIRM, Act, Reply
from followup.dialogue.turn import Turn

_KIN = "老公|老婆|爱人|先生|太太|媳妇|丈夫|妻子|对象|儿子|女儿|闺女|爸|妈|父亲|母亲|爷爷|奶奶|哥|弟|姐|妹|孙子|孙女|女婿|嫂|侄|亲戚|家人|家属|家里人|同事|朋友|秘书|助理|室友"
_ROLE = re.compile(rf"(?:我是|这是)(?:他|她|TA|ta|[\u4e00-\u9fff]{{1,3}}(?:女士|先生|总))?的?(?:{_KIN})(?!介绍|推荐)|不是(?:他|她)?本人|(?:替|帮)(?:他|她)(?:接|回)")
"""Who says of themselves that they are somebody else."""
_AWAY = re.compile(r"(?:他|她|人|手机|本人).{0,3}(?:不在|出去|出门|没带|走开)|(?:他|她)(?:在|正|还没)|(?:找|打给)(?:他|她)")
_BEFORE_THE_TALK = (st.IDENTITY, st.CONSENT, st.RESUME, st.CALLBACK, st.OFFER, st.OTHER_USER, st.OTHER_NAME, st.THIRD_PERSON)
_PLAIN = {
    "driving": re.compile(r"开车|开着|在开|驾驶|握着方向盘|高速上|高架上|正在路上|在路上开|倒库|红灯|绿灯"),
    "in_meeting": re.compile(r"开会|会议|会上|培训|上课"),
    "dining": re.compile(r"吃饭|用餐|在吃|吃着|聚餐|饭局|喝酒"),
    "unwell": re.compile(r"不舒服|难受|生病|病了|发烧|感冒|疼|痛|住院|头晕|输液|打点滴|吊水"),
    "resting": re.compile(r"睡觉|睡了|在睡|休息|午休|躺着"),
}
"""Said in these words, an act that ends the talk needs no certainty."""
_MENTIONED = {
    "driving": re.compile(r"开车|开着|驾驶|高速|[握扶抓打着]方向盘|骑(?:车|着)|上路|在路上|路上呢|红灯|堵车|车上|司机|倒着车"),
    "in_meeting": re.compile(r"会|课|培训|手术|谈(?:事|话|判|生意)|面试|客户在|答辩|上台|庭|节目|典礼|婚礼|电影|领导|老板|投影|仪式"),
    "dining": re.compile(r"[吃喝]着|在[吃喝]|吃[饭着个]|饭局|饭桌|用餐|聚餐|饭点|喝酒|酒席|陪.{0,4}[吃喝]|火锅|夜宵|早饭|午饭|晚饭|嘴里"),
    "resting": re.compile(r"睡|休息|午休|躺|床|困|被窝|吵醒"),
}
"""At an open question, where other answers resemble them ("烂了一小块，路上压的吧"), not without one of these words."""
_PAST = re.compile(r"昨天|前天|昨晚|上次|那天|当时|之前|刚才")
_CLAUSE = re.compile(r"[，,。；;！!？?\s]+")
_OTHERS = re.compile(r"宝宝|娃|孩子|小孩|儿子|女儿|闺女|老公|老婆|老人|老爷子|老太太|爸|妈|爷爷|奶奶|家里人|他|她|孙子|孙女|老大|老二")
_AGREES = re.compile(r"^[喂哎\s，]*(?:方便|可以|有空|没事|没关系|行|好|嗯)")
_NOT_QUITE = re.compile(r"不|吗|么|像|[？?]")
_FORGIVES = re.compile(r"(?:不用|不要|不必|甭|别|无需|没必要|用不着|不需要)[^，。]{0,3}(?:赔|补偿)|(?:不|没|没想|不想|不是要|不会)(?:去|要|再)?(?:投诉|追究|计较|怪)")
_DEMANDS = re.compile(r"投诉|举报|曝光|123[14]5|消协|起诉|律师|退款|退钱|退货|我要|要求|必须|凭什么|骗|坑")
_OF_MYSELF = re.compile(r"(?:耳朵|眼睛|眼神|视力|记性|腿脚|嗓子|脑子|手脚).{0,3}(?:不|差|慢|背|花|笨)|(?:打字|写字|手机).{0,2}(?:慢|不会|不熟)|打慢|慢点打|字.{0,3}大.{0,2}点")
"""Said of how the customer talks with us, and not of the business: "就是耳朵不太好，你打慢点字"."""
_NAMES_A_TIME = re.compile(r"[点半][以之]?[前后]|(?:上午|中午|下午|晚上)(?!好)|周[一二三四五六日末]|越[早快]越好")
""" "两点以后都行" passes over no question, "越早越好" is no good morning."""
_TOLD_TIME = re.compile(r"等到|等了|排到|拖到|从.{1,8}[到至].{1,8}[点黑晚]|才[来到给修弄轮]|昨[天晚]|前[天晚]|那天|上(?:周|个?月|次|回)")
_ANOTHER_TIME = re.compile(r"再|打|联系|回访|聊|说|方便|有空|找我|改|换|约|过来|以后|之后|[行成][不吗么]|可以[不吗么]|能不能")
"""A time of what happened ("从早上九点等到下午四点") is no time for another talk, unless it is said to be."""
_I_WILL = re.compile(r"[嗯哦我肯定一当然也还，,]*会(?:的|啊|呀|推荐|吧)*[。！!~]*")
""" "会" to "would you recommend us?" is no meeting."""
_NEW_NUMBER = re.compile(r"换.{0,4}(?:号|电话|手机)")
_NOT_OURS_TO_END = ("resting", "dining", "unwell")
_CERTAIN = 0.9
"""What the words do not say plainly ("方向盘太重" is no driver) needs this much."""
_PUSHED = 0.5
"""What is left of a reply whose only act was not believed: words that tell something."""


def believed(turn: Turn) -> Reply:
    """The reply without the acts that it only resembles; the same reply where all of them stand."""
    reply = turn.reply
    kept = tuple(act for act in reply.acts if _stands(turn, act))
    if len(kept) == len(reply.acts):
        return _firm(turn)
    if not kept:
        if turn.state.open in _BEFORE_THE_TALK and _AGREES.match(reply.text):
            return replace(reply, intent="consent", confidence=FIRM, acts=(Act("consent", FIRM, reply.text),))
        return replace(reply, intent="inform", confidence=_PUSHED, acts=(Act("inform", _PUSHED, reply.text),))
    leading = next((act for act in kept if act.intent == reply.intent), kept[0])
    return replace(reply, intent=leading.intent, confidence=leading.confidence, acts=kept)


def _firm(turn: Turn) -> Reply:
    """ "方便是方便，就是耳朵不太好": a consent that begins with the very word is none to be doubted."""
    reply = turn.reply
    said = turn.state.open in _BEFORE_THE_TALK and reply.base == "consent" and reply.confidence < FIRM and _AGREES.match(reply.text)
    if not said or len(reply.acts) != 1 or _NOT_QUITE.match(reply.text, said.end()):
        return reply
    return replace(reply, confidence=FIRM, acts=(replace(reply.acts[0], confidence=FIRM),))


def _stands(turn: Turn, act: Act) -> bool:
    if act.base in _taken_here(turn):
        return True
    if act.base in ENDS_NOW and not _may_end_here(turn, act) or _only_resembles(turn, act):
        return False
    if turn.script.customer_led:  # who rings us tells of others and of other times; it is listened to
        return True
    if act.base == "third_person":
        return _somebody_else(turn, act)
    return act.base not in ENDS_NOW or _keeps_from_talking(turn, act)


def _only_resembles(turn: Turn, act: Act) -> bool:
    """Whether the words say something else than what the act was taken for."""
    match act.base:
        case "in_meeting":
            return _I_WILL.fullmatch(act.text) is not None
        case "dissatisfied":
            return turn.state.open in _BEFORE_THE_TALK and _OF_MYSELF.search(act.text) is not None
        case "skip" | "greet":
            return _NAMES_A_TIME.search(act.text) is not None
        case "propose_time" if not _ANOTHER_TIME.search(act.text):
            a_guess = act.confidence < FIRM and bool(turn.state.question_id)  # "晚上会油"
            return a_guess or _TOLD_TIME.search(act.text) is not None
        case "complain":
            return _forgives(act.text)
        case "wrong_person":
            return _has_a_new_number(turn, act.text)
    return False


def _may_end_here(turn: Turn, act: Act) -> bool:
    """At a question or a reason, free words resemble anything: what ends the talk at once is said in so many words."""
    words = _MENTIONED.get(act.base)
    return not turn.state.question_id or words is None or words.search(turn.reply.text) is not None


def _has_a_new_number(turn: Turn, text: str) -> bool:
    """ "换号了" from somebody who has been answering as the customer is no wrong number."""
    return bool(turn.state.order) and _NEW_NUMBER.search(text) is not None and "不是" not in text


def _forgives(text: str) -> bool:
    """ "坏了2个，不用赔", "我也不是要投诉": no complaint, unless something else is demanded."""
    rest = _FORGIVES.sub("", text)
    return rest != text and _DEMANDS.search(rest) is None


def _taken_here(turn: Turn) -> tuple[str, ...]:
    """Interruptions that are an answer to the open question."""
    if not turn.state.open.startswith(st.QUESTION):
        return ()
    return tuple(turn.script.question(turn.state.question_id).takes)


def _somebody_else(turn: Turn, act: Act) -> bool:
    """Before the talk a firm act or a role is enough; once somebody answered as the customer, only a role is."""
    if _ROLE.search(turn.reply.text):
        return True
    if turn.state.order or turn.state.open not in _BEFORE_THE_TALK:
        return False
    return act.confidence >= FIRM or bool(_AWAY.search(turn.reply.text))


def _keeps_from_talking(turn: Turn, act: Act) -> bool:
    reply = turn.reply
    if act.base in _NOT_OURS_TO_END and _agreed_anyway(turn, act):
        return False
    if any(_PLAIN[act.base].search(clause) and not _PAST.search(clause) for clause in _CLAUSE.split(reply.text)):
        return True
    return act.confidence >= _CERTAIN and not _PAST.search(act.text)  # "昨天在高架上" is over


def _agreed_anyway(turn: Turn, act: Act) -> bool:
    """ "方便，宝宝睡了", "娃刚睡着，你说": agreed in the same breath, and the sleep is somebody else's, or "you speak" follows."""
    if turn.state.open not in (st.CONSENT, st.IDENTITY, st.RESUME, st.CALLBACK):
        return False
    agreed = turn.reply.has("consent")
    if (agreed is None or agreed.confidence < FIRM) and not _AGREES.match(turn.reply.text):
        return False
    others = _OTHERS.search(turn.reply.text) is not None and not re.search(r"我(?:也|在|要|正|刚)", turn.reply.text)
    return others or says_go_ahead(turn.reply.text)
