"""How things are written on the pages: template filters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from followup import clock
from followup.settings import SHANGHAI


def moment(at: datetime | None) -> str:
    """`11月22日 09:05`; with the year when it is not this one; `—` for none."""
    if at is None:
        return "—"
    local, now = at.astimezone(SHANGHAI), clock.now().astimezone(SHANGHAI)
    day = f"{local.month}月{local.day}日 {local:%H:%M}"
    return day if local.year == now.year else f"{local.year}年{day}"


def day(at: datetime | None) -> str:
    """`2026-11-22`; `—` for none."""
    return "—" if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%d}"


def span(seconds: float | None) -> str:
    """`45秒`, `3分20秒`, `2小时5分`, `3天4小时`."""
    if seconds is None:
        return "—"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}秒"
    if whole < 3600:
        return f"{whole // 60}分{whole % 60}秒" if whole % 60 else f"{whole // 60}分钟"
    if whole < 86400:
        return f"{whole // 3600}小时{whole % 3600 // 60}分" if whole % 3600 // 60 else f"{whole // 3600}小时"
    return f"{whole // 86400}天{whole % 86400 // 3600}小时"


def percent(share: float | None) -> str:
    """`66.7%` of 0.667; `—` for none."""
    return "—" if share is None else f"{share * 100:.1f}%"


def value(answer: Any) -> str:
    """A stored answer in Chinese."""
    if answer is None:
        return "未回答"
    if isinstance(answer, bool):
        return "是" if answer else "否"
    if isinstance(answer, list):
        return "、".join(str(one) for one in answer)
    if isinstance(answer, dict):
        if "start" in answer:
            return str(answer["start"])[:16].replace("T", " ")
        if "bad" in answer:
            total = answer.get("total")
            return f"坏 {answer['bad']} 个" + (f"，共 {total} 个" if total else "")
        return "，".join(f"{key} {one}" for key, one in answer.items())
    return str(answer)


FILTERS: dict[str, Callable[..., str]] = {
    "moment": moment,
    "day": day,
    "span": span,
    "percent": percent,
    "answer": value,
}
