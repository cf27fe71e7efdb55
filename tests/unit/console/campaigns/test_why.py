from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from followup.campaigns.labels import labels
from followup.campaigns.ledger import STAGES
from followup.console.campaigns.why import why
from followup.settings import SHANGHAI

DUE = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)


@dataclass
class Row:
    stage: str
    reason: str = ""
    channel: str = "sms"
    due_at: datetime | None = DUE
    next_at: datetime | None = None
    sent_at: datetime | None = DUE


@pytest.mark.parametrize("status", ["running", "paused", "cancelled"])
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_told_in_a_sentence(stage: str, status: str) -> None:
    for row in (Row(stage), Row(stage, next_at=DUE + timedelta(days=1)), Row(stage, due_at=None, sent_at=None)):
        told = why(row, status)
        assert len(told) >= 5 and "{" not in told and not told.isascii() and not told.endswith("。"), told


@pytest.mark.parametrize("reason", labels()["reasons"])
def test_who_is_not_contacted_is_told_for_what_reason(reason: str) -> None:
    assert why(Row("suppressed", reason), "running") == f"不联系，因为{labels()['reasons'][reason]}"


@pytest.mark.parametrize(
    ("row", "status", "told"),
    [
        (Row("waiting", next_at=DUE), "running", "等到 11月20日 10:00 联系"),
        (Row("waiting", next_at=DUE + timedelta(hours=5)), "running", "应在 11月20日 10:00 联系，改到 11月20日 15:00"),
        (Row("waiting", "daily_cap", next_at=DUE + timedelta(days=1)), "running", "应在 11月20日 10:00 联系，改到 11月21日 10:00：这一天联系客户的次数已满，改到下一天"),
        (Row("waiting", next_at=DUE), "paused", "任务暂停着，恢复以后再联系（原定 11月20日 10:00）"),
        (Row("sent", next_at=DUE + timedelta(days=1)), "running", "11月20日 10:00 发出短信，等客户打开；到 11月21日 10:00 还没有打开，就提醒或者结束"),
        (Row("sent"), "cancelled", "11月20日 10:00 发出短信，等客户打开"),
    ],
)
def test_what_comes_next_is_told(row: Row, status: str, told: str) -> None:
    assert why(row, status) == told


NEXT = DUE + timedelta(days=1)


@pytest.mark.parametrize(
    ("row", "status", "told"),
    [
        (Row("waiting", "not_delivered", next_at=NEXT), "running", "暂时没有送达，11月21日 10:00 再用短信发一次"),
        (Row("waiting", "not_delivered", next_at=NEXT), "paused", "暂时没有送达，任务暂停着，恢复以后再发"),
        (Row("answered", next_at=NEXT), "running", "客户正在回答，还没有答完；11月21日 10:00 再看，还没有答完就请客户接着聊"),
        (Row("ended_early", next_at=NEXT), "paused", "客户没有答完就结束了；任务暂停着，不会请客户接着聊"),
        (Row("unreachable", next_at=NEXT), "running", "客户打开了会话，一直没有说话；11月21日 10:00 再看，还没有答完就请客户接着聊"),
        (Row("unreachable"), "running", "提醒过了，一直没有打开"),
    ],
)
def test_what_is_done_again_is_told_with_its_reason_and_time(row: Row, status: str, told: str) -> None:
    assert why(row, status) == told
