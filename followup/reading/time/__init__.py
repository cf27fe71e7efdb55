"""Times in replies: when the customer can be called again.

    read_time("明天下午三点吧", now) -> TimeSpan(start, end, precision) or None

Conventions, where people may mean either:
- 上午 8-12, 中午 12-14, 下午 14-18, 晚上 18-21, 早上 8-10, 傍晚 17-19, 凌晨 0-6, 夜 21-24; ends are exclusive.
- A day ends at the next midnight, a week on Monday, 月底 is from the 25th, 月初 the 1st to the 5th.
- Without a part of the day 1-6点 is the afternoon; 7-11点 is the next such hour: in the morning if it is still
  to come, otherwise today in the evening; with another day than today it is the morning.
- A weekday that is today or over is next week's; 周X on its own day at a later hour is today.
- 过两天 is the day after tomorrow; 下班后 18:00; 国庆后 the first day after the holidays; 周三以后 Thursday.
- Of several days or hours that would do (明天后天都行, 周三或周四) the first is taken; 最晚五点 is 五点之前.
- 月底前 runs to the end of the month, 年底前 to the end of the year.
- 晚点, 改天, 有空, 过几天, 这两天, 开春, 孩子睡了 name no usable time.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from followup.reading.text import close_up, normalise
from followup.reading.time.grammar import choose
from followup.reading.time.misheard import heard_right
from followup.reading.time.resolve import resolve
from followup.reading.time.span import TimeSpan

ZONE = ZoneInfo("Asia/Shanghai")
_DIGIT_GAP = re.compile(r"(?<=[\u4e00-\u9fff]) +(?=\d)|(?<=\d) +(?=[\u4e00-\u9fff])")  # "明天 3 点"

_PAUSES = re.compile(r"(?:\.{2,}|…)+")
_USUAL = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        ("廿", "二十"),
        ("卅", "三十"),
        ("元月(?!夜)", "一月"),
        (r"(?<=\d) ?(?:hours?|hrs?|h)(?![a-z])", "小时"),
        (r"(?<=\d) ?min(?:ute)?s?(?![a-z])", "分钟"),
        (r"(?<=分钟|小时) ?later(?![a-z])", "后"),
        (r" ?(?<![a-z])(?:the day after tomorrow)(?![a-z]) ?", "后天"),
        (r" ?(?<![a-z])(?:tomorrow|tmr|tmrw)(?![a-z]) ?", "明天"),
        (r" ?(?<![a-z])today(?![a-z]) ?", "今天"),
        (r" ?(?<![a-z])tonight(?![a-z]) ?", "今晚"),
        (r" ?(?<![a-z])next week(?![a-z]) ?", "下周"),
        (r" ?(?<![a-z])(?:weekend)(?![a-z]) ?", "周末"),
        *((rf" ?(?<![a-z]){name}(?![a-z]) ?", f"周{day}") for name, day in zip(
            ("mon(?:day)?", "tue(?:s|sday)?", "wed(?:nesday)?", "thu(?:rs|rsday)?", "fri(?:day)?", "sat(?:urday)?", "sun(?:day)?"), "一二三四五六日")),
        (r"(?<![a-z])next ?(?=周)", "下"),
        (r"(?<![a-z])this ?(?=周)", "这"),
        (r"(?<![a-z])(?:at|on|around|about|please|pls|call me|call)(?![a-z]) ?", ""),
        (r" ?(?<![a-z])(?:in the )?morning(?![a-z]) ?", "上午"),
        (r" ?(?<![a-z])(?:in the )?afternoon(?![a-z]) ?", "下午"),
        (r" ?(?<![a-z])(?:in the )?evening(?![a-z]) ?", "晚上"),
    )
)


def local(moment: datetime) -> datetime:
    """Naive local time in Asia/Shanghai; a naive moment is taken as local already."""
    return moment.astimezone(ZONE).replace(tzinfo=None) if moment.tzinfo else moment


def _in_one_way(text: str) -> str:
    """Normalised text, with units, old numerals and the English words that people mix in as one usually writes them."""
    text = _PAUSES.sub(",", close_up(normalise(text)))
    for pattern, word in _USUAL:
        text = pattern.sub(word, text)
    return heard_right(_DIGIT_GAP.sub("", text))


def read_time(text: str, reference: datetime) -> TimeSpan | None:
    """The next future time that `text` proposes, seen from `reference`; None when there is none or it cannot be."""
    mention = choose(_in_one_way(text), proposed=True)
    if mention is None:
        return None
    try:
        return resolve(mention, local(reference))
    except (OverflowError, ValueError):  # beyond the calendar
        return None


__all__ = ["TimeSpan", "ZONE", "local", "read_time"]
