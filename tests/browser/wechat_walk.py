"""The newcomer's walk of docs/zh/wechat.md and docs/zh/wecom.md in a browser: an account of the console, the phone page, a whole talk."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Page, expect

TALK = "车贷业务满意度回访"
SAID = ("方便", "朋友介绍的", "价格有点贵", "期限还可以", "服务很好，谢谢", "没有了")
SECRET = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Kind:
    """One of the two channels."""

    command: str
    port: int
    """As the console's form says."""
    new_page: str
    account_page: str
    fields: tuple[tuple[str, str], ...]
    enters: str
    """The button of the phone page that opens a script's talk."""


WECHAT = Kind(
    "fake-wechat", 8090, "/console/wechat/new", "/console/wechat/accounts/demo",
    (("账号名", "demo"), ("名称（给同事看）", "演示公众号"), ("AppID", "wx0000000000000000"), ("AppSecret", SECRET)), "扫回访二维码",
)  # fmt: skip
WECOM = Kind(
    "fake-wecom", 8091, "/console/wechat/wecom/new", "/console/wechat/wecom/demo",
    (("账号名", "demo"), ("名称（给同事看）", "演示客服"), ("企业 ID", "ww0000000000000000"), ("Secret", SECRET), ("客服账号的 ID", "wkDemo")), "打开回访链接",
)  # fmt: skip


async def add_account(page: Page, url: str, kind: Kind, port: int) -> None:
    """By the console, whose `page` is logged in: the fake of this `port` is asked."""
    await page.goto(url + kind.new_page)
    for name, value in kind.fields:
        await page.get_by_label(name).fill(value)
    trial = page.locator("select[name=api] option").last
    if port != kind.port:
        await trial.evaluate("(one, port) => { one.value = `http://127.0.0.1:${port}` }", port)
    await page.locator("select[name=api]").select_option(await trial.get_attribute("value"))
    await page.get_by_role("button", name="保存", exact=True).last.click()
    await page.wait_for_url("**" + kind.account_page)


async def whole_talk(page: Page, port: int, kind: Kind, *, says: tuple[str, ...] = SAID) -> list[str]:
    """On the phone page. Returns what stands on the screen, one bubble after the other."""
    await page.goto(f"http://127.0.0.1:{port}")
    await page.get_by_label("话术").select_option(label=TALK)
    await page.get_by_role("button", name=kind.enters).click()
    bubbles = page.locator("#screen li .bubble")
    await expect(bubbles.last).to_contain_text("方便", timeout=30_000)
    for line in says:
        await page.get_by_label("说点什么").fill(line)
        await page.get_by_role("button", name="发送").first.click()
        mine = page.locator("#screen li.me").filter(has_text=line).last
        await expect(mine).to_be_visible()
        # The answer stands below what was said.
        await expect(page.locator("#screen li").last).not_to_have_class("me", timeout=30_000)
    return await bubbles.all_inner_texts()
