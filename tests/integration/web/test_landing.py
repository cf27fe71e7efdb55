from datetime import timedelta

from followup import clock
from tests.integration.web.web_talk import make_talk


async def test_opening_the_link_shows_the_firm_and_starts_nothing(visitor, talk):
    for _ in range(3):
        answer = await visitor.get(f"/c/{talk.token}")
        page = await answer.text()
        assert answer.status == 200
    assert "演示金融" in page and "智能助手" in page and "开始" in page
    assert await talk.rows("system") == []
    assert "Set-Cookie" not in answer.headers


async def test_the_page_says_nothing_about_the_customer_or_the_business(visitor, talk):
    page = await (await visitor.get(f"/c/{talk.token}")).text()
    assert not any(word in page for word in ("王强", "先生", "138", "车贷", talk.case_id))


async def test_a_robot_that_only_asks_for_headers_starts_nothing(visitor, talk):
    assert (await visitor.head(f"/c/{talk.token}")).status == 200
    assert await talk.rows("system") == []


async def test_starting_gives_a_session_and_leads_to_the_chat(visitor, talk):
    answer = await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/chat")
    cookie = answer.cookies["followup_session"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert talk.token not in cookie.value
    assert [row.text for row in await talk.rows("system")] == ["/start_followup"]


async def test_starting_twice_starts_once(visitor, talk):
    for _ in range(3):
        await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    assert [row.channel_message_id for row in await talk.rows("system")] == ["start"]


async def test_a_customer_who_returns_to_a_waiting_talk_is_welcomed_back_once(visitor, talk):
    await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    last = await talk.say("那您先忙，明天再联系您。")
    await talk.set_case(status="waiting")
    await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    rows = await talk.rows("system")
    assert [(row.text, row.channel_message_id) for row in rows[1:]] == [("/resume_followup", f"return-{last}")]


async def test_a_customer_who_returns_after_half_an_hour_is_welcomed_back(visitor, talk):
    await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    await talk.set_case(status="open", last_message_at=clock.now() - timedelta(minutes=31))
    await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    assert [row.text for row in await talk.rows("system")] == ["/start_followup", "/resume_followup"]


async def test_a_customer_who_returns_at_once_or_after_the_end_is_left_alone(visitor, talk):
    await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    for status, minutes in (("open", 5), ("closed", 90)):
        await talk.set_case(status=status, last_message_at=clock.now() - timedelta(minutes=minutes))
        await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    assert len(await talk.rows("system")) == 1


async def test_the_page_of_a_talk_that_has_begun_says_go_on(visitor, talk):
    await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    assert "继续" in await (await visitor.get(f"/c/{talk.token}")).text()


async def test_an_unknown_link_is_explained(visitor):
    for token in ("nothing", "x" * 5000, "%00", "..%2F..%2Fetc", "' OR 1=1 --"):
        answer = await visitor.get(f"/c/{token}")
        assert answer.status == 404
        assert "没有" in await answer.text()


async def test_an_expired_link_is_explained_and_opens_nothing(visitor, database):
    talk = await make_talk(database, valid_for=timedelta(seconds=-1))
    answer = await visitor.get(f"/c/{talk.token}")
    assert (answer.status, "过期" in await answer.text()) == (410, True)
    assert (await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)).status == 410
    assert await talk.rows("system") == []


async def test_a_revoked_link_is_explained(visitor, talk):
    await talk.revoke()
    answer = await visitor.get(f"/c/{talk.token}")
    assert (answer.status, "停用" in await answer.text()) == (410, True)


async def test_another_site_cannot_start_a_talk(visitor, talk):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = await visitor.post(f"/c/{talk.token}/start", headers=headers, allow_redirects=False)
        assert answer.status == 403
    assert await talk.rows("system") == []


async def test_pages_are_protected(visitor, talk):
    headers = (await visitor.get(f"/c/{talk.token}")).headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy and "script-src 'self'" in policy and "unsafe" not in policy


async def test_the_page_of_a_talk_that_is_over_says_so(visitor, talk):
    await visitor.post(f"/c/{talk.token}/start", allow_redirects=False)
    await talk.set_case(status="closed")
    page = await (await visitor.get(f"/c/{talk.token}")).text()
    assert "已经结束" in page and "查看对话" in page
