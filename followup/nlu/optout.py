"""Does the customer forbid all further contact? Matched before any model (house rule do_not_contact).

Short codes count only as the whole message, phrases anywhere; both with their denials and look-alikes. A request that
is only about today, a time of day or another number is not an opt-out: the dialogue makes an appointment of it.
Pure, and cheap enough for the durable path to ask before it sends.
"""

from __future__ import annotations

import re

from followup.nlu.normalise import fold

CODES = frozenset({"t", "td", "n", "qx", "stop", "unsubscribe", "退订", "退訂", "回复td", "回复t", "取消订阅", "拒收短信"})
"""Answers that text messages have taught people to give."""

_NEVER = r"(?:别|不要|不准|不许|请勿|勿|莫|甭|不得|停止|禁止|少)"
_TOUCH = (
    r"(?:打电话|打来|打过来|打给我|来电|打扰|骚扰|联系|联络|[发传](?:短信|信息|消息|讯息|微信)|回访|找我|烦我"
    r"|(?:打|发|来)(?=了|我|过来|[,.!?;\s]|$))"
)
_AGAIN = r"(?:再|在|老|总|老是|总是|一直|继续|天天)"

_PHRASES = re.compile(
    "|".join(
        (
            rf"{_NEVER}{_AGAIN}(?:给我|跟我|和我|往我这儿?|来)?{_TOUCH}",
            rf"(?:以后|今后|往后|永远|从此)[^,.!?;]{{0,8}}{_NEVER}{_AGAIN}?(?:给我|跟我|和我)?{_TOUCH}",
            rf"{_NEVER}(?:给我|跟我|和我)?{_TOUCH}[^,.!?;\s]{{0,4}}(?:以后|今后|永远)",
            r"(?:永远|永久)(?:都)?(?:别|不要|不想)",
            r"退订(?!了?(?:酒店|机票|车票|房间|课程|套餐|会员|订单|货|商品|那个))",
            r"拉黑|拉进?黑名单|(?:加|进|列)入?黑名单",
            r"(?:删|删除|删掉|移除|注销|去掉)(?:我的?|掉我的?|了我的?)(?:手机号?码?|电话号?码?|号码|号|信息|资料|联系方式)",
            r"把我的?(?:手机号?码?|电话号?码?|号码|号|信息|资料|联系方式|名字)?(?:从[^,.!?;\s]{1,8})?(?:都|给)?(?:删|移除|去掉|注销)",
            r"不(?:想|愿意?|希望)再(?:接到|收到|听到|看到)(?:你们?|贵公司|这种|这类|任何|此类)",
            r"再(?:打|骚扰|发|来|联系)[^,.!?;]{0,8}(?:就|我)[^,.!?;]{0,4}(?:报警|举报|投诉|起诉|告你|拉黑)",
            rf"再也{_NEVER}{_TOUCH}|{_NEVER}(?:再)?给我{_TOUCH}",
            r"(?:取消|终止|停止)(?:一切|所有|任何)的?(?:回访|联系|联络)|终止联系",
            r"^(?:请|帮我)?(?:把我)?(?:设个?|设为|设成|加到|加入)?免打扰(?:名单)?$|把我(?:移出|踢出)名单",
        )
    )
)

_DENIALS = re.compile(
    "|".join(
        (
            r"(?:没|没有|并没有|不是|不是要|不是想|不用|不想|不会|无需|不必|没说要?|没想要?)(?:说|要|想|让|叫)?(?:你们?|你)?"
            r"(?:退订|拉黑|别再|不要再)",
            r"(?:被|给)(?:你们?|人|他们?|系统)?(?:拉黑|拉进黑名单)",
            r"(?:是不是|为什么|为啥|怎么|凭什么|已经|居然)[^,.!?;]{0,6}(?:把我|给我)?[^,.!?;]{0,4}(?:拉黑|黑名单)",
            r"(?:你们?|他们?|客服)(?:上次|之前|又|都)?把我(?:给)?拉黑(?!吧|好了|算了)",
        )
    )
)

# Only now, or only somewhere else: an appointment or another number, not a farewell.
_LIMITED = re.compile(
    r"(?:今天|今晚|今儿|这会儿?|现在|中午|早上|上午|晚上|夜里|半夜|大晚上|周末|休息时间|上班时间?|午休|这个点|这个时候|这时候?"
    r"|开会时|吃饭时|睡觉时)(?:时候|的时候|就|先|都|也|请|你们?|可|可以|千万){0,3}"
    + _NEVER
    + rf"|{_NEVER}{_AGAIN}?(?:在|大)?(?:中午|早上|上午|晚上|夜里|半夜|大半夜|周末|休息|上班|午休|这个点|这个时候|这时)"
    + r"|(?:发|加)(?:微信|短信|信息|邮件)(?:就|也)?(?:可以|行|好)"
    + rf"|{_NEVER}{_AGAIN}?(?:给我|往)?打(?:这个|那个|我这个|他这个|座机|办公室|家里)"
)
_LATER = re.compile(
    r"(?:明天|后天|大后天|下周|下午|晚上|晚点|周末|改天|过[一两几]天|下个?月|[一二三四五六日天]点)[^,.!?;]{0,6}"
    r"(?:再打|再说|再联系|打给?我|打来|打过来|联系我)"
)
_FOREVER = re.compile(rf"(?:以后|今后)(?:都|也|就|请|你们?)*{_NEVER}|永远|永久|拉黑|黑名单|退订|报警|举报|起诉|删")

_MARKS = re.compile(r"[^\w\u4e00-\u9fff]+")


def is_opt_out(text: str) -> bool:
    """True when the customer must never be contacted again (TD, 退订, 别再打了, 拉黑我吧 ...)."""
    folded = fold(text).text.strip()
    if _MARKS.sub("", folded) in CODES:
        return True
    phrase = _PHRASES.search(folded)
    if phrase is None or _DENIALS.search(folded):
        return False
    if _FOREVER.search(folded):
        return True
    return not (_LIMITED.search(folded) or _LATER.search(folded))
