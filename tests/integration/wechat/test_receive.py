from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update

from followup.channels import codes
from followup.channels.wechat.receive import PURPOSE
from followup.channels.wechat.words import words
from followup.rights.erase import erase_customer
from followup.store.models import Case, Contact, Message
from followup.store.wechat_models import WechatReceived, WechatUser
from followup.talk import links
from tests.integration.web.web_talk import Talk, make_talk
from tests.integration.wechat.conftest import PLAIN, SEALED, rows


async def user(database, openid="oUser1", account="plain") -> WechatUser:
    async with database.session() as session:
        return (await session.scalars(select(WechatUser).filter_by(openid=openid, account=account))).one()


async def scene(talk: Talk, **valid: int) -> str:
    async with talk.database.session() as session:
        return "c_" + await links.create_link(session, talk.case_id, valid_for=timedelta(**(valid or {"days": 7})), purpose=PURPOSE)


async def test_the_address_is_confirmed_as_in_the_official_example(wechat):
    query = {"signature": "f464b24fc39322e44b38aa78f5edd27bd1441696", "timestamp": "1714036504", "nonce": "1514711492", "echostr": "4375120948345356249"}
    answer = await wechat.client.get("/wechat/plain", params=query)
    assert (answer.status, await answer.text()) == (200, "4375120948345356249")
    assert answer.headers["Content-Type"].startswith("text/plain")
    for wrong in ({"nonce": "1"}, {"signature": ""}, {"signature": "签"}, {"echostr": ""}, {"echostr": "x" * 200}):
        assert 400 <= (await wechat.client.get("/wechat/plain", params={**query, **wrong})).status < 500
    assert (await wechat.client.get("/wechat/other", params=query)).status == 404


@pytest.mark.parametrize("account", [PLAIN, SEALED], ids=["plain", "sealed"])
async def test_a_message_is_in_the_inbox_before_it_is_acknowledged(wechat, database, account):
    assert (await wechat.says("你们几点开门？", account)) == (200, "success")
    start, said = (*await rows(database, direction="system"), *await rows(database, direction="in"))
    assert (start.text, said.text, said.channel, said.status) == ("/start_followup", "你们几点开门？", account.channel, "received")


async def test_what_is_sent_three_times_is_taken_once(wechat, database):
    xml = wechat.xml(Content="你好")
    assert {await wechat.post(PLAIN, xml) for _ in range(3)} == {(200, "success")}
    await asyncio.gather(*(wechat.post(PLAIN, event) for event in [wechat.xml("event", Event="subscribe", EventKey="")] * 3))
    assert len(await rows(database, direction="in")) == 1 and len(await rows(database, direction="system")) == 1


async def test_one_customer_is_one_talk_and_two_are_two(wechat, database):
    await wechat.says("你好")
    await wechat.says("在吗")
    await wechat.says("你好", openid="oUser2")
    first, second, third = await rows(database, direction="in")
    assert first.case_id == second.case_id != third.case_id


async def test_without_a_signature_nothing_is_taken(wechat, database):
    answer = await wechat.client.post("/wechat/plain", data=wechat.xml(Content="x").encode())
    assert answer.status == 403 and await rows(database) == []


async def test_where_encryption_was_agreed_a_plain_message_is_refused(wechat, database):
    answer = await wechat.client.post("/wechat/sealed", params=wechat.query(SEALED), data=wechat.xml(Content="x").encode())
    assert answer.status == 403 and await rows(database) == []


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "multipart/form-data"}])
async def test_too_much_or_unreadable_is_refused(wechat, headers):
    for body in (b"x" * 70_000, b"x" * 300_000, b"\x00\x01"):
        answer = await wechat.client.post("/wechat/plain", params=wechat.query(PLAIN), data=body, headers=headers)
        assert 400 <= answer.status < 500


async def test_mutated_bodies_are_never_a_server_error(wechat):
    whole = wechat.xml(Content="好").encode()
    loop = asyncio.get_running_loop()

    async def ask(body: bytes) -> int:
        return (await wechat.client.post("/wechat/plain", params=wechat.query(PLAIN), data=body)).status

    @given(st.data())
    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    def mutate(data):
        body = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(body)))
            body[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
        assert asyncio.run_coroutine_threadsafe(ask(bytes(body)), loop).result(20) < 500

    await asyncio.to_thread(mutate)


@pytest.mark.parametrize(
    ("kind", "more", "kept"),
    [
        ("voice", {"MediaId": "m", "Recognition": ""}, "［语音］"),
        ("image", {"PicUrl": "http://mmbiz/1", "MediaId": "m"}, "［图片］ http://mmbiz/1"),
        ("location", {"Label": "杭州", "Location_X": "30", "Location_Y": "120"}, "［位置］ 杭州 30 120"),
        ("link", {"Title": "题", "Url": "http://x"}, "［链接］ 题 http://x"),
    ],
)
async def test_what_is_no_text_is_kept_and_answered_with_courtesy(wechat, database, kind, more, kept):
    await wechat.says("你好")
    status, body = await wechat.post(PLAIN, wechat.xml(kind, **more))
    assert status == 200 and words().cannot_read(kind) in body
    assert (await rows(database, direction="in"))[-1].text == kept
    (said,) = await rows(database, direction="out")
    assert said.status == "sent" and said.error.startswith("passive ")


@pytest.mark.parametrize(("seconds", "status", "error"), [(1, "sent", "passive "), (5, "unknown", "asked_again")])
async def test_a_reply_that_wechat_asks_for_again_is_no_longer_known_to_have_come(wechat, database, seconds, status, error):
    await wechat.says("你好")
    image = wechat.xml("image", PicUrl="http://mmbiz/1", MediaId="m")
    assert words().cannot_read("image") in (await wechat.post(PLAIN, image))[1]
    async with database.session() as session:
        await session.execute(update(WechatReceived).values(at=func.clock_timestamp() - timedelta(seconds=seconds)))
    assert await wechat.post(PLAIN, image) == (200, "success")
    (said,) = [row for row in await rows(database, direction="out") if row.text == words().cannot_read("image")]
    assert said.status == status and said.error.startswith(error)


async def test_a_voice_that_wechat_understood_is_what_was_said(wechat, database):
    await wechat.post(PLAIN, wechat.xml("voice", Recognition="还不错。"))
    assert (await rows(database, direction="in"))[0].text == "还不错。"


async def test_scanning_the_code_of_a_case_begins_it_and_makes_it_the_customers_talk(wechat, database):
    talk = await make_talk(database)
    key = await scene(talk)
    await wechat.event("subscribe", f"qrscene_{key}")
    await wechat.says("方便")
    assert [(row.case_id, row.channel) for row in await rows(database, direction="in")] == [(talk.case_id, "wechat:plain")]
    assert [row.text for row in await rows(database, direction="system")] == ["/start_followup"]
    found = await user(database)
    async with database.session() as session:
        assert found.contact_id == (await session.get_one(Case, talk.case_id)).contact_id


async def test_a_talk_begun_on_the_web_goes_on_here(wechat, database):
    talk = await make_talk(database)
    await wechat.client.post(f"/c/{talk.token}/start", allow_redirects=False)
    await wechat.event("SCAN", await scene(talk))
    assert [(row.text, row.channel) for row in await rows(database, case_id=talk.case_id, direction="system")] == [
        ("/start_followup", "web"),
        ("/resume_followup", "wechat:plain"),
    ]


async def test_a_code_of_a_case_opens_it_for_one_person_only(wechat, database):
    talk = await make_talk(database)
    key = await scene(talk)
    await wechat.event("SCAN", key)
    assert words().taken in (await wechat.event("SCAN", key, openid="oUser2"))[1]
    assert words().unknown in (await wechat.event("SCAN", "c_nonsense", openid="oUser3"))[1]
    assert words().expired in (await wechat.event("SCAN", await scene(await make_talk(database), days=-1), openid="oUser3"))[1]


async def test_a_code_that_is_typed_opens_its_case(wechat, database):
    talk = await make_talk(database)
    async with database.session() as session:
        code = await codes.create_code(session, "t" * 40, talk.case_id, valid_for=timedelta(days=7))
    await wechat.says(f"{code[:4]} {code[4:].lower()}")
    assert (await user(database)).case_id == talk.case_id
    assert [row.text for row in await rows(database)] == ["/start_followup"]


async def test_codes_cannot_be_tried_without_end(wechat, database):
    answers = [(await wechat.says(f"CCCC CCC{n}"))[1] for n in (2, 3, 4, 5, 6, 7)]
    assert all(words().unknown in answer for answer in answers[:5]) and words().too_many in answers[5]
    talk = await make_talk(database)
    async with database.session() as session:
        code = await codes.create_code(session, "t" * 40, talk.case_id, valid_for=timedelta(days=7))
    assert words().too_many in (await wechat.says(code))[1]


async def test_who_stops_following_is_sent_nothing(wechat, database):
    await wechat.says("你好")
    assert await wechat.event("unsubscribe") == (200, "success")
    found = await user(database)
    assert (found.follows, found.message_at) == (False, None)


async def test_a_number_means_the_choice_that_was_offered_here(wechat, database):
    await wechat.says("你好")
    (said,) = await rows(database, direction="in")
    async with database.session() as session:
        session.add(Message(case_id=said.case_id, direction="out", channel="wechat:plain", channel_message_id="x", text="满意吗？", status="sent", quick_replies=["满意", "不满意"]))
    await wechat.says("2")
    assert (await rows(database, direction="in"))[-1].text == "不满意"


async def test_a_closed_talk_of_long_ago_gives_way_to_a_new_one_of_the_same_customer(wechat, database):
    talk = await make_talk(database)
    await wechat.event("SCAN", await scene(talk))
    await talk.set_case(status="closed", last_message_at=(await user(database)).created_at - timedelta(days=2))
    await wechat.says("我想问一下")
    found = await user(database)
    async with database.session() as session:
        case = await session.get_one(Case, found.case_id)
    assert found.case_id != talk.case_id and case.script_id == "inbound_enquiry" and case.contact_id == found.contact_id


async def test_erasing_the_customer_erases_the_openid(wechat, database):
    await wechat.says("你好")
    found = await user(database)
    async with database.session() as session:
        await erase_customer(session, found.contact_id, 0, found.created_at)
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(WechatUser)) == 0
        assert await session.scalar(select(func.count()).select_from(WechatReceived)) == 0
        assert await session.scalar(text("SELECT count(*) FROM contacts WHERE erased_at IS NOT NULL")) == 1
        assert await session.scalar(select(func.count()).select_from(Contact)) == 1


async def test_each_line_for_wechat_gets_a_job_whoever_writes_it(wechat, database):
    await wechat.says("你好")
    (said,) = await rows(database, direction="in")
    async with database.session() as session:
        for n, channel in enumerate(("wechat:plain", "web")):
            session.add(Message(case_id=said.case_id, direction="out", channel=channel, channel_message_id=f"s{n}", text="在", status="queued"))
    async with database.session() as session:
        found = await session.execute(text("SELECT args ->> 'case_id', lock FROM procrastinate_jobs WHERE task_name = 'send_wechat'"))
        assert found.all() == [(said.case_id, f"wechat:{said.case_id}")]
