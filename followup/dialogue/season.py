"""Greetings by the time of day, festivals, and a caring word for the season (b9e91, 8035c; catalogue D)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from followup.reading.time.festivals import festivals

_GREETINGS = ((5, "您好"), (9, "早上好"), (12, "上午好"), (14, "中午好"), (18, "下午好"), (23, "晚上好"), (24, "您好"))
_SEASONS = {3: "spring", 4: "spring", 5: "spring", 6: "summer", 7: "summer", 8: "summer",
            9: "autumn", 10: "autumn", 11: "autumn", 12: "winter", 1: "winter", 2: "winter"}  # fmt: skip


def greeting(at: datetime) -> str:
    """早上好 / 上午好 / 中午好 / 下午好 / 晚上好; 您好 in the small hours."""
    return next(words for hour, words in _GREETINGS if at.hour < hour)


def season(at: datetime) -> str:
    """spring | summer | autumn | winter, by the month."""
    return _SEASONS[at.month]


def wish(at: datetime) -> str:
    """What one wishes today: 节日愉快 on a public holiday, 周末愉快 from Friday afternoon on, else 工作顺利."""
    if festival_on(at.date()):
        return "节日愉快"
    weekend = at.isoweekday() >= 6 or at.isoweekday() == 5 and at.hour >= 15
    return "周末愉快" if weekend else "工作顺利"


def festival_on(day: date) -> str:
    """Id of the public holiday that `day` is part of; empty when none."""
    for festival in festivals().values():
        first = festival.first_day(day.year)
        if festival.public and first and first <= day < first + timedelta(days=festival.days):
            return festival.id
    return ""
