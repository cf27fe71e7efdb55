"""WeChat in the console: accounts, their check against a fake WeChat, the menu, and what did not arrive."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer, unused_port
from sqlalchemy import select

from followup.channels.wechat import book
from followup.channels.wechat.account import Account
from followup.channels.wechat.envelope import sign
from followup.channels.wechat.seal import unseal
from followup.console.labels import labels
from followup.settings import Settings
from followup.store.database import Database
from followup.store.staff_models import AuditEntry
from followup.store.wechat_account_models import WechatAccount, WechatMenu
from followup.store.wechat_models import WechatToken
from followup.web.app import make_app
from followup.web.keys import WECHAT
from tests.fakes.wechat import FakeWechat
from tests.integration.console.conftest import text_of
from tests.integration.web.web_talk import make_talk

APP_ID, APP_SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"
OF_ENVIRONMENT = Account("env", "wxfedcba9876543210", "subscription", "envtoken123", aes_key="A" * 43, mode="aes", secret="e" * 32)
ACCOUNT = "/console/wechat/accounts/main"
MENU = ACCOUNT + "/menu"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    port = unused_port()
    return Settings(
        home=tmp_path, database_url=database_url, secret="t" * 40, port=port, public_url=f"http://127.0.0.1:{port}", wechat=(OF_ENVIRONMENT,)
    )  # fmt: skip


@pytest_asyncio.fixture
async def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestServer]:
    monkeypatch.setattr(book, "FRESH", 0.0)
    server = TestServer(make_app(settings), port=settings.port)
    await server.start_server()
    yield server
    await server.close()


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeWechat]:
    fake = FakeWechat(Account("main", APP_ID, "service", "unused", APP_SECRET))
    async with TestServer(fake.app()) as server:
        fake.callback = str(server.make_url("")).rstrip("/")  # its own address, for the account's settings
        yield fake
        await fake.close()


def form(fake: FakeWechat, **changed: str) -> dict[str, str]:
    fields = {"name": "main", "title": "演示服务号", "kind": "service", "app_id": APP_ID, "secret": APP_SECRET, "token": "tokenOfMain"}
    return {**fields, "aes_key": "B" * 42 + "A", "mode": "aes", "api": fake.callback, **changed}


async def with_account(enter, fake, role="admin", **changed):
    admin = await enter("admin")
    assert await admin.post("/console/wechat/new", **form(fake, **changed)) == ACCOUNT
    return admin if role == "admin" else await enter(role)


async def test_who_opens_a_link_in_wechat_is_known_by_an_account_of_the_console(enter, fake, server, database):
    browser = await with_account(enter, fake, login="1")
    assert (await server.app[WECHAT].find("main")).login
    assert 'name="login" value="1" checked' in await browser.get(ACCOUNT)
    talk = await make_talk(database)
    async with aiohttp.ClientSession(headers={"User-Agent": "Mozilla/5.0 MicroMessenger/8.0.50"}) as phone:
        async with phone.post(server.make_url(f"/c/{talk.token}/start"), allow_redirects=False) as answer:
            assert answer.headers["Location"].startswith(f"{fake.callback}/connect/oauth2/authorize?")
    shown = text_of(await browser.post(ACCOUNT, 400, **form(fake, login="1", kind="subscription", seen="1")))
    assert "只有已认证、填了 AppSecret 的服务号" in shown
    assert await browser.post(ACCOUNT, **form(fake, seen="1")) == ACCOUNT  # a box that is not ticked is not sent
    assert not (await server.app[WECHAT].find("main")).login
    assert (await audited(database))[-1][1]["fields"] == ["打开链接时认出客户"]


async def audited(database: Database) -> list[tuple[str, dict]]:
    async with database.session() as session:
        rows = await session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("wechat.")).order_by(AuditEntry.id))
        return [(row.action, row.detail) for row in rows]


async def stored(database: Database, name: str = "main") -> WechatAccount:
    async with database.session() as session:
        return await session.get_one(WechatAccount, name)


def seen(page: str) -> str:
    return re.search(r'name="seen" value="(\d+)"', page)[1]


# —— accounts ————————————————————————————————————————————————————————


async def test_an_account_is_added_and_its_secret_is_nowhere_again(enter, fake, database, caplog):
    admin = await with_account(enter, fake)
    row = await stored(database)
    assert unseal("t" * 40, "main", row.sealed) == {"secret": APP_SECRET, "token": "tokenOfMain", "aes_key": "B" * 42 + "A"}
    for path in ("/console/wechat", ACCOUNT, MENU, "/console/audit"):
        assert APP_SECRET not in await admin.get(path)
    shown = await admin.get(ACCOUNT)
    assert "/wechat/main" in shown and "tokenOfMain" in shown  # what the back office wants
    assert APP_SECRET not in caplog.text and "tokenOfMain" not in str(await audited(database))
    assert [action for action, _ in await audited(database)] == ["wechat.create"]


async def test_wechat_is_answered_for_the_account_at_once(enter, fake, server):
    admin = await with_account(enter, fake)
    query = {"timestamp": "1", "nonce": "2", "echostr": "345", "signature": sign("tokenOfMain", "1", "2")}
    async with admin.client.get("/wechat/main", params=query) as answer:
        assert (answer.status, await answer.text()) == (200, "345")
    await admin.post(ACCOUNT + "/switch", on=0)
    async with admin.client.get("/wechat/main", params=query) as answer:
        assert answer.status == 404


async def test_a_supervisor_reads_and_sees_no_token(enter, fake):
    supervisor = await with_account(enter, fake, "supervisor")
    shown = await supervisor.get(ACCOUNT)
    assert APP_ID in shown and "tokenOfMain" not in shown and "B" * 42 not in shown
    await supervisor.get(MENU)
    await supervisor.post(ACCOUNT, 403, **form(fake))
    await supervisor.post(ACCOUNT + "/check", 403)


async def test_an_agent_is_led_to_what_did_not_arrive(enter, fake):
    agent = await with_account(enter, fake, "agent")
    async with agent.client.get("/console/wechat", allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/console/wechat/undelivered"
    await agent.get(ACCOUNT, 403)
    assert "公众号" not in text_of(await agent.get("/console/wechat/undelivered"))


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ("name", "Main!", "bad_name"),
        ("name", "env", "name_taken"),
        ("app_id", "gh_123", "bad_app_id"),
        ("secret", "short", "bad_secret"),
        ("token", "ab", "bad_token"),
        ("aes_key", "短", "bad_aes_key"),
        ("mode", "none", "bad_mode"),
        ("kind", "robot", "bad_kind"),
        ("api", "http://169.254.169.254/latest", "bad_api"),
        ("api", "https://evil.example.com", "bad_api"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field_and_the_rest_stays(enter, fake, database, field, value, key):
    admin = await enter("admin")
    page = await admin.post("/console/wechat/new", 400, **form(fake, **{field: value}))
    assert labels()["wechat_errors"][key] in page and "演示服务号" in page and APP_SECRET not in page
    async with database.session() as session:
        assert await session.scalar(select(WechatAccount.name)) is None


async def test_the_form_makes_up_token_and_key_by_itself_or_when_asked(enter, fake):
    admin = await enter("admin")
    made = re.search(r'id="token" value="(\w{24})"', await admin.get("/console/wechat/new"))[1]
    page = await admin.post("/console/wechat/new", 200, **form(fake, do="token", secret=""))
    again = re.search(r'id="token" value="(\w{24})"', page)[1]
    assert len({made, again, "tokenOfMain"}) == 3 and "演示服务号" in page
    assert re.search(r'id="aes_key" value="(\w{43})"', await admin.post("/console/wechat/new", 200, **form(fake, do="aes_key", secret="")))


async def test_a_change_keeps_the_secret_and_names_what_was_changed(enter, fake, database):
    admin = await with_account(enter, fake)
    version = seen(await admin.get(ACCOUNT))
    await admin.post(ACCOUNT, **form(fake, secret="", token="anotherToken", kind="subscription", seen=version))
    row = await stored(database)
    assert unseal("t" * 40, "main", row.sealed)["secret"] == APP_SECRET and row.kind == "subscription"
    assert (await audited(database))[-1] == ("wechat.change", {"fields": ["类型", "Token"]})
    page = await admin.post(ACCOUNT, 409, **form(fake, secret="", token="fromAnOldPage", seen=version))
    assert labels()["wechat_errors"]["changed"] in page and "anotherToken" in page


async def test_a_secret_never_goes_to_another_app_id_and_the_old_token_is_forgotten(enter, fake, database):
    admin = await with_account(enter, fake)
    async with database.session() as session:
        session.add(WechatToken(account="main", token="old"))
    version = seen(await admin.get(ACCOUNT))
    other = form(fake, app_id="wxaaaaaaaaaaaaaaaa", secret="", seen=version)
    assert labels()["wechat_errors"]["secret_again"] in await admin.post(ACCOUNT, 400, **other)
    await admin.post(ACCOUNT, **{**other, "secret": "f" * 32})
    async with database.session() as session:
        assert await session.get(WechatToken, "main") is None


async def test_one_of_the_environment_can_only_be_looked_at(enter, fake):
    admin = await enter("admin")
    page = await admin.get("/console/wechat/accounts/env")
    assert "来自环境变量" in page and "e" * 32 not in page and "/env/switch" not in page
    for path in ("", "/switch", "/remove"):
        await admin.post("/console/wechat/accounts/env" + path, 404, **form(fake))


async def test_it_is_stopped_before_it_is_removed_and_its_name_is_typed(enter, fake, database):
    admin = await with_account(enter, fake)
    await admin.post(ACCOUNT + "/remove", 400, confirm="main")
    await admin.post(ACCOUNT + "/switch", on=0)
    await admin.post(ACCOUNT + "/remove", 400, confirm="man")
    assert await admin.post(ACCOUNT + "/remove", confirm="main") == "/console/wechat"
    await admin.get(ACCOUNT, 404)
    assert [action for action, _ in await audited(database)] == ["wechat.create", "wechat.disable", "wechat.remove"]


async def test_with_another_secret_of_the_installation_the_page_says_what_to_do(enter, fake, database):
    admin = await with_account(enter, fake)
    async with database.session() as session:
        (await session.get_one(WechatAccount, "main")).sealed = "AAAA"
    assert "密钥读不出来" in await admin.get("/console/wechat")
    page = await admin.get(ACCOUNT)
    assert "请在下面重新填写" in page
    await admin.post(ACCOUNT, **form(fake, seen=seen(page)))
    assert unseal("t" * 40, "main", (await stored(database)).sealed)["secret"] == APP_SECRET


async def test_templates_are_kept_and_checked(enter, fake, server):
    admin = await with_account(enter, fake)
    version = seen(await admin.get(ACCOUNT))
    page = await admin.post(ACCOUNT, 400, **form(fake, template="tmpl-1234", template_fields="thing1={nothing}", seen=version))
    assert "不认识{nothing}" in page
    await admin.post(ACCOUNT, **form(fake, template="tmpl-1234", template_fields="thing1={company}\ntime2={time}", seen=version))
    account = await server.app[WECHAT].find("main")
    assert dict(dict(account.notices.by_template)["first"].fields) == {"thing1": "{company}", "time2": "{time}"}
    page = await admin.get(ACCOUNT)
    assert "thing1={company}" in page and "tmpl-1234" in page


# —— the check ————————————————————————————————————————————————————————


def checked(page: str) -> dict[str, tuple[str, str]]:
    """Name of the row -> (mark, what is said and to do)."""
    rows = re.findall(r'(?s)<tr class="(ok|bad|note|unknown)">(.*?)</tr>', page)
    found = {}
    for state, row in rows:
        cells = [text_of(cell) for cell in re.findall(r"(?s)<td[^>]*>(.*?)</td>", row)]
        found[cells[1]] = (state, f"{cells[2]} {cells[3]}")
    return found


async def test_the_check_tries_everything(enter, fake, database):
    admin = await with_account(enter, fake)
    found = checked(await admin.post(ACCOUNT + "/check", 200))
    states = {name: state for name, (state, _) in found.items()}
    # Our address is this machine's: it is reached, and still WeChat could not come here.
    assert states.pop("本系统的网址") == "bad"
    assert set(states.values()) == {"ok"} and len(states) == 6
    assert "3 个地址" in found["微信的来访地址"][1] and "500000" in found["今天还能发多少"][1]
    assert [path for path, _, code in fake.calls if code] == []
    assert (await audited(database))[-1][0] == "wechat.check"


async def test_an_address_that_is_not_on_the_white_list_is_named(enter, fake):
    admin = await with_account(enter, fake)
    fake.platform.white_list = set()
    found = checked(await admin.post(ACCOUNT + "/check", 200))
    state, text = found["AppID 和 AppSecret"]
    assert state == "bad" and "40164" in text and "加上它：203.0.113.7" in text
    assert found["今天还能发多少"][0] == "unknown"  # it could not be asked, and says so


async def test_a_wrong_secret_or_id_is_told_apart(enter, fake):
    admin = await with_account(enter, fake, secret="9" * 32)
    assert "40125" in checked(await admin.post(ACCOUNT + "/check", 200))["AppID 和 AppSecret"][1]
    version = seen(await admin.get(ACCOUNT))
    await admin.post(ACCOUNT, **form(fake, app_id="wx9999999999999999", seen=version))
    assert "40013" in checked(await admin.post(ACCOUNT + "/check", 200))["AppID 和 AppSecret"][1]


async def test_wechat_that_cannot_be_reached_is_no_failure_of_the_page(enter, fake):
    admin = await with_account(enter, fake, api=f"http://127.0.0.1:{unused_port()}")
    state, text = checked(await admin.post(ACCOUNT + "/check", 200))["AppID 和 AppSecret"]
    assert state == "bad" and "连不上微信的接口" in text


async def test_without_a_secret_what_cannot_be_known_says_so(enter, fake):
    admin = await with_account(enter, fake, secret="", kind="subscription_uncertified")
    found = checked(await admin.post(ACCOUNT + "/check", 200))
    assert found["AppID 和 AppSecret"][0] == "note" and found["从微信访问本系统"][0] == "unknown"
    assert found["微信验证网址"][0] == "ok"


async def test_a_stopped_account_is_not_found_at_its_address(enter, fake):
    admin = await with_account(enter, fake)
    await admin.post(ACCOUNT + "/switch", on=0)
    assert checked(await admin.post(ACCOUNT + "/check", 200))["微信验证网址"][0] == "bad"


async def test_a_quota_that_is_spent_and_a_lost_ping_are_told(enter, fake):
    admin = await with_account(enter, fake)
    fake.platform.used, fake.platform.package_loss = 500_000, "100%"
    found = checked(await admin.post(ACCOUNT + "/check", 200))
    assert found["今天还能发多少"][0] == "bad" and found["从微信访问本系统"][0] == "note"


# —— the menu ————————————————————————————————————————————————————————


class Lines:
    """The menu's form, line by line."""

    def __init__(self, *lines: tuple[int, str, str, str]) -> None:
        self.lines = lines

    def form(self, **more: object) -> list[tuple[str, str]]:
        found = [(name, str(value)) for line in self.lines for name, value in zip(("level", "entry", "act", "value"), line, strict=True)]
        return [*found, *((name, str(value)) for name, value in more.items())]


GOOD = Lines((1, "回访", "say", ""), (2, "开始回访", "say", "开始"), (2, "官网", "view", "https://example.com/a"), (1, "转人工", "say", "转人工"))


async def send(browser, path: str, fields: list[tuple[str, str]], status: int = 303) -> str:
    async with browser.client.post(path, data=[("csrf", browser.csrf), *fields], allow_redirects=False) as answer:
        text = await answer.text()
        assert answer.status == status, (answer.status, text[:2000])
        return answer.headers.get("Location", "") if status == 303 else text


async def test_a_menu_is_drafted_published_and_read_back(enter, fake, database):
    admin = await with_account(enter, fake)
    await send(admin, MENU, GOOD.form(seen=0, do="save"))
    page = await admin.get(MENU)
    assert "&#34;key&#34;: &#34;say:转人工&#34;" in page and fake.platform.menu is None
    refused = await admin.post(MENU + "/publish", 400, seen=seen(page))
    assert labels()["menu_told"]["not_confirmed"] in refused
    await admin.post(MENU + "/publish", seen=seen(page), confirm=1)
    assert fake.platform.menu == {
        "button": [
            {"name": "回访", "sub_button": [
                {"type": "click", "name": "开始回访", "key": "say:开始"}, {"type": "view", "name": "官网", "url": "https://example.com/a"},
            ]},
            {"type": "click", "name": "转人工", "key": "say:转人工"},
        ]
    }  # fmt: skip
    assert fake.rules_broken == []
    fake.platform.menu["button"].pop()
    assert "fetched" in await admin.post(MENU + "/fetch")
    async with database.session() as session:
        kept = await session.get_one(WechatMenu, "main")
        assert [one["name"] for one in kept.draft["button"]] == ["回访"]
    assert [action for action, _ in await audited(database)][1:] == ["wechat.menu.save", "wechat.menu.publish", "wechat.menu.save"]


async def test_a_draft_that_cannot_be_published_is_kept_and_says_why(enter, fake):
    admin = await with_account(enter, fake)
    await send(admin, MENU, Lines((1, "名字太长的菜单", "say", "你好"), (1, "网页", "view", "javascript:alert(1)")).form(seen=0, do="save"))
    page = await admin.get(MENU)
    assert "最多 16 个字节" in page and "“网页”的网址不对" in page and "名字太长的菜单" in page
    await admin.post(MENU + "/publish", 400, seen=seen(page), confirm=1)
    assert fake.platform.menu is None


async def test_lines_are_moved_without_javascript(enter, fake):
    admin = await with_account(enter, fake)
    page = await send(admin, MENU, GOOD.form(seen=0, do="up:3"), 200)
    assert re.findall(r'name="entry" value="(\S+?)"', page) == ["转人工", "回访", "开始回访", "官网"]
    page = await send(admin, MENU, GOOD.form(seen=0, do="down:1"), 200)
    assert re.findall(r'name="entry" value="(\S+?)"', page)[:3] == ["回访", "官网", "开始回访"]


async def test_the_preview_is_of_what_stands_in_the_form(enter, fake):
    admin = await with_account(enter, fake)
    part = await send(admin, MENU + "/preview", GOOD.form(), 200)
    shown = json.loads(re.search(r"(?s)<code>(.*?)</code>", part)[1].replace("&#34;", '"'))
    assert len(shown["button"]) == 2 and "可以发布" in part and "<html" not in part


async def test_two_who_edit_the_menu_do_not_overwrite_each_other(enter, fake):
    admin = await with_account(enter, fake)
    await send(admin, MENU, GOOD.form(seen=0, do="save"))
    page = await send(admin, MENU, Lines((1, "别的", "say", "x")).form(seen=0, do="save"), 409)
    assert labels()["menu_told"]["changed"] in page and "开始回访" in page
    await admin.post(MENU + "/publish", 409, seen=0, confirm=1)  # nor publish what they have not seen


async def test_wechats_refusal_is_explained_and_the_draft_stays(enter, fake):
    admin = await with_account(enter, fake)
    await send(admin, MENU, GOOD.form(seen=0, do="save"))
    fake.platform.may_publish = False
    page = await admin.post(MENU + "/publish", 502, seen=1, confirm=1)
    assert "没有这个接口的权限（48001）" in page and "开始回访" in page
    fake.codes = [40054]
    assert "子菜单的网址不对" in await admin.post(MENU + "/publish", 502, seen=1, confirm=1)


async def test_no_menu_at_wechat_is_said(enter, fake):
    admin = await with_account(enter, fake)
    assert "46003" in await admin.post(MENU + "/fetch", 200)


async def test_what_the_form_does_not_know_is_only_moved(enter, fake):
    admin = await with_account(enter, fake)
    own = {"type": "miniprogram", "name": "小程序", "url": "http://a.cn", "appid": "wx1", "pagepath": "p"}
    fake.platform.menu = {"button": [own, {"type": "click", "name": "旧", "key": "V1001"}]}
    await admin.post(MENU + "/fetch")
    page = await admin.get(MENU)
    assert "原样保留" in page and "V1001" in page
    lines = re.findall(r'name="act" value="other"><label[^>]*>[^<]*<input name="value" value="([^"]*)"', page)
    kept = lines[0].replace("&#34;", '"')
    await send(admin, MENU, Lines((1, "旧", "click", "V1001"), (1, "小程序", "other", kept)).form(seen=seen(page), do="save"))
    page = await admin.get(MENU)
    assert "&#34;appid&#34;: &#34;wx1&#34;" in page and "&#34;pagepath&#34;: &#34;p&#34;" in page
