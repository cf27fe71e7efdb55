"""What we ask of the fake 微信客服: it answers as documented, checks every length, and refuses with the documented codes."""

from __future__ import annotations

import json
import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from followup.channels.wecom.fake import FakeWecom, Phone

_MSGID = re.compile(r"[0-9a-zA-Z_-]{1,32}")
_SCENE = re.compile(r"[0-9a-zA-Z_-]{0,32}")
LONGEST_TEXT, LONGEST_HEAD, LONGEST_CHOICE, MOST_CHOICES = 2048, 1024, 128, 50
WITHOUT_TOKEN = 20
"""How often we may read without a callback's token before 45009; the real number is not told."""
NEW, BOT, POOL, HUMAN, OVER = range(5)
_MAY = {NEW: (BOT, POOL, HUMAN), BOT: (POOL, HUMAN, OVER), POOL: (HUMAN, OVER), HUMAN: (POOL, HUMAN, OVER), OVER: ()}


class FakeApi:
    """The interface of `fake`."""

    def __init__(self, fake: FakeWecom) -> None:
        self._fake = fake
        self._msgids: set[str] = set()

    def add_to(self, app: web.Application) -> None:
        routes = [web.get("/cgi-bin/gettoken", self._token, allow_head=False)]
        for path, handler in (
            ("sync_msg", self._sync),
            ("send_msg", self._send),
            ("send_msg_on_event", self._send_on_event),
            ("service_state/get", self._state),
            ("service_state/trans", self._trans),
            ("customer/batchget", self._customers),
            ("add_contact_way", self._link),
            ("account/list", self._list),
        ):
            routes.append(web.post(f"/cgi-bin/kf/{path}", self._checked(handler)))
        app.add_routes(routes)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        fake, asked = self._fake, dict(request.query)
        if asked.get("corpid") != fake.account.corp_id:
            return self._code(request, asked, 40013)
        if asked.get("corpsecret") != fake.account.secret:
            return self._code(request, asked, 40001)
        if (error := self._ordered(request, asked)) is not None:
            return error
        at = fake.clock()
        valid = [token for token, end in fake.tokens.items() if end > at]
        if not valid:
            fake.tokens_fetched += 1
            valid = [secrets.token_hex(32)]
            fake.tokens[valid[0]] = at + timedelta(seconds=7200)
        left = int((fake.tokens[valid[-1]] - at).total_seconds())
        return web.json_response({"errcode": 0, "errmsg": "ok", "access_token": valid[-1], "expires_in": left})

    def _checked(self, handler: Any) -> Any:
        async def checked(request: web.Request) -> web.StreamResponse:
            fake, raw = self._fake, await request.read()
            try:
                body = json.loads(raw)
            except ValueError:
                return self._code(request, {}, 47001)
            if not isinstance(body, dict):
                return self._code(request, {}, 40063)
            if b"\\u" in raw:
                fake.broken("escaped characters would be shown as they are")
            end = fake.tokens.get(request.query.get("access_token", ""))
            if end is None or end <= fake.clock():
                return self._code(request, body, 40014 if end is None else 42001)
            hang = next((one for one in fake.hang_up if one[0] in request.path), None)
            if hang is not None:
                fake.hang_up.remove(hang)
                if hang[1] == "after":
                    await handler(request, body)
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            return self._ordered(request, body) or await handler(request, body)

        return checked

    def _ordered(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse | None:
        """An error that a test ordered for this path."""
        ordered = next((one for one in self._fake.codes if one[0] in request.path), None)
        if ordered is None:
            return None
        self._fake.codes.remove(ordered)
        return self._code(request, body, ordered[1])

    async def _sync(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        fake = self._fake
        token, cursor, limit = body.get("token", ""), str(body.get("cursor", "")), body.get("limit", 1000)
        if body.get("open_kfid") not in fake.account.kfids:
            return self._code(request, body, 95000)
        if len(token) > 128 or len(cursor) > 64 or not isinstance(limit, int) or not 0 < limit <= 1000:
            return self._code(request, body, 40058)
        if token and not fake.token_is_good(token):
            return self._code(request, body, 95007)
        if not token:
            fake.read_without_token += 1
            if fake.read_without_token > WITHOUT_TOKEN:
                return self._code(request, body, 45009)
        if cursor and not re.fullmatch(r"c[0-9]+", cursor):
            return self._code(request, body, 40058)
        begin = int(cursor[1:]) if cursor else 0
        if begin > len(fake.log):  # of an earlier fake
            return self._code(request, body, 40058)
        end = min(begin + min(limit, fake.weather.page), len(fake.log))
        fake.pages_read += 1
        page = [entry for entry in fake.log[begin:end] if self._kfid(entry) == body["open_kfid"]]
        self._fake.calls.append((request.path, body, 0))
        found = {"errcode": 0, "errmsg": "ok", "next_cursor": f"c{end}", "has_more": int(end < len(fake.log)), "msg_list": page}
        return web.json_response(found)

    @staticmethod
    def _kfid(entry: dict[str, Any]) -> str:
        return str(entry.get("open_kfid") or entry["event"]["open_kfid"])

    async def _send(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        fake = self._fake
        phone = fake.find(body.get("touser"), body.get("open_kfid"))
        if body.get("open_kfid") not in fake.account.kfids:
            return self._code(request, body, 95000)
        if phone is None:
            return self._code(request, body, 40096)
        if (code := self._content(body)) != 0:
            return self._code(request, body, code)
        if phone.state not in (NEW, BOT):
            return self._code(request, body, 95013 if phone.state == OVER else 95018)
        if phone.state == NEW:
            fake.broken("sent before the session was ours")
        if phone.message_at is None or fake.clock() - phone.message_at >= timedelta(hours=48):
            return self._code(request, body, 95002)
        if phone.sent >= 5:
            return self._code(request, body, 95001)
        phone.sent += 1
        return self._show(request, phone, body, "send")

    async def _send_on_event(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        fake = self._fake
        if (code := self._content(body)) != 0:
            return self._code(request, body, code)
        phone, end = fake.event_codes.pop(str(body.get("code", "")), (None, None))
        if phone is None or end is None or end <= fake.clock():
            return self._code(request, body, 41050)
        if phone.message_at is not None and fake.clock() - phone.message_at < timedelta(hours=48) and phone.sent:
            return self._code(request, body, 41051)
        phone.welcomed_at = fake.clock()
        return self._show(request, phone, body, "event")

    def _show(self, request: web.Request, phone: Phone, body: dict[str, Any], how: str) -> web.StreamResponse:
        msgid = body.get("msgid") or secrets.token_urlsafe(16)
        if msgid in self._msgids:
            self._fake.broken(f"the same msgid twice: {msgid}")
        self._msgids.add(msgid)
        menu = body.get("msgmenu") or {}
        text = body["text"]["content"] if body["msgtype"] == "text" else menu["head_content"]
        choices = [(one["click"]["id"], one["click"]["content"]) for one in menu.get("list", [])]
        phone.seen.append({"from": "firm", "text": text, "how": how, "choices": choices, "msgid": msgid})
        self._fake.calls.append((request.path, body, 0))
        return web.json_response({"errcode": 0, "errmsg": "ok", "msgid": msgid})

    def _content(self, body: dict[str, Any]) -> int:
        """The code a message is refused with; 0 when it is as documented."""
        if "msgid" in body and not _MSGID.fullmatch(str(body["msgid"])):
            return 40058
        if body.get("msgtype") == "text":
            text = (body.get("text") or {}).get("content")
            return 0 if isinstance(text, str) and 0 < len(text.encode()) <= LONGEST_TEXT else 45002 if text else 44004
        menu = body.get("msgmenu")
        if body.get("msgtype") != "msgmenu" or not isinstance(menu, dict):
            return 40008
        head, items = menu.get("head_content", ""), menu.get("list")
        if not isinstance(items, list) or not 0 < len(items) <= MOST_CHOICES or len(str(head).encode()) > LONGEST_HEAD:
            return 40058
        for one in items:
            click = one.get("click", {}) if isinstance(one, dict) and one.get("type") == "click" else {}
            text, number = click.get("content", ""), click.get("id", "")
            if not 0 < len(str(text).encode()) <= LONGEST_CHOICE or len(str(number).encode()) > LONGEST_CHOICE:
                return 40058
        return 0

    async def _state(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        phone = self._fake.find(body.get("external_userid"), body.get("open_kfid"))
        if phone is None:
            return self._code(request, body, 40096)
        self._fake.calls.append((request.path, body, 0))
        more = {"servicer_userid": phone.servicer} if phone.state == HUMAN else {}
        return web.json_response({"errcode": 0, "errmsg": "ok", "service_state": phone.state, **more})

    async def _trans(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        phone, target = self._fake.find(body.get("external_userid"), body.get("open_kfid")), body.get("service_state")
        if phone is None:
            return self._code(request, body, 40096)
        if target not in _MAY[phone.state]:
            return self._code(request, body, 95016)
        if target == HUMAN and not body.get("servicer_userid"):
            return self._code(request, body, 40058)
        phone.state, phone.servicer = int(target), str(body.get("servicer_userid", ""))
        return self._code(request, body, 0)

    async def _customers(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        people = body.get("external_userid_list")
        if not isinstance(people, list) or not 0 < len(people) <= 100:
            return self._code(request, body, 40058)
        known = {phone.who: phone for phone in self._fake.phones.values()}
        found = [{"external_userid": who, "nickname": "演示", **({"unionid": known[who].unionid} if known[who].unionid else {})} for who in people if who in known]
        self._fake.calls.append((request.path, body, 0))
        return web.json_response({"errcode": 0, "errmsg": "ok", "customer_list": found, "invalid_external_userid": [who for who in people if who not in known]})

    async def _link(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if body.get("open_kfid") not in self._fake.account.kfids:
            return self._code(request, body, 95000)
        if not _SCENE.fullmatch(str(body.get("scene", ""))):
            return self._code(request, body, 40058)
        url = f"https://work.weixin.qq.com/kfid/{body['open_kfid']}?enc_scene=ENC{body.get('scene', '')}"
        self._fake.calls.append((request.path, body, 0))
        return web.json_response({"errcode": 0, "errmsg": "ok", "url": url})

    async def _list(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        offset, limit = body.get("offset", 0), body.get("limit", 100)
        if not isinstance(offset, int) or not isinstance(limit, int) or offset < 0 or not 0 < limit <= 100:
            return self._code(request, body, 40058)
        kfids = [*(f"wkOther{n}" for n in range(self._fake.others)), *self._fake.account.kfids]
        rows = [{"open_kfid": kfid, "name": f"演示客服{n}", "avatar": "", "manage_privilege": True} for n, kfid in enumerate(kfids, 1)]
        self._fake.calls.append((request.path, body, 0))
        return web.json_response({"errcode": 0, "errmsg": "ok", "account_list": rows[offset : offset + limit]})

    def _code(self, request: web.Request, body: dict[str, Any], code: int) -> web.Response:
        self._fake.calls.append((request.path, body, code))
        return web.json_response({"errcode": code, "errmsg": "ok" if code == 0 else f"fake {code}"})
