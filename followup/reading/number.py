"""Counts: "三口人", "两个", "一家五口", "大概十来万公里" (the number, without its unit)."""

from __future__ import annotations

import re

from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.numerals import CHINESE, to_number
from followup.reading.text import core

_TAKEN_BACK = re.compile(r"(?:不对|说错了?|错了|口误|哦不|噢不|啊不|更正|改成)")
_IDIOM = re.compile(
    rf"有?一[点些下会]儿?|第[{CHINESE}\d]+|一[直样般定切共起家]|一[般]+|[万千]一|十分(?!钟)|七八糟|百分百|千万(?=别|不要)|一家(?=[{CHINESE}\d])|[\u4e00-\u9fff]?一一"
)
_PER = re.compile(rf"[一每]个?(?:天|日|周|星期|礼拜|月|年|次|趟)(?!半)(?=[^,.]*[{CHINESE}\d])")
"""The span that something is counted in ("一天二十公里" is 20), where a number follows it."""
_RANGE = re.compile(r"(?<![\d十百])(?P<a>[一两二三四五六七八九]|\d+)(?P<to>[、到至~-]|\D{1,2}到)?(?P<b>[二两三四五六七八九]|\d+)(?P<unit>[十百千万]?)")
_HALF_AFTER = re.compile(rf"(?P<n>[{CHINESE}]|\d+)(?:个|年|斤|万|公斤|小时|箱|天|袋|千克|吨|块)半")
_NUMBER = re.compile(rf"\d+(?:,\d{{3}})+|\d+(?:\.\d+)?(?:多|来)?[百千万]?|[{CHINESE}]+(?:点[零一二三四五六七八九]+)?")
_HALF = re.compile(r"半(?:个|年|斤|箱|天|小时|公斤)")
_NONE = re.compile(r"(?:一个)?(?:都|也)?(?:没有|没|无|冇)(?:了|啊|呢|买|过)?")
_ALONE = re.compile(r"(?:就|只有|只|才)?(?:我)?(?:一个人|自己|独居|单身|一人)(?:住|过)?")


_OF_A_PHONE = re.compile(r"[0-9一二三四五六七八九十]号(?=$|[，。,.吧左那])|开头|尾号|手机|电话|号码|这个号|那个号|微信号")
""" "138开头的这个号就行" is no size of a flat."""


def read_number(asked: Asked, heard: Heard) -> Reading | None:
    """An int or float within the bounds; a range gives its middle; "没有" gives 0 when 0 is allowed."""
    text = _TAKEN_BACK.split(core(heard.text))[-1].strip(" ,.")
    if _OF_A_PHONE.search(text):
        return None
    found = _find(text)
    if found is None:
        return None
    value, how = found
    if asked.low is not None and value < asked.low or asked.high is not None and value > asked.high:
        return None
    strong = how in ("digits", "words") and len(text) <= 12 or how in ("alone",)
    return Reading(value, f"number:{how}", STRONG if strong else WEAK)


def _find(text: str) -> tuple[float | int, str] | None:
    if _NONE.fullmatch(text):
        return 0, "none"
    if _ALONE.fullmatch(text):
        return 1, "alone"
    plain = _IDIOM.sub(lambda m: "|" * len(m.group()), text)
    plain = _PER.sub(lambda m: "|" * len(m.group()), plain)
    half = _HALF_AFTER.search(plain)
    if half:
        value = to_number(half["n"])
        if value is not None:
            return _whole(value * (1 if "万" not in half.group() else 10000) + (0.5 if "万" not in half.group() else 5000)), "words"
    between = _range(plain)
    if between is not None:
        return between, "range"
    for match in _NUMBER.finditer(plain):
        words = re.sub("[,多来]", "", match.group())
        value = to_number(words)
        if value is not None:
            return _whole(value), "digits" if words[0].isdigit() else "words"
    return (0.5, "words") if _HALF.search(plain) else None


def _range(text: str) -> float | int | None:
    """The middle of 两三个, 3到5个; None when the two digits are one number."""
    match = _RANGE.search(text)
    if not match:
        return None
    first, second = to_number(match["a"]), to_number(match["b"])
    if first is None or second is None or second <= first:
        return None
    spoken = not match["a"].isdigit() and not match["b"].isdigit() and second == first + 1 and len(match.group()) <= 3
    if not match["to"] and not spoken:
        return None
    unit = {"": 1, "十": 10, "百": 100, "千": 1000, "万": 10000}[match["unit"]]
    return _whole((first + second) / 2 * unit)


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value
