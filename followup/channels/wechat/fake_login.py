"""Web authorisation at the fake WeChat: the page that sends the customer back with a code, and whom a code names."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web

from followup.channels.wechat.account import Account

_STATE = re.compile(r"[a-zA-Z0-9]{0,128}")


class FakeLogin:
    """Beside `FakeWechat`. `customer`: whose phone opens the page now."""

    def __init__(self, account: Account, clock: Callable[[], datetime], broken: list[str]) -> None:
        self._account, self._clock, self._broken = account, clock, broken
        self.customer = ""
        self.unionid = ""
        self.snapshot = False
        """The page is shown as a snapshot: the customer is nobody."""
        self.domain = ""
        """网页授权域名; empty: any."""
        self.codes: dict[str, tuple[str, datetime]] = {}
        self._used: set[str] = set()
        self.error = 0
        """What the next question is answered with."""

    def add_to(self, app: web.Application) -> None:
        app.add_routes(
            [
                web.get("/connect/oauth2/authorize", self._authorize, allow_head=False),
                web.get("/sns/oauth2/access_token", self._who, allow_head=False),
            ]
        )

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        asked = request.query
        if asked.get("appid") != self._account.app_id or asked.get("response_type") != "code" or asked.get("scope") != "snsapi_base":
            self._broken.append("authorize: Scope 参数错误或没有 Scope 权限")
        if not _STATE.fullmatch(asked.get("state", "")):
            self._broken.append("authorize: state 只能是 128 个以内的字母和数字")
        back = asked.get("redirect_uri", "")
        if not re.match(r"https?://[^/]+", back) or self.domain and not re.match(rf"https?://{re.escape(self.domain)}(/|$)", back):
            return web.Response(text="redirect_uri 参数错误", status=200)
        code = secrets.token_hex(16)
        self.codes[code] = (self.customer, self._clock() + timedelta(minutes=5))
        raise web.HTTPFound(f"{back}?{urlencode({'code': code, 'state': asked.get('state', '')})}")

    async def _who(self, request: web.Request) -> web.StreamResponse:
        asked, code = request.query, request.query.get("code", "")
        if asked.get("appid") != self._account.app_id or asked.get("grant_type") != "authorization_code":
            return self._code(40013)
        if asked.get("secret") != self._account.secret:
            return self._code(40125)
        if self.error:
            error, self.error = self.error, 0
            return self._code(error)
        if code in self._used:
            return self._code(40163)
        openid, end = self.codes.pop(code, ("", None))
        if not openid or end is None or end <= self._clock():
            return self._code(40029)
        self._used.add(code)
        found = {"access_token": secrets.token_hex(32), "expires_in": 7200, "refresh_token": "r", "openid": openid, "scope": "snsapi_base"}
        found |= {"unionid": self.unionid} if self.unionid else {}
        found |= {"is_snapshotuser": 1} if self.snapshot else {}
        return web.json_response(found)  # WeChat says text/plain; nobody should look at it

    def _code(self, code: int) -> web.Response:
        return web.json_response({"errcode": code, "errmsg": f"fake {code}"})
