"""GET /chat/events: the talk as server-sent events, from any point on, to any number of devices.

    id: 42                        message events: id = messages.id, data = one line as in /chat/history
    data: {"id": 42, "direction": "out", ...}

    event: state                  data = {"typing": bool, "failed": [ids], "colleague": name or null}
    event: ping                   with a comment, every 15 s: proxies keep the line open, pages notice a dead one
    event: signed-out             the link was taken back
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from followup.web import talks
from followup.web.chat import Refused, gone, number, signed_in
from followup.web.fanout import TooManyStreams
from followup.web.keys import DATABASE, FANOUT
from followup.web.security import json_error, log_without_words, route_of
from followup.web.session import Session
from followup.web.wording import load_wording

HEARTBEAT_SECONDS = 15.0
SLOW_READER_SECONDS = 10.0
"""A page that takes no bytes for so long is dropped; it reconnects and is told what it missed."""
_LOOK_BACK = 20
"""Lines. More than a turn says and a customer can add meanwhile."""
CLOSING = web.AppKey("closing", asyncio.Event)


class _Writer:
    """Writes events; raises TimeoutError for a reader that does not read."""

    def __init__(self, response: web.StreamResponse) -> None:
        self._response = response

    async def line(self, line: talks.Line) -> None:
        await self._write(f"id: {line.id}\ndata: {_json(line.as_json())}\n\n")

    async def event(self, name: str, data: object) -> None:
        await self._write(f"event: {name}\ndata: {_json(data)}\n\n")

    async def heartbeat(self) -> None:
        await self._write(": heartbeat\nevent: ping\ndata: 1\n\n")

    async def _write(self, text: str) -> None:
        async with asyncio.timeout(SLOW_READER_SECONDS):
            await self._response.write(text.encode())


async def events(request: web.Request) -> web.StreamResponse:
    try:
        who = signed_in(request)
        async with request.app[DATABASE].straight() as connection:
            if not await talks.stands(connection, who):
                raise gone()
        with request.app[FANOUT].bell(who.case_id) as bell:
            return await _stream(request, who, bell)
    except Refused as refused:
        return refused.answer()
    except TooManyStreams:
        return json_error(429, load_wording().error("too_many"), **{"Retry-After": "10"})


@contextmanager
def hung_up_on_errors(request: web.Request) -> Iterator[None]:
    """Whatever goes wrong in the middle of a streamed answer, whoever reads it is cut off and asks again.

    No other answer can be given any more, and a stream that is merely left would stay open, with nobody writing to it.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, (TimeoutError, ConnectionError)):
            log_without_words(error, f"{request.method} {route_of(request)}")
        if request.transport is not None:
            request.transport.abort()


async def open_stream(request: web.Request) -> web.StreamResponse:
    """The answer to a page that listens for server-sent events, ready to be written to."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store, no-transform",
            "X-Accel-Buffering": "no",
        }
    )
    # A page that reads slowly must stop us soon, not after megabytes in the buffer.
    await response.prepare(request)
    if request.transport is not None:
        request.transport.set_write_buffer_limits(high=64 * 1024)
    return response


async def _stream(request: web.Request, who: Session, bell: asyncio.Event) -> web.StreamResponse:
    response = await open_stream(request)
    writer = _Writer(response)
    cursor = number(request.headers.get("Last-Event-ID") or request.query.get("after"), 0)
    with hung_up_on_errors(request):
        await writer.heartbeat()
        await _follow(request, who, bell, writer, cursor)
    return response


async def _follow(
    request: web.Request, who: Session, bell: asyncio.Event, writer: _Writer, cursor: int
) -> None:
    """Send what is new whenever the bell rings, until the page goes, the link is revoked or the server closes."""
    closing = request.app[CLOSING]
    shown: talks.TurnState | None = None
    # Ids are given before a transaction commits: a reply may appear with an id below that of a line already sent.
    # So the last ones are looked at again, and `sent` keeps them from being sent again.
    floor, sent = cursor, set[int]()
    while not closing.is_set():
        bell.clear()
        async with request.app[DATABASE].straight() as connection:
            found = await talks.look(connection, who, floor, without=sent)
        if found is None:
            await writer.event("signed-out", {})
            return
        state, lines = found
        for line in lines:
            await writer.line(line)
            sent.add(line.id)
        if state != shown:
            await writer.event("state", state.as_json())
            shown = state
        if lines:
            floor, sent = _look_back(floor, sent)
            if any(line.queued for line in lines):
                async with request.app[DATABASE].straight() as connection:
                    await talks.delivered(connection, lines)
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await bell.wait()
        except TimeoutError:
            await writer.heartbeat()


def _look_back(floor: int, sent: set[int]) -> tuple[int, set[int]]:
    """Keep the newest ids only: where to read from the next time, and what was sent above that."""
    newest = sorted(sent)[-_LOOK_BACK:]
    return (floor if len(newest) < _LOOK_BACK else newest[0] - 1), set(newest)


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
