"""A customer at the public HTTP interface: posts a message, waits for the reply's event."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

_PATIENCE_SECONDS = 60.0
_SETTLED_SECONDS = 0.3


class Customer:
    """One talk, opened by its link. Use `Customer.opening`."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http = http
        self._base = base
        self._events: asyncio.Queue[tuple[str, dict[str, object], float]] = asyncio.Queue()
        self._listener: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def opening(cls, base: str, token: str) -> AsyncIterator["Customer"]:
        """Open the link and wait for the bot's first words."""
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an IP address
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        async with aiohttp.ClientSession(cookie_jar=jar, timeout=timeout) as http:
            customer = cls(http, base)
            async with http.post(f"{base}/c/{token}/start", allow_redirects=False) as response:
                assert response.status == 303, await response.text()
            customer._listener = asyncio.create_task(customer._listen())
            try:
                await customer._reply()
                yield customer
            finally:
                customer._listener.cancel()
                await asyncio.gather(customer._listener, return_exceptions=True)

    async def say(self, text: str) -> float:
        """Seconds from the POST to the event of the first line of the reply. What came before it is nobody's answer."""
        while not self._events.empty():
            self._events.get_nowait()
        began = time.perf_counter()
        body = {"client_msg_id": secrets.token_hex(8), "text": text}
        async with self._http.post(f"{self._base}/chat/messages", json=body) as response:
            assert response.status == 202, await response.text()
        return await self._reply() - began

    async def quiet(self, seconds: float = 2.0) -> None:
        """Until nothing has come for so long."""
        while True:
            try:
                async with asyncio.timeout(seconds):
                    await self._events.get()
            except TimeoutError:
                return

    async def _reply(self) -> float:
        """When the reply's first line came; returns once the bot has finished typing.

        A page that looks only when the turn is over is told of no typing: then what follows the line soon is all there is.
        """
        first: float | None = None
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                try:
                    async with asyncio.timeout(_SETTLED_SECONDS if first else None):
                        kind, data, at = await self._events.get()
                except TimeoutError:
                    assert first is not None
                    return first
                if kind == "message" and data.get("direction") == "out":
                    first = first or at
                elif kind == "state" and first is not None and not data["typing"]:
                    return first

    async def _listen(self) -> None:
        async with self._http.get(f"{self._base}/chat/events") as response:
            kind = "message"
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    data = json.loads(line.removeprefix("data: "))
                    self._events.put_nowait((kind, data if isinstance(data, dict) else {}, time.perf_counter()))
                elif not line:
                    kind = "message"
