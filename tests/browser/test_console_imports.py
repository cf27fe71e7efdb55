"""A customer file in a browser: sent, a column understood otherwise, taken, the report; readable on a phone as well."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import expect
from sqlalchemy import select

from followup.store.database import Database
from followup.store.models import Contact
from tests.browser.console_login import log_in
from tests.integration.contacts.working import a_worker

PHONE = {"viewport": {"width": 360, "height": 740}}
NO_SIDEWAYS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
FILE = "姓名,手机号,签收日期,级别\n王芳,13800138000,2026/3/5,VIP\n李强,13900139000,2026年3月6日,普通\n赵敏,1370013700,2月30日,车队\n"


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def worker(database: Database) -> AsyncIterator[None]:
    async with a_worker(database):
        yield


async def test_a_file_goes_all_the_way(devices, gateway, database: Database):
    page = await log_in(await devices.new(), gateway, database, "supervisor", "/console/customers")
    await page.get_by_role("link", name="导入客户").click()
    file = {"name": "十月客户.csv", "mimeType": "text/csv", "buffer": FILE.encode("gbk")}
    await page.get_by_label("CSV 或 Excel（xlsx）文件").set_input_files(file)
    await page.get_by_role("button", name="上传并检查").click()
    await expect(page.locator("#result")).to_contain_text("新客户 2 位")
    await expect(page.locator("#result")).to_contain_text("1370013700")
    await page.get_by_label("“级别”当作").select_option("groups")
    await page.get_by_label("短信").check()
    await page.get_by_label("在哪里同意的").fill("购买合同")
    await page.get_by_role("button", name="重新检查").click()
    await expect(page.locator("#preview tbody tr").first).to_contain_text("VIP")
    await page.get_by_label("跳过有问题的 1 行").check()
    await page.get_by_role("button", name="导入 2 位客户").click()
    await expect(page.locator("main")).to_contain_text("2 位")
    await expect(page.locator(".bad")).to_contain_text("赵敏")
    async with database.session() as session:
        assert (await session.scalars(select(Contact.groups).order_by(Contact.id))).all() == [["VIP"], ["普通客户"]]
    assert devices.errors == []


async def test_a_phone_needs_no_sideways_scrolling(devices, gateway, database: Database):
    page = await log_in(await devices.new(**PHONE), gateway, database, "admin", "/console/contacts/import")
    wide = "姓名,手机号," + "列" * 60 + "\n王芳,13800138000," + "https://example.com/" + "a" * 300 + "\n李强,1," + "字" * 300 + "\n"
    await page.get_by_label("CSV 或 Excel（xlsx）文件").set_input_files({"name": "a" * 150 + ".csv", "mimeType": "text/csv", "buffer": wide.encode()})
    await page.get_by_role("button", name="上传并检查").click()
    await page.get_by_label("跳过有问题的 1 行").wait_for()
    assert await page.evaluate(NO_SIDEWAYS)
    await page.get_by_label("跳过有问题的 1 行").check()
    await page.get_by_role("button", name="导入 1 位客户").click()
    await page.wait_for_url("**/console/imports/*")
    for path in ("", "/console/imports", "/console/api-keys", "/console/contacts/import"):
        if path:
            await page.goto(f"{gateway.url}{path}")
        assert await page.evaluate(NO_SIDEWAYS), path
