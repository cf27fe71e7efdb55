"""微信客服 in the console: accounts with sealed secrets, their check against a fake WeCom, links for single customers."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer, unused_port
from sqlalchemy import select

from followup.channels.wechat import book
from followup.channels.wechat.seal import unseal
from followup.channels.wecom.account import Account
from followup.channels.wecom.book import wecom_book
from followup.settings import Settings
from followup.store.database import Database
from followup.store.staff_models import AuditEntry
from followup.store.wecom_account_models import WecomAccount
from followup.web.app import make_app
from followup.web.wecom import ACCOUNTS
from tests.fakes.wecom import FakeWecom
from tests.integration.console.conftest import text_of
from tests.integration.web.web_talk import make_talk

SECRET = "wecomSecret0123456789abcdefghijklmn"
OF_FAKE = Account("main", "ww0123456789abcdef", SECRET, "tokenOfMain", "C" * 42 + "A", ("wkOne", "wkTwo"))
OF_ENVIRONMENT = replace(OF_FAKE, name="env", secret="e" * 40)
ACCOUNT = "/console/wechat/wecom/main"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    port = unused_port()
    return Settings(
        home=tmp_path, database_url=database_url, secret="t" * 40, port=port, public_url=f"http://127.0.0.1:{port}", wecom=(OF_ENVIRONMENT,)
    )  # fmt: skip


@pytest_asyncio.fixture
async def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestServer]:
    monkeypatch.setattr(book, "FRESH", 0.0)
    server = TestServer(make_app(settings), port=settings.port)
    await server.start_server()
    yield server
    await server.close()


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeWecom]:
    fake = FakeWecom(OF_FAKE)
    async with TestServer(fake.app()) as server:
        fake.callback = str(server.make_url("")).rstrip("/")  # its own address, for the account's settings
        yield fake
        await fake.close()


def form(fake: FakeWecom, **changed: str) -> dict[str, str]:
    fields = {"name": "main", "title": "演示客服", "corp_id": OF_FAKE.corp_id, "secret": SECRET, "token": "tokenOfMain", "aes_key": OF_FAKE.aes_key}
    return {**fields, "kfids": "wkOne\nwkTwo", "handover": "console", "servicer": "", "api": fake.callback, **changed}


async def with_account(enter, fake, role="admin", **changed):
    admin = await enter("admin")
    assert await admin.post("/console/wechat/wecom/new", **form(fake, **changed)) == ACCOUNT
    return admin if role == "admin" else await enter(role)


async def stored(database: Database) -> WecomAccount:
    async with database.session() as session:
        return await session.get_one(WecomAccount, "main")


async def test_an_account_is_added_and_used_without_a_restart(enter, database, fake, settings, server):
    browser = await with_account(enter, fake)
    row = await stored(database)
    assert SECRET not in row.sealed and OF_FAKE.aes_key not in row.sealed
    assert unseal(settings.secret, "wecom:main", row.sealed) == {"secret": SECRET, "token": "tokenOfMain", "aes_key": OF_FAKE.aes_key}
    found = await server.app[ACCOUNTS].find("main")
    assert found == replace(OF_FAKE, api=fake.callback)
    shown = await browser.get(ACCOUNT)
    assert SECRET not in shown and f"{settings.public_url}/wecom/main" in shown and OF_FAKE.aes_key in shown
    listed = text_of(await browser.get("/console/wechat/wecom"))
    assert "演示客服" in listed and "2 个" in listed and "来自环境变量" in listed


async def test_who_only_reads_sees_no_secret_and_changes_nothing(enter, database, fake):
    reader = await with_account(enter, fake, "supervisor")
    shown = await reader.get(ACCOUNT)
    assert "tokenOfMain" not in shown and OF_FAKE.aes_key not in shown and "保存修改" not in shown
    assert await reader.get("/console/wechat/wecom/new", 403)
    assert "微信客服" not in await (await enter("agent")).get("/console/wechat/undelivered")


WRONG = [
    ("name", "Main", "账号名只能用"), ("corp_id", "ab", "企业 ID 不对"), ("secret", "短", "Secret 不对"), ("secret", "", "请填写 Secret"),
    ("token", "a!", "Token 只能是"), ("aes_key", "x", "EncodingAESKey 应当是"), ("kfids", "", "请填写 1 到 20 个"), ("kfids", "kf1", "请填写 1 到 20 个"),
    ("handover", "nobody", "请选择客户要找人工"), ("servicer", "张三", "接待人员应当填"), ("api", "https://example.com", "接口地址不对"),
    ("name", "env", "已经有这个账号名"), ("name", "new", "已经有这个账号名"),
]  # fmt: skip


async def test_what_is_wrong_is_told_at_its_field_and_nothing_is_kept(enter, database, fake):
    browser = await enter("admin")
    for field, value, told in WRONG:
        body = await browser.post("/console/wechat/wecom/new", 400, **form(fake, **{field: value}))
        assert told in body and SECRET not in body, field
    async with database.session() as session:
        assert list(await session.scalars(select(WecomAccount))) == []


async def test_a_change_keeps_the_secret_and_another_corporation_needs_its_own(enter, database, fake, settings):
    browser = await with_account(enter, fake)
    seen = "1"
    assert await browser.post(ACCOUNT, **form(fake, secret="", title="新的名字"), seen=seen) == ACCOUNT
    row = await stored(database)
    assert row.title == "新的名字" and unseal(settings.secret, "wecom:main", row.sealed)["secret"] == SECRET
    assert "Secret 也要重新填写" in await browser.post(ACCOUNT, 400, **form(fake, secret="", corp_id="wwanother0000000"), seen="2")
    await browser.post(ACCOUNT, 409, **form(fake, title="太晚"), seen=seen)
    assert (await stored(database)).title == "新的名字"


async def test_the_check_tries_everything_and_says_what_to_do(enter, fake):
    browser = await with_account(enter, fake)
    told = text_of(await browser.post(f"{ACCOUNT}/check", 200))
    assert "企业微信认得" in told and "可以管理“演示客服1”、“演示客服2”" in told and "按微信的做法签名访问，回答正确" in told
    fake.codes.append(("gettoken", 60020))
    told = text_of(await browser.post(f"{ACCOUNT}/check", 200))
    assert "服务器的 IP 不是可信 IP（60020）" in told and "先解决上面的问题" in told
    assert await browser.post(ACCOUNT, **form(fake, kfids="wkOne\nwkOther"), seen="1") == ACCOUNT
    assert "看不到：wkOther" in text_of(await browser.post(f"{ACCOUNT}/check", 200))


async def test_a_link_opens_one_customers_talk(enter, database, fake):
    browser = await with_account(enter, fake)
    talk = await make_talk(database)
    made = await browser.post(f"{ACCOUNT}/link", 200, case=f"http://127.0.0.1/console/talks/{talk.case_id}?from=list")
    found = html.unescape(re.search(r'id="case-link">([^<]+)<', made)[1])
    assert found.startswith("https://work.weixin.qq.com/kfid/wkOne?") and "scene_param=c_" in found
    async with database.session() as session:
        entry = await session.scalar(select(AuditEntry).where(AuditEntry.action == "wechat.link"))
        assert entry.object_id == talk.case_id and "scene_param" not in str(entry.detail)


async def test_no_link_for_a_talk_that_is_not_there_or_while_wecom_refuses(enter, database, fake):
    browser = await with_account(enter, fake)
    assert "没有找到还没结束的会话" in await browser.post(f"{ACCOUNT}/link", 400, case="0" * 32)
    fake.codes.append(("add_contact_way", 95000))
    case_id = (await make_talk(database)).case_id
    assert "没有给出客服链接" in await browser.post(f"{ACCOUNT}/link", 502, case=case_id)


async def test_our_service_accounts_are_found_behind_hundreds_of_others(enter, fake):
    fake.others = 250
    browser = await with_account(enter, fake)
    assert "可以管理“演示客服251”、“演示客服252”" in text_of(await browser.post(f"{ACCOUNT}/check", 200))
    assert [body["offset"] for path, body, _ in fake.calls if path.endswith("account/list")] == [0, 100, 200]
    await browser.post(ACCOUNT, **form(fake, kfids="wkNobody", seen="1"))
    assert "wkNobody" in text_of(await browser.post(f"{ACCOUNT}/check", 200))


async def test_a_stopped_account_takes_nothing_and_can_be_removed(enter, database, fake, settings):
    browser = await with_account(enter, fake)
    assert "请先停用" in await browser.post(f"{ACCOUNT}/remove", 400, confirm="main")
    assert await browser.post(f"{ACCOUNT}/switch", on="0") == ACCOUNT
    assert await wecom_book((), database, settings.secret).find("main") is None
    assert "请输入账号名" in await browser.post(f"{ACCOUNT}/remove", 400, confirm="other")
    assert await browser.post(f"{ACCOUNT}/remove", confirm="main") == "/console/wechat/wecom"
    async with database.session() as session:
        assert await session.get(WecomAccount, "main") is None


async def test_another_secret_of_the_product_is_said_on_the_page(enter, database, fake):
    browser = await with_account(enter, fake)
    async with database.session() as session:
        (await session.get_one(WecomAccount, "main")).sealed = "AAAA"
    assert "密钥读不出来" in await browser.get(ACCOUNT)
    assert "密钥读不出来" in await browser.post(f"{ACCOUNT}/check", 200)


async def test_an_account_of_the_environment_is_only_shown(enter):
    browser = await enter("admin")
    shown = await browser.get("/console/wechat/wecom/env")
    assert "FOLLOWUP_WECOM_ENV_" in shown and "保存修改" not in shown and "e" * 40 not in shown
    await browser.post("/console/wechat/wecom/env/switch", 404, on="0")
