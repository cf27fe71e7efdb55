"""Tickets: who sees which, every act with its history, two people at once, the revisit, the printed forms."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestServer
from docx import Document
from sqlalchemy import func, select, text

from followup.settings import SHANGHAI, Settings
from followup.store.database import Database
from followup.store.models import AccessToken, Answer, Case, DoNotContact, Ticket
from followup.store.staff_models import AuditEntry, TicketEvent
from followup.web.keys import SETTINGS
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.written_talks import Said, write_talk

Enter = Callable[..., Awaitable[Browser]]
MORNING = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)  # a Friday
EVIL = "<img src=x onerror=alert(1)>\"'{{7*7}}"


@pytest.fixture(autouse=True)
def _morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWUP_NOW", MORNING.isoformat())  # also in the server's tasks


async def a_ticket(database: Database, kind: str = "complaint", words: str = "等了两个小时没人管", **more: Any) -> Ticket:
    """A ticket of a new talk, in which the price was called 不满意; `more` are the ticket's columns, or the talk's."""
    columns = {key: more.pop(key) for key in list(more) if key in Ticket.__table__.columns}
    talk = await write_talk(database, [Said(words, "complain", answers=[("price", "不满意")])], at=MORNING, **more)
    async with database.session() as session:
        ticket = Ticket(
            **{
                "case_id": talk.case_id, "topic": "price", "kind": kind, "severity": 2, "department": "客户服务部", "reason": words,
                "words": [{"message_id": talk.messages[0], "text": words}], "due_at": MORNING + timedelta(hours=8),
                "created_at": MORNING, "updated_at": MORNING, **columns,
            }
        )  # fmt: skip
        session.add(ticket)
    return ticket


async def stored(database: Database, ticket: Ticket) -> Ticket:
    async with database.session() as session:
        return await session.get_one(Ticket, ticket.id)


async def history(database: Database, ticket: Ticket) -> list[str]:
    async with database.session() as session:
        return list(await session.scalars(select(TicketEvent.kind).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)))


async def logged(database: Database) -> list[str]:
    async with database.session() as session:
        return list(await session.scalars(select(AuditEntry.action).where(AuditEntry.object_type == "ticket").order_by(AuditEntry.id)))


def path(ticket: Ticket, act: str = "") -> str:
    return f"/console/tickets/{ticket.id}" + (f"/{act}" if act else "")


async def seen(browser: Browser, ticket: Ticket) -> str:
    """The state that the ticket's page shows, as its forms send it back."""
    found = re.findall(r'name="seen" value="([^"]*)"', await browser.get(path(ticket)))
    assert found and len(set(found)) == 1
    return found[0]


async def do(browser: Browser, ticket: Ticket, act: str, status: int = 303, **fields: Any) -> str:
    fields.setdefault("seen", await seen(browser, ticket))
    return await browser.post(path(ticket, act), status=status, **fields)


# —— list and board ————————————————————————————————————————————————————


async def test_an_empty_list_and_an_empty_board_say_what_will_come(enter: Enter, database: Database) -> None:
    agent = await enter("agent")
    assert "没有待办的工单" in await agent.get("/console/tickets")
    assert (await agent.get("/console/tickets/board")).count("没有工单") == 4
    assert "没有符合条件的工单" in await agent.get("/console/tickets?q=没有这句话")


async def test_the_list_shows_the_words_and_what_is_late_in_red(enter: Enter, database: Database) -> None:
    await a_ticket(database, words="等了两个小时", due_at=MORNING - timedelta(minutes=1))
    await a_ticket(database, words="利率太高", due_at=MORNING + timedelta(hours=8))
    page = await (await enter("supervisor")).get("/console/tickets")
    assert "“等了两个小时”" in page and "“利率太高”" in page
    assert re.findall(r'<span class="late">([^<]*)<', page) == ["11月20日 09:59（已逾期）"]
    assert page.index("等了两个小时") < page.index("利率太高")  # what is due first stands first
    assert re.findall(r"<strong>(\d+)</strong><span>([^<]+)", page) == [("2", "待解决"), ("1", "已逾期"), ("2", "没有人认领"), ("0", "我的")]


async def test_filters_narrow_the_list(enter: Enter, database: Database) -> None:
    supervisor = await enter("supervisor")
    mine = await a_ticket(database, words="一号", owner_id=supervisor.user_id, status="working", name="赵甲", phone=None)
    late = await a_ticket(database, words="二号", department="维修部", due_at=MORNING - timedelta(days=1))
    question = await a_ticket(database, words="三号", kind="question", severity=4, created_at=MORNING - timedelta(days=9))
    closed = await a_ticket(database, words="四号", status="closed", solution="已经换货")

    async def found(query: str) -> list[int]:
        page = await supervisor.get(f"/console/tickets?{query}")
        return sorted({int(one) for one in re.findall(r'<a class="who" href="/console/tickets/(\d+)"', page)})

    assert await found("") == [mine.id, late.id, question.id]
    assert await found("status=all") == [mine.id, late.id, question.id, closed.id]
    assert await found("status=closed") == [closed.id]
    assert await found("owner=mine") == [mine.id] == await found(f"owner={supervisor.user_id}")
    assert await found("owner=nobody") == [late.id, question.id]
    assert await found("department=维修部") == [late.id] == await found("overdue=1")
    assert await found("severity=4") == [question.id] == await found("kind=question")
    assert await found("first=2026-11-20") == [mine.id, late.id] and await found("last=2026-11-19") == [question.id]
    assert await found("q=二号") == [late.id] and await found("q=赵甲") == [mine.id]
    assert await found("status=all&q=换货") == [closed.id] == await found(f"status=all&q={closed.id}&kind=complaint&department=客户服务部")
    assert await found("q=message_id") == [] and await found("q=%25") == []
    assert await found("severity=x&first=2026-99-99&owner=0x1&status=nonsense") == [mine.id, late.id, question.id]


async def test_a_search_of_fifty_thousand_characters_is_a_search(enter: Enter, database: Database) -> None:
    await a_ticket(database)
    assert "没有符合条件" in await (await enter("agent")).get("/console/tickets?q=" + "a" * 5000)


async def test_the_board_has_a_column_for_each_status(enter: Enter, database: Database) -> None:
    for status in ("open", "working", "solved", "closed"):
        await a_ticket(database, status=status, words=f"这是{status}")
    page = await (await enter("supervisor")).get("/console/tickets/board")
    assert re.findall(r'data-status="(\w+)"', page) == ["open", "working", "solved", "closed"]
    for status, name in (("open", "待处理"), ("working", "处理中"), ("solved", "已解决"), ("closed", "已关闭")):
        assert f'{name} <span class="count">1</span>' in page and f"这是{status}" in page


async def test_a_card_moved_on_the_board_is_taken_put_back_and_closed(enter: Enter, database: Database) -> None:
    agent = await enter("agent")
    ticket = await a_ticket(database, kind="request")

    async def move(to: str, status: int = 303) -> str:
        return await agent.post(path(ticket, "move") + "?severity=2", status=status, to=to, seen=await seen(agent, ticket))

    assert await move("working") == "/console/tickets/board?severity=2"
    assert (await stored(database, ticket)).owner_id == agent.user_id
    await move("open")
    assert ((await stored(database, ticket)).status, (await stored(database, ticket)).owner_id) == ("open", None)
    assert await move("solved") == f"/console/tickets/{ticket.id}#solve" == await move("closed")  # it needs words
    await do(agent, ticket, "solve", solution="已经回电")
    assert await move("working") == f"/console/tickets/{ticket.id}#reopen"
    await move("closed")
    assert (await stored(database, ticket)).status == "closed"
    await move("nonsense", status=404)


async def test_a_stale_card_moves_nothing_and_the_board_says_so(enter: Enter, database: Database) -> None:
    one, other = await enter("agent", "坐席甲"), await enter("agent", "坐席乙")
    ticket = await a_ticket(database)
    old = await seen(other, ticket)
    await do(one, ticket, "take")
    page = await other.post(path(ticket, "move"), status=409, to="working", seen=old)
    assert "已经由别人接手" in page and "data-id" not in page
    supervisor = await enter("supervisor")
    page = await supervisor.post(path(ticket, "move"), status=409, to="open", seen=old)
    assert "又有了变化" in page and 'data-status="working"' in page
    assert (await stored(database, ticket)).owner_id == one.user_id


# —— acts ————————————————————————————————————————————————————————————


async def test_every_act_is_in_the_history_and_in_the_audit_log(enter: Enter, database: Database) -> None:
    supervisor, agent = await enter("supervisor", "主管甲"), await enter("agent", "坐席甲")
    ticket = await a_ticket(database, kind="request")
    await do(agent, ticket, "take")
    await do(supervisor, ticket, "assign", owner=supervisor.user_id)
    await do(supervisor, ticket, "change", department="维修部", severity=1, due="two_days", reason="是质量问题")
    await do(supervisor, ticket, "note", text="已经联系厂家")
    await do(supervisor, ticket, "release")
    await do(supervisor, ticket, "solve", solution="换了新机器")
    await do(supervisor, ticket, "close")
    await do(supervisor, ticket, "reopen", reason="又坏了")
    kinds = ["taken", "assigned", "changed", "noted", "released", "solved", "closed", "reopened"]
    assert await history(database, ticket) == kinds
    assert await logged(database) == [f"ticket.{kind}" for kind in kinds]
    page = text_of(await supervisor.get(path(ticket)))
    for text in ("指派给主管甲（原来是坐席甲）", "部门：客户服务部 → 维修部", "级别：二级 → 一级", "期限：2026-11-20 18:00 → 2026-11-24 18:00",
                 "原因：是质量问题", "已经联系厂家", "换了新机器", "原因：又坏了"):  # fmt: skip
        assert text in page, text
    now = await stored(database, ticket)
    assert (now.status, now.department, now.severity, now.solved_at, now.closed_at) == ("working", "维修部", 1, None, None)
    assert now.due_at == datetime(2026, 11, 20, 18, tzinfo=SHANGHAI)  # from the day it was opened again


@pytest.mark.parametrize(
    ("status", "act", "fields", "text"),
    [
        ("open", "solve", {"solution": "  "}, "请写明处理结果"),
        ("open", "note", {"text": ""}, "请写备注的内容"),
        ("open", "close", {}, "请先填写处理结果"),
        ("open", "reopen", {"reason": "错"}, "不用重新打开"),
        ("solved", "reopen", {"reason": ""}, "请写明原因"),
        ("closed", "solve", {"solution": "好了"}, "请先重新打开"),
        ("closed", "take", {}, "请先重新打开"),
        ("open", "assign", {"owner": "999"}, "请选择负责人"),
        ("open", "change", {"department": "客户服务部", "severity": 2, "due": "keep", "reason": "没改"}, "没有改动"),
        ("open", "change", {"department": "维修部", "severity": 2, "due": "keep", "reason": ""}, "请写明原因"),
        ("open", "change", {"department": "维修部", "severity": 9, "due": "keep", "reason": "错"}, "请选择级别"),
        ("open", "change", {"department": "维修部", "severity": 2, "due": "at", "due_at": "明天", "reason": "错"}, "请选择期限"),
        ("open", "change", {"department": "", "severity": 2, "due": "keep", "reason": "错"}, "请填写部门"),
    ],
)
async def test_what_cannot_be_changes_nothing_and_says_why(
    enter: Enter, database: Database, status: str, act: str, fields: dict[str, Any], text: str
) -> None:
    ticket = await a_ticket(database, status=status)
    before = await stored(database, ticket)
    assert text in await do(await enter("supervisor"), ticket, act, status=400, **fields)
    after = await stored(database, ticket)
    assert (after.status, after.department, after.severity, after.updated_at) == (before.status, before.department, before.severity, before.updated_at)
    assert await history(database, ticket) == [] == await logged(database)


async def test_of_two_who_work_at_once_the_second_is_told_and_loses_nothing(enter: Enter, database: Database) -> None:
    one, other = await enter("agent", "坐席甲"), await enter("agent", "坐席乙")
    ticket = await a_ticket(database, kind="request")
    old = await seen(other, ticket)
    await do(one, ticket, "change", department="维修部", severity=2, due="keep", reason="转给维修")
    page = await other.post(path(ticket, "solve"), status=409, seen=old, solution="我写了很久的处理结果")
    assert "您的操作没有保存" in page and "我写了很久的处理结果" in page and "转给维修" in page
    assert (await stored(database, ticket)).status == "open"
    (fresh,) = set(re.findall(r'name="seen" value="([^"]*)"', page))
    await other.post(path(ticket, "solve"), seen=fresh, solution="我写了很久的处理结果")
    assert (await stored(database, ticket)).solution == "我写了很久的处理结果"


async def test_of_many_who_take_it_in_the_same_moment_one_gets_it(enter: Enter, database: Database) -> None:
    people = [await enter("agent", name, "客户服务部") for name in ("甲", "乙", "丙")]
    ticket = await a_ticket(database)
    old = await seen(people[0], ticket)

    async def take(browser: Browser) -> int:
        async with browser.client.post(path(ticket, "take"), data={"csrf": browser.csrf, "seen": old}, allow_redirects=False) as answer:
            return answer.status

    assert sorted(await asyncio.gather(*map(take, people))) == [303, 409, 409]
    assert await history(database, ticket) == ["taken"]


async def test_what_was_written_is_shown_when_somebody_else_has_taken_it(enter: Enter, database: Database) -> None:
    one, other = await enter("agent", "坐席甲"), await enter("agent", "坐席乙")
    ticket = await a_ticket(database, words="客户的秘密")
    old = await seen(other, ticket)
    await do(one, ticket, "take")
    for act, field in (("solve", "solution"), ("note", "text"), ("change", "reason")):
        page = await other.post(path(ticket, act), status=409, seen=old, **{field: "我写了很久"})
        assert "已经由别人接手" in page and "我写了很久" in page and "客户的秘密" not in page
    assert await history(database, ticket) == ["taken"]


async def test_what_was_written_is_shown_when_somebody_else_has_solved_it(enter: Enter, database: Database) -> None:
    one, other = await enter("agent", "坐席甲", "客户服务部"), await enter("agent", "坐席乙", "客户服务部")
    ticket = await a_ticket(database)
    old = await seen(other, ticket)
    await do(one, ticket, "solve", solution="甲的结果")
    page = await other.post(path(ticket, "solve"), status=409, seen=old, solution="乙的结果")
    assert "乙的结果" in page and "甲的结果" in page
    assert (await stored(database, ticket)).solution == "甲的结果"


async def test_a_note_overwrites_nothing_and_needs_no_fresh_page(enter: Enter, database: Database) -> None:
    one, other = await enter("agent", "坐席甲", "客户服务部"), await enter("agent", "坐席乙", "客户服务部")
    ticket = await a_ticket(database)
    old = await seen(other, ticket)
    await do(one, ticket, "take")
    await other.post(path(ticket, "note"), seen=old, text="客户又打来了")
    assert await history(database, ticket) == ["taken", "noted"]


# —— who may —————————————————————————————————————————————————————————


async def test_an_agent_works_own_tickets_those_of_the_department_and_nobodys(enter: Enter, database: Database) -> None:
    agent, colleague = await enter("agent", "坐席甲", "维修部"), await enter("agent", "坐席乙", "销售部")
    own = await a_ticket(database, owner_id=agent.user_id)
    department = await a_ticket(database, department="维修部", owner_id=colleague.user_id)
    nobodys = await a_ticket(database)
    others = await a_ticket(database, owner_id=colleague.user_id, words="别人的事")
    assert "别人的事" not in await agent.get("/console/tickets") and "别人的事" not in await agent.get("/console/tickets/board")
    assert "别人的事" in await (await enter("supervisor")).get("/console/tickets")
    for ticket in (own, department, nobodys):
        await do(agent, ticket, "solve", solution="好了")
    for place in ("", "print/register", "register.docx"):
        await agent.get(path(others, place), status=403)
    for act in ("take", "release", "assign", "change", "note", "solve", "close", "reopen", "move", "revisit-link"):
        await agent.post(path(others, act), status=403, seen=others.updated_at.isoformat(), to="working", text="x", solution="x", reason="x")
    assert await history(database, others) == []


@pytest.mark.parametrize(
    ("role", "reads", "works"),
    [("admin", True, True), ("supervisor", True, True), ("agent", True, True), ("trainer", False, False), ("auditor", True, False)],
)
async def test_each_role_sees_and_does_what_it_may(enter: Enter, database: Database, role: str, reads: bool, works: bool) -> None:
    ticket = await a_ticket(database)
    browser = await enter(role)
    for place in ("/console/tickets", "/console/tickets/board", path(ticket), path(ticket, "print/handling")):
        await browser.get(place, status=200 if reads else 403)
    async with browser.client.get(path(ticket, "handling.docx")) as answer:
        assert answer.status == (200 if reads else 403)
    if reads:
        assert ("标为已解决" in await browser.get(path(ticket))) == works
        assert ("接手" in await browser.get("/console/tickets/board")) == works
    sent = ticket.updated_at.astimezone(SHANGHAI).isoformat()
    await browser.post(path(ticket, "take"), status=303 if works else 403, seen=sent)
    await browser.post(path(ticket, "move"), status=409 if works else 403, seen="old", to="open")
    await browser.post(path(ticket, "revisit-link"), status=409 if works else 403)


async def test_a_ticket_given_to_another_department_leaves_the_agent(enter: Enter, database: Database) -> None:
    agent, colleague = await enter("agent", "坐席甲"), await enter("agent", "坐席乙", "销售部")
    ticket = await a_ticket(database)
    assert await do(agent, ticket, "assign", owner=colleague.user_id) == "/console/tickets"
    await agent.get(path(ticket), status=403)


async def test_forged_numbers_are_not_found(enter: Enter) -> None:
    agent = await enter("agent")
    for number in ("0", "999999", "9" * 30):
        await agent.get(f"/console/tickets/{number}", status=404)
        await agent.post(f"/console/tickets/{number}/take", status=404, seen="")


async def test_what_customers_and_colleagues_write_is_text_and_never_markup(enter: Enter, database: Database) -> None:
    supervisor = await enter("supervisor")
    ticket = await a_ticket(database, words=EVIL, department=EVIL[:40], name=EVIL)
    await do(supervisor, ticket, "note", text=EVIL)
    await do(supervisor, ticket, "solve", solution=EVIL)
    for place in (path(ticket), "/console/tickets", "/console/tickets/board", path(ticket, "print/register"), path(ticket, "print/handling")):
        page = await supervisor.get(place)
        assert "<img" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page, place


# —— the revisit ——————————————————————————————————————————————————————


async def closed(browser: Browser, ticket: Ticket, **fields: Any) -> None:
    await do(browser, ticket, "solve", solution="已经道歉，并且补发")
    await do(browser, ticket, "close", **fields)


async def test_closing_a_complaint_starts_the_revisit_with_the_first_score(enter: Enter, database: Database) -> None:
    agent = await enter("agent")
    ticket = await a_ticket(database)
    await closed(agent, ticket, matter="等候太久")
    case_id = (await stored(database, ticket)).revisit_case_id
    async with database.session() as session:
        first, case = await session.get_one(Case, ticket.case_id), await session.get_one(Case, case_id)
    assert (case.script_id, case.status, case.contact_id) == ("after_service_satisfaction", "new", first.contact_id)
    assert case.variables["first_score"] == "不满意" and case.variables["case_kind"] == "投诉"
    assert (case.variables["matter"], case.variables["done_on"], case.variables["company"]) == ("等候太久", "11月20日", "演示公司")
    page = text_of(await agent.get(path(ticket)))
    assert "再次回访已经建立" in page and "应在 11月23日 10:00 以前回访" in page and "系统会在下一个合适的时段发给客户" in page
    assert "处理以前： 不满意" in page and "还没有评价" in page


async def test_the_second_score_stands_beside_the_first(enter: Enter, database: Database) -> None:
    agent = await enter("agent")
    ticket = await a_ticket(database, kind="dissatisfaction")
    await closed(agent, ticket)
    case_id = (await stored(database, ticket)).revisit_case_id
    comparison = {"first": "不满意", "second": "很满意", "change": 2, "direction": "better"}
    async with database.session() as session:
        for question, value in (("solved", True), ("satisfaction", "很满意"), ("comparison", comparison)):
            session.add(Answer(case_id=case_id, question_id=question, value=value, words="", message_id=None, how="scale3:words"))
    page = text_of(await agent.get(path(ticket)))
    assert "处理以前： 不满意 → 处理以后： 很满意 比上次好" in page and "客户说问题已经解决" in page


async def test_who_must_not_be_contacted_is_not_asked_again(enter: Enter, database: Database) -> None:
    agent = await enter("agent")
    ticket = await a_ticket(database, phone="13900001111")
    async with database.session() as session:
        session.add(DoNotContact(phone="13900001111"))
    await closed(agent, ticket)
    assert (await stored(database, ticket)).revisit_case_id is None
    assert "客户在免打扰名单上" in await agent.get(path(ticket))


async def test_only_complaints_and_dissatisfaction_are_revisited(enter: Enter, database: Database) -> None:
    agent = await enter("agent")
    ticket = await a_ticket(database, kind="question")
    await closed(agent, ticket)
    assert (await stored(database, ticket)).revisit_case_id is None and await history(database, ticket) == ["solved", "closed"]


async def test_closing_again_does_not_ask_twice_while_the_first_revisit_waits(enter: Enter, database: Database) -> None:
    agent = await enter("agent")
    ticket = await a_ticket(database)
    await closed(agent, ticket)
    first = (await stored(database, ticket)).revisit_case_id
    await do(agent, ticket, "reopen", reason="又来投诉")
    await closed(agent, ticket)
    assert (await stored(database, ticket)).revisit_case_id == first
    async with database.session() as session:
        (await session.get_one(Case, first)).status = "closed"
    await do(agent, ticket, "reopen", reason="还是不行")
    await closed(agent, ticket)
    assert (await stored(database, ticket)).revisit_case_id not in (None, first)


async def test_the_revisits_link_is_shown_once_and_not_to_who_opted_out(enter: Enter, database: Database) -> None:
    agent = await enter("agent")
    ticket = await a_ticket(database, phone="13900001111")
    await closed(agent, ticket)
    page = await agent.post(path(ticket, "revisit-link"), status=200)
    assert re.search(r"<code>http://127\.0\.0\.1:8080/c/[\w-]{22}</code>", page)
    assert "/c/" not in await agent.get(path(ticket))
    async with database.session() as session:
        session.add(DoNotContact(phone="13900001111"))
    assert "免打扰" in await agent.post(path(ticket, "revisit-link"), status=409)
    async with database.session() as session:
        assert await session.scalar(select(func.count()).select_from(AccessToken)) == 1


# —— paper ———————————————————————————————————————————————————————————


@pytest.mark.parametrize(("paper", "title"), [("register", "客户投诉登记表"), ("handling", "客户投诉处理单")])
async def test_the_forms_are_printed_and_written_as_word(enter: Enter, database: Database, paper: str, title: str) -> None:
    agent = await enter("agent", "坐席甲")
    ticket = await a_ticket(database, words="坏了\x01三次<b>", name="赵甲")
    await do(agent, ticket, "take")
    await do(agent, ticket, "solve", solution="换了新的")
    page = text_of(await agent.get(path(ticket, f"print/{paper}")))
    async with agent.client.get(path(ticket, f"{paper}.docx")) as answer:
        assert answer.status == 200 and f"{paper}.docx" in answer.headers["Content-Disposition"]
        document = Document(io.BytesIO(await answer.read()))
    cells = [cell.text for row in document.tables[0].rows for cell in row.cells]
    assert document.paragraphs[0].text == title and title in page
    for text in ("赵甲先生", "13812345678", "客户服务部", "换了新的"):
        assert text in page and any(text in cell for cell in cells), text
    assert any("坏了三次<b>" in cell for cell in cells)
    assert (await logged(database))[-2:] == ["ticket.export", "ticket.export"]


async def test_words_are_found_whatever_signs_they_hold(enter: Enter, database: Database) -> None:
    odd = await a_ticket(database, words='他说"等等"，100%_赔\\三块')
    await a_ticket(database, words="没有这些", name="百分号")
    agent = await enter("agent")
    for text in ("等", '"等', '等等"', "100%", "%_", "\\三", "他说\"等等\"，100%_赔\\三块"):
        page = await agent.get(f"/console/tickets?{urlencode({'q': text})}")
        assert re.findall(r'<a class="who" href="/console/tickets/(\d+)"', page) == [str(odd.id)], text
    for text in ("等_等", "100_", "text", "message_id", "\\\\"):
        assert "没有符合条件" in await agent.get(f"/console/tickets?{urlencode({'q': text})}"), text


async def test_the_search_goes_by_the_index(database: Database) -> None:
    async with database.session() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        query = "EXPLAIN SELECT id FROM tickets WHERE text_grams(ticket_text(words, solution)) @> text_grams('换货')"
        plan = "\n".join((await session.scalars(text(query))).all())
    assert "tickets_grams_idx" in plan


async def test_the_revisit_speaks_for_the_firm_of_the_settings_where_the_talk_names_none(
    enter: Enter, database: Database, settings: Settings, server: TestServer
) -> None:
    agent = await enter("agent")
    server.app[SETTINGS] = dataclasses.replace(settings, company="某某果业")
    for variables, company in (({"agent": "小李"}, "某某果业"), ({"company": "别的公司"}, "别的公司")):
        ticket = await a_ticket(database, variables=variables)
        await do(agent, ticket, "solve", solution="已经换货")
        await do(agent, ticket, "close")
        async with database.session() as session:
            revisit = await session.get_one(Case, (await session.get_one(Ticket, ticket.id)).revisit_case_id)
        assert revisit.variables["company"] == company
