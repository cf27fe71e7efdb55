from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update

from followup import clock
from followup.channels import codes
from followup.channels.wecom.read import look_again
from followup.channels.wecom.words import words
from followup.rights.erase import erase_customer
from followup.store.messages import TO_A_COLLEAGUE
from followup.store.models import Case
from followup.store.wecom_models import WecomCursor, WecomReceived, WecomUser
from tests.fakes.wecom import Weather
from tests.integration.wecom.conftest import SECRET


async def cursor(firm) -> WecomCursor:
    async with firm.database.session() as session:
        return await session.get_one(WecomCursor, ("main", "wkMain"))


async def test_the_address_is_confirmed_with_the_echo_in_clear(firm):
    assert await firm.fake.verify() == (200, "1616140317555161061")
    assert (await firm.fake.verify(token="wrong"))[0] == 403


async def test_what_is_said_is_in_the_inbox_and_has_a_turn(firm):
    await firm.fake.says("wmOne", "你们几点开门？")
    await firm.work()
    start, said = (*await firm.rows(direction="system"), *await firm.rows(direction="in"))
    assert (start.text, said.text, said.channel, said.status) == ("/start_followup", "你们几点开门？", "wecom:main", "received")
    assert firm.fake.phone("wmOne").state == 1 and firm.fake.rules_broken == []


async def test_a_callback_alone_is_acknowledged_before_anything_is_read(firm):
    firm.fake.codes = [("sync_msg", -1)]
    await firm.fake.says("wmOne", "你好")
    assert [status for status, _ in firm.fake.answers] == [200] and await firm.heard() == []
    await firm.work()
    assert await firm.heard() == ["你好"]


async def test_each_message_once_though_fifty_callbacks_come_at_once_and_three_times(firm):
    firm.fake.weather = Weather(times=lambda: 3)
    await asyncio.gather(*(firm.fake.says(f"wm{number}", f"第{number}句") for number in range(50)))
    jobs = await firm.jobs("read_wecom")
    assert 1 <= len(jobs) <= 150 and len(firm.fake.answers) == 150
    await asyncio.gather(*(firm.reader.read(**job) for job in jobs[:8]))
    await firm.work()
    assert sorted(await firm.heard()) == sorted(f"第{number}句" for number in range(50))
    assert {status for status, _ in firm.fake.answers} == {200} and firm.fake.rules_broken == []


async def test_while_the_database_is_away_a_callback_is_not_acknowledged(firm, monkeypatch):
    from followup.web import wecom

    async def away(*_: object) -> None:
        raise OSError("away")

    with monkeypatch.context() as patch:
        patch.setattr(wecom, "called", away)
        body = "<xml><Event>kf_msg_or_event</Event><Token>t</Token><OpenKfId>wkMain</OpenKfId></xml>"
        assert {status for status, _ in await asyncio.gather(*(firm.fake.post(body) for _ in range(3)))} == {503}
    assert (await firm.fake.post(body))[0] == 200 and len(await firm.jobs("read_wecom")) == 1


async def test_pages_are_read_to_the_end_and_the_cursor_stands_behind_them(firm):
    firm.fake.weather = Weather(page=3)
    await asyncio.gather(*(firm.fake.says("wmOne", f"第{number}句") for number in range(10)))
    await firm.work()
    assert len(await firm.heard()) == 10 and (await cursor(firm)).cursor == "c10"
    assert firm.fake.pages_read <= 6  # the other nine callbacks found nothing left to read


async def test_a_page_that_was_taken_twice_is_taken_once(firm):
    await firm.fake.says("wmOne", "你好")
    await firm.work()
    async with firm.database.session() as session:
        await session.execute(update(WecomCursor).values(cursor=""))
    await firm.fake.says("wmOne", "在吗")
    await firm.work()
    assert await firm.heard() == ["你好", "在吗"]


async def test_a_cursor_that_wecom_no_longer_knows_begins_anew_and_takes_nothing_twice(firm):
    await firm.fake.says("wmOne", "你好")
    await firm.work()
    async with firm.database.session() as session:
        await session.execute(update(WecomCursor).values(cursor="gone"))
    await firm.fake.says("wmOne", "在吗")
    await firm.work()
    assert await firm.heard() == ["你好", "在吗"] and (await cursor(firm)).cursor == "c2"


async def test_what_breaks_off_between_page_and_inbox_is_read_again(firm, monkeypatch):
    await firm.fake.says("wmOne", "你好")

    async def killed(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(firm.reader, "_take", killed)
        await firm.work()
    async with firm.database.session() as session:
        assert await look_again(session, [firm.account]) == 2  # the second service account was never read
    await firm.work()
    assert await firm.heard() == ["你好"]


async def test_a_message_that_cannot_be_taken_holds_up_nobody(firm, monkeypatch):
    from followup.channels.wecom import read

    real = read.take

    async def take(session, reading, item):
        if item.text == "坏":
            raise ValueError("坏")
        return await real(session, reading, item)

    monkeypatch.setattr(read, "take", take)
    for said in ("一", "坏", "二"):
        await firm.fake.says("wmOne", said)
    firm.fake.log.append({"msgid": 7, "send_time": "x"})
    firm.fake.log[-1] |= {"open_kfid": "wkMain"}
    await firm.fake.call()
    await firm.work()
    assert await firm.heard() == ["一", "二"]


async def test_a_callbacks_token_that_is_too_old_is_done_without(firm):
    await firm.fake.says("wmOne", "你好")
    firm.fake.callback_tokens.clear()
    await firm.work()
    assert await firm.heard() == ["你好"] and 95007 in [code for *_, code in firm.fake.calls]


async def test_a_lost_callback_is_made_up_for(firm):
    await firm.fake.says("wmOne", "你好")
    await firm.work()
    firm.fake.weather = Weather(lose=lambda: True)
    await firm.fake.says("wmOne", "在吗")
    async with firm.database.session() as session:
        assert await look_again(session, [firm.account]) == 1  # only the service account that was never read
        await session.execute(update(WecomCursor).values(read_at=func.now() - timedelta(hours=1)))
        await look_again(session, [firm.account])
    await firm.work()
    assert await firm.heard() == ["你好", "在吗"]


@pytest.mark.parametrize("code", [-1, 45009, 45033])
async def test_what_is_too_busy_is_read_later(firm, code):
    await firm.fake.says("wmOne", "你好")
    firm.fake.codes = [("sync_msg", code)]
    await firm.work()
    assert await firm.heard() == ["你好"]


async def test_what_was_written_before_we_were_there_is_not_answered(firm):
    await firm.fake.says("wmOne", "昨天的话")
    firm.fake.log[-1]["send_time"] -= 24 * 3600
    await firm.fake.says("wmOne", "今天的话")
    await firm.work()
    assert await firm.heard() == ["今天的话"]


async def test_another_departments_service_account_is_left_alone(firm):
    body = "<xml><MsgType>event</MsgType><Event>kf_msg_or_event</Event><Token>t</Token><OpenKfId>wkForeign</OpenKfId></xml>"
    assert await firm.fake.post(body) == (200, "success") and await firm.jobs("read_wecom") == []
    other = "<xml><MsgType>event</MsgType><Event>change_contact</Event></xml>"
    assert await firm.fake.post(other) == (200, "success")


@pytest.mark.parametrize("wrong", ["<xml>", "<xml><Event>kf_msg_or_event</Event></xml>", "x", ""])
async def test_a_callback_that_is_none_is_refused(firm, wrong):
    assert 400 <= (await firm.fake.post(wrong))[0] < 500


async def test_without_a_signature_nothing_is_noted(firm):
    async with firm.fake._client().post(firm.fake.callback, data=b"<xml><Encrypt>x</Encrypt></xml>") as answer:
        assert answer.status == 403
    async with firm.fake._client().post(firm.fake.callback.replace("main", "none"), data=b"x") as answer:
        assert answer.status == 404
    assert await firm.jobs("read_wecom") == []


async def test_mutated_bodies_are_never_a_server_error(firm):
    whole = b"<xml><MsgType>event</MsgType><Event>kf_msg_or_event</Event><Token>t</Token><OpenKfId>wkMain</OpenKfId></xml>"
    loop = asyncio.get_running_loop()

    async def sealed(body: str) -> int:
        return (await firm.fake.post(body))[0]

    async def raw(body: bytes) -> int:
        async with firm.fake._client().post(firm.fake.callback, data=body, params={"msg_signature": "签", "timestamp": "1"}) as answer:
            return answer.status

    @given(st.data())
    @settings(max_examples=100, suppress_health_check=list(HealthCheck))
    def mutate(data):
        body = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(body)))
            body[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
        assert 0 < asyncio.run_coroutine_threadsafe(sealed(body.decode(errors="replace")), loop).result(20) < 500
        assert asyncio.run_coroutine_threadsafe(raw(bytes(body)), loop).result(20) < 500

    await asyncio.to_thread(mutate)


@pytest.mark.parametrize(
    ("kind", "fields", "kept"),
    [
        ("voice", {"media_id": "m"}, "［语音］"),
        ("image", {"media_id": "m"}, "［图片］"),
        ("location", {"latitude": 30.5, "longitude": 120.1, "name": "西湖", "address": "杭州"}, "［位置］ 西湖 杭州 30.5 120.1"),
        ("link", {"title": "题", "url": "http://x"}, "［链接］ 题 http://x"),
        ("miniprogram", {"title": "题", "appid": "wx1"}, "［小程序］ 题"),
        ("business_card", {"userid": "x"}, "［其他消息］ business_card"),
    ],
)
async def test_what_is_no_text_is_kept_and_answered_with_courtesy(firm, kind, fields, kept):
    await firm.fake.shows("wmOne", kind, **fields)
    await firm.work()
    known = kind if kind != "business_card" else "other"
    assert await firm.heard() == [kept if known != "other" else "［其他消息］"]
    assert firm.screen() == [words().cannot_read(known)]


async def test_a_tap_on_a_menu_is_what_it_says(firm):
    await firm.fake.says("wmOne", "你好")
    await firm.work()
    await firm.answer("满意吗？", choices=("满意", "不满意"))
    await firm.work()
    number, label = firm.fake.phone("wmOne").seen[-1]["choices"][1]
    await firm.fake.says("wmOne", label, menu_id=number)
    await firm.fake.says("wmOne", "1")
    await firm.work()
    assert (await firm.heard())[1:] == ["不满意", "满意"]


async def test_a_link_opens_its_case_and_the_opening_goes_as_the_welcome(firm, talk):
    await firm.fake.enters("wmOne", await firm.talk_link(talk))
    await firm.work()
    assert [(row.text, row.channel) for row in await firm.rows(case_id=talk.case_id)] == [("/start_followup", "wecom:main")]
    await firm.answer("您好，想听听您的意见。", "现在方便吗？", choices=("方便", "不方便"))
    await firm.work()
    (line,) = [line for line in firm.fake.phone("wmOne").seen if line["from"] == "firm"]
    assert line["how"] == "event" and line["text"] == "您好，想听听您的意见。\n现在方便吗？" and len(line["choices"]) == 2
    await firm.fake.says("wmOne", "方便")
    await firm.work()
    assert [row.case_id for row in await firm.rows(direction="in")] == [talk.case_id]
    assert firm.fake.rules_broken == []


async def test_the_same_link_twice_is_one_return_and_another_persons_is_refused(firm, talk):
    param = await firm.talk_link(talk)
    for _ in range(2):
        await firm.fake.enters("wmOne", param)
    await firm.work()
    assert [row.text for row in await firm.rows(direction="system")] == ["/start_followup", "/resume_followup"]
    await firm.fake.enters("wmTwo", param)
    await firm.work()
    assert firm.screen("wmTwo") == [words().taken] and (await firm.user("wmTwo")).case_id is None


async def test_an_expired_link_is_told(firm, talk):
    await firm.fake.enters("wmOne", await firm.talk_link(talk, seconds=-1))
    await firm.work()
    assert firm.screen() == [words().expired]


async def test_who_enters_without_a_link_is_greeted_by_an_enquiry(firm):
    await firm.fake.enters("wmOne")
    await firm.work()
    assert [row.text for row in await firm.rows(direction="system")] == ["/start_followup"]
    await firm.fake.enters("wmOne")  # again within 48 hours: WeCom gives no code before we have used the first
    await firm.work()
    assert len(await firm.rows(direction="system")) == 1


async def test_a_code_that_is_typed_opens_the_talk(firm, talk):
    async with firm.database.session() as session:
        code = await codes.create_code(session, SECRET, talk.case_id, valid_for=timedelta(days=1))
    await firm.fake.says("wmOne", code.lower())
    await firm.work()
    assert (await firm.user()).case_id == talk.case_id and await firm.heard() == []
    await firm.fake.says("wmTwo", "CCCCDDDD")
    await firm.work()
    assert firm.screen("wmTwo") == [words().unknown]


async def test_codes_cannot_be_tried_out(firm):
    for number in range(8):
        await firm.fake.says("wmOne", f"CCCCDDD{'CDFGHJKM'[number]}")
    await firm.work()
    assert firm.screen()[:5] == [words().unknown] * 5 and set(firm.screen()[5:]) <= {words().too_many}


async def test_a_message_that_was_taken_back_in_time_is_not_answered(firm):
    await firm.fake.says("wmOne", "你好")
    msgid = await firm.fake.says("wmOne", "发错了")
    await firm.fake.recalls("wmOne", msgid)
    await firm.work()
    assert [(row.text, row.status, row.error) for row in await firm.rows(direction="in")] == [
        ("你好", "received", None),
        ("发错了", "handled", "recalled"),
    ]


async def test_a_recall_that_overtakes_its_message_holds(firm):
    await firm.fake.says("wmOne", "你好")
    msgid = await firm.fake.says("wmOne", "发错了")
    await firm.fake.recalls("wmOne", msgid)
    firm.fake.log[1], firm.fake.log[2] = firm.fake.log[2], firm.fake.log[1]
    await firm.work()
    assert [(row.text, row.error) for row in await firm.rows(direction="in")] == [("你好", None), ("发错了", "recalled")]


async def test_while_a_servicer_speaks_everything_is_kept_and_the_bot_is_silent(firm):
    await firm.fake.says("wmOne", "你好")
    await firm.work()
    await firm.fake.servicer_takes("wmOne")
    await firm.fake.servicer_says("wmOne", "我是小张。")
    await firm.fake.says("wmOne", "太好了")
    await firm.work()
    heard = await firm.rows(direction="in")
    assert [(row.text, row.status, row.error) for row in heard[1:]] == [("太好了", "handled", TO_A_COLLEAGUE)]
    (line,) = await firm.rows(direction="out")
    assert (line.text, line.status, line.acts) == ("我是小张。", "sent", [{"speaker": words().servicer}])
    await firm.answer("机器人的话。")
    await firm.work()
    assert firm.screen() == [] and (await firm.states())[-1] == ("failed", "a servicer speaks")
    await firm.fake.servicer_ends("wmOne")
    await firm.fake.says("wmOne", "还有一件事")
    await firm.work()
    assert (await firm.rows(direction="in"))[-1].status == "received" and firm.fake.phone("wmOne").state == 1


async def test_a_session_that_went_to_a_servicer_without_us_is_left_to_them(firm):
    firm.fake.phone("wmOne").state = 3
    await firm.fake.says("wmOne", "你好")
    await firm.work()
    assert await firm.heard() == [] and (await firm.user()).state == 3


async def test_erasing_a_customer_erases_who_they_are_here(firm, talk):
    await firm.fake.enters("wmOne", await firm.talk_link(talk))
    await firm.work()
    async with firm.database.session() as session:
        contact = (await session.get_one(Case, talk.case_id)).contact_id
        await erase_customer(session, contact, 0, clock.now())
    async with firm.database.session() as session:
        assert await session.scalar(select(func.count()).select_from(WecomUser)) == 0
        assert await session.scalar(select(func.count()).select_from(WecomReceived)) == 0


async def test_the_job_queue_is_not_filled_by_what_cannot_be_read(firm):
    await firm.fake.says("wmOne", "你好")
    firm.fake.codes = [("gettoken", 40001)]
    (job,) = await firm.jobs("read_wecom")
    await firm.reader.read(**job)
    async with firm.database.session() as session:
        waits = await session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'read_wecom' AND scheduled_at > now()"))
    assert waits == 1
