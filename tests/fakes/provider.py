"""What the fake providers share: stricter than the real ones, they write down what they took, and fail as they are told."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

LINK = re.compile(r"https?:|www\.|\.(?:com|cn|net)\b", re.I)
FORBIDDEN_WORDS = ("问卷", "调查")


@dataclass(frozen=True)
class Taken:
    """A message the provider has: it will be delivered."""

    to: str
    template: str
    variables: Mapping[str, str]
    ours: str
    """Our own number of it."""
    provider_id: str


@dataclass
class FakeProvider:
    """`fails` holds what happens to the next requests, first to last:

    before: the connection is closed before anything is taken; after, slow: it is taken, then no answer comes;
    500, garbage: an answer that says nothing, taken or not (`taken_anyway`); any other text: this error code.
    """

    sign: str = "演示商城"
    templates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Template -> the names of its variables."""
    longest_variable: int = 35
    balance: int = 1000
    most_per_number: int = 100
    fails: list[str] = field(default_factory=list)
    taken_anyway: bool = False
    taken: list[Taken] = field(default_factory=list)
    asked: int = 0
    """Requests that came in."""
    nonces: set[str] = field(default_factory=set)
    numbers: Counter[str] = field(default_factory=Counter)
    ours: set[str] = field(default_factory=set)
    """Ids we gave: a second message with the same one is a fault of ours."""
    url: str = ""
    _server: TestServer | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/", self.handle)
        self._server = TestServer(app)
        await self._server.start_server()
        self.url = str(self._server.make_url("/")).rstrip("/")

    async def close(self) -> None:
        if self._server is not None:
            await self._server.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        fate = self.fails.pop(0) if self.fails else ""
        if fate == "before":
            return self._cut(request)
        if fate in ("500", "garbage"):
            if self.taken_anyway:
                await self.answer(request, "")
            return web.Response(status=500 if fate == "500" else 200, text="<html>502 Bad Gateway</html>")
        answer = await self.answer(request, "" if fate in ("after", "slow") else fate)
        if fate == "after":
            return self._cut(request)
        if fate == "slow":
            await asyncio.sleep(5)
        return answer

    async def answer(self, request: web.Request, code: str) -> web.StreamResponse:
        """Check, take, and say so in the provider's own way. `code`: refuse with this instead."""
        raise NotImplementedError

    def take(self, to: str, template: str, variables: Mapping[str, str], ours: str) -> str:
        provider_id = f"{900000 + len(self.taken)}^0"
        assert ours not in self.ours, f"sent twice: {ours}"
        self.ours.add(ours)
        self.balance -= 1
        self.numbers[to] += 1
        self.taken.append(Taken(to, template, dict(variables), ours, provider_id))
        return provider_id

    def wrong_with(self, value: str) -> str:
        """length | content | nothing, of a variable."""
        if not 1 <= len(value) <= self.longest_variable:
            return "length"
        return "content" if LINK.search(value) or any(word in value for word in FORBIDDEN_WORDS) else ""

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
