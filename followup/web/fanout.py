"""One LISTEN connection a process wakes the event streams of the talks that have news.

A stream gets a bell, not the news: it reads its rows itself, so nothing can overflow or be lost, however slow it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator

import psycopg

CHANNEL = "followup_out"
_log = logging.getLogger(__name__)
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 5.0
_MOST_WATCHERS = 300


class TooManyStreams(Exception):
    """The talk is open in more places than a person can look at."""


class Fanout:
    """Bells by case id. `run()` listens until it is cancelled."""

    def __init__(self, database_url: str, *, streams_per_talk: int = 12) -> None:
        self._url = database_url
        self._most = streams_per_talk
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._watchers: set[asyncio.Event] = set()
        self.listening = asyncio.Event()
        """Set while notifications arrive."""

    @contextlib.contextmanager
    def bell(self, case_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the talk may have news. Raises TooManyStreams."""
        bells = self._bells.setdefault(case_id, set())
        if len(bells) >= self._most:
            raise TooManyStreams(case_id)
        bell = asyncio.Event()
        bells.add(bell)
        try:
            yield bell
        finally:
            bells.discard(bell)
            if not bells and self._bells.get(case_id) is bells:
                del self._bells[case_id]

    @contextlib.contextmanager
    def bell_of_all(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever any talk may have news: for staff. Raises TooManyStreams."""
        if len(self._watchers) >= _MOST_WATCHERS:
            raise TooManyStreams("all")
        bell = asyncio.Event()
        self._watchers.add(bell)
        try:
            yield bell
        finally:
            self._watchers.discard(bell)

    @property
    def open(self) -> int:
        """How many pages listen."""
        return len(self._watchers) + sum(len(bells) for bells in self._bells.values())

    def ring(self, case_id: str) -> None:
        for bell in (*self._bells.get(case_id, ()), *self._watchers):
            bell.set()

    def ring_all(self) -> None:
        for bells in (*self._bells.values(), self._watchers):
            for bell in bells:
                bell.set()

    async def run(self) -> None:
        wait = _FIRST_WAIT
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=5
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self.listening.set()
                    wait = _FIRST_WAIT
                    # What was notified while nobody listened is found by looking.
                    self.ring_all()
                    async for notification in connection.notifies():
                        self.ring(notification.payload)
            except (psycopg.Error, OSError) as error:
                _log.warning("notifications interrupted (%s), listening again in %.1f s", type(error).__name__, wait)
            finally:
                self.listening.clear()
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
