"""Bodies that do not come, or do not come as they say: whoever sends one is told, and holds no connection with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from multidict import MultiDictProxy

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BODY_SECONDS = 20.0
"""For a body of the usual size; larger ones, which only staff and customer systems may send, get time for their size."""
SLOWEST = 16 * 1024
"""Bytes in a second."""


class TooSlow(web.RequestPayloadError):
    """The body did not come in time."""


@web.middleware
async def in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A handler that waits for a body gets TooSlow when it does not come; one that has its body takes the time it takes."""
    if not request.can_read_body:
        return await handler(request)
    loop = asyncio.get_running_loop()
    began = loop.time()

    def give_up() -> None:
        nonlocal timer
        # Only now is it known how large a body whoever sends it may send: it is said after the session or key was seen.
        if (more := request._client_max_size / SLOWEST - (loop.time() - began)) > 0:
            timer = loop.call_later(more, give_up)
        elif not request.content.is_eof():
            request.content.set_exception(TooSlow())

    timer = loop.call_later(BODY_SECONDS, give_up)
    try:
        return await handler(request)
    finally:
        timer.cancel()


async def form(request: web.Request) -> MultiDictProxy[str | bytearray | web.FileField]:
    """The form that was sent, which `request.post()` knows from then on. Raises HTTPBadRequest for what cannot be read as one."""
    try:
        return await request.post()
    except (ValueError, LookupError, AssertionError, RuntimeError):  # bytes that are no text, unknown charsets, parts without an end
        raise web.HTTPBadRequest from None


def hang_up(request: web.Request, answer: web.Response) -> web.Response:
    """The answer to a body that is given up: aiohttp would read on, stumble once more and log it as a failure of ours."""
    request.content.feed_eof()
    answer.force_close()
    return answer


def status_of(error: web.RequestPayloadError) -> int:
    """408 for what did not come in time, 400 for what was cut off or is not compressed as it says."""
    return 408 if isinstance(error, TooSlow) else 400
