"""Scores out of ten: "八分", "8.5", "打个九分吧", "满分", "八九分". "十分满意" is a degree, not a score."""

from __future__ import annotations

import re
from dataclasses import dataclass

from followup.reading.model import STRONG, WEAK, Asked, Heard, Reading
from followup.reading.numerals import CHINESE, FORMAL, to_number
from followup.reading.text import core

_N = rf"(?:\d{{1,3}}(?:\.\d)?|[{CHINESE}{FORMAL}]{{1,4}}(?:点[零一二三四五六七八九])?)"
_TAKEN_BACK = re.compile(r"(?:(?<=,)不(?=,)|不对|说错|错了|口误|哦不|不是|不不|改成|还是)")
_RANGE = re.compile(r"(?<![\d十])(?P<a>[一二两三四五六七八九]|\d)(?P<to>[、,到至~-]|分到?)?(?P<b>[二三四五六七八九十]|10|\d)分(?!钟)")
_POINT_FIVE = re.compile(rf"(?P<n>[{CHINESE}]|\d{{1,2}})分?半(?!年|天|个|小)(?:分)?")
_POINTS = re.compile(rf"(?P<n>{_N})(?:个)?分(?!钟|之|期|店|公司|部|类|别|享|开|批|手|两)(?P<half>半)?(?P<tail>.?)")
_BARE = re.compile(rf"(?:打分的话|评分|分数)?[:,\s]*(?:那|嗯|我|就)*(?:我?(?:给|打|评|就|算|选)(?:个|你们|它|他们|她)*)*(?:大概|差不多|大约)?(?P<n>{_N})(?:吧|左右|分|⭐|★)*")
_GIVE = re.compile(rf"(?:给|打|评)(?:个|你们|它|他们|她)*(?:大概|差不多)?(?P<n>{_N})(?![\d{CHINESE}天次个人月年块元])")
_OF = re.compile(rf"(?P<n>{_N})/(?:10|十)|(?:10|十)分(?:里面?|制|中)?(?:我?[给打])(?P<m>{_N})分?")
_FULL = re.compile(r"满分|最高分|顶格分|full marks")
_NOT_FULL = re.compile(r"(?:(?<!差)不|没|打不了|给不了|没法给|不敢给|离|差(?!不多)).{0,3}(?:满分|最高分)|满分(?:是|多少|吗|10|十)")
_THANKS = re.compile(r"[,\s]*(?:谢谢|谢了|多谢|辛苦了?|可以了|好吧)[你您们啊哈]*$")
_BARE_RANGE = re.compile(r"(?:那|就|我)*[给打]?个?(?P<a>\d|[一二两三四五六七八九])[到至~-](?P<b>10|\d|[二三四五六七八九十])(?:吧|左右|之间)*")
_NOTHING = re.compile(rf"(?:不到|低于|不足|少于|没有|不止){_N}分|(?:一|0|零)分(?:都|也)(?:不|没)(?!能再)")
"""No score was wanted to be given: "一分都不想给" is asked again."""
_DEDUCTED = re.compile(rf"(?:扣|减|差)(?:了|掉|个|给)*{_N}分|(?:本来|原本|原来)(?:是|想|要|打算)*[给打]{_N}分(?=.*分)|(?:上次|上回|以前|之前|去年)[^,.]{{0,3}}{_N}分(?=.*分)|比(?:上次|上回|以前|之前)[高低多少]{_N}分|(?:10|十|100|一百)分(?:的)?(?:满分|制|里面?)(?=.*(?:给|打)?{_N}分)|满分(?:是)?(?:10|十)分?(?=.*{_N}分)")
"""Points taken off and the full mark that a score is given out of."""
_ASPECT = re.compile(rf"(?:服务|价格|质量|物流|速度|态度|环境|味道|产品|师傅|客服|包装|效果|卫生)(?:方面)?(?:我?[给打])?(?P<n>{_N})分")
_DEGREE = re.compile(r"十分(?!钟|吧|[,.!]|$|了)[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Score:
    """A score as said; value None for 满分 (the question's upper bound)."""

    value: float | int | None
    how: str


def read_score(asked: Asked, heard: Heard) -> Reading | None:
    """A number within the question's bounds (1-10 unless it says otherwise), else None."""
    low = asked.low if asked.low is not None else 1
    high = asked.high if asked.high is not None else 10
    score = find_score(core(heard.text))
    if score is None:
        return None
    value = _whole(high) if score.value is None else score.value
    if value > high and high == 10 and value <= 100 and value >= 20:
        return None  # of a hundred: asked again rather than guessed
    if not low <= value <= high:
        return None
    return Reading(value, f"score:{score.how}", WEAK if score.how == "bare" else STRONG)


def find_score(text: str) -> Score | None:
    """The score in a normalised text; the last one when it was corrected."""
    parts = _TAKEN_BACK.split(text)
    for part in reversed(parts):
        found = _find(part.strip(" ,.!了"))
        if found:
            return found
    return None


def _find(text: str) -> Score | None:
    if _NOTHING.search(text):
        return None
    text = _THANKS.sub("", text)
    not_full = _NOT_FULL.search(text)
    text = _DEDUCTED.sub(lambda match: "　" * len(match.group()), text)
    if len({match["n"] for match in _ASPECT.finditer(text)}) > 1:
        return None  # "服务9分价格6分": two scores of two things are asked again
    of_ten = _OF.search(text)
    if of_ten:
        return _score(of_ten["n"] or of_ten["m"], "points")
    if _FULL.search(text) and not not_full:
        return Score(None, "full")
    between = _RANGE.search(text) or _BARE_RANGE.fullmatch(text)
    if between:
        first, second = to_number(between["a"]), to_number(between["b"])
        spelled = not between.groupdict().get("to", "-") and (between["b"] == "十" or between["a"].isdigit())  # 八十分, 89分
        if first is not None and second is not None and 0 < second - first <= 2 and not spelled:
            return Score((first + second) / 2, "range")
    half = _POINT_FIVE.search(text)
    if half and "分" in half.group():
        value = to_number(half["n"])
        return Score(value + 0.5, "points") if value is not None else None
    for match in _POINTS.finditer(text):
        if match["n"] in ("十", "10") and _DEGREE.match(text, match.start()) or text[: match.start()].endswith(("差", "过", "第")):
            continue
        if match["n"] == "一" and match["tail"] in ("钱", "价"):
            continue
        return _score(match["n"], "points")
    given = _GIVE.search(text)
    if given:
        return _score(given["n"], "given")
    bare = _BARE.fullmatch(text)
    return _score(bare["n"], "bare") if bare else None


def _score(words: str, how: str) -> Score | None:
    value = to_number(words)
    return None if value is None else Score(_whole(value), how)


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value
