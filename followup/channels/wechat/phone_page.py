"""What the pages of `followup fake-wechat` and `followup fake-wecom` share: a phone's screen, and what is done on it.

On this machine only. What is done goes on beside its request; what fails is written on the page.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

NewTalk = Callable[[str], Awaitable[str]]
"""Script -> what a customer comes in with: a scene, a link's parameter."""
_HERE = Path(__file__).parent
_log = logging.getLogger(__name__)


class PhonePage(ABC):
    """Routes of the page `html`; the talks of `scripts` ({id: title}) can be opened."""

    html: Path
    who: str
    """How the customers' ids begin."""

    def __init__(self, fake: Any, scripts: dict[str, str], new_talk: NewTalk | None) -> None:
        self._fake, self._scripts, self._new_talk = fake, scripts, new_talk
        self._under_way: set[asyncio.Task[None]] = set()
        self._customers = 0
        self._failed = ""

    def add_to(self, app: web.Application) -> None:
        app.add_routes(
            [web.get("/", self._page), web.get("/phone.css", _part), web.get("/phone.js", _part), web.get("/phone", self._screen), web.post("/phone", self._act)]
        )

    @property
    def busy(self) -> bool:
        """Whether something that was done on the page is still on its way."""
        return bool(self._under_way)

    @property
    def customer(self) -> str:
        """Whose phone it is now."""
        return f"{self.who}{self._customers}"

    def shown(self, text: str) -> None:
        """A line of the customer's own on the screen."""
        self._phone().seen.append({"from": "me", "text": text})

    def another_customer(self) -> None:
        self._customers += 1

    async def opened(self, script: str) -> str:
        """What the customer comes in with to a new talk of the script; what was typed when there is no such script."""
        return await self._new_talk(script) if script in self._scripts and self._new_talk is not None else script

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What the page shows of this platform, beside the screen."""

    @abstractmethod
    async def do(self, act: str, text: str, menu: str) -> None:
        """What was pressed."""

    def _phone(self) -> Any:
        return self._fake.phone(self.customer)

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=self.html.read_text(encoding="utf-8"), content_type="text/html")

    async def _screen(self, request: web.Request) -> web.Response:
        fake, failed = self._fake, [self._failed] if self._failed else []
        shared = {
            "seen": self._phone().seen, "scripts": self._scripts if self._new_talk else {}, "broken": [*fake.rules_broken[-5:], *failed],
            "calls": [[path, code] for path, _, code in fake.calls[-5:]],
        }  # fmt: skip
        return web.json_response(shared | self.state())

    async def _act(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":  # no other site's form
            raise web.HTTPUnsupportedMediaType
        asked: dict[str, Any] = await request.json()
        task = asyncio.create_task(self._done(str(asked.get("act")), str(asked.get("text", ""))[:5000], str(asked.get("menu", ""))))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return web.json_response({})

    async def _done(self, act: str, text: str, menu: str) -> None:
        try:
            await self.do(act, text, menu)
            self._failed = ""
        except Exception as error:  # whoever tries it reads the page, not a log
            self._failed = f"这一步没有做成（{type(error).__name__}），原因在 followup 的终端里。"
            _log.exception("the phone page: %s failed", act)


async def _part(request: web.Request) -> web.Response:
    kind = "text/css" if request.path.endswith(".css") else "text/javascript"
    return web.Response(text=(_HERE / request.path.lstrip("/")).read_text(encoding="utf-8"), content_type=kind, charset="utf-8")
