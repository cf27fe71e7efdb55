"""The same customer on the web, in 公众号 and in 微信客服 is one talk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, update

from followup import clock
from followup.channels import same_person
from followup.channels.wechat.parse import Incoming
from followup.channels.wechat.receive import receive
from followup.settings import Settings
from followup.store import records
from followup.store.models import Case, Contact, DoNotContact, Message, Note
from followup.store.wechat_models import WechatUser
from followup.store.wecom_models import WecomUser
from followup.talk.worker import wecom_of
from followup.web.app import make_app
from tests.integration.wechat.conftest import PLAIN
from tests.integration.wecom.conftest import ACCOUNT, SECRET, begin_with


async def case_of(database, talk) -> Case:
    async with database.session() as session:
        return await session.get_one(Case, talk.case_id)


async def test_begun_on_the_web_and_gone_on_in_wechat_it_is_one_talk_on_both_screens(firm, talk):
    async with aiohttp.ClientSession(firm.server.make_url("/"), cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        await browser.post(f"/c/{talk.token}/start", allow_redirects=False)
        said = await browser.post("/chat/messages", json={"client_msg_id": "a1b2c3d4e5f6a7b8", "text": "方便"})
        assert said.status in (200, 201, 202)
        async with firm.database.session() as session:  # the web's turn
            await session.execute(update(Message).where(Message.case_id == talk.case_id).values(status="handled"))
        await firm.fake.enters("wmOne", await firm.talk_link(talk))
        await firm.fake.says("wmOne", "满意")
        await firm.work()
        await firm.answer("谢谢您的评价。")
        await firm.work()
        history = await (await browser.get("/chat/history")).json()
        shown = [line["text"] for line in history["messages"]] if isinstance(history, dict) else [line["text"] for line in history]
    assert {row.case_id for row in await firm.rows()} == {talk.case_id}
    assert [(row.text, row.channel) for row in await firm.rows(direction="in")] == [("方便", "web"), ("满意", "wecom:main")]
    assert [row.text for row in await firm.rows(direction="system")] == ["/start_followup", "/resume_followup"]
    assert firm.screen() == ["谢谢您的评价。"] and shown == ["方便", "满意", "谢谢您的评价。"]
    assert (await firm.states()) == [("sent", None)]  # WeCom's, not the page's


async def test_a_person_known_by_unionid_goes_on_with_the_talk_of_the_other_account(firm, talk):
    contact = (await case_of(firm.database, talk)).contact_id
    async with firm.database.session() as session:
        session.add(WechatUser(account="shop", openid="oOne", unionid="uOne", contact_id=contact, case_id=talk.case_id))
        await session.execute(update(Case).where(Case.id == talk.case_id).values(status="open", last_message_at=clock.now()))
    firm.fake.phone("wmOne").unionid = "uOne"
    await firm.fake.says("wmOne", "刚才说到哪儿了")
    await firm.work()
    user = await firm.user()
    assert (user.unionid, user.contact_id, user.case_id) == ("uOne", contact, talk.case_id)
    assert [(row.case_id, row.channel) for row in await firm.rows(direction="in")] == [(talk.case_id, "wecom:main")]


async def test_and_the_other_way_round(firm, talk):
    contact = (await case_of(firm.database, talk)).contact_id
    async with firm.database.session() as session:
        session.add(WecomUser(account="main", open_kfid="wkMain", external_userid="wmOne", unionid="uOne", contact_id=contact, case_id=talk.case_id))
        session.add(WechatUser(account="plain", openid="oOne", unionid="uOne"))
        await session.execute(update(Case).where(Case.id == talk.case_id).values(status="open", last_message_at=clock.now()))
        await session.flush()
        assert await same_person.join(session, "uOne", clock.now()) == contact
    got = Incoming("oOne", "gh_1", datetime.now(UTC), "k1", "text", text="在吗")
    async with firm.database.session() as session:
        taken = await receive(session, PLAIN, got, SECRET, clock.now(), begin_with(firm.database))
    assert taken.case_id == talk.case_id


async def test_who_wrote_as_a_visitor_keeps_what_they_said_once_they_are_known(firm, talk):
    contact = (await case_of(firm.database, talk)).contact_id
    firm.fake.phone("wmOne").unionid = "uOne"
    await firm.fake.says("wmOne", "你们几点开门？")
    await firm.work()
    asked = (await firm.user()).case_id
    async with firm.database.session() as session:
        visitor = (await session.get_one(Case, asked)).contact_id
        session.add(DoNotContact(contact_id=visitor, reason="said so", source="customer"))
        session.add(WechatUser(account="shop", openid="oOne", unionid="uOne", contact_id=contact))
        await session.flush()
        await same_person.join(session, "uOne", clock.now())
    async with firm.database.session() as session:
        assert (await session.get_one(Case, asked)).contact_id == contact
        assert await records.is_blocked(session, contact)  # left alone as a visitor, left alone as a customer
    assert (await firm.user()).contact_id == contact


@pytest.mark.parametrize("anonymous", [False, True])
async def test_two_customers_who_each_have_a_phone_are_never_merged_and_a_colleague_is_asked_once(firm, talk, anonymous):
    first = (await case_of(firm.database, talk)).contact_id
    async with firm.database.session() as session:
        second = await records.create_contact(session, name="李梅", phone="13900000002", is_anonymous=anonymous)
        session.add(WechatUser(account="shop", openid="oOne", unionid="uOne", contact_id=first))
        session.add(WecomUser(account="main", open_kfid="wkMain", external_userid="wmOne", unionid="uOne", contact_id=second))
        await session.flush()
        for _ in range(2):
            assert await same_person.join(session, "uOne", clock.now()) is None
    async with firm.database.session() as session:
        (note,) = await session.scalars(select(Note))
        assert note.case_id == talk.case_id and f"{first}、{second}" in note.text
        assert (await session.scalars(select(WechatUser.contact_id))).one() == first
        assert (await session.scalars(select(WecomUser.contact_id))).one() == second
        assert len(list(await session.scalars(select(Contact)))) == 2


async def test_who_does_not_tell_a_unionid_is_only_taken_for_who_they_are_here(firm, talk):
    firm.fake.codes = [("batchget", 48002)]
    await firm.fake.says("wmOne", "你好")
    await firm.fake.says("wmTwo", "你好")
    await firm.work()
    assert (await firm.user()).contact_id != (await firm.user("wmTwo")).contact_id
    assert await firm.heard() == ["你好", "你好"]


async def test_a_process_with_no_account_still_serves(database, tmp_path):
    app = make_app(Settings(home=tmp_path, database_url=database.url, secret=SECRET))
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/wecom/main")).status == 404
        assert replace(PLAIN).login is False


async def test_the_worker_begins_the_public_enquiry_for_who_is_new(database, tmp_path):
    assert wecom_of(Settings(home=tmp_path, secret=SECRET)).accounts == ()
    wecom = wecom_of(Settings(home=tmp_path, secret=SECRET, wecom=(ACCOUNT,)))
    assert SECRET not in repr(wecom)
    async with database.session() as session:
        case_id = await wecom.begin(session, None, ACCOUNT.channel)
        case = await session.get_one(Case, case_id)
        assert case.script_id == "inbound_enquiry" and (await session.get_one(Contact, case.contact_id)).is_anonymous
    closed = wecom_of(Settings(home=tmp_path, secret=SECRET, wecom=(ACCOUNT,), enquiry_script=None))
    async with database.session() as session:
        assert await closed.begin(session, None, ACCOUNT.channel) is None
