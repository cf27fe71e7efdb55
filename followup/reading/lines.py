"""Lines of the command `followup read TYPE`: one reply a line, read without an intent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from followup.reading import TYPES, Asked, Heard, Option, read
from followup.reading.time import ZONE

_WITH_REFERENCE = ("datetime", "date")


def read_line(type_: str, line: str) -> dict[str, Any]:
    """{"text", "value"}; a malformed line gives value None and "error", in Chinese.

    datetime and date lines are "reference ISO<TAB>text" (for date the reference may be left out);
    choice lines may be "option|option<TAB>text".
    """
    line = line.rstrip("\r\n")
    if type_ not in TYPES:
        return _failed(line, f"没有“{type_}”这种题型，可用的题型：{'、'.join(TYPES)}")
    head, tab, text = line.partition("\t")
    if type_ in _WITH_REFERENCE:
        return _with_reference(type_, line, head, tab, text)
    if type_ == "choice" and tab:
        options = tuple(Option(part.strip()) for part in head.split("|") if part.strip())
        if not options:
            return _failed(text, "制表符前要写选项，用“|”隔开，例如：朋友介绍|网上看到<TAB>朋友")
        return _read(Asked("choice", options=options), Heard(text))
    return _read(Asked(type_, other=type_ == "choice"), Heard(line))


def _with_reference(type_: str, line: str, head: str, tab: str, text: str) -> dict[str, Any]:
    if not tab:
        if type_ == "date":
            return _read(Asked(type_), Heard(line))
        return _failed(line, "每行要写成“参考时间<TAB>客户的话”，例如：2026-11-21T10:00:00<TAB>明天下午三点")
    try:
        reference = datetime.fromisoformat(head.strip())
    except ValueError:
        return _failed(text, f"参考时间“{head.strip()[:40]}”看不懂，请写成 2026-11-21T10:00:00 这样的格式")
    if reference.tzinfo is None:
        reference = reference.replace(tzinfo=ZONE)
    try:
        return _read(Asked(type_), Heard(text, reference=reference))
    except (OverflowError, ValueError):
        return _failed(text, f"参考时间“{head.strip()[:40]}”超出了能计算的范围")


def _read(asked: Asked, heard: Heard) -> dict[str, Any]:
    reading = read(asked, heard)
    return {"text": heard.text, "value": None if reading is None else reading.value}


def _failed(text: str, why: str) -> dict[str, Any]:
    return {"text": text, "value": None, "error": why}
