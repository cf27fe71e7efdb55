"""Server-sent events of the live pages. A bell says that there may be news; what is sent is read anew each time.

    event: list      data = {"html": the list, "ringing": [{"id", "who"}]}     /console/live/events
    event: line      data = {"id": 42, "html": one line}                        /console/live/{case}/events
    event: desk      data = {"html": who speaks and what can be done}
    event: ping      every 15 s
    event: signed-out
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from followup.console import sessions
from followup.console.parts import database
from followup.console.permissions import Permission
from followup.web.events import CLOSING, hung_up_on_errors, open_stream

HEARTBEAT_SECONDS = 15.0
SLOW_READER_SECONDS = 10.0
AT_MOST_EVERY = 0.5
"""Seconds between two looks: a busy hour rings the bell with every word that anybody says."""

News = Sequence[tuple[str, Any]]


async def follow(request: web.Request, bell: asyncio.Event, news: Callable[[], Awaitable[News]]) -> web.StreamResponse:
    """Send what `news` returns, (event, data), at once and whenever the bell rings, until the page goes, the person is
    logged out, or the server closes."""
    response = await open_stream(request)
    closing = request.config_dict[CLOSING]
    with hung_up_on_errors(request):
        await _write(response, "ping", 1)
        while not closing.is_set():
            bell.clear()
            if not await _may_look(request):
                await _write(response, "signed-out", {})
                break
            for name, data in await news():
                await _write(response, name, data)
            await asyncio.sleep(AT_MOST_EVERY)
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await bell.wait()
            except TimeoutError:
                await _write(response, "ping", 1)
    return response


async def _may_look(request: web.Request) -> bool:
    """Whether the person is still logged in. Who has the live page open is on duty: that counts as being there."""
    async with database(request).session() as session:
        found = await sessions.find(session, request.cookies.get(sessions.COOKIE, ""))
    return found is not None and found.staff.may(Permission.TAKE_OVER)


async def _write(response: web.StreamResponse, name: str, data: Any) -> None:
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    async with asyncio.timeout(SLOW_READER_SECONDS):
        await response.write(f"event: {name}\ndata: {body}\n\n".encode())
