"""Open questions take the customer's own words."""

from __future__ import annotations

import re

from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.text import core, has_words, words_of

_NOTHING = re.compile(
    r"(?:暂时|目前|现在|好像|应该|真的|我|倒)*(?:没有?|木有|冇|无)(?:什么|啥|别的|其他|其它|特别)*(?:的|了|啊|呢|啦|吧|要说的?|可说的|好说的|意见|建议|想法|问题|补充|要求|要补充的)*|不(?:需要|用)了?|都(?:挺)?好的?|就这些了?|没意见"
)


def read_words(asked: Asked, heard: Heard) -> Reading | None:
    """The words, stripped; None for a reply without a word in it. "没有了" is "open:nothing".

    Fit is weak: anything could be an answer here, so a heard interruption beats it.
    """
    if not has_words(heard.text):
        return None
    words = words_of(heard.text)
    if _NOTHING.fullmatch(core(heard.text)) or (heard.intent == "nothing_to_add" and len(words) <= 12):
        return Reading(words, "open:nothing", STRONG)
    return Reading(words, "open:words", WEAK)
