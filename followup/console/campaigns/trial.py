"""Dry runs 试排 for the check page: a small audience at once, a large one in the background, with how far it is.

A large one is reckoned by the web process that was asked first; how far it is and what came of it stands in the table
`dry_runs`, where every web process finds it. One whose process died is taken over by the next one that is asked.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import TextClause, text

from followup.campaigns.definition import Definition
from followup.campaigns.dry_run import dry_run
from followup.campaigns.plan import Customer
from followup.console.campaigns import queries
from followup.scripts.model import Script
from followup.store.database import Database

_log = logging.getLogger(__name__)
AT_ONCE = 2000
"""An audience up to this size is planned while the page is waited for."""
MOST_PREVIEWED = 200
"""Customers of a day that are listed."""
_TOLD_EVERY = 0.7
_GIVEN_UP_AFTER, _KEPT_FOR = 20, 600
"""Seconds without a word until another process takes over; how long a result is shown before it is reckoned again."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a dry run drew of a stratum."""

    name: str
    share: float
    population: int
    chosen: int


@dataclass(frozen=True, slots=True)
class Planned:
    """One contact of the calendar."""

    contact_id: int
    rule: str
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar; `entries`: the first of that day."""

    day: date
    by_rule: dict[str, int]
    entries: tuple[Planned, ...]
    room: int

    @property
    def count(self) -> int:
        return sum(self.by_rule.values())


@dataclass(frozen=True, slots=True)
class Trial:
    """What would happen, as far as it is shown. `missing`: label of a variable -> customers who have nothing for it; `at`: reckoned when."""

    customers: int
    draws: tuple[Drawn, ...]
    not_in_a_stratum: int
    days: tuple[Day, ...]
    suppressed: dict[str, int]
    missing: dict[str, int]
    at: datetime

    @property
    def drawn(self) -> int:
        return sum(one.chosen for one in self.draws)

    @property
    def contacts(self) -> int:
        return sum(day.count for day in self.days)


@dataclass(slots=True)
class Progress:
    """How far whoever reckons is."""

    total: int
    read: int = 0
    planned: int = 0

    @property
    def percent(self) -> int:
        """Reading takes about as long as planning."""
        done = min(self.read, self.total) + min(self.planned, self.total)
        return min(done * 50 // max(self.total, 1), 99)

    def count(self) -> None:
        self.planned += 1


@dataclass(frozen=True, slots=True)
class Standing:
    """A dry run as every process sees it."""

    total: int
    percent: int
    failed: bool
    result: Trial | None


async def make(database: Database, made: Definition, script: Script | None, now: datetime, seed: int, progress: Progress, *, is_demo: bool) -> Trial:
    """All customers of the audience, planned. Parts of it run in a thread: customers write to the same process."""
    people: list[Customer] = []
    missing: dict[str, int] = {}
    async with database.session() as session:
        async for some in queries.people(session, made, is_demo=is_demo):
            if script is not None and not is_demo:
                for name, count in (await asyncio.to_thread(queries.missing_data, some, made, script)).items():
                    missing[name] = missing.get(name, 0) + count
            people += some
            progress.read = len(people)
    run = await asyncio.to_thread(dry_run, made, people, now, seed, progress.count)
    draws = tuple(Drawn(one.name, one.share, one.population, len(one.chosen)) for one in run.draws)
    days = tuple(
        Day(day.day, day.by_rule, tuple(Planned(one.contact_id, one.rule, one.next_at) for one in day.entries[:MOST_PREVIEWED] if one.next_at), day.room)
        for day in run.days
    )
    return Trial(run.customers, draws, run.not_in_a_stratum, days, run.suppressed, missing, now)


def packed(trial: Trial) -> bytes:
    """As `dry_runs.result` keeps it."""
    draws = [[one.name, one.share, one.population, one.chosen] for one in trial.draws]
    days = [
        [day.day.isoformat(), day.by_rule, [[one.contact_id, one.rule, one.next_at.isoformat()] for one in day.entries], day.room]
        for day in trial.days
    ]
    raw = [trial.customers, draws, trial.not_in_a_stratum, days, trial.suppressed, trial.missing, trial.at.isoformat()]
    return zlib.compress(json.dumps(raw, ensure_ascii=False).encode(), 1)


def unpacked(raw: bytes) -> Trial:
    customers, draws, outside, days, suppressed, missing, at = json.loads(zlib.decompress(raw))
    return Trial(
        customers, tuple(Drawn(*one) for one in draws), outside, tuple(_day(*day) for day in days), suppressed, missing, datetime.fromisoformat(at)
    )


def _day(day: str, by_rule: dict[str, int], entries: list[Any], room: int) -> Day:
    planned = tuple(Planned(contact_id, rule, datetime.fromisoformat(at)) for contact_id, rule, at in entries)
    return Day(date.fromisoformat(day), by_rule, planned, room)


Work = Callable[[Progress], Awaitable[Trial]]
# Whose row it is decides the database, so that two processes asked at once do not both reckon.
_BEGIN = text(
    f"""
    INSERT INTO dry_runs AS known (campaign_id, version, token, total) VALUES (:id, :version, :token, :total)
    ON CONFLICT (campaign_id) DO UPDATE
    SET version = excluded.version, token = excluded.token, total = excluded.total, percent = 0, failed = false, result = NULL, seen_at = now()
    WHERE known.version <> excluded.version OR known.failed AND :again OR known.result IS NOT NULL AND (:anew
            OR known.seen_at < now() - interval '{_KEPT_FOR} seconds')
        OR known.result IS NULL AND NOT known.failed AND known.seen_at < now() - interval '{_GIVEN_UP_AFTER} seconds'
    RETURNING token
    """
)
_MINE = "WHERE campaign_id = :id AND token = :token"
_TELL = text(f"UPDATE dry_runs SET percent = :percent, seen_at = now() {_MINE}")
_DONE = text(f"UPDATE dry_runs SET result = CAST(:result AS bytea), seen_at = now() {_MINE}")
_FAILED = text(f"UPDATE dry_runs SET failed = true, seen_at = now() {_MINE}")
_LEFT = text(f"UPDATE dry_runs SET seen_at = 'epoch' {_MINE}")
"""The process ends: the next one that is asked takes over at once."""
_LOOK = text("SELECT total, percent, failed, result FROM dry_runs WHERE campaign_id = :id")


class Trials:
    """The dry runs that this process reckons; one at a time."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(1)

    async def of(
        self, database: Database, campaign_id: int, version: int, total: int, work: Work, *, anew: bool = False, again: bool = False
    ) -> Standing:
        """The one there is, else one that begins now; `anew`: also where a result is at hand; `again`: also where it failed."""
        token = secrets.token_hex(8)
        given = {"id": campaign_id, "version": version, "token": token, "total": total, "anew": anew, "again": again}
        async with database.session() as session:
            begun = await session.scalar(_BEGIN, given)
            row = (await session.execute(_LOOK, {"id": campaign_id})).one()
        if begun == token:
            task = asyncio.create_task(self._run(database, {"id": campaign_id, "token": token}, Progress(total), work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        result = await asyncio.to_thread(unpacked, row.result) if row.result is not None else None
        return Standing(row.total, row.percent, row.failed, result)

    async def _run(self, database: Database, mine: dict[str, Any], progress: Progress, work: Work) -> None:
        reckoning = asyncio.create_task(self._in_turn(progress, work))
        telling = asyncio.create_task(self._tell(database, mine, progress, reckoning))
        try:
            await asyncio.wait([reckoning])
            if reckoning.cancelled():
                return  # overtaken
            if (error := reckoning.exception()) is not None:
                _log.error("the dry run of campaign %s failed", mine["id"], exc_info=error)
                await _write(database, _FAILED, mine)
            else:
                await _write(database, _DONE, {**mine, "result": await asyncio.to_thread(packed, reckoning.result())})
        except asyncio.CancelledError:
            reckoning.cancel()
            await _write(database, _LEFT, mine)
            raise
        finally:
            telling.cancel()
            await asyncio.wait([telling])

    async def _in_turn(self, progress: Progress, work: Work) -> Trial:
        async with self._turn:
            return await work(progress)

    async def _tell(self, database: Database, mine: dict[str, Any], progress: Progress, reckoning: asyncio.Task[Trial]) -> None:
        """Say how far it is; once somebody else's run stands in the row, nobody wants this one any more."""
        while True:
            await asyncio.sleep(_TOLD_EVERY)
            if not await _write(database, _TELL, {**mine, "percent": progress.percent}):
                reckoning.cancel()
                return

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _write(database: Database, statement: TextClause, given: dict[str, Any]) -> bool:
    """Whether the row is still this run's."""
    async with database.session() as session:
        return bool((await session.execute(statement, given)).rowcount)  # type: ignore[attr-defined]
