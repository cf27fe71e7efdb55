"""Times in replies: when the customer can be called again.

    read_time("明天下午三点吧", now) -> TimeSpan(start, end, precision) or None

Conventions, where people may mean either:
- 上午 8-12, 中午 12-14, 下午 14-18, 晚上 18-21, 早上 8-10, 傍晚 17-19, 凌晨 0-6, 夜 21-24; ends are exclusive.
- A day ends at the next midnight, a week on Monday, 月底 is from the 25th, 月初 the 1st to the 5th.
- Without a part of the day 1-6点 is the afternoon; 7-11点 is the next such hour: in the morning if it is still
  to come, otherwise today in the evening; with another day than today it is the morning.
- A weekday that is today or over is next week's; 周X on its own day at a later hour is today.
- 过两天 is the day after tomorrow; 下班后 18:00; 国庆后 the first day after the holidays; 周三以后 Thursday.
- 晚点, 改天, 有空, 过几天, 这两天 name no usable time.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from followup.reading.text import close_up, normalise
from followup.reading.time.grammar import choose
from followup.reading.time.resolve import resolve
from followup.reading.time.span import TimeSpan

ZONE = ZoneInfo("Asia/Shanghai")
_DIGIT_GAP = re.compile(r"(?<=[\u4e00-\u9fff]) +(?=\d)|(?<=\d) +(?=[\u4e00-\u9fff])")  # "明天 3 点"


def local(moment: datetime) -> datetime:
    """Naive local time in Asia/Shanghai; a naive moment is taken as local already."""
    return moment.astimezone(ZONE).replace(tzinfo=None) if moment.tzinfo else moment


def read_time(text: str, reference: datetime) -> TimeSpan | None:
    """The next future time that `text` proposes, seen from `reference`; None when there is none or it cannot be."""
    mention = choose(_DIGIT_GAP.sub("", close_up(normalise(text))).replace("廿", "二十").replace("卅", "三十"))
    if mention is None:
        return None
    try:
        return resolve(mention, local(reference))
    except (OverflowError, ValueError):  # beyond the calendar
        return None


__all__ = ["TimeSpan", "ZONE", "local", "read_time"]
