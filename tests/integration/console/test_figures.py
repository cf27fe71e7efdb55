"""The dashboard: numbers, the lists behind them, empty and small figures, who may see it; the forms; the monthly report."""

from __future__ import annotations

import io
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from followup import clock
from followup.console.transcripts import queries
from followup.console.transcripts.filters import read_filters
from followup.settings import SHANGHAI
from followup.store.database import Database
from followup.store.models import Answer, Attempt, Callback, Case, Contact, Ticket
from followup.store.staff_models import AuditEntry
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.written_talks import LOAN, Said, Written, write_talk

Enter = Callable[..., Awaitable[Browser]]
FIGURES = "/console/figures"
NOVEMBER = "first=2026-11-01&last=2026-11-30"
WORKSHOP = "workshop_service_satisfaction"


def on(day: int, hour: int = 10, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=SHANGHAI)


async def write(database: Database, *args: Any, opened: bool = True, kind: str = "", **more: Any) -> Written:
    """A talk that was opened three minutes after it was made; `kind`: the customer's 客户类别."""
    written = await write_talk(database, *args, **more)
    async with database.session() as session:
        case = await session.get_one(Case, written.case_id)
        case.opened_at = case.created_at + timedelta(minutes=3) if opened else None
        attempt = (await session.scalars(select(Attempt).where(Attempt.case_id == case.id))).one()
        attempt.started_at, attempt.ended_at = case.created_at, case.ended_at
        if kind:
            await session.execute(update(Contact).where(Contact.id == written.contact_id).values(fields={"客户类别": kind}))
    return written


def answered(text: str, question: str, value: Any, intent: str = "inform") -> Said:
    return Said(text, intent, answers=[(question, value)])


async def a_month(database: Database) -> dict[str, Written]:
    """A talk of every kind that the figures tell apart."""
    yes = Said("方便", "consent")
    made = {}
    for n, price in enumerate(("很满意", "一般", "不满意", "不满意", None, "很满意")):
        words = {"不满意": "利息太高了，服务态度也不好"}.get(price or "", price or "不想说")
        said = [yes, answered("朋友介绍的", "source", "朋友介绍" if n % 2 else "在展会上看到的"), answered(words, "price", price)]
        if n < 4:
            said += [answered("一般吧", "term", "一般"), answered("满意", "service", "很满意")]
            said.append(answered("没有", "suggestions", "无") if n else answered("利率再低一点", "suggestions", "利率再低一点"))
        made[f"loan{n}"] = await write(
            database, said, name=f"车贷{n}", phone=f"1380000000{n}", at=on(2 + n), kind=("集团用户", "私家车用户", " ")[n % 3],
            outcome="completed" if n < 4 else "ended_early", reason="" if n < 4 else "silence",
            variables={"company": "演示公司", "agent": "小尚" if n % 2 else "小德"},
        )  # fmt: skip
    for n, (outcome, reason) in enumerate(
        [("refused", "没时间，别问了"), ("refused", "不需要"), ("refused", "嗯哼"), ("refused", ""), ("do_not_contact", "你们天天打，烦不烦"),
         ("wrong_person", "third_person"), ("unreachable", "silence"), ("appointed", "busy")]
    ):  # fmt: skip
        made[f"{outcome}{n}"] = await write(
            database, [Said(reason or "不了", "refuse")], name=f"没完成{n}", phone=f"1370000000{n}", at=on(10 + n),
            outcome=outcome, reason=reason, status="waiting" if outcome == "appointed" else "closed",
        )  # fmt: skip
    made["complained"] = await write(
        database, [yes, Said("我要投诉，等了三天", "complain")], name="投诉", phone="13600000000", at=on(20), outcome="complained",
        reason="我要投诉", ticket="complaint", kind="集团用户",
    )  # fmt: skip
    made["unopened"] = await write(database, (), name="没打开", phone="13500000000", at=on(21), outcome=None, status="new", opened=False)
    made["demo"] = await write(database, [yes, answered("太差", "price", "不满意")], name="演示", phone="13400000000", at=on(22), is_demo=True)
    made["visitor"] = await write(
        database, [Said("想问一下", "faq")], name="访客", phone=None, at=on(23), script="inbound_enquiry", is_anonymous=True,
    )  # fmt: skip
    scored = [answered("8分", "reception", 8), answered("3分，太慢", "attention", 3), answered("有", "invited", True), answered("没有", "refreshments", False)]
    made["workshop"] = await write(database, [yes, *scored], name="车主", phone="13300000000", at=on(24), script=WORKSHOP, variables={"station": "城东服务站"})
    made["october"] = await write(database, [yes, answered("贵", "price", "不满意")], name="十月", phone="13200000000", at=on(31, month=10))
    return made


def numbers(page: str) -> list[tuple[int, str]]:
    """(number, address) of every number on the page that opens a list."""
    return [(int(number), unescape(link)) for link, number in re.findall(r'<a (?:class="figure" )?href="(/console/talks[^"]*)">(\d+)</a>', page)]


async def behind(database: Database, link: str) -> int:
    async with database.session() as session:
        filters = read_filters(dict(parse_qsl(urlsplit(link).query)))
        return (await queries.page_of_talks(session, filters, 1, personal=True))[1]


def tile(page: str, name: str) -> int:
    return int(re.search(rf'<span class="name">{name}</span><a[^>]*>(\d+)<', page)[1])  # type: ignore[index]


# —— numbers and the lists behind them ————————————————————————————————————————


@pytest.mark.parametrize(
    "query",
    ["", f"&script={LOAN}", f"&script={WORKSHOP}", "&script=inbound_enquiry", f"&script={LOAN}&step=week&demo=1", "&group=客户类别:集团用户", f"&script={LOAN}&named=agent:小尚&step=month"],
)
async def test_every_number_is_that_of_the_list_it_opens(database: Database, enter: Enter, query: str) -> None:
    await a_month(database)
    found = numbers(await (await enter("supervisor")).get(f"{FIGURES}?{NOVEMBER}{query}"))
    assert len(found) > 30
    wrong = [(number, found_there, link) for number, link in found if (found_there := await behind(database, link)) != number]
    assert wrong == []


async def test_a_number_opens_its_talks_and_says_so(database: Database, enter: Enter) -> None:
    await a_month(database)
    browser = await enter("supervisor")
    page = await browser.get(f"{FIGURES}?{NOVEMBER}&script={LOAN}")
    (link,) = {link for number, link in numbers(page) if "why=no_time" in link}
    listed = text_of(await browser.get(link))
    assert "共 1 场" in listed and "没完成0先生" in listed and "原因：没有时间" in listed


async def test_the_talks_are_counted_by_how_far_they_came(database: Database, enter: Enter) -> None:
    await a_month(database)
    page = await (await enter("supervisor")).get(f"{FIGURES}?{NOVEMBER}")
    # 6 about loans, 8 that came to nothing, one complaint, one never opened, one at the workshop; no demo, visitor, October.
    assert [tile(page, name) for name in ("邀请", "打开", "应答", "完成", "有不满意", "有投诉")] == [17, 16, 16, 5, 3, 1]
    assert tile(await (await enter("auditor")).get(f"{FIGURES}?{NOVEMBER}&demo=1"), "邀请") == 18


async def test_a_question_is_counted_by_answer_and_what_was_passed_apart(database: Database, enter: Enter) -> None:
    await a_month(database)
    page = await (await enter("supervisor")).get(f"{FIGURES}?{NOVEMBER}&script={LOAN}")
    answers = {dict(parse_qsl(urlsplit(link).query)).get("answer", ""): number for number, link in numbers(page) if "question=price" in link}
    assert answers == {"": 6, "很满意": 2, "一般": 1, "不满意": 2, "none": 1}
    sources = {dict(parse_qsl(urlsplit(link).query)).get("answer", ""): number for number, link in numbers(page) if "question=source" in link}
    assert sources["朋友介绍"] == 3 and sources["在展会上看到的"] == 3 and sources["网络广告"] == 0
    said = {dict(parse_qsl(urlsplit(link).query)).get("answer", ""): number for number, link in numbers(page) if "question=suggestions" in link}
    assert said == {"": 4, "given": 1, "无": 3}


async def test_a_correction_moves_a_talk_from_one_figure_to_the_other(database: Database, enter: Enter) -> None:
    made = await a_month(database)
    browser, talk = await enter("supervisor"), made["loan2"]
    await browser.post(f"/console/talks/{talk.case_id}/answers/{talk.answers['price']}", value="一般", reason="只是有点贵", seen=0)
    page = await browser.get(f"{FIGURES}?{NOVEMBER}&script={LOAN}")
    answers = {dict(parse_qsl(urlsplit(link).query)).get("answer", ""): number for number, link in numbers(page) if "question=price" in link}
    assert answers == {"": 6, "很满意": 2, "一般": 2, "不满意": 1, "none": 1}
    assert tile(page, "有不满意") == 1


async def test_an_answer_that_the_customer_took_back_does_not_count(database: Database, enter: Enter) -> None:
    made = await a_month(database)
    async with database.session() as session:
        await session.execute(update(Answer).where(Answer.id == made["loan2"].answers["price"]).values(superseded=True))
    page = await (await enter("supervisor")).get(f"{FIGURES}?{NOVEMBER}&script={LOAN}")
    assert tile(page, "有不满意") == 1


async def test_where_talks_break_off(database: Database, enter: Enter) -> None:
    await a_month(database)
    page = await (await enter("supervisor")).get(f"{FIGURES}?{NOVEMBER}&script={LOAN}")
    stopped = {dict(parse_qsl(urlsplit(link).query))["stopped"]: number for number, link in numbers(page) if "stopped=" in link}
    # Seven came to nothing before any question (an appointment goes on), and the complaint; two fell silent after the price.
    assert stopped == {"none": 8, "source": 0, "price": 2, "term": 0, "service": 0, "suggestions": 0}


async def test_aspects_are_those_named_in_what_was_complained_of(database: Database, enter: Enter) -> None:
    await a_month(database)
    page = await (await enter("supervisor")).get(f"{FIGURES}?{NOVEMBER}&script={LOAN}")
    found = {dict(parse_qsl(urlsplit(link).query))["aspect"]: number for number, link in numbers(page) if "aspect=" in link}
    assert found["price"] == 2 and found["attitude"] == 2
    assert "service" not in found  # 服务态度 is the attitude


async def test_rates_weigh_every_answer_the_same(database: Database, enter: Enter) -> None:
    await a_month(database)
    page = text_of(await (await enter("supervisor")).get(f"{FIGURES}?{NOVEMBER}&script={WORKSHOP}"))
    assert re.search(r"落实度 2 个回答 50%", page) and re.search(r"满意度 2 个回答 55%", page)
    assert "平均 8.00 分" in page


# —— empty, small, forged ——————————————————————————————————————————————————


async def test_without_talks_the_page_says_what_to_do(enter: Enter) -> None:
    page = await (await enter("supervisor")).get(FIGURES)
    assert "这段时间没有会话" in page and "NaN" not in page and "None" not in text_of(page)


async def test_of_fewer_than_five_talks_no_shares_are_shown(database: Database, enter: Enter) -> None:
    await write(database, [answered("不满意", "price", "不满意")], at=on(3))
    page = text_of(await (await enter("supervisor")).get(f"{FIGURES}?{NOVEMBER}&script={LOAN}"))
    assert "%" not in page and "NaN" not in page


@pytest.mark.parametrize(
    "query",
    ["first=2026-13-01", "first=2026-12-01&last=2026-11-01", "first=0001-01-01&last=9999-12-31", "by=" + "x" * 5000, "who=%27;drop", "step=hour",
     "script=%00", "group=:", "named=x", "group=客户类别:%25", "length=9&why=no&stopped=%27", "first=1900-01-01"],
)  # fmt: skip
async def test_a_mistyped_address_still_shows_a_page(database: Database, enter: Enter, query: str) -> None:
    await a_month(database)
    browser = await enter("supervisor")
    await browser.get(f"{FIGURES}?{query}")
    await browser.get(f"/console/talks?{query}")


async def test_markup_in_a_group_stays_text(database: Database, enter: Enter) -> None:
    for n in range(3):
        await write(database, [Said("好")], phone=f"1380000000{n}", at=on(3), kind='<script>alert(1)</script>"')
    page = await (await enter("supervisor")).get(f"{FIGURES}?{NOVEMBER}")
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("supervisor", 200), ("auditor", 200), ("agent", 403), ("trainer", 403)])
async def test_who_may_see_figures(enter: Enter, role: str, status: int) -> None:
    browser = await enter(role)
    await browser.get(FIGURES, status)
    await browser.get(f"{FIGURES}/reports", status)
    await browser.get(f"{FIGURES}/reports/2026-11", status)
    await browser.get(f"{FIGURES}/forms/record.xlsx", status) if status == 403 else None


async def test_a_trainer_cannot_ask_for_groups_of_customers(database: Database, enter: Enter) -> None:
    await a_month(database)
    listed = await (await enter("trainer")).get("/console/talks?group=客户类别:没有这个")
    assert "没有符合条件" not in listed  # the filter is not taken at all


# —— the documents' forms ——————————————————————————————————————————————————


async def file(browser: Browser, path: str, status: int = 200) -> bytes:
    async with browser.client.get(path, allow_redirects=False) as answer:
        body = await answer.read()
        assert answer.status == status, body[:500]
        return body


def cells(body: bytes) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(body)).worksheets[0]
    return [[cell for cell in row] for row in sheet.values]


async def test_the_record_has_the_documents_columns_and_a_line_for_each_talk_that_was_held(database: Database, enter: Enter) -> None:
    made = await a_month(database)
    async with database.session() as session:
        session.add(Callback(case_id=made["appointed7"].case_id, at=on(30, 15), reason="busy", words="月底下午三点", created_at=on(17)))
    rows = cells(await file(await enter("auditor"), f"{FIGURES}/forms/record.xlsx?{NOVEMBER}"))
    assert rows[2] == ["电话号码", "客户姓名", "客户的工作性质", "客户的态度及问题", "如何进行解答与沟通的", "日期及通话时间长度", "下次准备电话沟通的时间"]
    lines = {row[1]: row for row in rows[3:] if row[1]}
    assert len(lines) == 16 and "没打开先生" not in lines
    assert lines["车贷2先生"][2:5] == [None, "很满意1项、一般1项、不满意1项；“利息太高了，服务态度也不好”", "完成"]
    assert lines["没完成0先生"][3:5] == ["拒访：“没时间，别问了”", "拒访"]
    assert lines["投诉先生"][2] == "集团用户" and lines["投诉先生"][4] == "投诉；投诉已转客户服务部，待处理"
    assert lines["没完成7先生"][6] == "2026-11-30 15:00"
    assert lines["车贷0先生"][5] == "2026-11-02 10:03，12分钟"


@pytest.mark.parametrize("kind", ["xlsx", "pdf"])
async def test_forms_are_files_and_each_download_is_logged(database: Database, enter: Enter, kind: str) -> None:
    await a_month(database)
    browser = await enter("supervisor")
    for path in (f"forms/record.{kind}?{NOVEMBER}", f"forms/rates.{kind}?{NOVEMBER}&script={WORKSHOP}", f"forms/survey.{kind}?{NOVEMBER}&script=satisfaction_survey_form"):
        body = await file(browser, f"{FIGURES}/{path}")
        assert body.startswith(b"%PDF" if kind == "pdf" else b"PK")
    async with database.session() as session:
        logged = list(await session.scalars(select(AuditEntry).where(AuditEntry.action == "form.export").order_by(AuditEntry.id)))
    assert [(entry.object_id, entry.detail["format"], entry.detail["rows"]) for entry in logged] == [("record", kind, 16), ("rates", kind, 1), ("survey", kind, 0)]


async def test_a_form_that_a_script_does_not_have_is_not_found(enter: Enter) -> None:
    await file(await enter("supervisor"), f"{FIGURES}/forms/survey.xlsx?script={LOAN}", 404)


async def test_no_formula_leaves_the_console(database: Database, enter: Enter) -> None:
    evil = '=HYPERLINK("http://example.org")'
    await write(database, [answered(evil, "price", "不满意"), answered(evil, "suggestions", evil)], name=evil, at=on(3), ticket="complaint", kind=evil)
    browser = await enter("supervisor")
    for path in (f"forms/record.xlsx?{NOVEMBER}", "reports/2026-11.xlsx"):
        book = load_workbook(io.BytesIO(await file(browser, f"{FIGURES}/{path}")))
        assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)


# —— the monthly report ——————————————————————————————————————————————————


@pytest.fixture
def december(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """The present moment: noon of a day of December 2026."""

    def at(day: int) -> None:
        # Sessions look at the clock too: it is set before anybody logs in.
        monkeypatch.setattr(clock, "now", lambda: on(day, 12, 12))

    at(2)
    return at


async def test_the_report_says_what_the_documents_ask_for(database: Database, enter: Enter, december: Callable[[int], None]) -> None:
    made = await a_month(database)
    async with database.session() as session:
        await session.execute(update(Ticket).where(Ticket.case_id == made["complained"].case_id).values(status="solved", solution="已道歉并补办"))
    page = text_of(await (await enter("supervisor")).get(f"{FIGURES}/reports/2026-11"))
    for said in (
        "邀请 17", "打开 16 94.1%", "拒访 没有时间 1", "免打扰 嫌打扰 1", "车贷业务满意度回访 请问您对我们的收费价格是否满意 5 2 1 2",
        "服务站满意度回访 50% 55%", "价格 2", "集团用户 3", "投诉先生 车贷业务满意度回访 太慢了 客户服务部 已解决：已道歉并补办", "利率再低一点",
    ):  # fmt: skip
        assert said in page, said


async def test_a_report_is_due_by_the_third_and_confirmed_once_it_is_handed_in(
    database: Database, enter: Enter, december: Callable[[int], None]
) -> None:
    made = await a_month(database)
    browser = await enter("supervisor")
    assert "应于2026-12-03以前完成" in await browser.get(f"{FIGURES}/reports/2026-11")
    await file(browser, f"{FIGURES}/reports/2026-11.pdf")
    await browser.post(f"{FIGURES}/reports/2026-11/confirm")
    page = text_of(await browser.get(f"{FIGURES}/reports/2026-11"))
    assert "已完成 supervisor在12月2日 12:00确认。" in page and "下载过" in page and "数字有变化" not in page
    async with database.session() as session:  # somebody was read wrongly
        await session.execute(update(Case).where(Case.id == made["loan0"].case_id).values(outcome="ended_early"))
    assert "确认以后数字有变化：完成由 5 变为 4；中途结束由 2 变为 3。" in text_of(await browser.get(f"{FIGURES}/reports/2026-11"))


async def test_a_report_that_nobody_confirmed_is_late_from_the_fourth(database: Database, enter: Enter, december: Callable[[int], None]) -> None:
    await a_month(database)
    december(3)
    assert "等待确认" in await (await enter("supervisor")).get(f"{FIGURES}/reports")
    december(4)
    page = text_of(await (await enter("admin")).get(f"{FIGURES}/reports"))
    assert "2026年11月 2026-12-03 以前 逾期，还没有确认" in page and "2026年12月 2027-01-03 以前 本月还没有结束" in page


async def test_a_month_that_is_not_over_cannot_be_confirmed_and_an_auditor_confirms_nothing(
    database: Database, enter: Enter, december: Callable[[int], None]
) -> None:
    await a_month(database)
    await (await enter("supervisor")).post(f"{FIGURES}/reports/2026-12/confirm", 403)
    await (await enter("auditor")).post(f"{FIGURES}/reports/2026-11/confirm", 403)


@pytest.mark.parametrize("month", ["2026-13", "0000-01", "9999-12", "2026-00"])
async def test_what_is_no_month_is_not_found(enter: Enter, month: str) -> None:
    await (await enter("supervisor")).get(f"{FIGURES}/reports/{month}", 404)
