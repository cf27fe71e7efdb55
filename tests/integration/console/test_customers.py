"""Customers in the console: masked, revealed by record, exported, erased; and whom not to contact."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from openpyxl import Workbook
from sqlalchemy import select

from followup.settings import SHANGHAI
from followup.store import records
from followup.store.database import Database
from followup.store.campaign_models import Consent
from followup.store.models import Contact, DoNotContact, Ticket
from followup.store.staff_models import AuditEntry
from tests.integration.console.conftest import Browser, text_of
from tests.integration.console.written_talks import Said, Written, write_talk

Enter = Callable[..., Awaitable[Browser]]
NAME, PHONE = "欧阳锦绣", "13977771234"
ERASE = {"reason": "客户本人来电要求，已核对身份"}


async def customer(database: Database, **more: Any) -> Written:
    return await write_talk(database, [Said("可以", "consent"), Said("刮花了", "dissatisfied")], **{"name": NAME, "phone": PHONE, "ticket": "complaint", **more})


async def test_the_list_is_masked_for_everybody_and_can_be_searched_by_the_whole_name(enter: Enter, database: Database) -> None:
    talk = await customer(database)
    await customer(database, name="别人", phone="13500000000")
    for role in ("admin", "supervisor", "agent", "auditor"):
        somebody = await enter(role)
        page = text_of(await somebody.get("/console/customers?q=欧阳锦绣"))
        assert "欧***" in page and "139****1234" in page and "1 张工单未完成" in page and "别*" not in page
        body = await somebody.get(f"/console/customers/{talk.contact_id}")
        assert NAME not in body and PHONE not in body


async def test_trainers_do_not_see_customers(enter: Enter, database: Database) -> None:
    talk = await customer(database)
    trainer = await enter("trainer")
    for path in ("/console/customers", f"/console/customers/{talk.contact_id}", "/console/customers/blocks"):
        await trainer.get(path, status=403)
    for act in ("reveal", "export", "erase", "block"):
        await trainer.post(f"/console/customers/{talk.contact_id}/{act}", status=403)


async def test_revealing_shows_the_name_once_and_says_who_looked(enter: Enter, database: Database) -> None:
    talk = await customer(database)
    agent = await enter("agent")
    shown = await agent.post(f"/console/customers/{talk.contact_id}/reveal", status=200)
    assert NAME in shown and PHONE in shown
    assert NAME not in await agent.get(f"/console/customers/{talk.contact_id}")
    async with database.session() as session:
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.reveal"))).one()
    assert (entry.user_name, entry.object_type, entry.object_id) == ("agent", "contact", str(talk.contact_id))
    assert NAME not in json.dumps(entry.detail)


async def test_the_page_shows_talks_consent_and_tickets(enter: Enter, database: Database) -> None:
    talk = await customer(database)
    page = text_of(await (await enter("supervisor")).get(f"/console/customers/{talk.contact_id}"))
    assert "说可以：“可以”" in page and "第 1 版的说明" in page and "投诉" in page and "可以联系" in page


async def test_what_a_customer_writes_is_text_on_every_page(enter: Enter, database: Database) -> None:
    talk = await write_talk(database, [Said("<script>alert(1)</script>可以", "consent")], name="<b>王</b>", phone=PHONE)
    supervisor = await enter("supervisor")
    for page in (await supervisor.post(f"/console/customers/{talk.contact_id}/reveal", status=200), await supervisor.get("/console/customers")):
        assert "<script>alert" not in page and "<b>王" not in page


@pytest.mark.parametrize("path", ["/console/customers/0", "/console/customers/999999999999999999", "/console/customers/1%20OR%201=1", "/console/customers/-1"])
async def test_a_forged_number_is_not_found(enter: Enter, path: str) -> None:
    await (await enter("admin")).get(path, status=404)


async def test_a_search_of_fifty_thousand_characters_is_answered(enter: Enter, database: Database) -> None:
    await customer(database)
    admin = await enter("admin")
    assert "没有符合条件的客户" in await admin.get("/console/customers?q=" + "%25_" * 1000)


async def test_the_export_is_a_zip_with_a_page_and_json(enter: Enter, database: Database) -> None:
    talk = await customer(database)
    supervisor = await enter("supervisor")
    async with supervisor.client.post(f"/console/customers/{talk.contact_id}/export", data={"csrf": supervisor.csrf}) as answer:
        assert answer.headers["Content-Type"] == "application/zip"
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    page, data = archive.read("客户资料.html").decode(), json.loads(archive.read("data.json"))
    assert NAME in page and "刮花了" in page and "识别为：不满意" in page
    assert [line["text"] for line in data["messages"] if line["direction"] == "in"] == ["可以", "刮花了"]
    async with database.session() as session:
        assert (await session.scalars(select(AuditEntry.action).where(AuditEntry.object_type == "contact"))).all() == ["customer.export"]
    await (await enter("agent")).post(f"/console/customers/{talk.contact_id}/export", status=403)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"reason": "", "confirm": "删除客户 {id}"}, "请写明为什么删除"),
        ({**ERASE, "confirm": "删除客户"}, "照着写"),
        ({**ERASE, "confirm": "删除客户 {id}0"}, "照着写"),
        ({"reason": f"{NAME}要求", "confirm": "删除客户 {id}"}, "请去掉再试"),
        ({"reason": f"{PHONE} 来电", "confirm": "删除客户 {id}"}, "请去掉再试"),
    ],
)
async def test_nobody_erases_by_a_slip(enter: Enter, database: Database, fields: dict[str, str], text: str) -> None:
    talk = await customer(database)
    sent = {key: value.format(id=talk.contact_id) for key, value in fields.items()}
    page = text_of(await (await enter("admin")).post(f"/console/customers/{talk.contact_id}/erase", status=400, **sent))
    assert text in page
    async with database.session() as session:
        assert (await session.get_one(Contact, talk.contact_id)).name == NAME


async def test_erasing_empties_every_page_and_the_logs(enter: Enter, database: Database, tmp_path: Path) -> None:
    talk = await customer(database)
    log = tmp_path / "log" / "rasa.log"
    log.parent.mkdir()
    log.write_text(f"before {NAME} {PHONE} \\u6b27\\u9633\\u9526\\u7ee3 after\n", encoding="utf-8")
    size = log.stat().st_size
    supervisor = await enter("supervisor")
    page = text_of(await supervisor.post(f"/console/customers/{talk.contact_id}/erase", status=200, **ERASE, confirm=f"删除客户 {talk.contact_id}"))
    assert "1 场会话的内容已经删除" in page and "日志里抹去了 3 处" in page
    written = log.read_text(encoding="utf-8")
    assert NAME not in written and PHONE not in written and "6b27" not in written
    assert (written.startswith("before *"), written.endswith("after\n"), log.stat().st_size) == (True, True, size)
    async with database.session() as session:
        ticket = (await session.scalars(select(Ticket.id))).one()
    for path in ("", f"/{talk.contact_id}", "/blocks"):
        assert NAME not in await supervisor.get(f"/console/customers{path}")
    # The pages of what stays still open.
    for path in (f"/console/talks/{talk.case_id}", f"/console/tickets/{ticket}", f"/console/tickets/{ticket}/print/registration", "/console/talks"):
        async with supervisor.client.get(path) as answer:
            assert answer.status in (200, 404)
            assert "刮花了" not in await answer.text()
    assert "已经删除" in await supervisor.get(f"/console/customers/{talk.contact_id}")
    await supervisor.post(f"/console/talks/{talk.case_id}/notes", status=404, text="刮花了的那位")
    await supervisor.post(f"/console/talks/{talk.case_id}/messages/{talk.messages[0]}", status=404, intent="complain", comment="刮花了")
    await supervisor.post(f"/console/customers/{talk.contact_id}/reveal", status=404)


async def test_agents_and_auditors_erase_nobody(enter: Enter, database: Database) -> None:
    talk = await customer(database)
    for role in ("agent", "auditor"):
        await (await enter(role)).post(f"/console/customers/{talk.contact_id}/erase", status=403, **ERASE, confirm=f"删除客户 {talk.contact_id}")


# —— do not contact ————————————————————————————————————————————————————————


async def test_an_agent_puts_a_customer_on_the_list_and_only_a_supervisor_takes_them_off(enter: Enter, database: Database) -> None:
    talk = await customer(database)
    async with database.session() as session:
        session.add(Consent(contact_id=talk.contact_id, channel="sms", given=True, source="购买"))
    agent, supervisor = await enter("agent"), await enter("supervisor")
    await agent.post(f"/console/customers/{talk.contact_id}/block", reason="在门店说的")
    page = text_of(await agent.get(f"/console/customers/{talk.contact_id}"))
    assert "同事添加（agent）：在门店说的" in page
    async with database.session() as session:
        assert await records.is_blocked(session, talk.contact_id)
        (entry,) = (await session.scalars(select(DoNotContact))).all()
        agreed = (await session.execute(select(Consent.given, Consent.source).order_by(Consent.id))).all()
        assert [tuple(row) for row in agreed] == [(True, "购买"), (False, "同事添加")]
    await agent.post(f"/console/customers/blocks/{entry.id}/lift", status=403, reason="试试")
    await supervisor.post(f"/console/customers/blocks/{entry.id}/lift", status=400, reason=" ")
    await supervisor.post(f"/console/customers/blocks/{entry.id}/lift", reason="客户说可以联系了")
    await supervisor.post(f"/console/customers/blocks/{entry.id}/lift", status=400, reason="再一次")
    async with database.session() as session:
        assert not await records.is_blocked(session, talk.contact_id)
    # Lifted and added again are two entries: nothing is overwritten.
    await agent.post(f"/console/customers/{talk.contact_id}/block", reason="又说不要了")
    await agent.post(f"/console/customers/{talk.contact_id}/block", status=400, reason="第三次")
    page = text_of(await supervisor.get("/console/customers/blocks?all=1"))
    assert "在门店说的" in page and "由supervisor解除：客户说可以联系了" in page and "又说不要了" in page


async def test_what_the_customer_said_leads_to_the_talk(enter: Enter, database: Database) -> None:
    talk = await customer(database)
    async with database.session() as session:
        session.add(DoNotContact(contact_id=talk.contact_id, phone=PHONE, reason="customer", words="别再打了", message_id=talk.messages[0]))
    page = await (await enter("auditor")).get("/console/customers/blocks")
    assert f"/console/talks/{talk.case_id}#message-{talk.messages[0]}" in page
    assert "客户要求" in page and "别再打了" in page and PHONE not in page


async def test_a_number_can_be_blocked_before_anybody_has_it(enter: Enter, database: Database) -> None:
    agent = await enter("agent")
    assert "请填写手机号" in await agent.post("/console/customers/blocks", status=400, phone="123", reason="名单")
    await agent.post("/console/customers/blocks", phone="139 7777-1234", reason="名单")
    assert "不用重复添加" in await agent.post("/console/customers/blocks", status=400, phone=PHONE, reason="名单")
    async with database.session() as session:
        assert await records.is_blocked(session, await records.create_contact(session, name="新客户", phone=PHONE))


async def test_blocking_calls_off_what_was_booked(enter: Enter, database: Database) -> None:
    from followup.store.models import Callback

    talk = await customer(database)
    async with database.session() as session:
        session.add(Callback(case_id=talk.case_id, at=datetime(2026, 12, 1, 9, tzinfo=SHANGHAI), reason="busy", words="在忙"))
    await (await enter("agent")).post("/console/customers/blocks", phone=PHONE, reason="名单")
    async with database.session() as session:
        assert (await session.scalars(select(Callback.status))).all() == ["cancelled"]


def _xlsx(*rows: tuple[Any, ...]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    ["手机号,原因\n13977771234,客户说的\n138 0000 0001,\n12,坏的\n13977771234,重复\n".encode("gbk"),
     _xlsx(("手机号", "原因"), (13977771234, "客户说的"), ("138 0000 0001", None), ("12", "坏的"), ("13977771234", "重复"))],
)  # fmt: skip
async def test_a_list_is_imported_from_csv_and_excel(enter: Enter, database: Database, data: bytes) -> None:
    supervisor = await enter("supervisor")
    page = text_of(await _import(supervisor, data))
    assert "新加入 2 个号码，已经在名单上的 0 个。有 1 行不是有效的号码，没有导入：第 4 行。" in page
    assert "新加入 0 个号码，已经在名单上的 2 个。" in text_of(await _import(supervisor, data))
    async with database.session() as session:
        rows = (await session.execute(select(DoNotContact.phone, DoNotContact.reason, DoNotContact.source).order_by(DoNotContact.id))).all()
    assert [tuple(row) for row in rows] == [(PHONE, "客户说的", "import"), ("13800000001", "总部名单", "import")]


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"PK\x03\x04rubbish", "打不开"), ("姓名\n王强\n".encode(), "没有“手机号”"), (b"", "文件是空的"), (_xlsx(), "没有“手机号”")],
)
async def test_a_file_that_cannot_be_taken_is_told_why(enter: Enter, data: bytes, text: str) -> None:
    assert text in text_of(await _import(await enter("supervisor"), data, status=400))


async def test_a_large_list_gets_in_and_a_huge_one_does_not(enter: Enter, database: Database) -> None:
    supervisor = await enter("supervisor")
    lines = "手机号,原因\n" + "".join(f"139{n:08d},{'原因' * 10}\n" for n in range(3000))
    assert "新加入 3000 个" in text_of(await _import(supervisor, lines.encode()))
    assert "最多导入 5000 个" in text_of(await _import(supervisor, ("手机号\n" + "13900000000\n" * 6000).encode(), status=400))
    async with supervisor.client.post("/console/customers/blocks/import", data=_form(supervisor, b"1" * 6 * 1024 * 1024)) as answer:
        assert answer.status in (400, 413)


async def _import(browser: Browser, data: bytes, status: int = 200) -> str:
    async with browser.client.post("/console/customers/blocks/import", data=_form(browser, data)) as answer:
        text = await answer.text()
        assert answer.status == status, text[:2000]
        return text


def _form(browser: Browser, data: bytes) -> aiohttp.FormData:
    form = aiohttp.FormData({"csrf": browser.csrf, "reason": "总部名单"})
    form.add_field("file", data, filename="list.csv", content_type="application/octet-stream")
    return form


async def test_the_list_says_what_is_erased_next(enter: Enter, database: Database) -> None:
    await customer(database, at=datetime.now(SHANGHAI) - timedelta(days=1090), ticket="")
    page = text_of(await (await enter("auditor")).get("/console/customers"))
    assert "1095 天以后" in page and "30 天以内将删除 1 场会话的内容" in page
