from __future__ import annotations

from dataclasses import replace

import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import func, select

from followup.store.models import Case, Contact, Message
from followup.web.app import make_app
from followup.web.keys import ENQUIRIES
from followup.web.limits import EnquiryLimiter, TalkLimiter
from followup.web.wording import load_wording


async def cases(database, script="inbound_enquiry") -> list[Case]:
    async with database.session() as session:
        return list(await session.scalars(select(Case).where(Case.script_id == script).order_by(Case.created_at)))


@pytest_asyncio.fixture
async def closed(settings):
    async with TestClient(TestServer(make_app(replace(settings, enquiry_script=None)))) as client:
        yield client


async def test_the_entry_says_who_answers_and_what_is_kept_and_begins_nothing(visitor, database):
    page = await (await visitor.get("/ask")).text()
    assert all(words in page for words in ("在线客服", "智能助手", "不是真人", "保存", "手机号", "开始咨询"))
    assert await cases(database) == []


async def test_starting_makes_an_anonymous_visitor_with_a_talk_of_their_own(visitor, database):
    answer = await visitor.post("/ask", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/chat")
    (case,) = await cases(database)
    async with database.session() as session:
        contact = await session.get_one(Contact, case.contact_id)
        begun = await session.scalar(select(Message.text).where(Message.case_id == case.id))
    assert contact.is_anonymous and contact.phone is None and begun == "/start_followup"
    page = await (await visitor.get("/chat")).text()
    assert "在线客服" in page and "客户回访" not in page


async def test_a_browser_with_a_talk_under_way_is_led_to_it(visitor, database):
    await visitor.post("/ask", allow_redirects=False)
    for answer in (await visitor.get("/ask", allow_redirects=False), await visitor.post("/ask", allow_redirects=False)):
        assert (answer.status, answer.headers["Location"]) == (303, "/chat")
    assert len(await cases(database)) == 1


async def test_a_customer_with_a_link_is_led_to_their_follow_up(client, database):
    answer = await client.post("/ask", allow_redirects=False)
    assert answer.headers["Location"] == "/chat"
    assert await cases(database) == []


async def test_after_the_follow_up_the_enquiry_belongs_to_the_same_customer(client, talk, database):
    await talk.set_case(status="closed")
    await client.post("/ask", allow_redirects=False)
    (case,) = await cases(database)
    async with database.session() as session:
        follow_up = await session.get_one(Case, talk.case_id)
    assert case.contact_id == follow_up.contact_id and case.variables["known"] == "yes"


async def test_after_an_enquiry_the_next_one_is_a_strangers_again(visitor, database):
    for _ in range(2):
        await visitor.post("/ask", allow_redirects=False)
        async with database.session() as session:
            for case in await session.scalars(select(Case)):
                case.status = "closed"
    first, second = await cases(database)
    assert first.contact_id != second.contact_id and "known" not in second.variables


async def test_a_link_taken_back_is_no_longer_the_customer(client, talk, database):
    await talk.revoke()
    await client.post("/ask", allow_redirects=False)
    (case,) = await cases(database)
    assert "known" not in case.variables


async def test_one_address_may_begin_only_so_many_talks(server, visitor, database):
    server.app[ENQUIRIES]._one = TalkLimiter(burst=2, per_second=0.001)
    for number in range(3):
        visitor.session.cookie_jar.clear()
        answer = await visitor.post("/ask", allow_redirects=False)
    assert answer.status == 429 and int(answer.headers["Retry-After"]) > 0
    assert "过一会儿" in await answer.text()
    assert len(await cases(database)) == 2


def test_everybody_together_is_limited_too():
    limiter = EnquiryLimiter(TalkLimiter(), TalkLimiter(burst=1, per_second=0.001))
    assert limiter.wait_for("192.0.2.1") == 0
    assert limiter.wait_for("192.0.2.2") > 0


async def test_behind_a_proxy_the_callers_own_address_counts(settings, database):
    app = make_app(replace(settings, proxies=1))
    app[ENQUIRIES]._one = TalkLimiter(burst=1, per_second=0.001)
    async with TestClient(TestServer(app)) as browser:
        statuses = []
        for forwarded in ("203.0.113.7", "10.9.9.9, 203.0.113.8", "1.2.3.4, 203.0.113.8"):
            browser.session.cookie_jar.clear()
            answer = await browser.post("/ask", headers={"X-Forwarded-For": forwarded}, allow_redirects=False)
            statuses.append(answer.status)
    assert statuses == [303, 303, 429]


async def test_another_sites_page_cannot_begin_a_talk(visitor, database):
    answer = await visitor.post("/ask", headers={"Sec-Fetch-Site": "cross-site"}, allow_redirects=False)
    assert answer.status == 403
    assert await cases(database) == []


async def test_the_entry_can_be_closed(closed, database):
    for answer in (await closed.get("/ask"), await closed.post("/ask")):
        assert answer.status == 404
        assert load_wording().pages["no_enquiries"].title in await answer.text()
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(Contact)) == 0


async def test_the_companys_own_name_stands_at_the_entry(settings, database):
    async with TestClient(TestServer(make_app(replace(settings, company="某某果业")))) as client:
        assert "某某果业" in await (await client.get("/ask")).text()
        await client.post("/ask", allow_redirects=False)
    (case,) = await cases(database)
    assert case.variables["company"] == "某某果业"
