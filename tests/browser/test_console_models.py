"""A training whose progress is seen, a blocked candidate that needs a reason, and a machine that takes it over before one's eyes."""

from __future__ import annotations

from playwright.async_api import expect
from sqlalchemy import func, select

from followup.settings import PROJECT_DIR
from followup.store.training_models import ModelVersion
from followup.supervise.model import code_hash
from followup.training import versions
from tests.browser.console_login import log_in
from tests.browser.test_access import NO_SIDEWAYS, PHONE
from tests.integration.console.made_up_models import a_machine, a_version, flip, report

MODELS = "/console/models"
# What a training leaves besides its report.
MODEL = {"archive": b"x", "digest": versions.digest_of(b"x"), "size": 3_100_000, "code_hash": code_hash(PROJECT_DIR)}


async def says(database, **values) -> int:
    """What the training writes into its row."""
    async with database.session() as session:
        row = (await session.scalars(select(ModelVersion).order_by(ModelVersion.id.desc()).limit(1))).one()
        for name, value in values.items():
            setattr(row, name, value)
        return row.id


async def test_from_the_button_to_a_machine_that_serves_the_new_model(devices, gateway, database):
    page = await log_in(await devices.new(), gateway, database, "supervisor", MODELS)
    await a_machine(database, "web-1")
    await page.get_by_role("button", name="训练新版本").click()
    bar = page.get_by_role("progressbar", name="训练进度")
    await expect(page.locator("#progress .now")).to_contain_text("排队等待")
    for phase, done, total, name, percent in (("training", 1, 3, "训练模型", "30"), ("replaying", 400, 800, "重走全部会话", "92")):
        await says(database, state="running", phase=phase, done=done, total=total, started_at=func.now())
        await expect(page.locator("#progress .now")).to_contain_text(name)
        await expect(bar).to_have_attribute("value", percent)
        await expect(page.locator(".phases [aria-current]")).to_have_text(name)
    told = report(accuracy=0.9)
    number = await says(database, state="blocked", phase="done", report=told, finished_at=func.now(), **MODEL)
    await expect(page.get_by_role("button", name="训练新版本")).to_be_visible()
    await page.locator("#training").get_by_role("link", name=f"第 {number} 版").click()
    await expect(page.locator(".verdict")).to_contain_text("不能直接上线")

    await page.get_by_role("link", name="上线…").click()
    await page.get_by_role("button", name="仍然上线").click()
    await expect(page.get_by_role("alert").first).to_contain_text("主管写明原因，可以放行")
    await page.get_by_label("仍然上线的原因").fill("开车的客户听得更准")
    await page.get_by_role("button", name="仍然上线").click()
    await expect(page.locator("#switch .now")).to_contain_text(f"正在换成第 {number} 版：1 台机器，0 台已经换好。")
    async with database.session() as session:
        wanted = await versions.wanted(session)
    await a_machine(database, "web-1", None, state="starting")
    await expect(page.locator("#switch")).to_contain_text("正在启动新模型")
    await a_machine(database, "web-1", number, deployment=wanted.deployment)
    await expect(page.locator("#switch .now")).to_contain_text(f"现在回答客户的是：第 {number} 版")
    assert devices.errors == []


async def test_a_phone_needs_no_sideways_scrolling(devices, gateway, database):
    flips = [flip("我在高速上呢，等会儿再说吧，麻烦你了", "driving", "busy", "driving"), flip("吃梨拉肚子吗", "faq/eat_pear", "faq/eat_pear", "unwell")]
    number = await a_version(database, report(accuracy=0.9, flips=flips))
    await a_machine(database, "a-rather-long-name-in-the-cellar", state="failed", error="模型文件取不出来，线上的模型不变。")
    page = await log_in(await devices.new(**PHONE), gateway, database, "supervisor", MODELS)
    for path in (MODELS, f"{MODELS}/{number}", f"{MODELS}/{number}/promote", f"{MODELS}/figures", f"{MODELS}/rollback"):
        await page.goto(gateway.url + path)
        assert await page.evaluate(NO_SIDEWAYS), path
