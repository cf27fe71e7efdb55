"""Chinese and Arabic numerals in spoken replies, for a normalised text."""

from __future__ import annotations

import re

_DIGIT = {c: i for i, c in enumerate("零一二三四五六七八九")} | {
    "〇": 0, "两": 2, "俩": 2, "仨": 3, "幺": 1, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5,
    "陆": 6, "柒": 7, "捌": 8, "玖": 9,
}
_UNIT = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}

FORMAL = "壹贰叁肆伍陆柒捌玖"
CHINESE = "零〇一二三四五六七八九两俩仨十百千万"
NUMERAL = rf"(?:\d+(?:\.\d+)?[百千万]?|[{CHINESE}]+(?:点[零一二三四五六七八九]+)?)"
SMALL = r"(?:\d{1,3}|[零〇一二三四五六七八九两十百]{1,5})"

_CHINESE_ONLY = re.compile(rf"[{CHINESE}]+")


def to_number(words: str) -> int | float | None:
    """The number that `words` spell ("十二" 12, "一百零五" 105, "八点五" 8.5, "3万" 30000), else None."""
    words = words.strip()
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([百千万]?)", words)
    if match:
        if len(match.group(1)) > 15:
            return None
        value = float(match.group(1)) * {"": 1, "百": 100, "千": 1000, "万": 10000}[match.group(2)]
        return int(value) if value == int(value) else value
    if "点" in words:
        whole, _, part = words.partition("点")
        head = to_number(whole)
        digits = "".join(str(_DIGIT[c]) for c in part if c in _DIGIT)
        return float(f"{head}.{digits}") if head is not None and digits and len(digits) == len(part) else None
    if words == "半":
        return 0.5
    return _chinese_integer(words) if words and len(words) <= 12 else None


def to_int(words: str) -> int | None:
    """Like to_number, whole numbers only."""
    value = to_number(words)
    return value if isinstance(value, int) else None


def spoken_digits(words: str) -> str:
    """Digits read out one by one as Arabic digits: "幺三八" -> "138"; other characters stay."""
    return "".join(str(_DIGIT[c]) if c in _DIGIT else c for c in words)


def _chinese_integer(words: str) -> int | None:
    if all(c in _DIGIT for c in words):
        return int("".join(str(_DIGIT[c]) for c in words))
    total = section = digit = 0
    last_unit = 1
    seen_zero = False
    for char in words:
        if char in _DIGIT:
            seen_zero = seen_zero or _DIGIT[char] == 0
            digit = _DIGIT[char]
        elif char in _UNIT:
            section += (digit or 1) * _UNIT[char]
            digit, last_unit, seen_zero = 0, _UNIT[char], False
        elif char == "万":
            total += (section + digit or 1) * 10000
            section = digit = 0
            last_unit = 10000
        else:
            return None
    if digit and last_unit >= 100 and not seen_zero:
        digit *= last_unit // 10  # "一百二" is 120
    return total + section + digit
