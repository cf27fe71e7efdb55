from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update

from followup import clock
from followup.channels.wechat import outbox
from followup.channels.wechat.ask import Failed
from followup.channels.wecom import queue
from followup.channels.wecom.client import WecomClient
from followup.channels.wecom.send import Sender
from followup.store import records
from followup.store.models import Callback, Case, Message
from followup.store.staff_models import TakeOver
from followup.store.wechat_models import WechatToken
from followup.store.wecom_models import WecomSent, WecomUser
from followup.talk import takeover


async def met(firm, said: str = "你好") -> str:
    """The customer wrote and the session is ours. Returns the case."""
    await firm.fake.says("wmOne", said)
    await firm.work()
    return (await firm.user()).case_id


def sent_codes(firm) -> list[int]:
    return [code for path, _, code in firm.fake.calls if path.endswith("send_msg")]


async def test_the_lines_of_a_turn_are_one_message(firm):
    await met(firm)
    await firm.answer("谢谢您。", "价格满意吗？")
    await firm.work()
    assert firm.screen() == ["谢谢您。\n价格满意吗？"] and await firm.states() == [("sent", None)] * 2


async def test_choices_are_a_menu_and_long_ones_are_numbered(firm):
    await met(firm)
    await firm.answer("满意吗？", choices=("满意", "不满意"))
    await firm.work()
    assert firm.fake.phone("wmOne").seen[-1]["choices"] == [("1", "满意"), ("2", "不满意")]
    await firm.answer("哪一样？", choices=("很长的选项" * 10, "别的"))
    await firm.work()
    assert "2 别的" in firm.screen()[-1] and firm.fake.phone("wmOne").seen[-1]["choices"] == []
    await firm.answer("很长的一句话。" * 60, choices=("满意", "不满意"))
    await firm.work()
    assert "2 不满意" in firm.screen()[-1] and firm.fake.rules_broken == [] and set(sent_codes(firm)) == {0}


async def test_what_is_too_long_goes_in_pieces_each_under_its_own_id(firm):
    await met(firm)
    await firm.answer("很长的一句话。" * 250)
    await firm.work()
    assert len(firm.screen()) == 3 and max(len(one.encode()) for one in firm.screen()) <= 2048
    assert firm.fake.rules_broken == [] and await firm.states() == [("sent", None)]


async def test_what_wecom_finds_too_long_is_cut_at_a_sentence_and_sent_once_more(firm):
    await met(firm)
    firm.fake.codes.append(("send_msg", 45002))
    await firm.answer("第一句话说得比较长。第二句话说得也不短。")
    await firm.work()
    assert firm.screen() == ["第一句话说得比较长。", "第二句话说得也不短。"] and await firm.states() == [("sent", None)]
    assert sent_codes(firm) == [45002, 0, 0] and firm.fake.rules_broken == []
    ids = [body["msgid"] for path, body, code in firm.fake.calls if path.endswith("send_msg") and not code]
    assert len(set(ids)) == 2 and len((await firm.user()).sent) == 2


async def test_a_half_that_wecom_finds_too_long_as_well_is_not_cut_again(firm):
    await met(firm)
    firm.fake.codes += [("send_msg", 45002)] * 2
    await firm.answer("第一句话说得比较长。第二句话说得也不短。")
    await firm.work()
    assert firm.screen() == [] and await firm.states() == [("failed", "45002")] and sent_codes(firm) == [45002, 45002]


async def test_after_five_messages_the_sixth_waits_for_the_customer(firm):
    await met(firm)
    for number in range(6):
        await firm.answer(f"第{number}句。")
        await firm.work()
    assert len(firm.screen()) == 5 and (await firm.states())[-1] == ("queued", "no_budget") and set(sent_codes(firm)) == {0}
    async with firm.database.session() as session:  # WeCom tells whole seconds: what went in the second the customer writes counts as after
        earlier = [at - timedelta(seconds=2) for at in (await session.scalars(select(WecomUser))).one().sent]
        await session.execute(update(WecomUser).values(sent=earlier))
    await firm.fake.shows("wmOne", "image", media_id="m")
    await firm.work()
    assert any("第5句。" in line for line in firm.screen())


async def test_after_48_hours_nothing_is_even_tried(firm):
    await met(firm)
    async with firm.database.session() as session:
        await session.execute(update(WecomUser).values(message_at=clock.now() - timedelta(hours=48)))
    await firm.answer("您还在吗？")
    await firm.work()
    assert sent_codes(firm) == [] and await firm.states() == [("queued", "no_budget")]


@pytest.mark.parametrize("code", [95001, 95002, 95013])
async def test_a_closed_window_is_not_knocked_at_again(firm, code):
    await met(firm)
    firm.fake.codes = [("send_msg", code)]
    await firm.answer("您还在吗？")
    await firm.work()
    assert await firm.states() == [("queued", str(code))] and sent_codes(firm) == [code]
    async with firm.database.session() as session:
        assert await queue.tidy(session, clock.now()) == (0, 0)


@pytest.mark.parametrize("code", [45009, 45033, -1])
async def test_what_is_too_busy_is_tried_later_under_the_same_id(firm, code):
    await met(firm)
    firm.fake.codes = [("send_msg", code)]
    await firm.answer("您好。")
    await firm.work()
    assert firm.screen() == ["您好。"] and await firm.states() == [("sent", None)]
    assert len({body["msgid"] for path, body, _ in firm.fake.calls if path.endswith("send_msg")}) == 1
    assert len((await firm.user()).sent) == 1  # what was refused is not counted


@pytest.mark.parametrize("code", [40096, 60020, 95000])
async def test_what_is_refused_for_good_has_failed(firm, code):
    await met(firm)
    firm.fake.codes = [("send_msg", code)]
    await firm.answer("您好。")
    await firm.work()
    assert await firm.states() == [("failed", str(code))]


@pytest.mark.parametrize("code", [40014, 42001])
async def test_a_token_that_was_ended_is_renewed_once(firm, code):
    await met(firm)
    firm.fake.tokens.clear()
    firm.fake.codes = [("send_msg", code)] if code == 42001 else []
    await firm.answer("一。")
    await firm.work()
    assert firm.screen() == ["一。"] and firm.fake.tokens_fetched == 2
    firm.fake.codes = [("send_msg", code)] * 2
    await firm.answer("二。")
    await firm.sender.send((await firm.user()).case_id)
    assert firm.screen() == ["一。"] and (await firm.states())[-1] == ("queued", None)  # not a third time at once


async def test_ten_processes_fetch_one_token(firm):
    clients = [WecomClient(firm.account, firm.database) for _ in range(10)]
    tokens = await asyncio.gather(*(client.token() for client in clients))
    for client in clients:
        await client.close()
    assert len(set(tokens)) == 1 and firm.fake.tokens_fetched == 1
    async with firm.database.session() as session:
        assert (await session.scalars(select(WechatToken.account))).one() == "wecom:main"


async def test_two_jobs_at_once_send_it_once(firm):
    case_id = await met(firm)
    await firm.answer("谢谢您。")
    await asyncio.gather(*(firm.sender.send(case_id) for _ in range(5)))
    assert firm.screen() == ["谢谢您。"] and firm.fake.rules_broken == []


async def test_when_nobody_knows_whether_it_went_out_it_is_not_sent_again(firm):
    await met(firm)
    firm.fake.hang_up = [("send_msg", "after")]
    await firm.answer("您好。")
    await firm.work()
    await firm.work()
    assert firm.screen() == ["您好。"] and (await firm.states())[0][0] == "unknown"


async def test_what_a_killed_process_was_sending_is_unknown(firm):
    case_id = await met(firm)
    await firm.answer("您好。")
    async with firm.database.session() as session:
        await session.execute(update(Message).where(Message.direction == "out").values(status="sending", handled_at=clock.now() - timedelta(minutes=5)))
    assert await firm.sender.send(case_id) == 0
    assert await firm.states() == [("unknown", "interrupted")] and firm.screen() == []


async def test_nobody_there_is_tried_again(firm):
    case_id = await met(firm)
    sender = Sender(firm.database, (replace(firm.account, api="http://127.0.0.1:9"),))
    await firm.answer("您好。")
    async with firm.database.session() as session:
        await session.execute(update(WechatToken).values(expires_at=None))
    await sender.send(case_id)
    await sender.close()
    assert await firm.states() == [("queued", None)]
    await firm.work()
    assert firm.screen() == ["您好。"]


@pytest.mark.parametrize("status", ["sent", "sending", "unknown"])
async def test_a_failure_that_is_told_afterwards_stands_at_the_line(firm, status):
    await met(firm)
    await firm.answer("您好。")
    await firm.work()
    msgid = firm.fake.phone("wmOne").seen[-1]["msgid"]
    async with firm.database.session() as session:
        await session.execute(update(Message).where(Message.direction == "out").values(status=status))
    await firm.fake.fails("wmOne", msgid, 10)
    await firm.work()
    assert await firm.states() == [("failed", "fail_type 10")]
    async with firm.database.session() as session:
        row = (await session.scalars(select(WecomSent).filter_by(msgid=msgid))).one()
    await outbox.settle(firm.database, row.rows, "sent", clock.now())  # our own request returns after it
    assert await firm.states() == [("failed", "fail_type 10")]


async def test_a_welcome_that_comes_too_late_waits_for_the_customer(firm, talk):
    await firm.fake.enters("wmOne", await firm.talk_link(talk))
    await firm.work()
    firm.fake.event_codes.clear()
    await firm.answer("您好。")
    await firm.work()
    assert await firm.states() == [("queued", "no_budget")] and (await firm.user()).welcome_code == ""
    await firm.fake.shows("wmOne", "image", media_id="m")
    await firm.work()
    assert firm.screen()[0].startswith("您好。") and firm.fake.rules_broken == []


async def test_a_welcome_code_is_used_once(firm, talk):
    await firm.fake.enters("wmOne", await firm.talk_link(talk))
    await firm.work()
    await firm.answer("第一句。")
    await firm.work()
    await firm.answer("第二句。")
    await firm.work()
    assert firm.screen() == ["第一句。"] and await firm.states() == [("sent", None), ("queued", "no_budget")]
    assert [path for path, *_ in firm.fake.calls if "send" in path] == ["/cgi-bin/kf/send_msg_on_event"]


async def test_a_colleague_writes_from_our_console_and_the_customer_reads_it_in_wechat(firm):
    case_id = await met(firm)
    async with firm.database.session() as session:
        user = await session.scalar(text("INSERT INTO users (name, password_hash, role) VALUES ('李', 'x', 'agent') RETURNING id"))
        await session.execute(update(Case).where(Case.id == case_id).values(status="open"))
    async with takeover.quiet(firm.database, case_id) as session:
        await takeover.begin(session, case_id, user, "小李")
        await takeover.say(session, case_id, user, "我来帮您看看。", "k1")
    await firm.work()
    assert "我来帮您看看。" in firm.screen()[-1] and "小李" in "".join(firm.screen())
    assert firm.fake.phone("wmOne").state == 1
    async with firm.database.session() as session:
        assert (await session.scalars(select(TakeOver.ended_at))).one() is None


async def asks_for_a_colleague(firm, **account: str) -> None:
    firm.sender.accounts = {"wecom:main": replace(firm.account, **account)}
    case_id = await met(firm, "转人工")
    async with firm.database.session() as session:
        session.add(Callback(case_id=case_id, reason="request_human", words="转人工", created_at=clock.now()))
    await firm.answer("这就请同事来。")
    await firm.work()


async def test_in_the_console_a_wish_for_a_colleague_leaves_the_session_ours(firm):
    await asks_for_a_colleague(firm)
    assert firm.fake.phone("wmOne").state == 1


async def test_a_wish_for_a_colleague_goes_to_the_pool_of_wecom_after_what_we_say(firm):
    await asks_for_a_colleague(firm, handover="wecom")
    assert firm.screen() == ["这就请同事来。"] and firm.fake.phone("wmOne").state == 2
    await firm.fake.says("wmOne", "在吗")
    await firm.work()
    assert (await firm.rows(direction="in"))[-1].status == "handled"
    await firm.fake.servicer_takes("wmOne")
    await firm.fake.servicer_ends("wmOne")
    await firm.fake.says("wmOne", "谢谢")
    await firm.work()
    await firm.answer("不客气。")
    await firm.work()
    assert firm.screen()[-1] == "不客气。" and firm.fake.phone("wmOne").state == 1  # the same wish is not handed over twice


async def test_a_wish_for_a_colleague_goes_to_the_one_who_is_named(firm):
    await asks_for_a_colleague(firm, handover="wecom", servicer="zhang")
    assert (firm.fake.phone("wmOne").state, firm.fake.phone("wmOne").servicer) == (3, "zhang")


async def test_a_servicer_who_is_away_is_replaced_by_the_pool(firm):
    firm.fake.codes = []
    firm.sender.accounts = {"wecom:main": replace(firm.account, handover="wecom", servicer="zhang")}
    case_id = await met(firm, "转人工")
    async with firm.database.session() as session:
        session.add(Callback(case_id=case_id, reason="request_human", words="转人工", created_at=clock.now()))
    firm.fake.codes = [("service_state/trans", 95014)]
    await firm.answer("这就请同事来。")
    await firm.work()
    assert firm.fake.phone("wmOne").state == 2


async def test_when_the_session_is_no_longer_ours_it_is_asked_whose_it_is(firm):
    case_id = await met(firm)
    firm.fake.phone("wmOne").state = 3
    await firm.answer("您好。")
    await firm.work()
    assert await firm.states() == [("queued", "95018")] and (await firm.user()).state is None
    async with firm.database.session() as session:
        await queue.defer_send(session, case_id)
    await firm.work()
    assert (await firm.user()).state == 3 and await firm.states() == [("failed", "a servicer speaks")]


async def test_who_opted_out_gets_nothing_more_that_we_began(firm):
    case_id = await met(firm)
    async with firm.database.session() as session:
        contact = (await session.get_one(Case, case_id)).contact_id
        begun = Message(case_id=case_id, direction="system", channel="system", channel_message_id="silence-1", text="/silence", status="handled")
        session.add(begun)
        await session.flush()
        await session.execute(text("INSERT INTO do_not_contact (contact_id, reason) VALUES (:contact, 'x')"), {"contact": contact})
        session.add(
            Message(case_id=case_id, direction="out", channel="wecom:main", channel_message_id="x-1", text="您还在吗？", status="queued", in_reply_to=begun.id)
        )
        assert await records.is_blocked(session, contact)
    await firm.work()
    assert firm.screen() == [] and await firm.states() == [("failed", "do_not_contact")]


async def test_a_token_is_looked_up_once_and_not_before_every_message(firm):
    client = firm.sender.client(firm.account)
    first = await client.token()
    async with firm.database.session() as session:
        await session.execute(delete(WechatToken))
    assert await client.token() == first and firm.fake.tokens_fetched == 1
    client.account = replace(firm.account, secret="another application's")
    with pytest.raises(Failed):
        await client.token()
