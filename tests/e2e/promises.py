"""What the assistant promises in a colleague's name: somebody must hear of it."""

from __future__ import annotations

import re

from followup.talk.trial import TrialResult

_WHO = "同事|医生|护士|经理|技师|验光师|顾问|工程师|师傅|营销员|部门"
_PROMISE = re.compile(rf"转给|(?:请|让|由)[^，。？]{{0,8}}(?:{_WHO})[^，。？]{{0,12}}(?:联系|答复|回复|解答|说明|跟进|处理|办理)")
_ONLY_OFFERED = re.compile(r"随时|需要.{0,6}(?:吗|的话)|[吗？]$|回复“|欢迎|跟我说")
_SUGGESTION = re.compile(r"建议|转给相关负责人")
"""Suggestions stand in the month's report (followup/figures/monthly.py)."""


def unkept(result: TrialResult) -> list[str]:
    """The sentences of a talk that promise a colleague, where no ticket, call-back or colleague in the talk stands behind them."""
    if result.tickets or result.callback or any(note["kind"] == "handover" for note in result.notes):
        return []
    sentences = [part for line in result.transcript if line.direction == "out" for part in re.split(r"(?<=[。！？])", line.text)]
    return [one for one in sentences if _PROMISE.search(one) and not _ONLY_OFFERED.search(one) and not _SUGGESTION.search(one)]
