"""A page like a phone for the fake WeChat: anyone can try the channel without an account. On this machine only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from followup.channels.wechat.fake import FakeWechat

NewScene = Callable[[str], Awaitable[str]]
"""Script -> the scene of a new demo case."""
OPENID = "oTrialPhone"
_PAGE = Path(__file__).with_name("fake_phone.html")
_KINDS = {"voice": {"MediaId": "trial", "Format": "amr", "Recognition": ""}, "image": {"MediaId": "trial", "PicUrl": "http://mmbiz.qpic.cn/trial"}}


class PhonePage:
    """Routes of the page; `scripts` can be scanned."""

    def __init__(self, fake: FakeWechat, scripts: dict[str, str], new_scene: NewScene | None) -> None:
        self._fake, self._scripts, self._new_scene = fake, scripts, new_scene
        self._under_way: set[asyncio.Task[None]] = set()
        self._used = 0

    def add_to(self, app: web.Application) -> None:
        app.add_routes([web.get("/", self._page), web.get("/phone", self._screen), web.post("/phone", self._act)])

    @property
    def _openid(self) -> str:
        return f"{OPENID}{self._used}"

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=_PAGE.read_text(encoding="utf-8"), content_type="text/html")

    async def _screen(self, request: web.Request) -> web.Response:
        phone, fake = self._fake.phone(self._openid), self._fake
        left = max(5 - phone.sent_by_message, 0) if phone.message_at else 0
        return web.json_response(
            {
                "seen": phone.seen, "follows": phone.follows, "left": left, "scripts": self._scripts if self._new_scene else {},
                "broken": fake.rules_broken[-5:], "calls": [[path, code] for path, _, code in fake.calls[-5:]], "mode": fake.account.mode,
                "kind": fake.account.kind,
            }
        )  # fmt: skip

    async def _act(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":  # no other site's form
            raise web.HTTPUnsupportedMediaType
        asked: dict[str, Any] = await request.json()
        task = asyncio.create_task(self._done(str(asked.get("act")), str(asked.get("text", ""))[:5000], str(asked.get("menu", ""))))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return web.json_response({})

    async def _done(self, act: str, text: str, menu: str) -> None:
        fake, openid = self._fake, self._openid
        match act:
            case "say" if text.strip():
                await fake.says(openid, text, menu_id=menu)
            case "follow" | "leave":
                await fake.event(openid, "subscribe" if act == "follow" else "unsubscribe")
            case "scan":
                if text in self._scripts and self._new_scene is not None:
                    text = await self._new_scene(text)
                fake.phone(openid).seen.append({"from": "me", "text": "［扫码］"})
                await fake.event(openid, "SCAN", text)
            case "voice" | "image":
                await fake.shows(openid, act, **_KINDS[act])
            case "new":
                self._used += 1
