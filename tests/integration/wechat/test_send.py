from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select, text, update

from followup import clock
from followup.channels.wechat import queue
from followup.channels.wechat.account import Account
from followup.channels.wechat.ask import Failed, NotReached
from followup.channels.wechat.client import WechatClient
from followup.channels.wechat.send import Sender
from followup.store.database import Database
from followup.store.models import Message
from followup.store.wechat_models import WechatToken, WechatUser
from tests.fakes.wechat import FakeWechat
from tests.integration.wechat.conftest import SEALED, rows
from tests.integration.web.web_talk import Talk, make_talk


@dataclass
class Line:
    """A bound customer, our sender and the platform."""

    database: Database
    talk: Talk
    account: Account
    fake: FakeWechat
    sender: Sender

    async def queue(self, *texts: str, choices: tuple[str, ...] = (), reply_to: int | None = None) -> None:
        async with self.database.session() as session:
            for number, text in enumerate(texts):
                session.add(
                    Message(
                        case_id=self.talk.case_id, direction="out", channel=self.account.channel, channel_message_id=f"{text[:20]}-{number}",
                        text=text, status="queued", quick_replies=list(choices) or None, in_reply_to=reply_to, created_at=clock.now(),
                    )
                )  # fmt: skip
                await session.flush()

    async def send(self) -> int:
        return await self.sender.send(self.talk.case_id)

    async def wrote(self, ago: timedelta = timedelta(0), **values: object) -> None:
        at = clock.now() - ago
        self.fake.phone("o1").message_at, self.fake.phone("o1").sent_by_message = at, 0
        async with self.database.session() as session:
            await session.execute(update(WechatUser).values(message_at=at, **values))

    async def states(self) -> list[tuple[str, str | None]]:
        return [(row.status, row.error) for row in await rows(self.database, direction="out")]

    @property
    def screen(self) -> list[str]:
        return self.fake.phone("o1").texts()


@pytest_asyncio.fixture
async def line(database: Database) -> AsyncIterator[Line]:
    talk = await make_talk(database)
    fake = FakeWechat(SEALED)
    async with TestServer(fake.app()) as server:
        account = replace(SEALED, api=str(server.make_url("")).rstrip("/"))
        sender = Sender(database, (account,))
        async with database.session() as session:
            session.add(WechatUser(account="sealed", openid="o1", case_id=talk.case_id, message_at=clock.now()))
        line = Line(database, talk, account, fake, sender)
        await line.wrote()
        yield line
        await sender.close()
        await fake.close()


async def test_the_lines_of_a_turn_are_one_message(line):
    await line.queue("谢谢您。", "价格满意吗？")
    assert await line.send() == 1
    assert line.screen == ["谢谢您。\n价格满意吗？"] and await line.states() == [("sent", None)] * 2
    assert await line.send() == 0 and len(line.screen) == 1


async def test_choices_are_a_menu(line):
    await line.queue("满意吗？", choices=("满意", "不满意"))
    await line.send()
    assert line.fake.phone("o1").seen[-1]["choices"] == [("1", "满意"), ("2", "不满意")]


async def test_a_menu_that_is_refused_becomes_numbers(line):
    line.fake.codes = [40200]
    await line.queue("满意吗？", choices=("满意", "不满意"))
    await line.send()
    assert "2 不满意" in line.screen[0] and await line.states() == [("sent", None)]


LONG = "第一句话说得比较长。第二句话说得也不短。"


async def test_what_is_too_long_is_cut_at_a_sentence_and_sent_once_more(line):
    line.fake.codes = [45002]
    await line.queue(LONG, choices=("满意", "不满意"))
    await line.queue("后面的话。")
    assert await line.send() == 2
    assert line.screen[0] == "第一句话说得比较长。" and line.screen[1].startswith("第二句话说得也不短。\n后面的话。")
    assert await line.states() == [("sent", None)] * 2 and [code for *_, code in line.fake.calls] == [45002, 0, 0]
    async with line.database.session() as session:
        assert len(await session.scalar(select(WechatUser.sent))) == 2  # both are counted


async def test_a_half_that_is_too_long_as_well_is_not_cut_again(line):
    line.fake.codes = [45002, 45002]
    await line.queue(LONG)
    assert await line.send() == 0 and await line.states() == [("failed", "45002")] and len(line.fake.calls) == 2


async def test_who_has_the_first_half_is_not_told_it_again(line, monkeypatch):
    await line.queue(LONG, "后面的话。" * 200)
    real, tried = WechatClient.send, []

    async def second_is_lost(client, openid, part):
        tried.append(part.text)
        if len(tried) == 1:
            raise Failed(45002)
        if len(tried) == 3:
            raise NotReached("ClientConnectorError")
        await real(client, openid, part)

    monkeypatch.setattr(WechatClient, "send", second_is_lost)
    await line.send()
    monkeypatch.undo()
    assert line.screen == [tried[1]] and ("failed", "half_sent") in await line.states() and "queued" not in dict(await line.states())
    await line.send()
    assert line.screen == [tried[1]]


async def test_without_room_for_two_what_is_too_long_waits_for_the_customer(line):
    for number in range(4):
        await line.queue(f"第{number}句。")
        await line.send()
    line.fake.codes = [45002]
    await line.queue(LONG)
    await line.send()
    assert len(line.screen) == 4 and (await line.states())[-1] == ("queued", "no_budget")
    await line.wrote()
    await line.send()
    assert line.screen[-1] == LONG


async def test_two_jobs_at_once_send_it_once(line):
    await line.queue("谢谢您。")
    await asyncio.gather(*(line.send() for _ in range(5)))
    assert line.screen == ["谢谢您。"]


async def test_after_five_messages_the_sixth_waits_for_the_customer(line):
    for number in range(6):
        await line.queue(f"第{number}句。")
        await line.send()
    assert len(line.screen) == 5 and (await line.states())[-1] == ("queued", "no_budget")
    await line.wrote()
    await line.send()
    assert line.screen[-1] == "第5句。" and all(code == 0 for *_, code in line.fake.calls)


async def test_after_48_hours_nothing_is_even_tried(line):
    await line.wrote(timedelta(hours=48))
    await line.queue("您还在吗？")
    assert await line.send() == 0 and line.fake.calls == [] and await line.states() == [("queued", "no_budget")]


@pytest.mark.parametrize("code", [45015, 45047])
async def test_a_closed_window_is_not_knocked_at_again(line, code):
    line.fake.codes = [code]
    await line.queue("您还在吗？")
    await line.send()
    assert await line.states() == [("queued", str(code))] and len(line.fake.calls) == 1
    async with line.database.session() as session:
        assert await queue.tidy(session, clock.now()) == (0, 0)


@pytest.mark.parametrize("code", [45009, 45011, -1])
async def test_what_is_too_busy_is_tried_later(line, code):
    line.fake.codes = [code]
    await line.queue("您好。")
    await line.send()
    assert await line.states() == [("queued", None)] and line.screen == []
    await line.send()
    assert line.screen == ["您好。"]


@pytest.mark.parametrize("code", [40003, 43004, 48001])
async def test_what_is_refused_for_good_has_failed(line, code):
    line.fake.codes = [code]
    await line.queue("您好。")
    await line.send()
    assert await line.states() == [("failed", str(code))]


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_token_that_was_ended_is_renewed_once(line, code):
    await line.queue("一。")
    await line.send()
    line.fake.codes = [code]
    await line.queue("二。")
    await line.send()
    assert line.screen == ["一。", "二。"] and line.fake.tokens_fetched == 2
    line.fake.codes = [code, code]
    await line.queue("三。")
    await line.send()
    assert line.screen == ["一。", "二。"]  # not a third time at once
    assert await line.states() == [("sent", None), ("sent", None), ("queued", None)]


async def test_ten_processes_fetch_one_token(line):
    clients = [WechatClient(line.account, line.database) for _ in range(10)]
    tokens = await asyncio.gather(*(client.token() for client in clients))
    for client in clients:
        await client.close()
    assert len(set(tokens)) == 1 and line.fake.tokens_fetched == 1
    async with line.database.session() as session:
        assert (await session.scalars(select(WechatToken.token))).one() == tokens[0]


async def test_a_token_that_another_process_renewed_is_learned_when_the_old_one_is_refused(line):
    await line.queue("一。")
    await line.send()
    async with WechatClient(line.account, line.database) as other:
        new = await other.token(instead_of=await other.token())
    await line.queue("二。")
    await line.send()
    assert line.screen == ["一。", "二。"] and line.fake.tokens_fetched == 2 and list(line.fake.tokens) == [new]


async def test_when_nobody_knows_whether_it_went_out_it_is_not_sent_again(line):
    line.fake.hang_up = ["after"]
    await line.queue("您好。")
    await line.send()
    await line.send()
    assert line.screen == ["您好。"] and (await line.states())[0][0] == "unknown"


async def test_what_a_killed_process_was_sending_is_unknown(line):
    await line.queue("您好。")
    async with line.database.session() as session:
        await session.execute(update(Message).where(Message.direction == "out").values(status="sending", handled_at=clock.now() - timedelta(minutes=5)))
    assert await line.send() == 0
    assert await line.states() == [("unknown", "interrupted")] and line.screen == []


async def test_nobody_there_is_tried_again(line):
    sender = Sender(line.database, (replace(line.account, api="http://127.0.0.1:9"),))
    await line.queue("您好。")
    await sender.send(line.talk.case_id)
    await sender.close()
    assert await line.states() == [("queued", None)]
    await line.send()
    assert line.screen == ["您好。"]


async def test_who_no_longer_follows_is_sent_nothing(line):
    await line.wrote(follows=False)
    await line.queue("您好。")
    assert await line.send() == 0 and await line.states() == [("failed", "unsubscribed")]


async def test_while_a_request_of_wechats_waits_the_job_lets_it_answer(line):
    await line.queue("您好。")
    found = await _held(line)
    assert await line.send() == 0 and line.screen == []
    async with line.database.session() as session:
        part = await queue.take_for_reply(session, line.account, found, line.talk.case_id, "m1", clock.now())
    assert part is not None and part.text == "您好。"
    assert await line.send() == 0 and await line.states() == [("sending", queue.passive_mark("m1"))]


async def test_choices_go_by_the_job_at_once_while_a_request_waits(line):
    """It would leave them to the job anyway."""
    await line.queue("满意吗？", choices=("满意", "不满意"))
    found = await _held(line)
    assert await line.send() == 1 and line.fake.phone("o1").seen[-1]["how"] == "custom"
    async with line.database.session() as session:
        assert await queue.take_for_reply(session, line.account, found, line.talk.case_id, "m1", clock.now()) is None
    assert len(line.screen) == 1 and await line.states() == [("sent", None)]


async def test_a_request_that_leaves_the_lines_to_the_job_makes_no_second_one(line):
    found = await _held(line)
    await line.queue("满意吗？", choices=("满意", "不满意"))
    assert await _jobs(line) == 1
    async with line.database.session() as session:
        assert await queue.take_for_reply(session, line.account, found, line.talk.case_id, "m1", clock.now()) is None
    assert await _jobs(line) == 1
    async with line.database.session() as session:
        await session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))  # it may have looked too early
    await _held(line)
    async with line.database.session() as session:
        assert await queue.take_for_reply(session, line.account, found, line.talk.case_id, "m1", clock.now()) is None
    assert await _jobs(line) == 2
    assert await line.send() == 1


async def _held(line) -> int:
    async with line.database.session() as session:
        held = update(WechatUser).values(answering_until=func.clock_timestamp() + timedelta(seconds=4))
        return (await session.scalars(held.returning(WechatUser.id))).one()


async def _jobs(line) -> int:
    async with line.database.session() as session:
        return await session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_wechat'"))
