"""Dates that are no appointments: birthdays, days of purchase. "YYYY-MM-DD", or "MM-DD" without a year."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta

from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.numerals import to_int
from followup.reading.text import core
from followup.reading.time import local, read_time

_TAKEN_BACK = re.compile(r"(?:不对|说错了?|错了|口误|哦不|噢不|啊不|更正|不是)")
_C = "零〇一二三四五六七八九"
_YEAR = rf"(?P<y>(?:19|20)\d\d|[{_C}]{{4}}|\d\d(?=年)|[{_C}]{{2}}(?=年)|今年|去年|前年|明年|大前年)"
_MD = r"(?P<m>\d{1,2}|十[一二]?|[一二三四五六七八九])(?:月份?|[-/.])的?(?P<d>\d{1,2}|初?三?二?十?[一二三四五六七八九十])(?:[日号])?"
_FULL = re.compile(rf"{_YEAR}(?:年|[-/.])?的?{_MD}")
_COMPACT = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>[01]\d)(?P<d>[0-3]\d)(?!\d)")
_SHORT = re.compile(rf"(?<![\d.]){_MD}(?!\d|[.]\d)")
_LUNAR = re.compile("农历|阴历|正月|腊月|冬月|初[一二三四五六七八九十]")
_BACK = {"今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "昨晚": 1, "前天": 2, "大前天": 3}
_AGO = re.compile(r"(?P<n>[\d一二两三四五六七八九十]+)(?P<u>天|周|个?星期|个?礼拜|个?月)(?:以前|之前|前)")
_LAST_WEEKDAY = re.compile(r"上个?(?:周|星期|礼拜)(?P<w>[一二三四五六日天])")
_DAY_ONLY = re.compile(r"(?P<rel>上个?月|这个?月|本月)的?(?P<d>\d{1,2}|三?二?十?[一二三四五六七八九十])[日号]?")


def read_date(asked: Asked, heard: Heard) -> Reading | None:
    """An impossible or a lunar date gives None (asked again). Relative days need the reference."""
    now = local(heard.reference) if heard.reference else None
    for part in reversed(_TAKEN_BACK.split(core(heard.text))):
        found = _find(part, now)
        if found is not None:
            return found if found.value else None
    return None


def _find(text: str, now: datetime | None) -> Reading | None:
    if _LUNAR.search(text):
        return Reading(None, "date:lunar", WEAK)
    full = _COMPACT.search(text) or _FULL.search(text)
    if full:
        year = _year(full["y"], now)
        month, day = _number(full["m"]), _number(full["d"])
        value = _iso(year, month, day) if year else _month_day(month, day)
        return Reading(value, "date:full", STRONG)
    short = _SHORT.search(text)
    if short:
        return Reading(_month_day(_number(short["m"]), _number(short["d"])), "date:month_day", STRONG)
    return _relative(text, now) if now else None


def _relative(text: str, now: datetime) -> Reading | None:
    today = now.date()
    word = max((word for word in _BACK if word in text), key=len, default=None)
    if word:
        return Reading((today - timedelta(days=_BACK[word])).isoformat(), "date:relative", STRONG)
    ago = _AGO.search(text)
    if ago and (count := to_int(ago["n"])) and count < 1000:
        return Reading(_ago(today, count, ago["u"]).isoformat(), "date:relative", STRONG)
    weekday = _LAST_WEEKDAY.search(text)
    if weekday:
        index = "一二三四五六日".find(weekday["w"].replace("天", "日"))
        monday = today - timedelta(days=today.weekday() + 7)
        return Reading((monday + timedelta(days=index)).isoformat(), "date:relative", STRONG)
    in_month = _DAY_ONLY.search(text)
    if in_month:
        first = today.replace(day=1)
        if in_month["rel"].startswith("上"):
            first = (first - timedelta(days=1)).replace(day=1)
        return Reading(_iso(first.year, first.month, _number(in_month["d"])), "date:relative", STRONG)
    span = read_time(text, now)
    if span is not None and span.precision not in ("week", "month"):
        return Reading(span.start.date().isoformat(), "date:coming", STRONG)
    return None


def _ago(today: date, count: int, unit: str) -> date:
    if unit.endswith("月"):
        year, month = divmod(today.year * 12 + today.month - 1 - count, 12)
        return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))
    return today - timedelta(days=count * (1 if unit == "天" else 7))


def _year(words: str, now: datetime | None) -> int | None:
    back = {"今年": 0, "去年": 1, "前年": 2, "大前年": 3, "明年": -1}
    if words in back:
        return now.year - back[words] if now else None
    number = to_int(words)
    if number is None or number >= 100:
        return number
    latest = (now.year if now else 2026) % 100
    return number + (2000 if number <= latest + 1 else 1900)


def _number(words: str) -> int | None:
    return to_int(words.lstrip("初"))


def _iso(year: int, month: int | None, day: int | None) -> str | None:
    try:
        return date(year, month or 0, day or 0).isoformat()
    except ValueError:
        return None


def _month_day(month: int | None, day: int | None) -> str | None:
    return None if _iso(2000, month, day) is None else f"{month:02d}-{day:02d}"
