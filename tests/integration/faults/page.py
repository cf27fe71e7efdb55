"""A customer's chat page without the browser: it sends again what was not acknowledged, and reads on from the last line.

The waits are the page's own (followup/web/static/js/outbox.js and stream.js, without their random spread). It is less
clever in one thing: a line that comes back in the events is still sent again when its own answer was lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

_RETRY_AFTER = (1.0, 3.0, 8.0)
_FIRST_WAIT = 0.8
_LONGEST_WAIT = 15.0
_POST_SECONDS = 15.0
PATIENCE_SECONDS = 150.0
"""No turn may take longer, whatever was killed."""


class NoReply(AssertionError):
    """A message was not answered in time."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the page got it."""

    id: int
    direction: str
    text: str


class Page:
    """One talk in one tab, as an async context manager. `token` is the link's."""

    def __init__(self, base: str, token: str) -> None:
        self._base = base
        self._token = token
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an IP address
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        self._http = aiohttp.ClientSession(cookie_jar=jar, timeout=timeout)
        self._listener: asyncio.Task[None] | None = None
        self.lines: list[Line] = []
        """What the event streams brought, in the order it came, doubles and all."""
        self.posted_again = 0
        self.when_answered: Callable[[], None] | None = None
        """Called instead of taking notice of the server's next answer: that one is lost on its way."""
        self._typing = True
        self._connected = asyncio.Event()
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._http.close()

    async def click(self) -> None:
        """Open the talk. Whoever sees an error instead of the chat clicks again."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self._clicked():
                await asyncio.sleep(1)
        self._listener = asyncio.create_task(self._listen())

    async def send(self, text: str) -> int:
        """Returns the message's id once the server has acknowledged it."""
        client_msg_id = secrets.token_hex(8)
        tries = 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (message_id := await self._posted(client_msg_id, text)) is None:
                await self._hope(tries)
                tries += 1
        self.posted_again += tries
        return message_id

    async def reply_to(self, message_id: int) -> None:
        """Until the bot has said something after this message and types no more. Raises NoReply."""

        def answered() -> bool:
            said = any(line.direction == "out" and line.id > message_id for line in self.lines)
            return said and not self._typing

        if not await self._until(answered):
            raise NoReply(f"no reply to message {message_id}; the page got {[line.text for line in self.lines]}")

    async def has_got(self, last_id: int) -> None:
        """Until the page shows this line. Raises NoReply."""
        if not await self._until(lambda: any(line.id == last_id for line in self.lines)):
            raise NoReply(f"line {last_id} never came; the page got {[line.id for line in self.lines]}")

    async def _clicked(self) -> bool:
        try:
            async with self._http.post(f"{self._base}/c/{self._token}/start", allow_redirects=False) as response:
                assert response.status == 303 or response.status >= 500, response.status
                return response.status == 303 and not self._lost()
        except (aiohttp.ClientError, OSError):
            return False

    async def _posted(self, client_msg_id: str, text: str) -> int | None:
        self._connected.clear()  # what connects from here on is news
        body = {"client_msg_id": client_msg_id, "text": text}
        try:
            timeout = aiohttp.ClientTimeout(total=_POST_SECONDS)
            async with self._http.post(f"{self._base}/chat/messages", json=body, timeout=timeout) as response:
                assert response.status == 202 or response.status >= 500, await response.text()
                taken = response.status == 202 and not self._lost()
                return int((await response.json())["id"]) if taken else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    def _lost(self) -> bool:
        if self.when_answered is None:
            return False
        self.when_answered()
        self.when_answered = None
        return True

    async def _hope(self, tries: int) -> None:
        """Wait to send again: a moment at first, and until the events come again when that did not help."""
        async with asyncio.TaskGroup() as group:
            hopes = [group.create_task(self._connected.wait())]
            if tries < len(_RETRY_AFTER):
                hopes.append(group.create_task(asyncio.sleep(_RETRY_AFTER[tries])))  # type: ignore[arg-type]
            await asyncio.wait(hopes, return_when=asyncio.FIRST_COMPLETED)
            for hope in hopes:
                hope.cancel()

    async def _listen(self) -> None:
        wait = _FIRST_WAIT
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                last = max((line.id for line in self.lines), default=0)
                async with self._http.get(f"{self._base}/chat/events", headers={"Last-Event-ID": str(last)}) as stream:
                    assert stream.status == 200 or stream.status >= 500, stream.status
                    if stream.status == 200:
                        wait = _FIRST_WAIT
                        self._connected.set()
                        await self._read(stream)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _read(self, stream: aiohttp.ClientResponse) -> None:
        kind, data = "message", ""
        async for raw in stream.content:
            field, _, value = raw.decode().rstrip("\n").partition(": ")
            if field == "event":
                kind = value
            elif field == "data":
                data = value
            elif not raw.strip() and data:
                await self._event(kind, json.loads(data))
                kind, data = "message", ""

    async def _event(self, kind: str, data: Any) -> None:
        if kind == "state":
            self._typing = data["typing"]
        elif kind == "message":
            self.lines.append(Line(data["id"], data["direction"], data["text"]))
        async with self._changed:
            self._changed.notify_all()

    async def _until(self, condition: Callable[[], bool]) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            return False
        return True
