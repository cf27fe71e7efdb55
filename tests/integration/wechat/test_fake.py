"""The fake WeChat is strict: each rule of WeChat's that the product keeps would be broken here if the product did not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from followup.channels.wechat.account import Account
from followup.channels.wechat.envelope import encrypt
from tests.fakes.wechat import FakeWechat

PLAIN = Account("shop", "wxba5fad812f8e6fb9", "service", "AAAAA", secret="s" * 32)
SEALED = replace(PLAIN, aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", mode="aes")
ME = "oOne"
TEXT = "<xml><ToUserName>{to}</ToUserName><FromUserName>gh_fake</FromUserName><CreateTime>1</CreateTime><Content>{text}</Content></xml>"


@dataclass
class Time:
    """A clock that stands."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 20, 10, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Firm:
    """Somebody who answers and asks as carelessly as a test wants. `answers`: (status, body), the last one again and again."""

    fake: FakeWechat
    client: TestClient[Any, Any]
    time: Time
    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, "success")])
    asked: list[dict[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.asked.append({**request.query, "body": await request.text()})
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, text=body)

    async def token(self, **wrong: Any) -> dict[str, Any]:
        body = {"grant_type": "client_credential", "appid": PLAIN.app_id, "secret": PLAIN.secret, **wrong}
        async with self.client.post("/cgi-bin/stable_token", json=body) as answer:
            return await answer.json()

    async def say(self, text: str = "您好", token: str = "", **body: Any) -> int:
        """The code that a customer-service message is answered with."""
        token = token or (await self.token())["access_token"]
        whole = {"touser": ME, "msgtype": "text", "text": {"content": text}, **body}
        raw = json.dumps(whole, ensure_ascii=False).encode()
        async with self.client.post("/cgi-bin/message/custom/send", params={"access_token": token}, data=raw) as answer:
            return (await answer.json())["errcode"]


@pytest.fixture
def account() -> Account:
    return PLAIN


@pytest_asyncio.fixture
async def firm(account: Account) -> AsyncIterator[Firm]:
    time = Time()
    fake = FakeWechat(account, clock=time, again_after=0.01)
    async with TestClient(TestServer(fake.app())) as client:
        firm = Firm(fake, client, time)
        ours = web.Application()
        ours.router.add_post("/wechat", firm.take)
        async with TestServer(ours) as server:
            fake.callback = str(server.make_url("/wechat"))
            yield firm
    await fake.close()


# —— how it asks us ————————————————————————————————————————————————————


async def test_a_message_is_sent_three_times_under_one_number_until_it_is_taken(firm: Firm) -> None:
    firm.answers = [(500, ""), (502, ""), (200, "success")]
    await firm.fake.says(ME, "好")
    assert len(firm.asked) == 3 and len({one["body"].split("<MsgId>")[1] for one in firm.asked}) == 1
    firm.answers = [(500, "")]
    await firm.fake.says(ME, "好")
    assert len(firm.asked) == 6 and len(firm.fake.given_up) == 1


async def test_each_request_is_signed_anew(firm: Firm) -> None:
    await firm.fake.says(ME, "好")
    await firm.fake.says(ME, "好")
    assert len({one["nonce"] for one in firm.asked}) == len({one["signature"] for one in firm.asked}) == 2


async def test_what_is_doubled_comes_twice_and_what_is_lost_comes_again(firm: Firm) -> None:
    firm.fake.weather.double = lambda: 1
    await firm.fake.says(ME, "好")
    assert len(firm.asked) == 2
    firm.fake.weather.double, lost = (lambda: 0), [True, False]
    firm.fake.weather.lose = lambda: lost.pop(0)
    await firm.fake.says(ME, "好")
    assert len(firm.asked) == 3 and firm.fake.given_up == []


async def test_what_is_delayed_is_overtaken(firm: Firm) -> None:
    waits = [0.3, 0.0]
    firm.fake.weather.delay = lambda: waits.pop(0)
    await asyncio.gather(firm.fake.says(ME, "先说的"), firm.fake.says(ME, "后说的"))
    assert ["先说的" in one["body"] for one in firm.asked] == [False, True]


# —— what it does not forgive in an answer ——————————————————————————————————


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, ""),
        (200, "ok"),
        (200, TEXT.format(to="oOther", text="您好")),
        (200, TEXT.format(to=ME, text="")),
        (200, TEXT.format(to=ME, text="好" * 683)),
        (200, TEXT.format(to=ME, text="您好").replace("<CreateTime>1</CreateTime>", "")),
        (200, TEXT.format(to=ME, text="您好").replace("</xml>", "")),
    ],
)
async def test_a_wrong_answer_is_told(firm: Firm, status: int, body: str) -> None:
    firm.answers = [(status, body)]
    await firm.fake.says(ME, "好")
    assert len(firm.fake.rules_broken) == 1


async def test_a_right_answer_is_read_and_a_second_one_to_the_same_message_is_told(firm: Firm) -> None:
    firm.answers = [(200, TEXT.format(to=ME, text="您好"))]
    await firm.fake.says(ME, "好")
    assert firm.fake.rules_broken == [] and firm.fake.phone(ME).texts() == ["您好"]
    firm.fake.weather.double = lambda: 1
    await firm.fake.says(ME, "好")
    assert firm.fake.rules_broken == ["two passive replies to one message"]


@pytest.mark.parametrize("account", [SEALED])
async def test_a_sealed_account_takes_sealed_answers_only(firm: Firm) -> None:
    plain = TEXT.format(to=ME, text="您好")
    firm.answers = [(200, plain), (200, encrypt(replace(SEALED, token="BBBBB"), plain, at=1)), (200, encrypt(SEALED, plain, at=1))]
    for broken in (1, 2, 2):
        await firm.fake.says(ME, "好")
        assert len(firm.fake.rules_broken) == broken
    assert "<Content>" not in firm.asked[0]["body"] and firm.fake.phone(ME).texts() == ["您好"]


# —— how it answers ————————————————————————————————————————————————————


async def test_a_token_is_given_to_whom_it_belongs_and_ends(firm: Firm) -> None:
    assert (await firm.token(appid="wx0"))["errcode"] == 40013 and (await firm.token(secret="x"))["errcode"] == 40125
    first = (await firm.token())["access_token"]
    assert (await firm.token())["access_token"] == first
    firm.time.at += timedelta(seconds=7200)
    assert await firm.say(token=first) == 42001 and await firm.say(token="made up") == 40001
    assert (await firm.token())["access_token"] != first


async def test_old_and_new_token_overlap_unless_a_new_one_was_forced(firm: Firm) -> None:
    await firm.fake.says(ME, "好")
    first = (await firm.token())["access_token"]
    firm.time.at += timedelta(seconds=7200 - 240)
    second = (await firm.token())["access_token"]
    assert second != first and await firm.say(token=first) == await firm.say(token=second) == 0
    third = (await firm.token(force_refresh=True))["access_token"]
    assert await firm.say(token=second) == 40001 and await firm.say(token=third) == 0


async def test_five_messages_in_48_hours_after_one_of_the_customers(firm: Firm) -> None:
    await firm.fake.says(ME, "好")
    assert [await firm.say() for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
    firm.time.at += timedelta(hours=48)
    assert await firm.say() == 45015
    await firm.fake.says(ME, "好")
    assert await firm.say() == 0


async def test_three_messages_in_a_minute_after_a_click(firm: Firm) -> None:
    await firm.fake.event(ME, "SCAN", "x")
    assert [await firm.say() for _ in range(4)] == [0, 0, 0, 45047]
    firm.time.at += timedelta(minutes=1)
    assert await firm.say() == 45015


async def test_who_is_unknown_or_has_left_gets_nothing(firm: Firm) -> None:
    assert await firm.say() == 40003
    await firm.fake.says(ME, "好")
    await firm.fake.event(ME, "unsubscribe")
    assert await firm.say() == 43004


async def test_what_is_empty_too_long_or_no_message_is_refused(firm: Firm) -> None:
    await firm.fake.says(ME, "好")
    assert await firm.say("好" * 682) == 0 and await firm.say("好" * 683) == 45002 and await firm.say("") == 45002
    assert await firm.say(msgtype="image") == 40008 and await firm.say(msgtype="msgmenu", msgmenu={"head_content": "选吧", "list": []}) == 40008
    assert firm.fake.phone(ME).texts() == ["好" * 682]


@pytest.mark.parametrize("account", [replace(PLAIN, kind="subscription")])
async def test_a_subscription_account_has_no_menus(firm: Firm) -> None:
    await firm.fake.says(ME, "好")
    assert await firm.say(msgtype="msgmenu", msgmenu={"head_content": "选吧", "list": [{"id": "1", "content": "好"}]}) == 40200


async def test_escaped_characters_are_told(firm: Firm) -> None:
    await firm.fake.says(ME, "好")
    token = (await firm.token())["access_token"]
    await firm.client.post("/cgi-bin/message/custom/send", params={"access_token": token}, json={"touser": ME, "msgtype": "text", "text": {"content": "好"}})
    assert firm.fake.rules_broken == ["escaped characters would be shown as they are"]
    async with firm.client.post("/cgi-bin/message/custom/send", params={"access_token": token}, data=b"{") as answer:
        assert (await answer.json())["errcode"] == 47001


async def test_a_connection_is_cut_before_or_after_the_message_was_taken(firm: Firm) -> None:
    await firm.fake.says(ME, "好")
    for moment, shown in (("before", 0), ("after", 1)):
        firm.fake.hang_up = [moment]
        with pytest.raises(Exception, match="[Dd]isconnected|reset"):
            await firm.say()
        assert len(firm.fake.phone(ME).texts()) == shown
