"""Does a dissatisfied reply say why? "价格有点贵" does; "不太满意" does not and is asked (58741 (5)).

And does a mild one name a fault beside it? "质量还可以，就是工期拖了半个月" does: it is passed on all the same."""

from __future__ import annotations

import re

from followup.dialogue.reply import FIRM, Reply, asks_something
from followup.reading import polarity
from followup.reading.text import core

_EMPTY = re.compile(
    r"不是(很|太|特别|十分|非常)?|不(太|很|怎么|咋|够|大)?|没(有)?|(很|太|挺|蛮|非常|特别|十分|相当|比较|有点儿?|有些|稍微|真的?|实在|一点|完全|根本)"
    r"|满意|滿意|好|行|可以|怎么样|怎麼樣|咋样|理想|舒服|开心|高兴|喜欢|认可|差劲|糟糕|差|糟|烂|垃圾"
    r"|我|你们|您|咱|这个|那个|觉得|感觉|就是|是|对|都|也|吧|啊|呀|呢|哦|嗯|呃|唉|哎|的|了|说实话|老实说|坦白讲|其实|反正|总体|整体|来说|上"
)
_TOPIC = re.compile(r"收费|价格|费用|利息|利率|贷款|期限|服务|人员|态度|业务|模式|产品|商品|东西|质量|水果|梨|苹果|方面|这块|这点")
_SAYS_WHY = re.compile(r"贵|高|慢|久|短|长|少|小|酸|硬|烂|坏|霉|脏|吵|乱|凶|骗|拖|催|麻烦|复杂|繁琐|不耐烦|冷淡|因为|由于|结果|却|还要|居然|竟然")


def states_reason(text: str) -> bool:
    """Whether there is something in `text` beyond the bare verdict."""
    if _SAYS_WHY.search(text):
        return True
    rest = _TOPIC.sub("", _EMPTY.sub("", re.sub(r"[^\w]", "", text)))
    return len(rest) >= 3


_WENT_WRONG = re.compile(r"死了|(?:压根|从来|根本)(?:就|都)?没[^有，。]{0,4}(?:来|见|人|管|理|说)|没人(?:管|理|来|接)|打不进|打不通|跑了?(?:好?几|两|三|四|多)[趟次回]|白跑|折腾|返工|反复|重新|瘪|破|裂|碎|划痕|刮|漏|缺|(?<![没不])错|丢|(?<!影)响(?!应)|嗡|抖(?!音)|掉漆|掉色|起皮|死机|黑屏|卡顿|(?:有点儿?|老|很|太|总是?|经常)卡|等了|排队|催了?(?:好?几|两|三|四|多|\d)[趟次回遍]")
"""What went wrong without a word of judgement: "资料让我跑了两趟"."""
_BUT = re.compile(r"就是|但是?|不过|可是|只是|可惜|美中不足|除了|(?<=[,，。\s])就(?=[^是]{1,6}(?:有点|有些|太|不太|老))")
_TAKEN_AS_IT_IS = re.compile(r"(?:能|可以|还能|也能)(?:接受|理解|体谅)|(?:也|很|都)正常|不过分|没关系|无所谓|一分钱一分货")
_PARTS = re.compile(r"[,.!;?~]+")
_NO_FAULT = re.compile(r"想问|问一下|请问|希望|建议|最好|如果|要是|能不能|想知道|没什么|没有|没啥|不用|挺|很好|满意|习惯|忙")


def names_a_fault(reply: Reply) -> bool:
    """Whether a reply that is no dissatisfaction as a whole tells of something that went wrong (58741 (5))."""
    text = core(reply.text)
    if _TAKEN_AS_IT_IS.search(text):
        return False
    if any(one.level < 0 and states_reason(text) for one in polarity.opinions(text)):
        return True
    if reply.base == "dissatisfied" and reply.confidence >= FIRM and states_reason(text):
        return True  # "外面箱子瘪了一块，梨倒是都好的": a mild answer on the whole
    but = _BUT.search(text)
    if but is None:
        return False
    if any(act.base == "dissatisfied" and act.confidence >= FIRM and text.find(core(act.text)) >= but.start() for act in reply.acts):
        return True  # "都蛮好的，就是排队排得我腿都站麻了"
    told = [part for part in _PARTS.split(text[but.end():]) if part]
    return any((_SAYS_WHY.search(part) or _WENT_WRONG.search(part)) and not _NO_FAULT.search(part) and not asks_something(part) and not _praises(part) for part in told)


def went_wrong(reply: Reply) -> bool:
    """Whether the words themselves tell of it, whatever they were taken for: "我都催三回了"."""
    text = core(reply.text)
    return _WENT_WRONG.search(text) is not None and not _NO_FAULT.search(text) and not asks_something(reply.text) and not _praises(text)


def _praises(part: str) -> bool:
    return any(one.level > 0 for one in polarity.opinions(part))
