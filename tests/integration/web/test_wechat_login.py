"""Who opens a link inside WeChat is known by the OpenID; and whatever goes wrong on the way, the talk goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, update

from followup import clock
from followup.channels.wechat import login
from followup.channels.wechat.account import Account
from followup.settings import Settings
from followup.store import records
from followup.store.database import Database
from followup.store.models import Case, Contact, Note
from followup.store.wechat_models import WechatUser
from followup.store.wecom_models import WechatLogin
from followup.web.app import make_app
from tests.fakes.wechat import FakeWechat
from tests.integration.web.web_talk import Talk, make_talk

SHOP = Account("shop", "wxba5fad812f8e6fb9", "service", "AAAAA", secret="s" * 32, login=True)
IN_WECHAT = {"User-Agent": "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 MicroMessenger/8.0.50(0x18003235) NetType/WIFI Language/zh_CN"}


@dataclass
class Shop:
    database: Database
    fake: FakeWechat
    client: TestClient
    talk: Talk

    async def press(self, headers: dict[str, str] = IN_WECHAT, talk: Talk | None = None, more: str = "") -> str:
        """开始 on the link's page. Where it leads."""
        talk = talk or self.talk
        answer = await self.client.post(f"/c/{talk.token}/start{more}", headers=headers, allow_redirects=False)
        assert answer.status == 303
        return answer.headers["Location"]

    async def there_and_back(self, **press: object) -> str:
        """By WeChat: the address it sends the browser to."""
        page = urlsplit(await self.press(**press))
        assert page.path == "/connect/oauth2/authorize" and page.fragment == "wechat_redirect"
        answer = await self.client.session.get(page.geturl(), allow_redirects=False)
        return answer.headers["Location"]

    async def arrive(self, address: str, client: TestClient | None = None) -> None:
        to = urlsplit(address)
        answer = await (client or self.client).get(f"{to.path}?{to.query}", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/chat")

    async def users(self) -> list[WechatUser]:
        async with self.database.session() as session:
            return list(await session.scalars(select(WechatUser).order_by(WechatUser.id)))

    async def contact_of(self, talk: Talk) -> int:
        async with self.database.session() as session:
            return (await session.get_one(Case, talk.case_id)).contact_id


@pytest_asyncio.fixture
async def shop(database: Database, tmp_path) -> AsyncIterator[Shop]:
    fake = FakeWechat(SHOP)
    async with TestServer(fake.app()) as platform:
        account = replace(SHOP, api=str(platform.make_url("")).rstrip("/"))
        fake.login.customer = "oOne"
        app = make_app(Settings(home=tmp_path, database_url=database.url, secret="t" * 40, wechat=(account,)))
        async with TestClient(TestServer(app)) as client:
            yield Shop(database, fake, client, await make_talk(database))
        await fake.close()


async def test_the_page_lets_its_form_lead_to_wechat_only_inside_wechat(shop):
    inside = await shop.client.get(f"/c/{shop.talk.token}", headers=IN_WECHAT)
    outside = await shop.client.get(f"/c/{shop.talk.token}")
    typed = await shop.client.get("/s", headers=IN_WECHAT)
    assert "form-action 'self' http://" in inside.headers["Content-Security-Policy"]
    assert "form-action 'self' http://" in typed.headers["Content-Security-Policy"]
    assert "form-action 'self';" in outside.headers["Content-Security-Policy"]


async def test_who_comes_back_is_the_talks_customer(shop):
    shop.fake.login.unionid = "uOne"
    address = await shop.there_and_back()
    await shop.arrive(address)
    (user,) = await shop.users()
    assert (user.openid, user.unionid, user.case_id, user.follows) == ("oOne", "uOne", shop.talk.case_id, False)
    assert user.contact_id == await shop.contact_of(shop.talk)
    assert (await shop.client.get("/chat")).status == 200
    assert await shop.press() == "/chat"  # known already: straight on
    assert shop.fake.rules_broken == []


@pytest.mark.parametrize(
    ("headers", "more"),
    [({}, ""), ({"User-Agent": IN_WECHAT["User-Agent"] + " wxwork/4.1"}, ""), (IN_WECHAT, "?embed=1")],
    ids=["browser", "wecom", "frame"],
)
async def test_elsewhere_nobody_is_sent_to_wechat(shop, headers, more):
    assert await shop.press(headers, more=more) == "/chat"


@pytest.mark.parametrize("error", [40029, 40163, -1])
async def test_a_code_that_wechat_refuses_binds_nobody_and_the_talk_goes_on(shop, error):
    address = await shop.there_and_back()
    shop.fake.login.error = error
    await shop.arrive(address)
    assert await shop.users() == [] and (await shop.client.get("/chat")).status == 200


async def test_a_state_is_used_once_and_a_code_too(shop):
    address = await shop.there_and_back()
    await shop.arrive(address)
    async with shop.database.session() as session:
        await session.delete((await session.scalars(select(WechatUser))).one())
    await shop.arrive(address)
    assert await shop.users() == []
    fresh = parse_qs(urlsplit(await shop.press()).query)["state"][0]
    used = parse_qs(urlsplit(address).query)["code"][0]
    await shop.arrive(f"/wechat-login/shop?code={used}&state={fresh}")
    assert await shop.users() == []


async def test_a_state_is_good_for_ten_minutes(shop):
    address = await shop.there_and_back()
    async with shop.database.session() as session:
        await session.execute(update(WechatLogin).values(expires_at=clock.now()))
    await shop.arrive(address)
    assert await shop.users() == []


async def test_a_forged_state_or_another_browsers_binds_nobody(shop):
    address = await shop.there_and_back()
    other = await make_talk(shop.database)
    async with aiohttp.ClientSession() as stranger:
        async with stranger.get(shop.client.make_url(address[address.index("/wechat-login") :]), allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/chat"
    await shop.press({}, talk=other)  # this browser is in another talk now
    await shop.arrive(address)
    for wrong in ("", "?code=x", "?code=x&state=" + "0" * 96, "?code=" + "x" * 3000 + "&state=签", "?state=%00&code=%ff"):
        await shop.arrive(f"/wechat-login/shop{wrong}")
        await shop.arrive(f"/wechat-login/none{wrong}")
    assert await shop.users() == []


async def test_a_snapshots_visitor_is_nobody(shop):
    shop.fake.login.snapshot = True
    await shop.arrive(await shop.there_and_back())
    assert await shop.users() == []


async def test_when_wechat_does_not_answer_nobody_is_known_and_no_secret_is_told():
    with pytest.raises(login.LoginError) as told:
        await login.ask(replace(SHOP, api="http://127.0.0.1:9"), "code")
    assert SHOP.secret not in str(told.value)


async def test_a_link_that_was_passed_on_makes_nobody_another_customer(shop):
    await shop.arrive(await shop.there_and_back())
    mine = await shop.contact_of(shop.talk)
    async with shop.database.session() as session:
        contact = await records.create_contact(session, name="李梅", title="女士", phone="13900000002")
    other = await make_talk(shop.database)
    async with shop.database.session() as session:
        await session.execute(update(Case).where(Case.id == other.case_id).values(contact_id=contact))
    await shop.arrive(await shop.there_and_back(talk=other))
    (user,) = await shop.users()
    assert (user.contact_id, user.case_id) == (mine, shop.talk.case_id)
    async with shop.database.session() as session:
        (note,) = await session.scalars(select(Note))
        assert note.kind == "same_person" and str(mine) in note.text and str(contact) in note.text
        assert {one.phone for one in await session.scalars(select(Contact))} == {"13800000001", "13900000002"}


async def test_a_second_phone_on_the_same_link_changes_nothing(shop):
    await shop.arrive(await shop.there_and_back())
    late = parse_qs(urlsplit(await shop.press({})).query)
    assert late == {}  # bound: nobody is sent to WeChat any more
    assert len(await shop.users()) == 1


async def test_a_visitor_of_the_account_becomes_the_customer(shop):
    async with shop.database.session() as session:
        visitor = await records.create_contact(session, name="访客", is_anonymous=True)
        revision = await records.save_revision(session, "ask", "1", {"id": "ask", "variables": {}})
        asked = await records.create_case(session, visitor, revision, {})
        session.add(WechatUser(account="shop", openid="oOne", contact_id=visitor, case_id=asked, message_at=clock.now() - timedelta(hours=1)))
    await shop.arrive(await shop.there_and_back())
    (user,) = await shop.users()
    customer = await shop.contact_of(shop.talk)
    assert (user.contact_id, user.case_id) == (customer, shop.talk.case_id)
    async with shop.database.session() as session:
        assert (await session.get_one(Case, asked)).contact_id == customer
