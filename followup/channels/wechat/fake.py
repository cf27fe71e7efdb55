"""A WeChat that can be tried here: signs, encrypts, sends again, counts the quota, ends tokens, and is stricter than the real one.

`rules_broken` says what a real WeChat would not forgive; a test expects it to be empty. Nothing here is used in production.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from followup.channels.wechat.account import Account
from followup.channels.wechat.envelope import decrypt, encrypt, sign
from followup.channels.wechat.fake_login import FakeLogin
from followup.channels.wechat.fake_platform import FakePlatform
from followup.channels.wechat.fake_notices import FakeNotices, Raw
from followup.channels.wechat.parse import BadRequest, read_xml

LONGEST = 2047
RETRIES = 3
WAIT = 5.0


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Phone:
    """One customer's WeChat."""

    openid: str
    follows: bool = True
    message_at: datetime | None = None
    click_at: datetime | None = None
    sent_by_message: int = 0
    sent_by_click: int = 0
    seen: list[dict[str, Any]] = field(default_factory=list)
    """What the screen shows, in order: {"from": me | firm, "text", "how": passive | custom | template, "choices"}."""

    def texts(self, sender: str = "firm") -> list[str]:
        return [line["text"] for line in self.seen if line["from"] == sender]


@dataclass
class Weather:
    """How badly the way to us behaves."""

    lose: Callable[[], bool] = lambda: False
    """The request never arrives."""
    lose_answer: Callable[[], bool] = lambda: False
    """It arrives, the answer does not."""
    double: Callable[[], int] = lambda: 0
    """How often more it is sent, at the same time, whatever is answered."""
    delay: Callable[[], float] = lambda: 0.0
    """Seconds before it is sent: what is sent later may arrive earlier."""


class FakeWechat:
    """The platform for one account. `callback`: our address, known once our server runs; `wait`: how long it waits for our answer,
    `again_after`: seconds from one try to the next."""

    def __init__(
        self, account: Account, callback: str = "", *, weather: Weather | None = None, clock: Callable[[], datetime] = now,
        wait: float = WAIT, again_after: float = WAIT,
    ) -> None:  # fmt: skip
        self.account, self.callback = account, callback
        self.weather, self.clock, self.wait, self.again_after = weather or Weather(), clock, wait, again_after
        self.phones: dict[str, Phone] = {}
        self.rules_broken: list[str] = []
        self.calls: list[tuple[str, dict[str, Any], int]] = []
        """(path, body, code answered)."""
        self.given_up: list[dict[str, str]] = []
        """What was sent three times in vain: the customer reads that the account is out of order."""
        self.answers: list[tuple[int, float]] = []
        """(status, seconds) of each request to us."""
        self.codes: list[int] = []
        """Errors to answer the next calls with, whatever they are."""
        self.hang_up: list[str] = []
        """What goes wrong with the next calls: before (nothing was done), after (done, but no answer)."""
        self.tokens: dict[str, datetime] = {}
        self.tokens_fetched = 0
        self.platform = FakePlatform(self.checked, self.code)
        """Menu, white list, quota: what the console asks."""
        self.login = FakeLogin(account, self.clock, self.rules_broken)
        """Web authorisation."""
        self.notices = FakeNotices(self)
        """Template and subscribe messages, and their reports."""
        self._number = secrets.randbelow(1 << 40)
        self._passive: Counter[str] = Counter()
        self._http: aiohttp.ClientSession | None = None

    # what the customer does

    def phone(self, openid: str) -> Phone:
        return self.phones.setdefault(openid, Phone(openid))

    async def says(self, openid: str, text: str, *, menu_id: str = "") -> None:
        """The customer types, or taps an item of a menu message (`menu_id`)."""
        phone = self.phone(openid)
        phone.seen.append({"from": "me", "text": text})
        if menu_id:
            self._clicked(phone)
        else:
            phone.message_at, phone.sent_by_message = self.clock(), 0
        more = {"bizmsgmenuid": menu_id} if menu_id else {}
        await self.deliver(phone, {"MsgType": "text", "Content": text, **more}, message=True)

    async def shows(self, openid: str, kind: str, **fields: str) -> None:
        """The customer sends something that is no text."""
        phone = self.phone(openid)
        phone.seen.append({"from": "me", "text": f"［{kind}］"})
        phone.message_at, phone.sent_by_message = self.clock(), 0
        await self.deliver(phone, {"MsgType": kind, **fields}, message=True)

    async def event(self, openid: str, event: str, key: str = "") -> None:
        """subscribe, unsubscribe, SCAN, CLICK, VIEW."""
        phone = self.phone(openid)
        phone.follows = event != "unsubscribe"
        if event in ("subscribe", "SCAN", "CLICK"):
            self._clicked(phone)
        await self.deliver(phone, {"MsgType": "event", "Event": event, "EventKey": key}, message=False)

    def _clicked(self, phone: Phone) -> None:
        phone.click_at, phone.sent_by_click = self.clock(), 0

    async def deliver(self, phone: Phone, fields: dict[str, str], *, message: bool) -> None:
        """Up to three times, five seconds each, until we answer."""
        whole = {"ToUserName": "gh_fake", "FromUserName": phone.openid, "CreateTime": str(int(self.clock().timestamp())), **fields}
        if message:
            whole["MsgId"] = str(self.next_number())
        key = str(self.next_number())
        await asyncio.sleep(self.weather.delay())
        for _ in range(RETRIES):
            begun = asyncio.get_running_loop().time()
            if not self.weather.lose():
                copies = 1 + int(self.weather.double())
                if any(await asyncio.gather(*(self._ask(phone, whole, key) for _ in range(copies)))):
                    return
            await asyncio.sleep(max(0.0, begun + self.again_after - asyncio.get_running_loop().time()))
        self.given_up.append(whole)

    async def _ask(self, phone: Phone, fields: dict[str, str], key: str) -> bool:
        xml = "<xml>" + "".join(f"<{name}>{_value(value)}</{name}>" for name, value in fields.items()) + "</xml>"
        stamp, nonce = str(int(self.clock().timestamp())), str(secrets.randbelow(1 << 30))
        query = {"timestamp": stamp, "nonce": nonce, "openid": phone.openid, "signature": sign(self.account.token, stamp, nonce)}
        if self.account.mode != "plain":
            sealed = encrypt(self.account, xml, at=int(stamp))
            parts = read_xml(sealed.encode())
            query |= {"encrypt_type": "aes", "timestamp": stamp, "nonce": parts["Nonce"], "msg_signature": parts["MsgSignature"]}
            query["signature"] = sign(self.account.token, stamp, parts["Nonce"])
            xml = sealed if self.account.mode == "aes" else sealed.replace("</xml>", xml.removeprefix("<xml>"))
        begun = asyncio.get_running_loop().time()
        try:
            async with self._client().post(
                self.callback, params=query, data=xml.encode(), timeout=aiohttp.ClientTimeout(total=self.wait)
            ) as answer:
                body, status = await answer.text(), answer.status
        except (aiohttp.ClientError, TimeoutError):
            return False
        self.answers.append((status, asyncio.get_running_loop().time() - begun))
        if status >= 500:
            return False
        if status != 200:
            self.rules_broken.append(f"status {status}")
        if self.weather.lose_answer():
            return False
        self._read_answer(phone, body, key, report=fields.get("Event", "") == "TEMPLATESENDJOBFINISH" or "subscribe_msg" in fields.get("Event", ""))
        return True

    def _read_answer(self, phone: Phone, body: str, key: str, *, report: bool = False) -> None:
        if body in ("", "success"):
            return
        if report:
            self.rules_broken.append("a reply to a report is shown to nobody")
        try:
            parts = read_xml(body.encode())
            if self.account.mode == "aes":
                if parts["MsgSignature"] != sign(self.account.token, parts["TimeStamp"], parts["Nonce"], parts["Encrypt"]):
                    raise BadRequest("signature")
                parts = read_xml(decrypt(self.account, parts["Encrypt"]).encode())
            elif "Encrypt" in parts:
                parts = read_xml(decrypt(self.account, parts["Encrypt"]).encode())
            text = parts["Content"]
        except (BadRequest, KeyError) as error:
            self.rules_broken.append(f"该公众号提供的服务出现故障: {error!r}")
            return
        if parts.get("ToUserName") != phone.openid or parts.get("FromUserName") != "gh_fake" or not parts.get("CreateTime", "").isdigit():
            self.rules_broken.append("passive reply with wrong names")
        if not text or len(text.encode()) > LONGEST:
            self.rules_broken.append(f"passive reply of {len(text.encode())} bytes")
        self._passive[key] += 1
        if self._passive[key] > 1:
            self.rules_broken.append("two passive replies to one message")
        phone.seen.append({"from": "firm", "text": text, "how": "passive", "choices": []})

    # what we ask of it

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/cgi-bin/stable_token", self._token),
                web.post("/cgi-bin/message/custom/send", self._custom),
                web.post("/cgi-bin/qrcode/create", self._qr),
            ]
        )
        self.platform.add_to(app)
        self.notices.add_to(app)
        self.login.add_to(app)
        return app

    async def _token(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body.get("appid") != self.account.app_id:
            return self.code(request, body, 40013)
        if body.get("secret") != self.account.secret or body.get("grant_type") != "client_credential":
            return self.code(request, body, 40125)
        if (refusal := self.platform.refuses_address()) is not None:
            return refusal
        at = self.clock()
        valid = [token for token, end in self.tokens.items() if end - at > timedelta(minutes=5)]
        if not valid or body.get("force_refresh"):
            self.tokens_fetched += 1
            self.tokens = {} if body.get("force_refresh") else self.tokens
            valid = [secrets.token_hex(32)]
            self.tokens[valid[0]] = at + timedelta(seconds=7200)
        return web.json_response({"access_token": valid[-1], "expires_in": int((self.tokens[valid[-1]] - at).total_seconds())})

    async def checked(self, request: web.Request) -> tuple[dict[str, Any], web.StreamResponse | None]:
        """The body, and the error if there is one already."""
        raw = await request.read()
        try:
            body = json.loads(raw) if request.method == "POST" else {}
        except ValueError:
            return {}, self.code(request, {}, 47001)
        if b"\\u" in raw:
            self.rules_broken.append("escaped characters would be shown as they are")
        end = self.tokens.get(request.query.get("access_token", ""))
        if end is None or end <= self.clock():
            return body, self.code(request, body, 40001 if end is None else 42001)
        if self.hang_up and self.hang_up[0] == "before":
            self.hang_up.pop(0)
            return body, _cut(request)
        if self.codes:
            return body, self.code(request, body, self.codes.pop(0))
        return body, None

    async def _custom(self, request: web.Request) -> web.StreamResponse:
        body, error = await self.checked(request)
        if error is not None:
            return error
        phone = self.phones.get(body.get("touser", ""))
        if phone is None:
            return self.code(request, body, 40003)
        if not phone.follows:
            return self.code(request, body, 43004)
        kind = body.get("msgtype")
        menu = body.get("msgmenu") or {}
        text = body.get("text", {}).get("content") if kind == "text" else menu.get("head_content")
        choices = [(str(one.get("id")), str(one.get("content"))) for one in menu.get("list", [])]
        if kind not in ("text", "msgmenu") or not isinstance(text, str) or (kind == "msgmenu" and not choices):
            return self.code(request, body, 40008)
        if kind == "msgmenu" and self.account.kind != "service":
            return self.code(request, body, 40200)
        if not text or len((text + "".join(choice for _, choice in choices)).encode()) > LONGEST:
            return self.code(request, body, 45002)
        if (refusal := self._spend(phone)) != 0:
            return self.code(request, body, refusal)
        phone.seen.append({"from": "firm", "text": text, "how": "custom", "choices": choices})
        return self.cut_after(request) or self.code(request, body, 0)

    def cut_after(self, request: web.Request) -> web.StreamResponse | None:
        """The connection is cut though it was done."""
        if self.hang_up and self.hang_up[0] == "after":
            self.hang_up.pop(0)
            return _cut(request)
        return None

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def _spend(self, phone: Phone) -> int:
        at = self.clock()
        clicked = phone.click_at is not None and at - phone.click_at < timedelta(minutes=1)
        wrote = phone.message_at is not None and at - phone.message_at < timedelta(hours=48)
        if clicked and phone.sent_by_click < 3:
            phone.sent_by_click += 1
        elif wrote and phone.sent_by_message < 5:
            phone.sent_by_message += 1
        else:
            return 45047 if clicked or wrote else 45015
        return 0

    async def _qr(self, request: web.Request) -> web.StreamResponse:
        body, error = await self.checked(request)
        if error is not None:
            return error
        scene = body.get("action_info", {}).get("scene", {}).get("scene_str", "")
        if not 0 < len(scene) <= 64:
            return self.code(request, body, 40053)
        return web.json_response({"ticket": "t", "expire_seconds": body.get("expire_seconds"), "url": f"http://weixin.qq.com/q/{scene}"})

    def code(self, request: web.Request, body: dict[str, Any], code: int) -> web.Response:
        self.calls.append((request.path, body, code))
        return web.json_response({"errcode": code, "errmsg": "ok" if code == 0 else f"fake {code}"})

    def _client(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        return self._http

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()


def _value(value: str) -> str:
    return str(value) if isinstance(value, Raw) else f"<![CDATA[{value.replace(']]>', '')}]]>"


def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
