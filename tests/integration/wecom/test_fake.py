"""The fake 微信客服 is strict: each documented rule that the product keeps would be broken here if the product did not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from followup.channels.wecom.account import Account
from followup.channels.wecom.fake_api import BOT, HUMAN, NEW, OVER
from tests.fakes.wecom import FakeWecom

ACCOUNT = Account("main", "ww0123456789abcdef", "s" * 43, "AAAAA", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", ("wkMain", "wkOther"))
ME, KFID = "wmOne", "wkMain"


@dataclass
class Time:
    """A clock that stands."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 20, 10, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Asking:
    """Somebody who asks the platform as carelessly as a test wants."""

    fake: FakeWecom
    client: TestClient[Any, Any]
    time: Time

    async def token(self, **wrong: str) -> dict[str, Any]:
        async with self.client.get("/cgi-bin/gettoken", params={"corpid": ACCOUNT.corp_id, "corpsecret": ACCOUNT.secret, **wrong}) as answer:
            return await answer.json()

    async def ask(self, path: str, body: object, token: str = "") -> dict[str, Any]:
        token = token or (await self.token())["access_token"]
        raw = json.dumps(body, ensure_ascii=False).encode()
        async with self.client.post(f"/cgi-bin/kf/{path}", params={"access_token": token}, data=raw) as answer:
            return await answer.json()

    async def send(self, said: str = "您好", **body: Any) -> int:
        whole = {"touser": ME, "open_kfid": KFID, "msgtype": "text", "text": {"content": said}, **body}
        return (await self.ask("send_msg", whole))["errcode"]

    async def trans(self, state: int, **more: str) -> int:
        return (await self.ask("service_state/trans", {"open_kfid": KFID, "external_userid": ME, "service_state": state, **more}))["errcode"]

    async def sync(self, **body: Any) -> dict[str, Any]:
        return await self.ask("sync_msg", {"open_kfid": KFID, **body})


@pytest_asyncio.fixture
async def asking() -> AsyncIterator[Asking]:
    time = Time()
    fake = FakeWecom(ACCOUNT, clock=time)
    async with TestClient(TestServer(fake.app())) as client:
        yield Asking(fake, client, time)
    await fake.close()


async def test_a_token_is_given_to_whom_it_belongs_and_ends(asking: Asking) -> None:
    assert (await asking.token(corpid="ww0"))["errcode"] == 40013 and (await asking.token(corpsecret="x"))["errcode"] == 40001
    first = (await asking.token())["access_token"]
    assert (await asking.token())["access_token"] == first
    asking.time.at += timedelta(seconds=7200)
    assert (await asking.ask("account/list", {}, first))["errcode"] == 42001
    assert (await asking.ask("account/list", {}, "made up"))["errcode"] == 40014


async def test_five_messages_in_48_hours_after_one_of_the_customers(asking: Asking) -> None:
    await asking.fake.says(ME, "好")
    assert await asking.trans(BOT) == 0
    assert [await asking.send() for _ in range(6)] == [0, 0, 0, 0, 0, 95001]
    asking.time.at += timedelta(hours=48)
    assert await asking.send() == 95002
    await asking.fake.says(ME, "好")
    assert await asking.send() == 0 and asking.fake.rules_broken == []


async def test_before_the_session_is_ours_sending_is_told_and_with_a_servicer_it_is_refused(asking: Asking) -> None:
    await asking.fake.says(ME, "好")
    await asking.send()
    assert asking.fake.rules_broken == ["sent before the session was ours"]
    await asking.fake.servicer_takes(ME)
    assert await asking.send() == 95018
    await asking.fake.servicer_ends(ME)
    assert await asking.send() == 95013


async def test_a_session_goes_only_where_it_may(asking: Asking) -> None:
    assert await asking.trans(BOT) == 40096
    await asking.fake.says(ME, "好")
    assert await asking.trans(OVER) == 95016 and await asking.trans(BOT) == 0
    assert await asking.trans(NEW) == 95016 and await asking.trans(HUMAN) == 40058 and await asking.trans(HUMAN, servicer_userid="zhang") == 0
    assert await asking.trans(BOT) == 95016 and await asking.trans(OVER) == 0 and await asking.trans(BOT) == 95016


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": {"content": "好" * 682}}, 0),
        ({"text": {"content": "好" * 683}}, 45002),
        ({"text": {"content": ""}}, 44004),
        ({"msgtype": "image"}, 40008),
        ({"open_kfid": "wkNobodys"}, 95000),
        ({"touser": "wmNobody"}, 40096),
        ({"msgid": "有汉字"}, 40058),
        ({"msgid": "m" * 33}, 40058),
        ({"msgtype": "msgmenu", "msgmenu": {"head_content": "选吧", "list": []}}, 40058),
        ({"msgtype": "msgmenu", "msgmenu": {"head_content": "选" * 342, "list": [{"type": "click", "click": {"id": "1", "content": "好"}}]}}, 40058),
        ({"msgtype": "msgmenu", "msgmenu": {"head_content": "选吧", "list": [{"type": "click", "click": {"id": "1", "content": "好" * 43}}]}}, 40058),
        ({"msgtype": "msgmenu", "msgmenu": {"head_content": "选吧", "list": [{"type": "click", "click": {"id": "1", "content": "好"}}]}}, 0),
    ],
)
async def test_every_length_and_kind_is_looked_at(asking: Asking, body: dict[str, Any], code: int) -> None:
    await asking.fake.says(ME, "好")
    await asking.trans(BOT)
    assert await asking.send(**{"text": {"content": "您好"}, **body}) == code
    assert len(asking.fake.phone(ME).texts()) == (code == 0)


async def test_one_msgid_is_used_once(asking: Asking) -> None:
    await asking.fake.says(ME, "好")
    await asking.trans(BOT)
    await asking.send(msgid="m1")
    await asking.send(msgid="m1")
    assert asking.fake.rules_broken == ["the same msgid twice: m1"]


async def test_a_welcome_is_said_within_20_seconds_and_once(asking: Asking) -> None:
    hello = {"msgtype": "text", "text": {"content": "您好"}}
    code = await asking.fake.enters(ME)
    assert (await asking.ask("send_msg_on_event", {"code": code, **hello}))["errcode"] == 0
    assert (await asking.ask("send_msg_on_event", {"code": code, **hello}))["errcode"] == 41050
    assert await asking.fake.enters(ME) == ""
    late = await asking.fake.enters("wmTwo")
    asking.time.at += timedelta(seconds=20)
    assert (await asking.ask("send_msg_on_event", {"code": late, **hello}))["errcode"] == 41050


async def test_reading_wants_a_good_token_or_is_limited_and_a_cursor_that_was_given(asking: Asking) -> None:
    asking.fake.weather.page = 2
    for number in range(3):
        await asking.fake.says(ME, str(number))
    first = await asking.sync()
    assert [one["text"]["content"] for one in first["msg_list"]] == ["0", "1"] and first["has_more"] == 1
    rest = await asking.sync(cursor=first["next_cursor"])
    assert [one["text"]["content"] for one in rest["msg_list"]] == ["2"] and rest["has_more"] == 0
    assert (await asking.sync(cursor="x1"))["errcode"] == (await asking.sync(cursor="c99"))["errcode"] == (await asking.sync(limit=1001))["errcode"] == 40058
    assert (await asking.sync(token="made up"))["errcode"] == 95007 and (await asking.sync(open_kfid="wkNobodys"))["errcode"] == 95000
    codes = [(await asking.sync())["errcode"] for _ in range(20)]
    assert codes[0] == 0 and codes[-1] == 45009


async def test_a_callbacks_token_is_good_for_ten_minutes(asking: Asking) -> None:
    asking.fake.callback = "http://127.0.0.1:9/nobody"
    await asking.fake.says(ME, "好")
    (token,) = asking.fake.callback_tokens
    assert (await asking.sync(token=token))["errcode"] == 0
    asking.time.at += timedelta(minutes=10)
    assert (await asking.sync(token=token))["errcode"] == 95007


async def test_a_connection_is_cut_before_or_after_the_message_was_taken(asking: Asking) -> None:
    await asking.fake.says(ME, "好")
    await asking.trans(BOT)
    for moment, shown in (("before", 0), ("after", 1)):
        asking.fake.hang_up = [("send_msg", moment)]
        with pytest.raises(Exception, match="[Dd]isconnected|reset"):
            await asking.send()
        assert len(asking.fake.phone(ME).texts()) == shown
