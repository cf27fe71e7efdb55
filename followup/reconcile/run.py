"""Hold every check over a database, in one moment of it; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import yaml
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from followup.reconcile.checks import CHECKS, COUNTED, Check
from followup.store.database import Database

GRACE = timedelta(minutes=2)
"""What is younger may still be under way: the worker takes up once a minute what a killed process left."""
SHOWN = 5
"""Rows named with a finding."""


@dataclass(frozen=True, slots=True)
class Row:
    """Where something is wrong. `case_id`: the talk it belongs to, if it belongs to one."""

    id: str
    case_id: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One check that does not hold. `count`: in how many rows."""

    key: str
    count: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and what is wrong with it. `counts`: table -> rows, to lay beside those of another moment."""

    counts: dict[str, int]
    held: int
    """How many checks were held."""
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class Words:
    """`title`: what is wrong; `advice`: what to do about it."""

    title: str
    advice: str


async def reconcile(database: Database, at: datetime, *, grace: timedelta = GRACE) -> Report:
    """Hold every check, at one moment of the database. `at`: the product's present time; `grace`: how old what waits must be to count."""
    async with database.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            return await checked(connection, at, grace)


async def checked(connection: AsyncConnection, at: datetime, grace: timedelta, checks: Sequence[Check] = CHECKS) -> Report:
    """The same over what a transaction sees."""
    await connection.execute(text("SET LOCAL work_mem = '64MB'"))  # the sums need it, and nobody else runs this
    given = {"at": at, "grace": grace}
    wrong = dict(map(tuple, await connection.execute(text(_ALL.format(_each(checks))), given)))
    findings = [Finding(check.key, wrong[check.key], await _rows(connection, check, given)) for check in checks if check.key in wrong]
    counts = await connection.execute(text(_COUNTS))
    return Report(dict(map(tuple, counts)), len(checks), tuple(findings))


def _each(checks: Sequence[Check]) -> str:
    return " UNION ALL ".join(f"SELECT '{check.key}' AS key, count(*) AS wrong FROM ({check.sql}) AS rows" for check in checks)


# All in one statement: most of the time nothing is wrong, and nobody asks where.
_ALL = "SELECT key, wrong FROM ({}) AS held WHERE wrong > 0 AND CAST(:at AS timestamptz) - CAST(:grace AS interval) IS NOT NULL"
_COUNTS = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in COUNTED)


async def _rows(connection: AsyncConnection, check: Check, given: dict[str, object]) -> tuple[Row, ...]:
    values = {name: value for name, value in given.items() if f":{name}" in check.sql}
    rows = await connection.execute(text(f"SELECT id, case_id FROM ({check.sql}) AS wrong ORDER BY id LIMIT {SHOWN}"), values)
    return tuple(Row(str(row.id), row.case_id) for row in rows)


@lru_cache(maxsize=1)
def words() -> dict[str, Words]:
    """Check -> its words, from words.yml."""
    raw = yaml.safe_load(Path(__file__).with_name("words.yml").read_text(encoding="utf-8"))
    return {key: Words(**said) for key, said in raw["checks"].items()}


@lru_cache(maxsize=1)
def tables() -> dict[str, str]:
    """Table -> what it is called, from words.yml."""
    raw = yaml.safe_load(Path(__file__).with_name("words.yml").read_text(encoding="utf-8"))
    return dict(raw["tables"])
