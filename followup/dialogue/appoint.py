"""Call-backs 预约回访: a time the customer can keep, moved to a proper hour, read back in plain words.

Hours: catalogue D "windows" (8035c, 63714): not before 8:30, not 12-13, not after 19:00; 10:00-11:30 and
15:00-17:30 are best. What a customer names by himself is kept from 8:00 to 21:00: it is his own wish.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

WISHED = (time(8, 0), time(21, 0))
_WINDOWS = ((time(8, 30), time(12, 0)), (time(13, 0), time(19, 0)))
_WEEKDAYS = "一二三四五六日"
_LATER = {
    "driving": timedelta(hours=2),
    "in_meeting": timedelta(hours=2),
    "dining": timedelta(hours=2),
    "resting": timedelta(hours=3),
    "unwell": timedelta(days=3),
}


def in_wished_hours(at: datetime) -> bool:
    """Whether a time the customer named can be kept as it is."""
    return WISHED[0] <= at.time() <= WISHED[1]


def next_proper(at: datetime) -> datetime:
    """The same time when it lies in a contact window, else the beginning of the next window."""
    for begin, end in _WINDOWS:
        if at.time() < begin:
            return datetime.combine(at.date(), begin, at.tzinfo)
        if at.time() < end:
            return at
    return datetime.combine(at.date() + timedelta(days=1), _WINDOWS[0][0], at.tzinfo)


def nearest_proper(at: datetime) -> datetime:
    """The proper hour nearest to an improper wish: an early one moves up, a late one to the same evening's end."""
    if at.time() < WISHED[0]:
        return datetime.combine(at.date(), _WINDOWS[0][0], at.tzinfo)
    return datetime.combine(at.date(), time(20, 0), at.tzinfo)


def later(act: str, now: datetime) -> datetime:
    """When to come back to somebody who is driving, eating ..., and was rightly not asked."""
    return next_proper(now + _LATER.get(act, timedelta(hours=2)))


def tomorrow_morning(now: datetime) -> datetime:
    """The time offered to somebody who does not name one: tomorrow at ten, the best hour."""
    return datetime.combine(now.date() + timedelta(days=1), time(10, 0), now.tzinfo)


def chosen_point(start: datetime, end: datetime, precision: str, now: datetime) -> datetime:
    """One moment within the time understood: a day or a part of it is met at its best hour."""
    if precision in ("minute", "hour"):
        return start
    if precision == "day_part":
        best = {8: time(10, 0), 14: time(15, 0), 13: time(15, 0)}.get(start.hour)
        point = datetime.combine(start.date(), best, start.tzinfo) if best else start
    else:
        point = datetime.combine(start.date(), time(10, 0), start.tzinfo)
    if point <= now:
        point = next_proper(max(start, now + timedelta(minutes=30)))
    return point


def spoken(at: datetime, now: datetime) -> str:
    """A time as one says it: `明天（11月22日，周日）下午3点`."""
    hour = at.hour if at.hour <= 12 else at.hour - 12
    minute = "" if at.minute == 0 else "半" if at.minute == 30 else f"{at.minute:02d}分"
    return f"{spoken_day(at, now)}{part_of_day(at.hour)}{hour}点{minute}"


def part_of_day(hour: int) -> str:
    """凌晨, 上午, 中午, 下午 or 晚上."""
    return "凌晨" if hour < 6 else "上午" if hour < 12 else "中午" if hour < 13 else "下午" if hour < 18 else "晚上"


def spoken_day(at: datetime, now: datetime) -> str:
    """A day as one says it: `明天（11月22日，周日）`."""
    days = (at.date() - now.date()).days
    near = {0: "今天", 1: "明天", 2: "后天"}.get(days, "")
    year = f"{at.year}年" if at.year != now.year else ""
    date = f"{year}{at.month}月{at.day}日，周{_WEEKDAYS[at.weekday()]}"
    return f"{near}（{date}）" if near else f"{date}，".replace("，周", "（周").replace("，", "）")
