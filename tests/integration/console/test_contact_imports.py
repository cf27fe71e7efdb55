"""Importing customers in the console: sent, understood, corrected, taken once; the report; keys of customer systems."""

from __future__ import annotations

import io
import re
from collections.abc import Awaitable, Callable

import aiohttp
from openpyxl import load_workbook
from sqlalchemy import select

from followup.store.campaign_models import ApiKey, Consent, Import, Upload
from followup.store.database import Database
from followup.store.models import Contact, DoNotContact
from followup.store.staff_models import AuditEntry
from followup.web.keys import DATABASE
from tests.integration.console.conftest import Browser, text_of
from tests.integration.contacts.working import work_off

Enter = Callable[..., Awaitable[Browser]]
GOOD = "姓名,手机号,签收日期\n王芳,13800138000,2026/3/5\n李强,13900139000,2026年3月6日\n"
WITH_BAD = GOOD + "赵敏,1370013700,2026-03-05\n钱多,13600136000,2月30日\n"


async def send(browser: Browser, text: str, name: str = "客户.csv", status: int = 303) -> str:
    form = aiohttp.FormData({"csrf": browser.csrf}, quote_fields=False)  # as browsers send a file name
    form.add_field("file", text.encode("gbk"), filename=name)
    return await post_file(browser, form, status)


async def post_file(browser: Browser, form: aiohttp.FormData, status: int = 303) -> str:
    """Send the file and have the worker read and check it."""
    async with browser.client.post("/console/contacts/import", data=form, allow_redirects=False) as answer:
        assert answer.status == status, await answer.text()
        said = answer.headers["Location"] if status == 303 else await answer.text()
    await work_off(browser.client.server.app[DATABASE])  # type: ignore[attr-defined]
    return said


async def taken(browser: Browser, path: str, **fields: str) -> str:
    """Press 导入 and have the worker do it; where that leads."""
    assert await browser.post(f"{path}/take", **fields) == path
    await work_off(browser.client.server.app[DATABASE])  # type: ignore[attr-defined]
    await browser.get(path, status=303)  # the page that waited leads on
    return await browser.post(f"{path}/take")


async def everybody(database: Database) -> list[Contact]:
    async with database.session() as session:
        return list(await session.scalars(select(Contact).order_by(Contact.id)))


async def test_a_file_is_shown_before_anything_is_written_and_then_taken_once(enter: Enter, database: Database) -> None:
    somebody = await enter("supervisor")
    path = await send(somebody, GOOD)
    shown = text_of(await somebody.get(path))
    assert "新客户 2 位" in shown and "签收日期：2026-03-05" in shown and "王芳" in shown
    assert await everybody(database) == []
    for _ in range(2):  # clicked twice
        assert await somebody.post(f"{path}/take") == path
    assert "正在导入客户" in await somebody.get(path)
    await work_off(database)
    report = await somebody.post(f"{path}/take")
    assert [one.fields for one in await everybody(database)] == [{"签收日期": "2026-03-05"}, {"签收日期": "2026-03-06"}]
    assert "新增 2 位" in text_of(await somebody.get(report))
    assert "客户.csv" in await somebody.get("/console/imports")
    async with database.session() as session:
        actions = (await session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("contacts.")))).all()
        assert actions == ["contacts.upload", "contacts.import"]
        assert (await session.scalars(select(Upload))).one().content == b""


async def test_with_a_bad_row_nothing_is_taken_unless_it_is_passed_over(enter: Enter, database: Database) -> None:
    somebody = await enter("supervisor")
    path = await send(somebody, WITH_BAD)
    shown = text_of(await somebody.get(path))
    assert "有问题 2 行" in shown and "这一天不存在" in shown and "不是有效的手机号" in shown
    assert "一位客户也没有导入" in await somebody.post(f"{path}/take", status=400)
    assert await everybody(database) == []
    report = await taken(somebody, path, skip_bad="1")
    assert len(await everybody(database)) == 2
    assert "钱多" in await somebody.get(report)
    async with somebody.client.get(f"{report}/bad.xlsx") as answer:
        rows = list(load_workbook(io.BytesIO(await answer.read())).active.values)
    assert rows[0] == ("需要修改的原因", "原来的行号", "姓名", "手机号", "签收日期") and rows[2][1:] == ("5", "钱多", "13600136000", "2月30日")


async def test_rows_to_be_mended_come_back_as_a_file_that_is_taken_when_mended(enter: Enter, database: Database) -> None:
    somebody = await enter("supervisor")
    path = await send(somebody, WITH_BAD)
    async with somebody.client.get(f"{path}/bad.xlsx") as answer:
        book = load_workbook(io.BytesIO(await answer.read()))
    book.active["D2"], book.active["E3"] = "13700137000", "2026-03-01"
    out = io.BytesIO()
    book.save(out)
    form = aiohttp.FormData({"csrf": somebody.csrf})
    form.add_field("file", out.getvalue(), filename="mended.xlsx")
    path = await post_file(somebody, form)
    await taken(somebody, path)
    assert {one.name: one.fields for one in await everybody(database)} == {"赵敏": {"签收日期": "2026-03-05"}, "钱多": {"签收日期": "2026-03-01"}}


async def test_columns_can_be_understood_otherwise_and_groups_and_consent_given_to_all(enter: Enter, database: Database) -> None:
    somebody = await enter("supervisor")
    path = await send(somebody, "名称,号码,类别\n王芳,13800138000,车队\n")
    assert "没有“姓名”这一列" in await somebody.get(path)
    chosen = {"use0": "name", "use1": "phone", "use2": "groups", "groups": "vip、十月", "channel": "sms"}
    assert "在哪里同意的" in await somebody.post(f"{path}/check", status=400, **chosen)
    await somebody.post(f"{path}/check", **chosen, source="购买合同", text_version="2026-01")
    await work_off(database)
    await taken(somebody, path)
    (wang,) = await everybody(database)
    assert wang.groups == ["车队", "VIP", "十月"]
    async with database.session() as session:
        (given,) = await session.scalars(select(Consent))
    assert (given.channel, given.given, given.source, given.text_version) == ("sms", True, "购买合同", "2026-01")
    page = text_of(await somebody.get(f"/console/customers/{wang.id}"))
    assert "短信：同意" in page and "来源：购买合同，文本：2026-01" in page and "车队" in page


async def test_consent_and_groups_that_were_not_checked_again_are_kept_when_importing(enter: Enter, database: Database) -> None:
    somebody = await enter("supervisor")
    path = await send(somebody, WITH_BAD)
    page = await somebody.get(path)
    # 导入 sends the form in which they are.
    assert re.search(rf'<button class="primary" form="columns" formaction="{path}/take">', page) and 'form="columns" type="checkbox" name="skip_bad"' in page
    shown = {"use0": "name", "use1": "phone", "use2": "date", "groups": "车队", "channel": "sms"}
    refused = await somebody.post(f"{path}/take", status=400, skip_bad="1", **shown)
    assert "在哪里同意的" in refused and 'value="sms" checked' in refused and 'value="车队"' in refused and await everybody(database) == []
    await taken(somebody, path, skip_bad="1", **shown, source="购买合同")
    assert [one.groups for one in await everybody(database)] == [["车队"], ["车队"]]
    async with database.session() as session:
        assert {(one.channel, one.given, one.source) for one in await session.scalars(select(Consent))} == {("sms", True, "购买合同")}


async def test_columns_that_were_changed_are_checked_before_anybody_is_taken(enter: Enter, database: Database) -> None:
    somebody = await enter("supervisor")
    path = await send(somebody, GOOD)
    other = {"use0": "name", "use1": "phone", "use2": "text"}
    assert await somebody.post(f"{path}/take", **other) == path
    await work_off(database)
    shown = text_of(await somebody.get(path))
    assert await everybody(database) == [] and "请看过新的结果" in shown and "签收日期：2026/3/5" in shown
    await taken(somebody, path, **other)
    assert [one.fields for one in await everybody(database)] == [{"签收日期": "2026/3/5"}, {"签收日期": "2026年3月6日"}]


async def test_the_same_file_twice_and_who_must_not_be_called_are_told(enter: Enter, database: Database) -> None:
    async with database.session() as session:
        session.add(DoNotContact(phone="13800138000", source="staff"))
    somebody = await enter("supervisor")
    await taken(somebody, await send(somebody, GOOD))
    path = await send(somebody, GOOD)
    shown = text_of(await somebody.get(path))
    assert "已经导入过" in shown and "免打扰 1 位" in shown and "已经登记的 2 位" in shown
    report = await taken(somebody, path)
    assert "另有 2 位没有变化" in await somebody.get(report) and "1 位在" in text_of(await somebody.get(report))


async def test_a_file_that_is_none_is_told_in_chinese(enter: Enter, database: Database) -> None:
    somebody = await enter("supervisor")
    assert "旧版的 Excel" in await send_bytes(somebody, b"\xd0\xcf\x11\xe0" + b"0" * 600)
    assert "文件是空的" in await send_bytes(somebody, b"")
    assert "请选择要导入的文件" in await somebody.post("/console/contacts/import", status=400)


async def send_bytes(browser: Browser, data: bytes) -> str:
    form = aiohttp.FormData({"csrf": browser.csrf})
    form.add_field("file", data, filename="x.xls")
    async with browser.client.post("/console/contacts/import", data=form, allow_redirects=False) as answer:
        assert answer.status == 400
        return await answer.text()


async def test_nobody_sees_a_colleagues_file_and_agents_no_bad_rows(enter: Enter, database: Database) -> None:
    somebody, other, agent = await enter("supervisor"), await enter("supervisor", "另一位"), await enter("agent")
    path = await send(somebody, WITH_BAD)
    for way in ("", "/bad.xlsx"):
        await other.get(path + way, status=404)
    await other.post(f"{path}/take", status=404)
    report = await taken(somebody, path, skip_bad="1")
    assert "钱多" not in await agent.get(report)
    await agent.get(f"{report}/bad.xlsx", status=403)
    await agent.get("/console/contacts/import", status=403)


async def test_a_key_is_shown_once_and_can_be_revoked(enter: Enter, database: Database) -> None:
    admin = await enter("admin")
    assert "请写明给哪个系统用" in await admin.post("/console/api-keys", status=400)
    secret = re.search(r"fu_[\w-]{40,}", await admin.post("/console/api-keys", status=200, name="门店 CRM"))
    assert secret is not None and secret[0] not in await admin.get("/console/api-keys")
    async with database.session() as session:
        (key,) = await session.scalars(select(ApiKey))
        assert secret[0] not in repr((key.key_hash, key.hint)) and key.user_id == admin.user_id
    await admin.post(f"/console/api-keys/{key.id}/revoke")
    assert "已经停用" in await admin.post(f"/console/api-keys/{key.id}/revoke", status=400)
    await (await enter("supervisor")).get("/console/api-keys", status=403)


async def test_an_import_of_nobody_is_not_recorded(enter: Enter, database: Database) -> None:
    somebody = await enter("supervisor")
    path = await send(somebody, "姓名,手机号\n王芳,123\n")
    assert "导入 0 位" not in await somebody.get(path)
    await somebody.post(f"{path}/take", status=400)
    async with database.session() as session:
        assert (await session.scalars(select(Import))).all() == []
