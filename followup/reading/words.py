"""Open questions take the customer's own words."""

from __future__ import annotations

import re

from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.text import core, has_words, words_of

_NOTHING = re.compile(
    r"(?:暂时|目前|现在|好像|应该|真的|我|倒)*(?:没有?|木有|冇|无)(?:什么|啥|别的|其他|其它|特别)*(?:的|了|啊|呢|啦|吧|要说的?|可说的|好说的|意见|建议|想法|问题|补充|要求|要补充的)*|不(?:需要|用)了?|都(?:挺)?好的?|就这些了?|没意见"
)

_A_WISH = re.compile(
    r"[，,、；;。\s](?:就是|只是|不过|但是?|嗯|哦|那)?(?:你们)?"
    r"(?:(?:下次|下回|以后|往后|将来)(?!再说|再聊|再见|聊|吧|.*(?:联系|需要|找你|打给)).{2,}|(?:希望|最好|建议|能不能|要是|如果|可以再|记得|注意|别).{2,}"
    r"|(?!.*(?:没|不用|不需要)).{2,8}(?:[一]?点儿?|一些)(?:就(?:更|很)?[好行]了?|吧|呗|嘛|啊|哈)?)$"
)


def adds_a_wish(text: str) -> bool:
    """Whether something is wished for after all: "没啥意见，下次包厚点"."""
    return _A_WISH.search(text.strip().rstrip("。！!~～")) is not None


def read_words(asked: Asked, heard: Heard) -> Reading | None:
    """The words, stripped; None for a reply without a word in it. "没有了" is "open:nothing".

    Fit is weak: anything could be an answer here, so a heard interruption beats it.
    """
    if not has_words(heard.text):
        return None
    words = words_of(heard.text)
    if _NOTHING.fullmatch(core(heard.text)) or (heard.intent == "nothing_to_add" and len(words) <= 12 and not adds_a_wish(words)):
        return Reading(words, "open:nothing", STRONG)
    return Reading(words, "open:words", WEAK)
