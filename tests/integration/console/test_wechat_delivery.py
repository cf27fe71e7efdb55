"""What became of each line in WeChat, what may still be sent, and the list of what did not arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from followup import clock
from followup.console.wechat.delivery import delivery_of, quota_of
from followup.store.database import Database
from followup.store.messages import OUT_NOTIFICATION
from followup.store.models import Message
from followup.store.staff_models import AuditEntry
from followup.store.wechat_models import WechatUser
from tests.integration.console.conftest import text_of
from tests.integration.console.written_talks import Said, Written, write_talk

LIST = "/console/wechat/undelivered"


async def talk_with(database: Database, states: Sequence[tuple[str, str | None]], *, name: str = "王强", channel: str = "wechat:main") -> tuple[Written, list[int]]:
    """A talk in WeChat, our last lines in these states; the ids of those lines."""
    said = [Said(f"第{number}句", "inform", reply=f"回答{number}") for number, _ in enumerate(states)]
    talk = await write_talk(database, said, name=name, channel=channel, status="open", outcome=None, at=clock.now() - timedelta(minutes=30))
    async with database.session() as session:
        replies = list(await session.scalars(select(Message.id).where(Message.case_id == talk.case_id, Message.direction == "out").order_by(Message.id)))[1:]
        for row, (status, error) in zip(replies, states, strict=True):
            await session.execute(update(Message).where(Message.id == row).values(status=status, error=error))
    return talk, replies


@pytest.mark.parametrize(
    ("status", "error", "state", "says"),
    [
        ("queued", None, "waiting", ""),
        ("queued", "no_budget", "waiting", "等客户说话"),
        ("queued", "45015", "waiting", "超过 48 小时"),
        ("sending", None, "sending", ""),
        ("sent", None, "sent", ""),
        ("delivered", None, "delivered", ""),
        ("failed", "43004", "refused", "没有关注公众号（43004）"),
        ("failed", "unsubscribed", "refused", "取消关注"),
        ("failed", "99999", "refused", "微信返回错误 99999（99999）"),
        ("failed", "user_block", "refused", "没有写明原因"),
        ("failed", "half_sent", "refused", "只送到了前一半"),
        ("sent", "passive 0123456789abcdef", "sent", ""),
        ("unknown", "asked_again", "unknown", "微信却又问了一遍"),
        ("unknown", "interrupted", "unknown", "程序断了"),
        ("unknown", "status 502", "unknown", "微信没有回答"),
    ],
)
def test_every_state_is_said_in_chinese_with_what_to_do(status, error, state, says):
    found = delivery_of("out", "wechat:main", status, error)
    assert found.state == state and says in found.why
    assert bool(found.todo) == found.needs_somebody


@pytest.mark.parametrize("line", [("in", "wechat:main", "handled"), ("out", "web", "sent"), ("out", "web", "failed"), ("system", "system", "handled")])
def test_lines_that_went_to_no_phone_have_no_delivery(line):
    assert delivery_of(*line, None) is None


@pytest.mark.parametrize("path", ["/console/talks/{}", "/console/live/{}"])
async def test_a_talk_shows_what_became_of_each_line(enter, database, path):
    talk, _ = await talk_with(database, [("sent", None), ("unknown", "interrupted"), ("sending", None), ("failed", "43004"), ("queued", "no_budget")])
    text = text_of(await (await enter("agent")).get(path.format(talk.case_id)))
    for expected in ("微信已收下", "无法确认是否送达 正在发的时候程序断了", "正在发", "没有送达 客户没有关注公众号", "还没有发 现在不能再发，等客户说话"):
        assert expected in text
    assert "没有处理成功" not in text and "没有发出" not in text


async def test_a_talk_on_the_web_looks_as_before(enter, database):
    talk, _ = await talk_with(database, [("sent", None)], channel="web")
    text = text_of(await (await enter("agent")).get(f"/console/talks/{talk.case_id}"))
    assert "微信已收下" not in text and "还能发" not in text


async def of_user(database: Database, talk: Written, **columns: object) -> None:
    async with database.session() as session:
        session.add(WechatUser(account="main", openid="o1", case_id=talk.case_id, contact_id=talk.contact_id, **columns))


async def test_what_may_still_be_sent_and_until_when(enter, database):
    talk, _ = await talk_with(database, [("sent", None)])
    at = clock.now()
    await of_user(database, talk, message_at=at - timedelta(hours=1), sent=[at - timedelta(minutes=2), at - timedelta(hours=2)])
    async with database.session() as session:
        found = await quota_of(session, talk.case_id, at)
    assert (found.left, found.follows) == (4, True)
    assert timedelta(hours=46) < found.until - at < timedelta(hours=47)
    agent = await enter("agent")
    for path in (f"/console/talks/{talk.case_id}", f"/console/live/{talk.case_id}"):
        assert "还能发 4 条" in text_of(await agent.get(path))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"message_at": timedelta(hours=49)}, "现在不能发"),
        ({}, "现在不能发"),
        ({"click_at": timedelta(seconds=5)}, "还能发 3 条"),
        ({"message_at": timedelta(hours=1), "follows": False}, "取消关注"),
    ],
)
async def test_a_closed_window_and_a_customer_who_left_are_told(enter, database, columns, says):
    talk, _ = await talk_with(database, [("sent", None)])
    await of_user(database, talk, **{key: clock.now() - value if isinstance(value, timedelta) else value for key, value in columns.items()})
    assert says in text_of(await (await enter("agent")).get(f"/console/live/{talk.case_id}"))


async def test_the_list_holds_what_somebody_must_look_at_and_nothing_else(enter, database):
    talk, rows = await talk_with(database, [("sent", None), ("failed", "45002"), ("unknown", "connection"), ("queued", "45047"), ("queued", None), ("sending", None)])
    agent = await enter("agent")
    text = text_of(await agent.get(LIST))
    assert [f"回答{n}" in text for n in range(6)] == [False, True, True, True, False, False]
    assert "请分成几段" in text and f"/console/live/{talk.case_id}" in await agent.get(LIST)
    for state, number in (("refused", 1), ("unknown", 2), ("waiting", 3)):
        one = text_of(await agent.get(f"{LIST}?state={state}"))
        assert [n for n in range(6) if f"回答{n}" in one] == [number]
    assert "没有这样的消息" not in text


async def test_what_was_seen_to_leaves_the_list_once(enter, database):
    _, rows = await talk_with(database, [("failed", "45002"), ("unknown", None)])
    agent = await enter("agent")
    for _ in range(2):
        assert await agent.post(f"{LIST}/{rows[0]}", state="refused") == f"{LIST}?state=refused"
    text = text_of(await agent.get(LIST))
    assert "回答0" not in text and "回答1" in text
    assert "处理过了" in text_of(await agent.get(f"{LIST}?all=1"))
    async with database.session() as session:
        assert len(list(await session.scalars(select(AuditEntry).where(AuditEntry.action == "wechat.settled")))) == 1


async def test_only_lines_of_ours_can_be_seen_to(enter, database):
    talk, _ = await talk_with(database, [("failed", None)], channel="web")
    agent = await enter("agent")
    await agent.post(f"{LIST}/{talk.messages[0]}", 404)
    assert "没有这样的消息" in await agent.get(LIST)


async def test_an_auditor_reads_and_ticks_nothing_off(enter, database):
    _, rows = await talk_with(database, [("failed", "45002")])
    auditor = await enter("auditor")
    assert "处理好了" not in await auditor.get(LIST)
    await auditor.post(f"{LIST}/{rows[0]}", 403)


async def test_a_change_of_the_state_is_told_to_open_pages_at_once(database):
    import psycopg

    talk, rows = await talk_with(database, [("sending", None)])
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as listening:
        await listening.execute(f"LISTEN {OUT_NOTIFICATION}")
        async with database.session() as session:
            await session.execute(update(Message).where(Message.id == rows[0]).values(status="sent"))
        heard = await asyncio.wait_for(anext(listening.notifies()), 30)
    assert heard.payload == talk.case_id
