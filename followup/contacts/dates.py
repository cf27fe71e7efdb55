"""Dates as customer lists write them -> ISO text ("2026-03-05" or "2026-03-05 14:30"), or why they cannot be taken. Pure.

Campaigns reckon from these dates, so nothing is guessed: what could be two days is told, and so is what is none.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from functools import lru_cache

from followup.settings import SHANGHAI

_HEADER = re.compile(r"(?:日期|时间|生日|日|date|time|birthday)$", re.IGNORECASE)
_EARLIEST, _LATEST = 1900, 2100
_YEAR_FIRST = re.compile(r"(\d{4})(?:年|[-/.])(\d{1,2})(?:月|[-/.])(\d{1,2})[日号]?")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_SHORT_YEAR = re.compile(r"\d{1,2}[-/.年]\d{1,2}[-/.月]\d{1,2}[日号]?")
_NO_YEAR = re.compile(r"(\d{1,2})(?:月|[-/.])(\d{1,2})[日号]?")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})(?:\d{2})?)?")
_SERIAL = re.compile(r"(\d{5})(\.\d+)?")
_TIME = re.compile(
    r"[\sT]*(上午|早上|中午|下午|晚上|AM|PM)?\s*(\d{1,2})(?:[:时点](\d{1,2})?(?:[:分](\d{1,2})(?:\.\d+)?)?[分秒]?)\s*(AM|PM)?\s*"
    r"(Z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_SERIAL_ORIGIN = datetime(1899, 12, 30)


class DateError(ValueError):
    """It is no date, or could be two. The message is Chinese."""


def is_date_header(header: str) -> bool:
    """Whether a column of this name is likely to hold dates."""
    return _HEADER.search(header.strip(" *:：")) is not None


@lru_cache(maxsize=1 << 15)
def read_date(written: str) -> str:
    """The date in ISO form, with hour and minute when they were written. Raises DateError."""
    text = unicodedata.normalize("NFKC", written).strip().lstrip("'").strip()
    if match := _COMPACT.fullmatch(text):
        day = _day(written, int(match[1]), int(match[2]), int(match[3]))
        return day.isoformat() + (_clock(written, int(match[4]), int(match[5])) if match[4] else "")
    if match := _SERIAL.fullmatch(text):
        return _of_serial(written, float(text))
    for pattern, day_of in ((_YEAR_FIRST, _year_first), (_YEAR_LAST, _year_last)):
        if match := pattern.match(text):
            return _with_time(written, day_of(written, match), text[match.end() :])
    if _SHORT_YEAR.match(text):
        raise DateError(f"“{written[:30]}”的年份不清楚，请写成四位，例如 2026-03-05。")
    if match := _NO_YEAR.match(text):
        _day(written, 2000, int(match[1]), int(match[2]))  # a day that no year has is told as that
        raise DateError(f"“{written[:30]}”没有写年份，请写成 2026-03-05 这样的日期。")
    raise DateError(f"“{written[:30]}”不是日期，请写成 2026-03-05 这样的日期。")


def looks_like_date(written: str) -> bool:
    """Whether it reads as a date even where nobody said so: plain figures are none."""
    if len(written) < 8 or written.replace(".", "", 1).isdigit():
        return False
    try:
        read_date(written)
    except DateError:
        return False
    return True


def iso(at: datetime) -> str:
    """As `read_date` writes it: a spreadsheet's midnight is a day without a time."""
    return at.date().isoformat() if at.time() == at.min.time() else f"{at:%Y-%m-%d %H:%M}"


def _year_first(written: str, match: re.Match[str]) -> date:
    return _day(written, int(match[1]), int(match[2]), int(match[3]))


def _year_last(written: str, match: re.Match[str]) -> date:
    first, second, year = (int(part) for part in match.groups())
    if first > 12 >= second:
        first, second = second, first
    elif first != second and first <= 12 and second <= 12:
        raise DateError(f"“{written[:30]}”分不清哪个是月、哪个是日，请写成 {year}-03-05 这样的日期。")
    return _day(written, year, first, second)


def _day(written: str, year: int, month: int, day: int) -> date:
    if not _EARLIEST <= year <= _LATEST:
        raise DateError(f"“{written[:30]}”的年份不对，请核对。")
    try:
        return date(year, month, day)
    except ValueError:
        raise DateError(f"“{written[:30]}”这一天不存在，请核对。") from None


def _with_time(written: str, day: date, rest: str) -> str:
    rest = rest.strip()
    if not rest:
        return day.isoformat()
    match = _TIME.fullmatch(rest)
    if match is None:
        raise DateError(f"“{written[:30]}”里日期后面的部分看不懂，请写成 2026-03-05 14:30 这样。")
    half = (match[1] or match[5] or "").upper()
    hour, minute = int(match[2]), int(match[3] or 0)
    if half in ("下午", "晚上", "PM") and hour < 12 or half == "中午" and hour < 3:
        hour += 12
    elif half in ("上午", "早上", "AM") and hour == 12:
        hour = 0
    if not match[6]:
        # Midnight with seconds is how systems write a day without a time.
        midnight = hour == minute == 0 and int(match[4] or 0) == 0 and match[4] is not None
        return day.isoformat() + ("" if midnight else _clock(written, hour, minute))
    zone = match[6].upper().replace("Z", "+00:00")
    clock = _clock(written, hour, minute).replace(" ", "T")
    try:
        at = datetime.fromisoformat(f"{day.isoformat()}{clock}{zone}")
    except ValueError:
        raise DateError(f"“{written[:30]}”里的时区不对，请核对。") from None
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _clock(written: str, hour: int, minute: int) -> str:
    if hour > 23 or minute > 59:
        raise DateError(f"“{written[:30]}”里的时间不对，请核对。")
    return f" {hour:02d}:{minute:02d}"


def _of_serial(written: str, serial: float) -> str:
    """A day number of a spreadsheet: 46086 is 2026-03-05."""
    at = _SERIAL_ORIGIN + timedelta(days=serial)
    at = (at + timedelta(seconds=30)).replace(second=0, microsecond=0)
    if not _EARLIEST <= at.year <= _LATEST:
        raise DateError(f"“{written[:30]}”不是日期，请写成 2026-03-05 这样的日期。")
    return iso(at)
