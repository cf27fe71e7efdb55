"""Groups of customers 分组: any name; a few are known because campaigns and tickets speak of them (58741). Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

COMPLAINED = "曾投诉"
"""Given by itself to whoever complains: archived and followed up as a key customer (58741)."""
KNOWN = ("重点客户", "VIP", "车队", "普通客户", COMPLAINED, "事故车", "大修")
"""Offered in the console; whoever writes another name makes another group."""
LONGEST = 30
MOST = 20
_SAME = {"vip客户": "VIP", "vip": "VIP", "贵宾": "VIP", "重点": "重点客户", "大客户": "重点客户", "车队客户": "车队", "普通": "普通客户"}


@lru_cache(maxsize=1 << 10)
def read_groups(written: str, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """"VIP、车队" -> the groups, each once, in order; with `more` behind."""
    if not written:
        return more
    words = re.split(r"[、，,;；/|]+", unicodedata.normalize("NFKC", written).replace(",", "、"))
    names = [group(word) for word in words if word.strip()]
    return tuple(dict.fromkeys((*names, *more)))[:MOST]


def group(word: str) -> str:
    """One group's name as it is kept."""
    name = " ".join(word.split())[:LONGEST]
    return _SAME.get(name.lower(), name)
