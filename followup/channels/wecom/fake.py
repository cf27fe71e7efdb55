"""A 微信客服 that can be tried here: signs, encrypts, calls us, keeps pages, sessions and quotas, and is stricter than the real one.

`rules_broken` says what a real WeCom would not forgive; a test expects it to be empty. Nothing here is used in production.
"""

from __future__ import annotations

import asyncio

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from followup.channels.wechat.envelope import encrypt, sign
from followup.channels.wechat.parse import read_xml
from followup.channels.wecom.account import Account
from followup.channels.wecom.fake_api import FakeApi

NEW, BOT, POOL, HUMAN, OVER = range(5)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Phone:
    """One customer's WeChat, with one service account."""

    who: str
    open_kfid: str
    unionid: str = ""
    state: int = OVER
    servicer: str = ""
    message_at: datetime | None = None
    sent: int = 0
    welcomed_at: datetime | None = None
    seen: list[dict[str, Any]] = field(default_factory=list)
    """What the screen shows, in order: {"from": me | firm | servicer, "text", "how": send | event, "choices", "msgid"}."""

    def texts(self, sender: str = "firm") -> list[str]:
        return [line["text"] for line in self.seen if line["from"] == sender]


@dataclass
class Weather:
    """How badly the way to us behaves."""

    lose: Callable[[], bool] = lambda: False
    """A callback never arrives."""
    times: Callable[[], int] = lambda: 1
    """How often a callback is sent."""
    delay: Callable[[], float] = lambda: 0.0
    """Seconds before it is sent: what is sent later may arrive earlier."""
    page: int = 1000
    """Messages a page, however many were asked for."""


class FakeWecom:
    """The platform for one account. `callback`: our address, known once our server runs."""

    def __init__(
        self, account: Account, callback: str = "", *, weather: Weather | None = None, clock: Callable[[], datetime] = now
    ) -> None:
        self.account, self.callback = account, callback
        self.weather, self.clock = weather or Weather(), clock
        self.phones: dict[tuple[str, str], Phone] = {}
        self.log: list[dict[str, Any]] = []
        """Everything there is to be read, oldest first."""
        self.rules_broken: list[str] = []
        self.calls: list[tuple[str, dict[str, Any], int]] = []
        """(path, body, code answered)."""
        self.answers: list[tuple[int, float]] = []
        """(status, seconds) of each callback."""
        self.codes: list[tuple[str, int]] = []
        """(part of a path, error): what the next call there is answered with."""
        self.hang_up: list[tuple[str, str]] = []
        """(part of a path, before | after): the next call there gets no answer; "after": though it was done."""
        self.tokens: dict[str, datetime] = {}
        self.tokens_fetched = 0
        self.callback_tokens: dict[str, datetime] = {}
        self.read_without_token = 0
        self.event_codes: dict[str, tuple[Phone, datetime]] = {}
        """Code of an event -> whose, and until when; gone once it was used."""
        self.pages_read = 0
        self.others = 0
        """Service accounts that are not ours, and stand before ours in the list."""
        self._http: aiohttp.ClientSession | None = None

    # what the customer does

    def phone(self, who: str, open_kfid: str = "") -> Phone:
        key = (who, open_kfid or self.account.kfids[0])
        return self.phones.setdefault(key, Phone(*key))

    async def says(self, who: str, text: str, *, menu_id: str = "") -> str:
        """The customer types, or taps an item of a menu (`menu_id`). Returns the msgid."""
        phone = self._speaks(who)
        phone.seen.append({"from": "me", "text": text})
        return await self._put(phone, 3, "text", {"content": text, **({"menu_id": menu_id} if menu_id else {})})

    async def shows(self, who: str, kind: str, **fields: object) -> str:
        """The customer sends something that is no text."""
        phone = self._speaks(who)
        phone.seen.append({"from": "me", "text": f"［{kind}］"})
        return await self._put(phone, 3, kind, fields)

    async def enters(self, who: str, scene_param: str = "") -> str:
        """The customer opens the chat. Returns the welcome code, if there is one."""
        phone = self.phone(who)
        at, code = self.clock(), ""
        lately = timedelta(hours=48)
        greeted = phone.welcomed_at is not None and at - phone.welcomed_at < lately
        wrote = phone.message_at is not None and at - phone.message_at < lately
        if not greeted and not wrote:
            code = secrets.token_hex(16)
            self.event_codes[code] = (phone, at + timedelta(seconds=20))
        fields = {"scene": "followup" if scene_param else "", "scene_param": scene_param}
        await self._event(phone, "enter_session", **fields, **({"welcome_code": code} if code else {}))
        return code

    async def recalls(self, who: str, msgid: str) -> None:
        await self._event(self.phone(who), "user_recall_msg", recall_msgid=msgid)

    async def fails(self, who: str, msgid: str, fail_type: int) -> None:
        """A message of ours did not reach the customer."""
        await self._event(self.phone(who), "msg_send_fail", fail_msgid=msgid, fail_type=fail_type)

    # what a servicer does in 企业微信

    async def servicer_takes(self, who: str, servicer: str = "zhang") -> None:
        phone = self.phone(who)
        phone.state, phone.servicer = HUMAN, servicer
        await self._event(phone, "session_status_change", change_type=1, new_servicer_userid=servicer)

    async def servicer_says(self, who: str, text: str) -> None:
        phone = self.phone(who)
        phone.seen.append({"from": "servicer", "text": text})
        await self._put(phone, 5, "text", {"content": text}, servicer_userid=phone.servicer)

    async def servicer_ends(self, who: str) -> None:
        phone = self.phone(who)
        phone.state, old, phone.servicer = OVER, phone.servicer, ""
        await self._event(phone, "session_status_change", change_type=3, old_servicer_userid=old)

    def _speaks(self, who: str) -> Phone:
        phone = self.phone(who)
        phone.message_at, phone.sent = self.clock(), 0
        if phone.state == OVER:
            phone.state = NEW
        return phone

    async def _event(self, phone: Phone, kind: str, **fields: object) -> None:
        whole = {"event_type": kind, "open_kfid": phone.open_kfid, "external_userid": phone.who, **fields}
        await self._put(phone, 4, "event", whole)

    async def _put(self, phone: Phone, origin: int, kind: str, part: dict[str, Any], **more: object) -> str:
        msgid = secrets.token_urlsafe(24)
        entry: dict[str, Any] = {"msgid": msgid, "send_time": int(self.clock().timestamp()), "origin": origin, "msgtype": kind, kind: part}
        if kind != "event":
            entry |= {"open_kfid": phone.open_kfid, "external_userid": phone.who, **more}
        self.log.append(entry)
        await self.call(phone.open_kfid)
        return msgid

    async def call(self, open_kfid: str = "") -> None:
        """Tell us that there is something to read."""
        if self.weather.lose() or not self.callback:
            return
        token = secrets.token_urlsafe(36)
        self.callback_tokens[token] = self.clock() + timedelta(minutes=10)
        await asyncio.sleep(self.weather.delay())
        await asyncio.gather(*(self._ask(token, open_kfid or self.account.kfids[0]) for _ in range(self.weather.times())))

    async def _ask(self, token: str, open_kfid: str) -> None:
        fields = {
            "ToUserName": self.account.corp_id, "CreateTime": str(int(self.clock().timestamp())), "MsgType": "event",
            "Event": "kf_msg_or_event", "Token": token, "OpenKfId": open_kfid,
        }  # fmt: skip
        xml = "<xml>" + "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items()) + "</xml>"
        status, body = await self.post(xml)
        if status != 200 or body not in ("success", ""):
            self.rules_broken.append(f"callback answered {status} {body[:40]!r}")

    async def post(self, xml: str) -> tuple[int, str]:
        """Our answer to a callback: (status, body); (0, "") when there was none within five seconds."""
        stamp = str(int(self.clock().timestamp()))
        parts = read_xml(encrypt(self.account.sealed, xml, at=int(stamp)).encode())
        query = {"msg_signature": parts["MsgSignature"], "timestamp": stamp, "nonce": parts["Nonce"]}
        body = (
            f"<xml><ToUserName><![CDATA[{self.account.corp_id}]]></ToUserName><AgentID><![CDATA[]]></AgentID>"
            f"<Encrypt><![CDATA[{parts['Encrypt']}]]></Encrypt></xml>"
        )
        begun = asyncio.get_running_loop().time()
        try:
            async with self._client().post(
                self.callback, params=query, data=body.encode(), timeout=aiohttp.ClientTimeout(total=5)
            ) as answer:
                text, status = await answer.text(), answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0, ""
        self.answers.append((status, asyncio.get_running_loop().time() - begun))
        return status, text

    async def verify(self, *, echo: str = "1616140317555161061", token: str = "") -> tuple[int, str]:
        """The check of the address: our answer must be the echo in clear."""
        parts = read_xml(encrypt(self.account.sealed, echo).encode())
        signature = sign(token or self.account.token, parts["TimeStamp"], parts["Nonce"], parts["Encrypt"])
        query = {"msg_signature": signature, "timestamp": parts["TimeStamp"], "nonce": parts["Nonce"], "echostr": parts["Encrypt"]}
        async with self._client().get(self.callback, params=query) as answer:
            return answer.status, await answer.text()

    def app(self) -> web.Application:
        app = web.Application()
        FakeApi(self).add_to(app)
        return app

    def token_is_good(self, token: str) -> bool:
        end = self.callback_tokens.get(token)
        return end is not None and end > self.clock()

    def find(self, who: object, open_kfid: object) -> Phone | None:
        return self.phones.get((str(who), str(open_kfid)))

    def broken(self, what: str) -> None:
        self.rules_broken.append(what)

    def _client(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        return self._http

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()


