"""Whether a talk can really be held: database, a model in Rasa, the action server, a worker that lives."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiohttp
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from followup.settings import Settings
from followup.store.database import Database
from followup.supervise.address import RasaAddress

_log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 2.0
_KEEP_SECONDS = 2.0
_HEARTBEAT_SECONDS = 35
"""A procrastinate worker writes its heartbeat every 10 s."""

Check = Callable[[], Awaitable[str]]


class Unwell(Exception):
    """A part does not work; the message says what, in English, without addresses or secrets."""


@dataclass(frozen=True, slots=True)
class Report:
    ok: bool
    parts: dict[str, str]
    """`ok`, or what is wrong, by part."""


class Health:
    """Runs the checks side by side; one result is kept for two seconds, however often it is asked for."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self._lock = asyncio.Lock()
        self._report: Report | None = None
        self._at = 0.0

    async def report(self) -> Report:
        async with self._lock:
            if self._report is None or time.monotonic() - self._at > _KEEP_SECONDS:
                results = await asyncio.gather(*(_run(check) for check in self._checks.values()))
                parts = dict(zip(self._checks, results, strict=True))
                self._report = Report(all(result == "ok" for result in results), parts)
                self._at = time.monotonic()
            return self._report


def checks_for(settings: Settings, database: Database, client: aiohttp.ClientSession) -> dict[str, Check]:
    """The four parts a talk needs."""

    async def store() -> str:
        async with database.session() as session:
            await session.execute(text("SELECT 1 FROM cases LIMIT 1"))
        return "ok"

    async def worker() -> str:
        alive = text(
            "SELECT count(*) FROM procrastinate_workers"
            f" WHERE last_heartbeat > now() - interval '{_HEARTBEAT_SECONDS} seconds'"
        )
        async with database.session() as session:
            if not await session.scalar(alive):
                raise Unwell("no worker is alive")
        return "ok"

    address = RasaAddress(settings.rasa_file, settings.rasa_url)

    async def rasa() -> str:
        url = address()
        async with client.get(f"{url}/status") as response:
            if response.status == 200:
                if not (await response.json(content_type=None)).get("model_file"):
                    raise Unwell("no model is loaded")
                return "ok"
            if response.status != 404:
                raise Unwell(f"status {response.status}")
        # Our Rasa server keeps its HTTP interface off, and ends itself when it has no model: its channel is enough.
        async with client.get(f"{url}/webhooks/rest/") as response:
            if response.status != 200:
                raise Unwell(f"channel status {response.status}")
        return "ok"

    async def actions() -> str:
        async with client.get(f"{settings.action_url}/health") as response:
            if response.status != 200:
                raise Unwell(f"status {response.status}")
        return "ok"

    return {"database": store, "rasa": rasa, "actions": actions, "worker": worker}


async def _run(check: Check) -> str:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await check()
    except Unwell as problem:
        return str(problem)
    except TimeoutError:
        return "no answer in time"
    except (aiohttp.ClientError, SQLAlchemyError, OSError, ValueError) as error:
        # The text of these errors holds addresses and user names.
        _log.debug("health check failed: %s", type(error).__name__)
        return "not reachable"
