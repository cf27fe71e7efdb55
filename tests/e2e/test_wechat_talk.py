"""A whole talk over the fake WeChat with the real Rasa: each answer once, at most two messages a turn, within the quota."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import select

from followup.channels import codes
from followup.channels.wechat.words import words
from followup.store.models import Answer, Case
from followup.store.records import is_blocked
from followup.store.wechat_models import WechatUser
from followup.talk import links
from tests.e2e.wechat_world import talking
from tests.fakes.wechat import Weather
from tests.integration.wechat.world import MODES, SECRET, nothing_is_wrong, some

SAID = ("方便", "朋友介绍的", "价格有点贵", "期限还可以", "服务很好，谢谢", "没有了")
ANSWERS = {"source": "朋友介绍", "price": "不满意", "term": "一般", "service": "很满意", "suggestions": "无"}


def storm(seed: int) -> Weather:
    """Everything three times and at once, late, and some of it lost on the way."""
    dice = random.Random(seed)
    return Weather(double=lambda: 2, lose=some(0.1, seed), delay=lambda: dice.random() * 0.2)


@pytest.mark.parametrize("mode", MODES)
async def test_a_whole_talk_in_each_mode(addresses, tmp_path, monkeypatch, mode):
    async with talking(addresses, tmp_path, MODES[mode], monkeypatch, storm(7)) as talk:
        await talk.world.scan(talk.case_id)
        for said in SAID:
            await talk.world.says(said)
        print(talk.world.transcript())
        result = await talk.result()
        assert {question: answer["value"] for question, answer in result.answers.items()} == ANSWERS
        assert result.outcome == "completed"
        assert [row.text for row in await talk.world.rows(direction="in")] == list(SAID)
        async with talk.world.database.session() as session:
            stored = (await session.scalars(select(Answer.question_id).where(Answer.case_id == talk.case_id))).all()
        assert sorted(stored) == sorted(ANSWERS)  # no answer was stored a second time, not even to be superseded
        await nothing_is_wrong(talk.world)


async def test_what_overtakes_and_comes_three_times_is_answered_once_each(addresses, tmp_path, monkeypatch):
    async with talking(addresses, tmp_path, MODES["sealed"], monkeypatch, storm(11)) as talk:
        await talk.world.scan(talk.case_id)
        await talk.world.says("方便")
        for said in ("朋友介绍的", "价格有点贵", "期限还可以"):  # typed faster than anybody can answer
            await talk.world.fake.says(talk.world.openid, said)
        await talk.world.quiet()
        for said in SAID[4:]:
            await talk.world.says(said)
        print(talk.world.transcript())
        assert sorted(row.text for row in await talk.world.rows(direction="in")) == sorted(SAID)
        assert (await talk.result()).outcome == "completed"
        assert talk.world.fake.rules_broken == talk.world.fake.given_up == [] and {row.status for row in await talk.world.rows(direction="out")} == {"sent"}


async def test_a_code_that_is_typed_opens_the_talk(addresses, tmp_path, monkeypatch):
    async with talking(addresses, tmp_path, MODES["sealed"], monkeypatch, storm(3)) as talk:
        talk.world.case_id = talk.case_id
        async with talk.world.database.session() as session:
            code = await codes.create_code(session, SECRET, talk.case_id, valid_for=timedelta(days=7))
        opening = await talk.world.says(f"{code[:4]} {code[4:].lower()}")
        assert "尚德金融" in opening[0] and "方便" in opening[0]
        await talk.world.says("方便")
        await talk.world.says("朋友介绍的")
        print(talk.world.transcript())
        assert await talk.answers() == {"source": "朋友介绍"}
        await nothing_is_wrong(talk.world)


async def test_following_by_the_code_voice_pictures_and_what_nobody_knows(addresses, tmp_path, monkeypatch):
    async with talking(addresses, tmp_path, MODES["sealed"], monkeypatch, storm(5)) as talk:
        world, fake = talk.world, talk.world.fake
        await world.scan(talk.case_id, "subscribe")
        await world.says("方便")
        for kind, fields in (
            ("voice", {"MediaId": "m1", "Format": "amr", "Recognition": ""}),
            ("image", {"MediaId": "m2", "PicUrl": "http://mmbiz.qpic.cn/x"}),
            ("hologram", {"MediaId": "m3"}),
        ):
            await fake.shows(world.openid, kind, **fields)
            await world.quiet()
            assert world.screen[-1]["text"] == words().cannot_read(kind if kind != "hologram" else "other")
        seen = len(world.screen)
        for event in ("VIEW", "card_pass_check", "LOCATION"):
            await fake.event(world.openid, event, "whatever")
            await world.quiet()
        assert len(world.screen) == seen  # an event is no reason to speak
        await world.says("朋友介绍的")
        print(world.transcript())
        assert await talk.answers() == {"source": "朋友介绍"}
        assert [row.text for row in await world.rows(direction="in")] == ["方便", "［语音］", "［图片］ http://mmbiz.qpic.cn/x", "［其他消息］ hologram", "朋友介绍的"]
        await nothing_is_wrong(world)


async def test_the_customer_goes_on_in_the_web_chat_and_comes_back_and_it_is_one_talk(addresses, tmp_path, monkeypatch):
    async with talking(addresses, tmp_path, MODES["sealed"], monkeypatch, storm(9)) as talk:
        world = talk.world
        await world.scan(talk.case_id)
        for said in SAID[:2]:
            await world.says(said)
        on_the_phone = len(world.screen)
        async with world.database.session() as session:
            token = await links.create_link(session, talk.case_id, valid_for=timedelta(days=1))
        async with talk.browser() as browser:
            assert (await browser.post(f"/c/{token}/start", allow_redirects=False)).status == 303
            await world.quiet()
            shown = await (await browser.get("/chat/history")).json()
            assert "朋友介绍的" in [line["text"] for line in shown["messages"]]
            answer = await browser.post("/chat/messages", json={"client_msg_id": "00000000-0000-4000-8000-000000000001", "text": "价格有点贵"})
            assert answer.status == 202
            await world.quiet()
        assert len(world.screen) == on_the_phone  # what is said on the web is answered there
        for said in SAID[3:]:
            await world.says(said)
        print(world.transcript())
        assert await talk.answers() == ANSWERS
        async with world.database.session() as session:
            assert (await session.get_one(Case, talk.case_id)).outcome == "completed"
            contact = await session.scalar(select(WechatUser.contact_id).where(WechatUser.openid == world.openid))
            assert contact == (await session.get_one(Case, talk.case_id)).contact_id
        assert world.fake.rules_broken == world.fake.given_up == []


async def test_a_colleague_writes_from_the_console_and_the_customer_reads_it_in_wechat(addresses, tmp_path, monkeypatch):
    async with talking(addresses, tmp_path, MODES["sealed"], monkeypatch, storm(13)) as talk:
        world, live = talk.world, f"/console/live/{talk.case_id}"
        await world.scan(talk.case_id)
        await world.says("方便")
        assert "稍等" in (await world.says("转人工"))[-1]
        async with talk.staff() as colleague:
            await colleague.post(f"{live}/take", name="小王")
            await colleague.post(f"{live}/say", text="您好，我来帮您看，请问是哪一笔贷款？", key="k1")
            await world.quiet()
            assert await world.says("就是上个月那一笔") == []  # the bot is silent while a colleague speaks
            await colleague.post(f"{live}/say", text="好的，已经帮您登记了。", key="k2")
            await colleague.post(f"{live}/say", text="好的，已经帮您登记了。", key="k2")
            await world.quiet()
            await colleague.post(f"{live}/back")
            await world.quiet()
        await world.says("朋友介绍的")
        print(world.transcript())
        shown = world.fake.phone(world.openid).texts()
        for line in ("客服小王为您服务", "请问是哪一笔贷款", "已经帮您登记了", "同事这边已经处理好了"):
            assert sum(line in text for text in shown) == 1, line
        assert await talk.answers() == {"source": "朋友介绍"}
        assert world.fake.rules_broken == world.fake.given_up == [] and {row.status for row in await world.rows(direction="out")} == {"sent"}


async def test_who_wants_no_more_contact_is_left_alone(addresses, tmp_path, monkeypatch):
    async with talking(addresses, tmp_path, MODES["sealed"], monkeypatch, storm(17)) as talk:
        world = talk.world
        await world.scan(talk.case_id)
        await world.says("方便")
        said = await world.says("以后别再联系我了")
        print(world.transcript())
        assert len(said) == 1 and "？" not in said[0]
        async with world.database.session() as session:
            case = await session.get_one(Case, talk.case_id)
            assert case.outcome == "do_not_contact" and await is_blocked(session, case.contact_id)
            with pytest.raises(links.DoNotContact):
                await links.create_link(session, talk.case_id, valid_for=timedelta(days=1), purpose="wechat")
        await nothing_is_wrong(world)
