"""The web application with two accounts, and WeChat's way of asking it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from followup.channels.wechat.account import Account
from followup.channels.wechat.envelope import encrypt, sign
from followup.channels.wechat.parse import read_xml
from followup.channels.wechat.patience import Patience
from followup.settings import Settings
from followup.store.database import Database
from followup.store.models import Message
from followup.web.app import make_app
from followup.web.wechat import PATIENCE

PLAIN = Account("plain", "wxba5fad812f8e6fb9", "subscription", "AAAAA")
SEALED = Account("sealed", "wxba5fad812f8e6fb9", "service", "AAAAA", secret="s" * 32, aes_key="A" * 43, mode="aes")


@dataclass
class Wechat:
    """Posts to us as WeChat does."""

    client: TestClient
    number: int = 0
    stamp: int = 1763866800
    extra: dict[str, str] = field(default_factory=dict)

    def xml(self, kind: str = "text", openid: str = "oUser1", **fields: object) -> str:
        self.number += 1
        parts = {"ToUserName": "gh_1", "FromUserName": openid, "CreateTime": self.stamp + self.number, "MsgType": kind}
        parts |= {} if kind == "event" else {"MsgId": 10_000 + self.number}
        parts |= fields
        return "<xml>" + "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in parts.items()) + "</xml>"

    def query(self, account: Account, sealed: dict[str, str] | None = None) -> dict[str, str]:
        query = {"timestamp": "1714037059", "nonce": "486452656", "openid": "oUser1"}
        if sealed is not None:
            query = {"timestamp": sealed["TimeStamp"], "nonce": sealed["Nonce"], "encrypt_type": "aes", "msg_signature": sealed["MsgSignature"]}
        return {**query, "signature": sign(account.token, query["timestamp"], query["nonce"])}

    async def post(self, account: Account, xml: str) -> tuple[int, str]:
        """Status and body."""
        sealed = None
        if account.mode != "plain":
            envelope = encrypt(account, xml)
            sealed, xml = read_xml(envelope.encode()), envelope
        async with self.client.post(f"/wechat/{account.name}", params=self.query(account, sealed), data=xml.encode()) as answer:
            return answer.status, await answer.text()

    async def says(self, text: str, account: Account = PLAIN, **more: object) -> tuple[int, str]:
        return await self.post(account, self.xml(Content=text, **more))

    async def event(self, name: str, key: str = "", account: Account = PLAIN, **more: object) -> tuple[int, str]:
        return await self.post(account, self.xml("event", Event=name, EventKey=key, **more))


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, database_url=database_url, secret="t" * 40, wechat=(PLAIN, SEALED))


@pytest_asyncio.fixture
async def wechat(settings: Settings) -> AsyncIterator[Wechat]:
    app = make_app(settings)
    app[PATIENCE] = Patience(0.05, 0.05)
    async with TestClient(TestServer(app)) as client:
        yield Wechat(client)


async def rows(database: Database, **where: object) -> list[Message]:
    async with database.session() as session:
        return list(await session.scalars(select(Message).filter_by(**where).order_by(Message.id)))
