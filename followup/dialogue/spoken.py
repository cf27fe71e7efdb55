"""An answer as it is read back to the customer."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Mapping

from followup.dialogue import appoint


LONG = 8
"""Characters of a customer's words that still sound natural in our sentence (周六上午); longer ones are not only the time."""

_MORE_THAN_A_TIME = re.compile(r"[我你您俺咱去来到过打约带空]")
""" "我下周二去" is not read back as it is."""


_TAIL = re.compile(r"(?<=..)[，,]?(?:[吧呢啊呀嘛]?(?:行不行|可以不|看情况|怎么样|[都也]?(?:可以|行|(?<!越)好|成)[吗么]?))+[吧呢啊呀嘛]?[？?。！!]*$")
""" "下周末行吗" is read back as "下周末"."""


def spoken(value: Any, words: str, now: datetime) -> str:
    """A time in plain words, several answers in a row, anything else as the customer said it (`words`)."""
    if isinstance(value, Mapping) and "precision" in value:
        own_words = _TAIL.sub("", words.strip("，。！!吧呢啊"))
        if value["precision"] in ("day", "day_part") and (len(own_words) > LONG or _MORE_THAN_A_TIME.search(own_words)):
            start = datetime.fromisoformat(value["start"])
            part = appoint.part_of_day(start.hour) if value["precision"] == "day_part" else ""
            return appoint.spoken_day(start.replace(tzinfo=now.tzinfo), now) + part
        if value["precision"] not in ("minute", "hour"):
            return own_words
        return appoint.spoken(point(value, now), now)
    if isinstance(value, (list, tuple)):
        return "、".join(str(one) for one in value)
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else words


def point(value: Mapping[str, str], now: datetime) -> datetime:
    """The moment chosen within a time as read (ISO local times, Asia/Shanghai)."""
    start, end = (datetime.fromisoformat(value[key]).replace(tzinfo=now.tzinfo) for key in ("start", "end"))
    return appoint.chosen_point(start, end, value["precision"], now)
