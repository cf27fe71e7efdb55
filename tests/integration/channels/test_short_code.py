"""The page of the fixed address: what people type, and what somebody who tries codes gets."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer

from followup.channels.codes import ALPHABET, as_typed, create_code
from followup.talk.links import DoNotContact
from followup.web.app import make_app
from followup.web.keys import CODES
from followup.web.limits import CodeLimiter
from followup.web.shared_limits import SharedBucket
from tests.integration.channels.conftest import SECRET
from tests.integration.web.web_talk import make_talk


async def a_code(database, talk, **valid: float) -> str:
    async with database.session() as session:
        return await create_code(session, SECRET, talk.case_id, valid_for=timedelta(**(valid or {"days": 1})))


async def test_opening_the_page_begins_nothing(visitor, database) -> None:
    talk = await make_talk(database)
    page = await (await visitor.get("/s")).text()
    assert "服务码" in page and "问卷" not in page
    assert await talk.rows("system") == []


@pytest.mark.parametrize("typed", [str, str.lower, lambda c: f" {c[:4]}-{c[4:]} ", lambda c: c.replace("2", "z").replace("5", "s")])
async def test_the_code_as_people_type_it_begins_the_talk(visitor, database, typed) -> None:
    talk = await make_talk(database)
    code = await a_code(database, talk)
    answer = await visitor.post("/s", data={"code": typed(code)}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/chat")
    assert [row.text for row in await talk.rows("system")] == ["/start_followup"]
    assert (await visitor.get("/chat")).status == 200


async def test_typing_it_twice_begins_the_talk_once(visitor, database) -> None:
    talk = await make_talk(database)
    code = await a_code(database, talk)
    for _ in range(2):
        await visitor.post("/s", data={"code": code}, allow_redirects=False)
    assert len(await talk.rows("system")) == 1


@pytest.mark.parametrize("typed", ["", "123", "OOOOOOOO", "2345CDFG", "2" * 5000, "' OR 1=1", "退订", "\x00" * 8])
async def test_what_opens_nothing_is_explained_and_begins_nothing(visitor, database, typed) -> None:
    talk = await make_talk(database)
    answer = await visitor.post("/s", data={"code": typed}, allow_redirects=False)
    assert answer.status == 404 and "没有找到" in await answer.text()
    assert "Set-Cookie" not in answer.headers and await talk.rows("system") == []


async def test_an_expired_and_a_revoked_code_are_explained(visitor, database) -> None:
    talk = await make_talk(database)
    old, taken_back = await a_code(database, talk, seconds=-1), await a_code(database, talk)
    assert "过期" in await (await visitor.post("/s", data={"code": old})).text()
    await talk.revoke()
    answer = await visitor.post("/s", data={"code": taken_back})
    assert (answer.status, "停用" in await answer.text()) == (410, True)
    assert await talk.rows("system") == []


async def test_a_code_is_no_link_and_a_link_no_code(visitor, database) -> None:
    talk = await make_talk(database)
    code = await a_code(database, talk)
    assert (await visitor.get(f"/c/{code}")).status == 404
    assert (await visitor.post("/s", data={"code": talk.token})).status == 404


async def test_another_site_cannot_type_it(visitor, database) -> None:
    talk = await make_talk(database)
    code = await a_code(database, talk)
    answer = await visitor.post("/s", data={"code": code}, headers={"Sec-Fetch-Site": "cross-site"}, allow_redirects=False)
    assert answer.status == 403 and await talk.rows("system") == []


async def test_who_tries_codes_is_stopped_and_then_not_even_a_right_one_helps(visitor, database) -> None:
    talk = await make_talk(database)
    code = await a_code(database, talk)
    answers = [(await visitor.post("/s", data={"code": f"2345CD{a}{b}"})).status for a in "CDFG" for b in "HJKM"]
    assert answers[:10] == [404] * 10 and set(answers[10:]) == {429}
    stopped = await visitor.post("/s", data={"code": code}, allow_redirects=False)
    assert stopped.status == 429 and int(stopped.headers["Retry-After"]) >= 1 and "分钟" in await stopped.text()
    assert await talk.rows("system") == []


async def test_right_codes_do_not_count_for_an_address_that_thousands_share(visitor, database) -> None:
    for _ in range(12):
        talk = await make_talk(database)
        answer = await visitor.post("/s", data={"code": await a_code(database, talk)}, allow_redirects=False)
        assert answer.status == 303


async def test_one_code_is_not_tried_without_end_from_everywhere(visitor, database) -> None:
    talk = await make_talk(database)
    code = await a_code(database, talk)
    visitor.server.app[CODES].code = SharedBucket("code", burst=2, per_second=0.001)
    answers = [(await visitor.post("/s", data={"code": code}, allow_redirects=False)).status for _ in range(3)]
    assert answers == [303, 303, 429]


async def test_a_network_of_the_new_protocol_counts_as_one(database) -> None:
    limiter = CodeLimiter(SECRET, one=SharedBucket("one", burst=1, per_second=0.001))
    assert await limiter.wait_for(database, "2409:8900:1:2:aaaa::1", "C") == 0
    assert await limiter.wait_for(database, "2409:8900:1:2:bbbb::2", "C") > 0
    assert await limiter.wait_for(database, "2409:8900:1:3:aaaa::1", "D") == 0


async def test_tries_at_one_web_process_count_at_every_other_one(settings, database) -> None:
    talk = await make_talk(database)
    code = await a_code(database, talk)
    async with contextlib.AsyncExitStack() as stack:
        several = [await stack.enter_async_context(TestClient(TestServer(make_app(settings)))) for _ in range(3)]
        statuses = [(await one.post("/s", data={"code": f"2345CDF{a}"})).status for a in "CDFG" for one in several]
        assert statuses == [404] * 10 + [429] * 2
        for one in several:
            assert (await one.post("/s", data={"code": code}, allow_redirects=False)).status == 429
    assert await talk.rows("system") == []


async def test_a_hundred_tries_at_once_are_not_let_through_together(visitor, database) -> None:
    answers = await asyncio.gather(*(visitor.post("/s", data={"code": f"2345CD{a}{b}"}) for a in ALPHABET[:4] for b in ALPHABET))
    assert [answer.status for answer in answers].count(404) == 10


async def test_addresses_cannot_be_read_off_the_table_of_tries(visitor, database) -> None:
    from sqlalchemy import text

    await visitor.post("/s", data={"code": "2345CDFG"})
    async with database.session() as session:
        rows = " ".join(map(str, await session.execute(text("SELECT * FROM rate_buckets"))))
    assert rows and "127.0.0.1" not in rows and "2345CDFG" not in rows


async def test_codes_are_eight_unmistakable_characters_and_differ(database) -> None:
    talk = await make_talk(database)
    codes = [await a_code(database, talk) for _ in range(50)]
    assert len(set(codes)) == 50 and {len(code) for code in codes} == {8}
    assert not set("".join(codes)) & set("01OILAEUZSB8") and set("".join(codes)) <= set(ALPHABET)
    assert all(as_typed(code) == code for code in codes)


async def test_the_table_does_not_give_the_code_away(database) -> None:
    from sqlalchemy import text

    talk = await make_talk(database)
    code = await a_code(database, talk)
    async with database.session() as session:
        rows = " ".join(map(str, await session.execute(text("SELECT * FROM access_tokens"))))
    import hashlib

    assert code not in rows and hashlib.sha256(code.encode()).hexdigest() not in rows


async def test_no_code_is_made_for_a_customer_who_must_not_be_contacted(database) -> None:
    talk = await make_talk(database)
    async with database.session() as session:
        from followup import clock
        from followup.rights.block import block_contact
        from tests.integration.channels.conftest import contact_of

        await block_contact(session, await contact_of(session, talk.case_id), "测试", None, clock.now())
    with pytest.raises(DoNotContact):
        await a_code(database, talk)
