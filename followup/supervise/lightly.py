"""How a process that serves turns runs: on uvloop's event loop, and with the garbage collector at rest.

uvloop comes with Rasa's server (Sanic), which runs on it; where it is missing, asyncio's own loop does the same.
"""

from __future__ import annotations

import asyncio
import gc

_NEW_OBJECTS = 50_000
"""Until the collector looks for cycles. Python's 700 are reached several times in a turn."""


def use_fast_loop() -> None:
    """Let every event loop that this process makes be uvloop's."""
    try:
        import uvloop
    except ImportError:
        return
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def rest_collector() -> None:
    """To be called when everything is loaded: what is there now stays, and need not be looked through for ever."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 20, 20)
