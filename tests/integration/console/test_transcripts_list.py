"""The list of talks: filters, search, order, pages, what each role sees of it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from followup.console.transcripts.filters import talks_link
from followup.settings import SHANGHAI
from followup.store.database import Database
from followup.store.models import Message
from followup.store.staff_models import AuditEntry
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.written_talks import LOAN, Said, write_talk

Enter = Callable[..., Awaitable[Browser]]
ROLES = ("admin", "supervisor", "agent", "trainer", "auditor")


def customers(page: str) -> list[str]:
    return re.findall(r'class="who" href="[^"]+">([^<]+)<', page)


def on(day: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, 10, tzinfo=SHANGHAI)


async def a_mixed_list(database: Database) -> None:
    """Seven talks, each the only one of its kind."""
    first = await write_talk(database, [Said("利率有点贵", "dissatisfied", answers=[("price", "不满意")])], name="甲某", at=on(1))
    await write_talk(database, [Said("别再打了", "do_not_contact", 0.99)], name="乙某", at=on(2), outcome="do_not_contact", reason="customer")
    await write_talk(database, [Said("嗯嗯那个", "out_of_scope", 0.31)], name="丙某", at=on(3), outcome=None, status="open", channel="wechat")
    await write_talk(database, [Said("我要投诉", "complain")], name="丁某", at=on(4), outcome="complained", ticket="complaint")
    await write_talk(database, [Said("没修好", "dissatisfied")], name="戊某", at=on(5), ticket="dissatisfaction", is_demo=True)
    await write_talk(
        database, [Said("想问订单100%到了没_急", "faq")], name="访客", phone=None, at=on(6), script="inbound_enquiry",
        is_anonymous=True, claimed=first, outcome=None, status="waiting",
    )  # fmt: skip
    await write_talk(
        database,
        [Said("挺好，就是在忙", "satisfied", answers=[("price", "很满意"), ("term", None)], acts=[
            {"intent": "satisfied", "confidence": 0.9, "text": "挺好"}, {"intent": "busy", "confidence": 0.8, "text": "就是在忙"}])],
        name="己某", phone="02087654321", at=on(30, 10), outcome="appointed",
    )  # fmt: skip


FILTERED = {
    "": "访客 戊某 丁某 丙某 乙某 甲某 己某",
    "sort=oldest": "己某 甲某 乙某 丙某 丁某 戊某 访客",
    f"script={LOAN}&sort=oldest": "己某 甲某 乙某 丙某 丁某 戊某",
    "script=inbound_enquiry": "访客",
    "first=2026-11-02&last=2026-11-04": "丁某 丙某 乙某",
    "first=2026-11-06": "访客",
    "last=2026-10-31": "己某",
    "outcome=complained": "丁某",
    "outcome=none": "访客 丙某",
    "reason=customer": "乙某",
    "status=open": "丙某",
    "intent=busy": "己某",  # not the leading intent, but one of the acts
    "intent=dissatisfied": "戊某 甲某",
    "channel=wechat": "丙某",
    "unsure=1": "丙某",
    "complaint=1": "丁某",
    "ticket=1": "戊某 丁某",
    "demo=yes": "戊某",
    "demo=no&outcome=completed": "甲某",
    "customer=甲": "访客 甲某",  # the visitor who gave this customer's number too
    "customer=020": "己某",
    "question=price&answer=不满意": "甲某",
    "question=price": "甲某 己某",
    "question=term&answer=none": "己某",
    "q=利率": "甲某",
    "q=贵": "甲某",
    "q=请问您现在方便吗&intent=do_not_contact": "乙某",  # what we said is searched too
    "q=利率 已经记下": "甲某",  # two words, said by two sides
    "q=利率 投诉": "",
    "q=%25": "访客",
    "q=100%25到": "访客",
    "q=没_急": "访客",
    "q=_": "访客",
    "q=没%25急": "",
    "q=%5C": "",
    "q='": "",
    "intent=nonsense": "",
    "first=yesterday&sort=sideways&contact=x&demo=perhaps": "访客 戊某 丁某 丙某 乙某 甲某 己某",
}
"""Query -> the customers found, in order."""


async def test_each_filter_lets_through_what_it_says(enter: Enter, database: Database) -> None:
    await a_mixed_list(database)
    supervisor = await enter("supervisor")
    found, counts = {}, {}
    for query in FILTERED:
        page = await supervisor.get(f"/console/talks?{query}")
        found[query] = " ".join(name.removesuffix("先生") for name in customers(page))
        counts[query] = int(re.findall(r"共 (\d+) 场", text_of(page))[0])
    assert found == FILTERED
    assert counts == {query: len(names.split()) for query, names in FILTERED.items()}


async def test_links_that_other_pages_make_are_filters(enter: Enter, database: Database) -> None:
    await a_mixed_list(database)
    link = talks_link(script=LOAN, first=date(2026, 11, 1), last=date(2026, 11, 30), demo="no", question="price", answer="不满意")
    assert customers(await (await enter("auditor")).get(link)) == ["甲某先生"]


async def test_the_filters_stay_in_the_form_the_pager_and_the_links(enter: Enter, database: Database) -> None:
    for number in range(53):
        await write_talk(database, [Said("利率高")], name=f"客户{number:02}", at=on(1 + number // 24))
    agent = await enter("agent")
    page = await agent.get("/console/talks?q=利率&sort=customer")
    assert customers(page) == [f"客户{number:02}先生" for number in range(50)]
    assert 'name="q" value="利率"' in page
    (second,) = re.findall(r'rel="next" href="([^"]+)"', page)
    assert customers(await agent.get(second.replace("&amp;", "&"))) == ["客户50先生", "客户51先生", "客户52先生"]
    assert "回到第一页" in await agent.get("/console/talks?q=利率&page=9")
    assert re.search(r'class="who" href="/console/talks/[0-9a-f]{32}\?q=%E5%88%A9%E7%8E%87&amp;sort=customer"', page)


async def test_an_empty_list_says_what_to_do(enter: Enter) -> None:
    agent = await enter("agent")
    assert "把回访链接发给客户" in await agent.get("/console/talks")
    assert "没有符合条件的会话" in await agent.get("/console/talks?q=什么")


async def test_a_row_shows_what_is_to_be_looked_at(enter: Enter, database: Database) -> None:
    await a_mixed_list(database)
    page = await (await enter("agent")).get("/console/talks")
    rows = {customers(row)[0]: text_of(row) for row in re.findall(r"(?s)<tr>.*?</tr>", page) if customers(row)}
    assert "投诉" in rows["丁某先生"] and "低置信度" not in rows["丁某先生"]
    assert "低置信度" in rows["丙某先生"] and "进行中" in rows["丙某先生"]
    assert "工单" in rows["戊某先生"] and "演示" in rows["戊某先生"]
    assert "自称客户：甲某" in rows["访客先生"] and "在线客服" in rows["访客先生"]
    assert "车贷业务满意度回访" in rows["甲某先生"] and "11月1日 10:02" in rows["甲某先生"] and " 3 " in rows["甲某先生"]


async def test_the_words_searched_for_are_shown_where_they_were_said(enter: Enter, database: Database) -> None:
    await write_talk(database, [Said("我觉得你们的利率有点贵")])
    assert "你们的<mark>利率</mark>有点贵" in await (await enter("agent")).get("/console/talks?q=利率")


async def test_what_customers_write_is_text_and_never_markup(enter: Enter, database: Database) -> None:
    await write_talk(database, [Said("<script>alert(1)</script>")], name="<b>王强</b>")
    page = await (await enter("agent")).get("/console/talks?q=script>alert&customer=<b>")
    assert "<script>alert" not in page and "<b>王强" not in page
    assert "&lt;b&gt;王强" in page and "<mark>script&gt;alert</mark>" in page


async def test_names_are_masked_for_trainers(enter: Enter, database: Database) -> None:
    await a_mixed_list(database)
    page = await (await enter("trainer")).get("/console/talks?q=您好")
    assert "甲某" not in page and "甲*先生" in page
    assert customers(await (await enter("trainer", "t2")).get("/console/talks?customer=甲&contact=1")) != ["甲*先生"]


async def test_trainers_cannot_find_out_numbers_by_searching(enter: Enter, database: Database) -> None:
    await write_talk(database, [Said("我的电话是13912345678")])
    assert customers(await (await enter("trainer")).get("/console/talks?q=139123")) == []
    assert customers(await (await enter("agent")).get("/console/talks?q=139123")) == ["王强先生"]


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_reads_and_only_some_export(enter: Enter, role: str) -> None:
    browser = await enter(role)
    await browser.get("/console/talks")
    for kind in ("xlsx", "csv"):
        async with browser.client.get(f"/console/talks/export.{kind}") as answer:
            assert answer.status == (200 if role in ("admin", "supervisor", "auditor") else 403)


async def test_an_export_holds_the_filtered_list_and_is_in_the_log(enter: Enter, database: Database) -> None:
    await a_mixed_list(database)
    supervisor = await enter("supervisor")
    async with supervisor.client.get(f"/console/talks/export.xlsx?script={LOAN}&sort=oldest") as answer:
        sheet = load_workbook(io.BytesIO(await answer.read())).active
    assert [row[1].value for row in sheet.iter_rows(min_row=2)] == [f"{name}先生" for name in "己某 甲某 乙某 丙某 丁某 戊某".split()]
    head = [cell.value for cell in sheet[1]]
    assert dict(zip(head, [cell.value for cell in sheet[3]]))["结果"] == "完成"
    async with database.session() as session:
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "talks.export"))).one()
    assert entry.detail == {"rows": 6, "format": "xlsx", "filters": {"script": LOAN, "sort": "oldest"}}
    assert "导出会话列表" in await (await enter("admin")).get("/console/audit")


async def test_formulas_in_an_export_are_only_text(enter: Enter, database: Database) -> None:
    await write_talk(database, name="=cmd|' /C calc'!A0", phone="+8613812345678")
    supervisor = await enter("supervisor")
    async with supervisor.client.get("/console/talks/export.csv") as answer:
        rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    assert rows[1][1].startswith("'=cmd") and rows[1][2] == "'+8613812345678"
    async with supervisor.client.get("/console/talks/export.xlsx") as answer:
        sheet = load_workbook(io.BytesIO(await answer.read())).active
    assert (sheet["B2"].data_type, sheet["B2"].value[:4]) == ("s", "=cmd")


async def test_a_search_without_end_is_cut(enter: Enter, database: Database) -> None:
    await write_talk(database)
    agent = await enter("agent")
    assert customers(await agent.get(f"/console/talks?q={'x' * 5000}")) == []


async def test_the_search_uses_the_index(database: Database) -> None:
    """What the migration promises: a search reads the index of characters and pairs, not every message."""
    from sqlalchemy import text

    from followup.console.transcripts.conditions import holds_word

    async with database.session() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        statement = select(Message.case_id).where(holds_word("利率"))
        compiled = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True, "render_postcompile": True})
        plan = (await session.execute(text(f"EXPLAIN {str(compiled).replace(':', chr(92) + ':')}"))).scalars().all()
    assert "messages_grams_idx" in "\n".join(plan)
