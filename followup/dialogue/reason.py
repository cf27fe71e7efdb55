"""Does a dissatisfied reply say why? "价格有点贵" does; "不太满意" does not and is asked (58741 (5))."""

from __future__ import annotations

import re

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
