"""Nothing serious that axe finds: every page of the console that links lead to, the chat, the public entry."""

from __future__ import annotations

import os
import re
from collections import deque
from datetime import timedelta
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.async_api import Page, expect

from followup import clock
from followup.console import accounts
from followup.store.models import Message
from followup.store.staff_models import StaffMessage
from followup.store.training_models import ModelVersion
from followup.training import deploy
from tests.browser.axe import serious
from tests.browser.console_login import log_in
from tests.browser.standin import Reply
from tests.browser.test_access import PHONE
from tests.browser.test_chat_page import say
from tests.browser.browsing import open_chat
from tests.browser.test_console_tickets import a_ticket
from tests.browser.test_console_wechat import DRAFT
from tests.browser.test_console_wechat import an_account as a_wechat_account
from tests.browser.test_console_wecom import an_account as a_wecom_account
from tests.integration.console.made_up_comparison import a_campaign, a_draft
from tests.integration.console.made_up_models import a_machine, a_version, report
from tests.integration.console.test_wechat_delivery import talk_with
from tests.integration.console.written_talks import Said, write_talk

SCHEMES = {"light": {"color_scheme": "light"}, "dark": {"color_scheme": "dark"}, "phone": PHONE}
LONG = bool(os.environ.get("FOLLOWUP_LONG_TESTS"))
_FILES = ("csv", "xlsx", "docx", "pdf", "txt", "zip", "html", "yml", "patch")


async def findings(page: Page, *rules: str) -> list[str]:
    """One line for each finding, with the first places it was found at."""
    return [f"{urlsplit(page.url).path}: {one['id']} ({one['help']}): {one['nodes'][:3]}" for one in await serious(page, *rules)]


async def something_everywhere(database) -> None:
    """Talks, tickets, a sample, a colleague's words, models: so that tables have rows."""
    await models(database)
    await a_ticket(database, hours=-3)
    await a_wechat_account(database, "", draft=DRAFT)
    await a_wecom_account(database, "")
    await talk_with(database, [("unknown", "asked_again"), ("failed", "43004"), ("queued", "no_budget")])
    talk = await write_talk(database, [Said("太慢了，我不满意", "dissatisfied", 0.5, answers=[("price", "不满意")])], name="李梅", at=clock.now() - timedelta(days=1))
    async with database.session() as session:
        user, _ = await accounts.create(session, "坐席甲", "agent", "a long enough one", "客户服务部", "jia@example.com")
        line = Message(case_id=talk.case_id, direction="out", text="我不知道。", status="sent", channel="web", channel_message_id="s1", created_at=clock.now())
        session.add(line)
        await session.flush()
        session.add(StaffMessage(message_id=line.id, user_id=user.id, forbidden=["我不知道"]))
    await scripts(database)


async def scripts(database) -> None:
    """A new script and a changed one in somebody's hands, two versions of one compared in a campaign."""
    async with database.session() as session:
        author, _ = await accounts.create(session, "小训", "trainer", "a long enough one", "")
    await a_draft(database, author.id, clock.now(), "review", "apples")
    await a_draft(database, author.id, clock.now())
    await a_campaign(database, clock.now(), people=50)


async def models(database) -> None:
    """One that was there first, one that is live on a machine, one that is blocked, and a training under way."""
    first, second = await a_version(database), await a_version(database, report())
    broken = [{"talk": "bank/loan", "why": "客户：开车呢\n期望：道别"}]
    await a_version(database, report(accuracy=0.9, talks={"played": 792, "broken": broken, "failing": broken}))
    for version in (first, second):
        async with database.session() as session:
            await deploy.promote(session, None, version)
    await a_machine(database, "web-1", second)
    async with database.session() as session:
        session.add(ModelVersion(state="running", phase="comparing", done=10, total=100))


async def _draw_and_fill(page: Page) -> None:
    await page.goto(f"{urlsplit(page.url).scheme}://{urlsplit(page.url).netloc}/console/quality")
    await page.get_by_role("button", name="抽样").click()
    await page.locator(".sheets a.who").first.click()
    for field in await page.locator("input[name^=score_]").all():
        await field.fill("5")
    await expect(page.locator("[data-sum]")).to_have_text("25")
    await page.get_by_role("button", name="保存并锁定").click()
    await expect(page.get_by_text("已经锁定")).to_be_visible()


def _shape(path: str) -> str:
    """The page without what it is about: one talk, ticket or script stands for all (in `make test-long` each script for itself)."""
    shape = re.sub(r"\d+", "0", re.sub(r"[0-9a-f]{32}", "0", urlsplit(path).path))
    return shape if LONG else re.sub(r"(/scripts/(?:script|knowledge))/\w+", r"\1/0", shape)


@pytest.mark.timeout(1800)
async def test_no_page_of_the_console_has_a_serious_finding(devices, gateway, database):
    await something_everywhere(database)
    page = await log_in(await devices.new(bypass_csp=True, color_scheme="light"), gateway, database, "admin")
    await _draw_and_fill(page)
    waiting, seen, found = deque(["/console/talks", "/console/tickets", "/console/people"]), {"/console"}, []
    seen |= {_shape(path) for path in waiting}
    while waiting:
        await page.goto(gateway.url + waiting.popleft(), wait_until="load")
        await page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        for link in await page.locator("a[href^='/console']").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))"):
            there = urldefrag(link).url
            if _shape(there) not in seen and urlsplit(there).path.rpartition(".")[2] not in _FILES:
                seen.add(_shape(there))
                waiting.append(there)
        found += await findings(page)
        found += await _other_looks(page)
    assert found == []
    assert len(seen) > 60, seen


async def _other_looks(page: Page) -> list[str]:
    """What is found in the dark, and on a phone as well, without loading the page again."""
    await page.add_style_tag(content="* { transition: none !important; }")
    wide = page.viewport_size
    await page.emulate_media(color_scheme="dark")
    found = [f"dark {one}" for one in await findings(page, "color-contrast")]  # nothing else depends on colours
    await page.set_viewport_size(PHONE["viewport"])
    found += [f"dark, on a phone {one}" for one in await findings(page)]
    await page.set_viewport_size(wide)
    await page.emulate_media(color_scheme="light")
    return found


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_login_has_no_serious_finding(devices, gateway, database, scheme):
    page = await (await devices.new(bypass_csp=True, **SCHEMES[scheme])).new_page()
    await page.goto(f"{gateway.url}/console/login")
    assert await findings(page) == []


@pytest.mark.parametrize("role", ["supervisor", "agent", "trainer", "auditor"])
async def test_the_empty_pages_of_every_role_have_no_serious_finding(devices, gateway, database, role):
    page = await log_in(await devices.new(bypass_csp=True), gateway, database, role)
    found = await findings(page)
    for link in await page.locator("nav.areas a").evaluate_all("(all) => all.map((a) => a.href)"):
        await page.goto(link)
        found += await findings(page)
    assert found == []


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_chat_and_its_way_in_have_no_serious_finding(devices, gateway, bot, talk, scheme):
    context = await devices.new(bypass_csp=True, **SCHEMES[scheme])
    page = await context.new_page()
    await page.goto(f"{gateway.url}/c/{talk.token}")
    assert await findings(page) == []
    page = await open_chat(context, gateway, talk)
    bot.script = [[Reply("请选择：", ("满意", "一般", "不满意"))]]
    await say(page, "方便")
    await expect(page.get_by_role("button", name="不满意")).to_be_visible()
    assert await findings(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_public_entry_has_no_serious_finding(devices, gateway, scheme):
    page = await (await devices.new(bypass_csp=True, **SCHEMES[scheme])).new_page()
    await page.goto(f"{gateway.url}/ask")
    assert await findings(page) == []
    await page.goto(f"{gateway.url}/c/nothing-of-this-kind")
    assert await findings(page) == []


async def test_the_checker_finds_what_is_wrong(devices):
    page = await (await devices.new(bypass_csp=True)).new_page()
    await page.set_content('<html lang="zh-CN"><title>页</title><main><h1>页</h1><img src="x.png"><p style="color:#bbb;background:#fff">看不清</p></main>')
    assert {one["id"] for one in await serious(page)} == {"image-alt", "color-contrast"}
