"""What the console asks the fake WeChat: the menu, the addresses WeChat calls from, the day's quota, the network check.

Refuses a menu as WeChat documents it; `FakePlatform.from_ip` is whom it takes us for, and `white_list` whom it lets in.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Checked = Callable[[web.Request], Awaitable[tuple[dict[str, Any], web.StreamResponse | None]]]
Code = Callable[[web.Request, dict[str, Any], int], web.Response]
_LIMITS = {"name": (16, 60), "key": (128, 128), "url": (1024, 1024)}
_TOO_LONG = {"name": (40018, 40025), "key": (40019, 40026), "url": (40020, 40027)}


class FakePlatform:
    """Beside `FakeWechat`, whose token check and record it uses."""

    def __init__(self, checked: Checked, code: Code) -> None:
        self._checked, self._code = checked, code
        self.menu: dict[str, Any] | None = None
        self.from_ip = "203.0.113.7"
        self.white_list: set[str] | None = None
        """None: everybody."""
        self.may_publish = True
        self.daily_limit, self.used = 500_000, 0
        self.package_loss = "0%"

    def add_to(self, app: web.Application) -> None:
        app.add_routes(
            [
                web.post("/cgi-bin/menu/create", self._create),
                web.get("/cgi-bin/menu/get", self._get, allow_head=False),
                web.get("/cgi-bin/menu/delete", self._delete, allow_head=False),
                web.get("/cgi-bin/getcallbackip", self._callback_ips, allow_head=False),
                web.post("/cgi-bin/openapi/quota/get", self._quota),
                web.post("/cgi-bin/callback/check", self._network),
            ]
        )

    def refuses_address(self) -> web.Response | None:
        """What the token's interface answers to who is not on the list."""
        if self.white_list is None or self.from_ip in self.white_list:
            return None
        said = f"invalid ip {self.from_ip} ipv6 ::ffff:{self.from_ip}, not in whitelist rid: 65a1b2c3-0e1f2a3b-4c5d6e7f"
        return web.json_response({"errcode": 40164, "errmsg": said})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body, error = await self._checked(request)
        if error is not None:
            return error
        code = 48001 if not self.may_publish else _wrong(body.get("button"), top=True)
        if code == 0:
            self.menu = {"button": body["button"]}
        return self._code(request, body, code)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        error = await self._token_only(request)
        if error is not None:
            return error
        if self.menu is None:
            return self._code(request, {}, 46003)
        return web.json_response({"menu": {"button": [_as_told(one) for one in self.menu["button"]]}})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        error = await self._token_only(request)
        if error is None:
            self.menu = None
        return error or self._code(request, {}, 0)

    async def _callback_ips(self, request: web.Request) -> web.StreamResponse:
        return await self._token_only(request) or web.json_response({"ip_list": ["101.226.103.61", "101.226.62.77", "140.207.54.0/25"]})

    async def _quota(self, request: web.Request) -> web.StreamResponse:
        body, error = await self._checked(request)
        if error is not None:
            return error
        if not re.fullmatch(r"(/[a-z_-]+)+", str(body.get("cgi_path", ""))):
            return self._code(request, body, 76021)
        left = self.daily_limit - self.used
        return web.json_response({"errcode": 0, "errmsg": "ok", "quota": {"daily_limit": self.daily_limit, "used": self.used, "remain": left}})

    async def _network(self, request: web.Request) -> web.StreamResponse:
        body, error = await self._checked(request)
        if error is not None:
            return error
        if body.get("action") not in ("dns", "ping", "all"):
            return self._code(request, body, 40202)
        if body.get("check_operator") not in ("CHINANET", "UNICOM", "CAP", "DEFAULT"):
            return self._code(request, body, 40203)
        ip = "198.51.100.20"
        ping = {"ip": ip, "from_operator": "CAP", "package_loss": self.package_loss, "time": "21.434ms"}
        return web.json_response({"dns": [{"ip": ip, "real_operator": "UNICOM"}], "ping": [ping]})

    async def _token_only(self, request: web.Request) -> web.StreamResponse | None:
        """For a GET: there is no body to be read."""
        _, error = await self._checked(request)
        return error


def _wrong(buttons: object, *, top: bool) -> int:
    """The code WeChat refuses these entries with; 0: it takes them."""
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= (3 if top else 5):
        return 40016 if top else 40023
    for one in buttons:
        if not isinstance(one, dict):
            return 40015
        if code := _wrong_text(one, "name", top):
            return code
        if top and one.get("sub_button"):
            if code := _wrong(one["sub_button"], top=False):
                return code
            continue
        kind = one.get("type")
        if kind not in ("click", "view"):
            return 40017 if top else 40024
        if code := _wrong_text(one, "key" if kind == "click" else "url", top):
            return code
        if kind == "view" and not re.match(r"https?://[^/\s]+", one["url"]):
            return 40055 if top else 40054
    return 0


def _wrong_text(one: dict[str, Any], name: str, top: bool) -> int:
    text, limit = one.get(name), _LIMITS[name][0 if top else 1]
    good = isinstance(text, str) and 0 < len(text.encode()) <= limit
    return 0 if good else _TOO_LONG[name][0 if top else 1]


def _as_told(one: dict[str, Any]) -> dict[str, Any]:
    """WeChat gives every entry a list of sub-entries, empty where there are none."""
    return {**one, "sub_button": [_as_told(sub) for sub in one.get("sub_button", [])]}
