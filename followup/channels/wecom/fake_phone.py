"""A page like a phone for the fake 微信客服: anyone can try the channel without an account. On this machine only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from followup.channels.wecom.fake import FakeWecom

NewParam = Callable[[str], Awaitable[str]]
"""Script -> the scene_param of a link to a new demo case."""
WHO = "wmTrialPhone"
_PAGE = Path(__file__).with_name("fake_phone.html")


class PhonePage:
    """Routes of the page; `scripts` can be opened by a link."""

    def __init__(self, fake: FakeWecom, scripts: dict[str, str], new_param: NewParam | None) -> None:
        self._fake, self._scripts, self._new_param = fake, scripts, new_param
        self._under_way: set[asyncio.Task[None]] = set()
        self._used = 0
        self._last = ""

    def add_to(self, app: web.Application) -> None:
        app.add_routes([web.get("/", self._page), web.get("/phone", self._screen), web.post("/phone", self._act)])

    @property
    def busy(self) -> bool:
        """Whether something that was done on the page is still on its way."""
        return bool(self._under_way)

    @property
    def _who(self) -> str:
        return f"{WHO}{self._used}"

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=_PAGE.read_text(encoding="utf-8"), content_type="text/html")

    async def _screen(self, request: web.Request) -> web.Response:
        phone, fake = self._fake.phone(self._who), self._fake
        left = max(5 - phone.sent, 0) if phone.message_at else 0
        return web.json_response(
            {
                "seen": phone.seen, "left": left, "state": phone.state, "scripts": self._scripts if self._new_param else {},
                "broken": fake.rules_broken[-5:], "calls": [[path, code] for path, _, code in fake.calls[-5:]],
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
        fake, who = self._fake, self._who
        match act:
            case "say" if text.strip():
                self._last = await fake.says(who, text, menu_id=menu)
            case "scan" if text in self._scripts and self._new_param is not None:
                fake.phone(who).seen.append({"from": "me", "text": "［打开回访链接］"})
                await fake.enters(who, await self._new_param(text))
            case "enter":
                fake.phone(who).seen.append({"from": "me", "text": "［进入会话］"})
                await fake.enters(who)
            case "voice" | "image":
                self._last = await fake.shows(who, act, media_id="trial")
            case "recall" if self._last:
                fake.phone(who).seen.append({"from": "me", "text": "［撤回了一条消息］"})
                self._last, msgid = "", self._last
                await fake.recalls(who, msgid)
            case "take":
                await fake.servicer_takes(who)
            case "servicer" if text.strip():
                await fake.servicer_says(who, text)
            case "end":
                await fake.servicer_ends(who)
            case "new":
                self._used += 1
                self._last = ""
