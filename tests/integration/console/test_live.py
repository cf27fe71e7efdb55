"""Live talks in the console: who is listed, who rings, taking over, writing, handing back, closing."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from followup import clock
from followup.console.live import stream
from followup.store.messages import TO_A_COLLEAGUE
from followup.store.models import Callback, Case, Message, RasaEvent, Ticket
from followup.store.staff_models import AuditEntry, StaffMessage, StaffNote, TakeOver
from followup.talk.inbox import accept
from tests.integration.console.conftest import text_of
from tests.integration.console.written_talks import Said, Written, write_talk


async def running(database, name="王强", words="方便", **more) -> Written:
    """A talk under way in which the customer spoke a few minutes ago."""
    options = {"status": "open", "outcome": None, **more}
    return await write_talk(database, [Said(words, "consent")], name=name, at=clock.now() - timedelta(minutes=4), **options)


async def asks_for_a_person(database, name="李四", **more) -> Written:
    return await running(database, name, "转人工", status="closed", outcome="handed_over", reason="转人工", **more)


async def hears(database, case_id: str, words: str) -> None:
    async with database.session() as session:
        await accept(session, case_id, "web", words, words)


async def the_case(database, case_id: str) -> Case:
    async with database.session() as session:
        return await session.get_one(Case, case_id)


async def our_lines(database, case_id: str) -> list[str]:
    async with database.session() as session:
        rows = await session.scalars(
            select(Message.text).where(Message.case_id == case_id, Message.direction == "out").order_by(Message.id)
        )
        return list(rows)


def live(talk: Written, act: str = "") -> str:
    return f"/console/live/{talk.case_id}{act and '/' + act}"


# —— the list ——


async def test_running_talks_are_listed_and_those_that_ended_are_not(enter, database):
    await running(database, "进行中")
    await running(database, "已完成", status="closed", outcome="completed")
    await write_talk(database, name="昨天的", status="open", outcome=None)
    page = text_of(await (await enter("agent")).get("/console/live"))
    assert "进行中先生" in page and "好的，已经记下了。" in page
    assert "已完成" not in page and "昨天的" not in page


async def test_whoever_asks_for_a_person_rings_above_all_others_until_somebody_comes(enter, database):
    await running(database, "进行中")
    asking = await asks_for_a_person(database)
    agent, other = await enter("agent"), await enter("agent", "other")
    page = text_of(await agent.get("/console/live"))
    assert page.index("李四先生 请求人工服务") < page.index("进行中先生")
    await agent.post(live(asking, "take"), name="小王")
    page = text_of(await other.get("/console/live"))
    assert "请求人工服务" not in page and "李四先生" in page and "agent" in page


async def test_a_call_that_was_dealt_with_elsewhere_rings_no_more(enter, database):
    asking = await asks_for_a_person(database)
    async with database.session() as session:
        session.add(
            Ticket(
                case_id=asking.case_id, topic="handover", kind="request", severity=2, department="客户服务部",
                reason="转人工", due_at=clock.now(), status="solved",
            )
        )  # fmt: skip
    assert "请求人工服务" not in await (await enter("agent")).get("/console/live")


async def test_the_open_question_is_shown(enter, database):
    talk = await running(database)
    async with database.session() as session:
        state = {"event": "slot", "name": "talk", "value": {"open": "question:source"}}
        older = {"event": "slot", "name": "talk", "value": {"open": "consent"}}
        for data in (older, state, {"event": "slot", "name": "talk_over", "value": False}):
            session.add(RasaEvent(sender_id=talk.case_id, type_name="slot", data=json.dumps(data)))
            await session.flush()
    page = text_of(await (await enter("agent")).get("/console/live"))
    assert "请问您是以什么方式知悉我们演示公司的呢" in page


async def test_an_empty_list_says_what_will_come(enter):
    page = text_of(await (await enter("agent")).get("/console/live"))
    assert "现在没有正在进行的会话" in page and "没有等同事联系的预约" in page


@pytest.mark.parametrize("role", ["trainer", "auditor"])
async def test_who_may_not_speak_to_customers_does_not_watch_them(enter, database, role):
    talk = await running(database)
    browser = await enter(role)
    assert "/console/live" not in await browser.get("/console/talks")
    for path in ("/console/live", "/console/live/events", live(talk), live(talk, "events")):
        await browser.get(path, 403)
    await browser.post(live(talk, "take"), 403, name="小王")


# —— appointments ——


async def test_who_asked_for_a_person_after_hours_is_an_appointment_until_somebody_has_called(enter, database):
    talk = await asks_for_a_person(database, "夜里")
    async with database.session() as session:
        callback = Callback(case_id=talk.case_id, at=clock.now() + timedelta(hours=9), reason="request_human", words="明早十点")
        session.add(callback)
    agent = await enter("agent")
    page = text_of(await agent.get("/console/live"))
    assert "夜里先生" in page and "明早十点" in page and "13812345678" in page
    assert "请求人工服务" not in page  # the customer does not wait in front of the screen
    await agent.post(f"/console/live/appointments/{callback.id}")
    assert "明早十点" not in await agent.get("/console/live")
    async with database.session() as session:
        assert (await session.get_one(Callback, callback.id)).status == "done"
        assert await session.scalar(select(func.count()).where(AuditEntry.action == "live.called")) == 1


@pytest.mark.parametrize("number", ["0", "999999", "-1", "1;DROP", "9" * 30])
async def test_a_forged_appointment_is_not_found(enter, number):
    await (await enter("agent")).post(f"/console/live/appointments/{number}", 404)


# —— taking over and writing ——


async def test_a_colleague_takes_over_writes_and_hands_back(enter, database):
    talk = await running(database)
    agent = await enter("agent")
    assert await agent.post(live(talk, "take"), name="小王") == f"{live(talk)}#write"
    assert "您正在接待" in await agent.get(live(talk))
    await agent.post(live(talk, "say"), text="您好，我来帮您看。", key="k1")
    assert (await our_lines(database, talk.case_id))[-2:] == ["已经为您接通人工，客服小王为您服务。", "您好，我来帮您看。"]
    page = text_of(await agent.get(live(talk)))
    assert "客服小王 （agent）" in page or "客服小王（agent）" in page
    await agent.post(live(talk, "back"))
    assert "智能助手正在接待" in await agent.get(live(talk))
    async with database.session() as session:
        written = (await session.scalars(select(StaffMessage))).one()
        done = (await session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("live.%")).order_by(AuditEntry.id))).all()
    assert (written.user_id, written.forbidden) == (agent.user_id, [])
    assert list(done) == ["live.take", "live.back"]


async def test_the_second_is_told_who_has_the_talk(enter, database):
    talk = await running(database)
    one, other = await enter("agent", "zhang"), await enter("agent", "li")
    await one.post(live(talk, "take"), name="小张")
    page = text_of(await other.get(live(talk)))
    assert "zhang 正在接待" in page
    assert "正由zhang接管" in await other.post(live(talk, "take"), 409, name="小李")
    refused = await other.post(live(talk, "say"), 409, text="我也来", key="k")
    assert "正由zhang接管" in refused and "我也来" in refused  # what was written is not lost
    await other.post(live(talk, "back"), 409)
    await other.post(live(talk, "close"), 409, outcome="completed", reason="x")


async def test_two_who_click_in_the_same_moment_do_not_both_have_it(enter, database):
    talk = await running(database)
    browsers = [await enter("agent", f"user{number}") for number in range(4)]

    async def click(browser) -> int:
        data = {"csrf": browser.csrf, "name": "小王"}
        async with browser.client.post(live(talk, "take"), data=data, allow_redirects=False) as answer:
            return answer.status

    assert sorted(await asyncio.gather(*(click(one) for one in browsers))) == [303, 409, 409, 409]


async def test_forbidden_phrases_are_named_with_what_to_say_instead_and_nothing_is_sent(enter, database):
    talk = await running(database)
    agent = await enter("agent")
    await agent.post(live(talk, "take"), name="小王")
    before = await our_lines(database, talk.case_id)
    page = await agent.post(live(talk, "say"), 422, text="这不关我的事，您找别人吧", key="k1", reason="就要说")
    assert "这不关我的事" in page and "我帮您转给负责的同事" in page
    assert "这不关我的事，您找别人吧</textarea>" in page
    assert 'name="reason"' not in text_of(page) and "一定要这样发送" not in page
    assert await our_lines(database, talk.case_id) == before


async def test_a_supervisor_may_send_them_with_a_reason_that_is_kept(enter, database):
    talk = await running(database)
    boss = await enter("supervisor")
    await boss.post(live(talk, "take"), name="王主管")
    words = "您刚才问“这不关我的事”是谁说的"
    assert "一定要这样发送" in await boss.post(live(talk, "say"), 422, text=words, key="k1")
    await boss.post(live(talk, "say"), text=words, key="k1", reason="引用客户的原话")
    await boss.post(live(talk, "say"), text=words, key="k1", reason="引用客户的原话")  # a double click
    assert (await our_lines(database, talk.case_id)).count(words) == 1
    async with database.session() as session:
        assert (await session.scalars(select(StaffMessage))).one().forbidden == ["这不关我的事"]
        assert "引用客户的原话" in (await session.scalars(select(StaffNote))).one().text
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "live.forbidden"))).one()
    assert entry.detail["reason"] == "引用客户的原话"


async def test_a_supervisor_hands_back_the_talk_of_a_colleague_who_went_home(enter, database):
    talk = await running(database)
    agent, boss = await enter("agent"), await enter("supervisor")
    await agent.post(live(talk, "take"), name="小王")
    await boss.post(live(talk, "back"))
    assert "会话已经不在您手里" in await agent.post(live(talk, "say"), 409, text="还在吗", key="k")


@pytest.mark.parametrize(("text", "status"), [("", 400), ("   ", 400), ("长" * 2001, 400), ("\0\x07", 400), ("长" * 2000, 303)])
async def test_what_cannot_be_sent_is_said(enter, database, text, status):
    talk = await running(database)
    agent = await enter("agent")
    await agent.post(live(talk, "take"), name="小王")
    await agent.post(live(talk, "say"), status, text=text, key="k")


async def test_html_in_what_either_side_writes_stays_text(enter, database):
    talk = await running(database, name="<b>王</b>")
    agent = await enter("agent")
    await agent.post(live(talk, "take"), name="<i>小王</i>")
    await hears(database, talk.case_id, "<script>alert(1)</script>")
    await agent.post(live(talk, "say"), text="<img src=x onerror=alert(1)>", key="k")
    for path in (live(talk), "/console/live"):
        page = await agent.get(path)
        assert "<script>alert" not in page and "<img src=x" not in page and "<b>王" not in page and "<i>小王" not in page


@pytest.mark.parametrize("act", ["", "events", "take", "say", "back", "close"])
async def test_a_forged_talk_is_not_found(enter, act):
    agent = await enter("agent")
    path = f"/console/live/{'0' * 32}" + (f"/{act}" if act else "")
    fields = {"name": "小王", "text": "您好", "outcome": "completed", "reason": "x"}
    await (agent.get(path, 404) if act in ("", "events") else agent.post(path, 404, **fields))


async def test_quick_phrases_are_the_talks_own_sentences(enter, database):
    talk = await running(database)
    agent = await enter("agent")
    await agent.post(live(talk, "take"), name="小王")
    page = await agent.get(live(talk))
    assert "快捷用语" in page and "请您把事情的经过说一说" in page
    assert "{" not in text_of(page)


async def test_a_customer_who_forbids_contact_to_a_colleague_is_flagged(enter, database):
    talk = await running(database)
    agent = await enter("agent")
    await agent.post(live(talk, "take"), name="小王")
    await hears(database, talk.case_id, "以后别再给我打电话了")
    async with database.session() as session:
        row = (await session.scalars(select(Message).where(Message.text == "以后别再给我打电话了"))).one()
        row.status, row.error = "handled", TO_A_COLLEAGUE
    assert "客户可能要求免打扰" in await agent.get(live(talk))
    assert "说给同事的" in await agent.get(f"/console/talks/{talk.case_id}")


# —— the end ——


async def test_a_talk_is_closed_with_an_outcome_and_a_reason(enter, database):
    talk = await running(database)
    agent = await enter("agent")
    await agent.post(live(talk, "take"), name="小王")
    for fields in ({}, {"outcome": "handed_over", "reason": "x"}, {"outcome": "completed"}, {"outcome": "appointed", "reason": "x"}):
        await agent.post(live(talk, "close"), 400, **fields)
    await agent.post(live(talk, "close"), outcome="complained", reason="等了两个小时")
    case = await the_case(database, talk.case_id)
    assert (case.status, case.outcome, case.outcome_reason) == ("closed", "complained", "等了两个小时")
    async with database.session() as session:
        assert (await session.scalars(select(TakeOver))).one().how_ended == "closed"


async def test_an_appointment_with_a_colleague_is_listed(enter, database):
    talk = await running(database)
    agent = await enter("agent")
    await agent.post(live(talk, "take"), name="小王")
    at = (clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    await agent.post(live(talk, "close"), outcome="appointed", reason="客户要等快递到", at=at)
    page = text_of(await agent.get("/console/live"))
    assert "客户要等快递到" in page and "请求人工服务" not in page


# —— as it happens ——


class Events:
    def __init__(self, response) -> None:
        self.response = response

    async def next(self, *names: str) -> dict:
        """The next event of one of these names; others are passed over."""
        event = {"event": "", "data": None}
        async with asyncio.timeout(60):
            while True:
                line = (await self.response.content.readline()).decode().rstrip("\n")
                name, _, value = line.partition(": ")
                if name == "event":
                    event["event"] = value
                elif name == "data":
                    event["data"] = json.loads(value)
                elif not line and event["event"] in names:
                    return event


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    monkeypatch.setattr(stream, "AT_MOST_EVERY", 0.01)


async def listen(browser, path: str) -> Events:
    response = await browser.client.get(path)
    assert response.status == 200 and response.headers["Content-Type"].startswith("text/event-stream")
    return Events(response)


async def test_a_new_call_comes_to_everybody_who_watches(enter, database):
    agents = [await enter("agent", name) for name in ("a", "b")]
    streams = [await listen(agent, "/console/live/events") for agent in agents]
    for one in streams:
        assert (await one.next("list"))["data"]["ringing"] == []
    talk = await asks_for_a_person(database)
    await hears(database, talk.case_id, "有人吗")
    async with database.session() as session:
        await session.execute(select(func.pg_notify("followup_out", talk.case_id)))
    for one in streams:
        data = (await one.next("list"))["data"]
        assert data["ringing"] == [{"id": talk.case_id, "who": "李四先生"}]
        assert "请求人工服务" in data["html"]
    await agents[0].post(live(talk, "take"), name="小王")
    for one in streams:
        assert (await one.next("list"))["data"]["ringing"] == []


async def test_an_open_talk_grows_line_by_line_and_shows_who_speaks(enter, database):
    talk = await running(database)
    agent, other = await enter("agent"), await enter("agent", "other")
    watched = await listen(other, live(talk, "events"))
    for _ in range(3):
        await watched.next("line")
    assert "智能助手正在接待" in (await watched.next("desk"))["data"]["html"]
    await agent.post(live(talk, "take"), name="小王")
    assert "客服小王为您服务" in (await watched.next("line"))["data"]["html"]
    assert "agent 正在接待" in (await watched.next("desk"))["data"]["html"]
    await agent.post(live(talk, "say"), text="您好", key="k")
    line = (await watched.next("line"))["data"]["html"]
    assert "您好" in line and "客服小王" in line


async def test_who_was_logged_out_hears_nothing_more(enter, database, monkeypatch):
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    agent = await enter("agent")
    watched = await listen(agent, "/console/live/events")
    await watched.next("list")
    await agent.post("/console/logout")
    await watched.next("signed-out")
