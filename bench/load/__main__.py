"""`make load LOAD="--rate 20 --minutes 60 --talks 500"`: the whole product under load, then a reconciliation.

Talks arrive at a rate, however slow the answers are. Locust holds those of the web chat, in an environment of its own
(uvx); the others come through a fake WeChat. Each answer must bring the script's next question.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer
from sqlalchemy import func, select

from bench.load import phones, talks
from bench.load.watch import Watch, waits
from bench.page import write_part
from followup import clock
from followup.channels.wechat.account import Account
from followup.channels.wechat.fake import FakeWechat
from followup.reconcile.run import reconcile
from followup.settings import PROJECT_DIR
from followup.store.database import Database
from followup.store.models import Message
from followup.supervise.stack import Stack

LOCUST = "locust==2.47.0"
PAGE = PROJECT_DIR / "docs" / "performance.md"
_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
_PATIENCE = 120.0
"""Seconds after which an answer counts as missing."""


@dataclass(frozen=True)
class Extent:
    """`rate`: turns a second; `talks`: how many are open at a time, once it runs; `wechat`: the share of its talks."""

    rate: float
    minutes: float
    talks: int
    wechat: float
    seed: int

    @property
    def pause(self) -> float:
        """Seconds a customer thinks, so that so many talks are open."""
        return self.talks / self.rate

    @property
    def seconds(self) -> float:
        return 60 * self.minutes


@dataclass(frozen=True)
class _Web:
    """Locust's tables."""

    stats: list[dict[str, str]]
    failures: list[dict[str, str]]


async def run(extent: Extent) -> tuple[str, bool]:
    """The report, and whether nothing was lost, wrong or empty."""
    account = Account("load", "wxload", "service", "AAAAA", secret="s" * 32, aes_key=_KEY, mode="aes")
    fake = FakeWechat(account)
    async with TestServer(fake.app()) as platform:
        env = _wechat_env(account, str(platform.make_url("")).rstrip("/"))
        async with Stack.temporary(extra_env=env, durable=True) as stack:
            database = Database(stack.database_url)
            try:
                fake.callback = f"{stack.web_url}/wechat/{account.name}"
                return await _load(extent, stack, database, fake)
            finally:
                await database.close()
                await fake.close()


def _wechat_env(account: Account, api: str) -> dict[str, str]:
    given = {"APP_ID": account.app_id, "SECRET": account.secret, "TOKEN": account.token, "AES_KEY": account.aes_key, "API": api}
    return {"FOLLOWUP_WECHAT": account.name, **{f"FOLLOWUP_WECHAT_{account.name.upper()}_{key}": value for key, value in given.items()}}


async def _load(extent: Extent, stack: Stack, database: Database, fake: FakeWechat) -> tuple[str, bool]:
    count = talks.number_of_talks(extent.rate, extent.minutes)
    print(f"{count} talks, a pause of {extent.pause:.1f} s between turns", flush=True)
    made = await talks.make_cases(database, count)
    lines = talks.talks(extent.seed)
    planned = [(case, token, next(lines)) for case, token in made]
    by_wechat = round(count * extent.wechat)
    watch = Watch(stack.pids, database)
    load_before = os.getloadavg()[0]
    watching = asyncio.create_task(watch.run(max(5.0, extent.seconds / 60)))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        web, heard = await asyncio.gather(
            _locust(extent, stack, planned[by_wechat:], Path(folder)),
            phones.arrive(
                database, fake, [(case, said) for case, _, said in planned[:by_wechat]],
                seconds=extent.seconds, pause=extent.pause, patience=_PATIENCE, seed=extent.seed,
            ),
        )  # fmt: skip
    seconds = time.monotonic() - began
    await _drained(database)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await watch.take(began)
    return await _report(extent, database, fake, web, heard, watch, seconds, load_before)


async def _locust(extent: Extent, stack: Stack, planned: Sequence[tuple[str, str, list[talks.Said]]], folder: Path) -> _Web:
    """Hold these talks."""
    plan = {
        "base": stack.web_url,
        "seconds": extent.seconds,
        "pause": extent.pause,
        "seed": extent.seed,
        "patience": _PATIENCE,
        "linger": 12 * extent.pause + _PATIENCE,  # longer than a talk takes
        "talks": [
            {"token": token, "turns": [{"text": one.text, "wanted": one.wanted, "unwanted": one.unwanted} for one in said]}
            for _, token, said in planned
        ],
    }
    path = folder / "plan.json"
    path.write_text(json.dumps(plan, ensure_ascii=False), encoding="utf-8")
    locust = PROJECT_DIR / "bench" / "load" / "locustfile.py"
    command = ["uvx", "--python", f"{sys.version_info[0]}.{sys.version_info[1]}", "--from", LOCUST, "locust", "-f", str(locust)]
    options = ["--headless", "--users", "1", "--csv", str(folder / "web"), "--only-summary", "--exit-code-on-error", "0"]
    # The environment's own variables of uv and Python are for the product's.
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT")}
    process = await asyncio.create_subprocess_exec(
        *command, *options, cwd=folder, env={**env, "FOLLOWUP_LOAD_PLAN": str(path)}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        if code := await process.wait():
            raise SystemExit(f"locust ended with {code}")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    return _Web(_rows(folder / "web_stats.csv"), _rows(folder / "web_failures.csv"))


async def _drained(database: Database) -> None:
    async with asyncio.timeout(600):
        while await waits(database):
            await asyncio.sleep(0.5)


async def _report(
    extent: Extent, database: Database, fake: FakeWechat, web: _Web, heard: phones.Heard, watch: Watch, seconds: float, load: float
) -> tuple[str, bool]:
    async with database.session() as session:
        counted = select(Message.direction, Message.status, func.count()).group_by(Message.direction, Message.status)
        states = {f"{direction} {status}": count for direction, status, count in await session.execute(counted)}
    found = await reconcile(database, clock.now() + timedelta(seconds=1), grace=timedelta(0))
    turns = sum(count for state, count in states.items() if not state.startswith("out"))
    wrong = sum(int(row["Occurrences"]) for row in web.failures) + len(heard.faults) + len(fake.rules_broken) + len(fake.given_up)
    lost = sum(count for state, count in states.items() if state.endswith((" received", " failed")))
    machine = f"{os.cpu_count()} cores, load {load:.1f} before and {os.getloadavg()[0]:.1f} at the end (the customers included)"
    lines = [
        f"{date.today().isoformat()}, {machine}: {extent.rate:g} turns/s wanted for {extent.minutes:g} min with {extent.talks} open talks; "
        f"{turns:,} turns in {seconds:.0f} s, {turns / seconds:.1f} a second.",
        "",
        "| web chat | count | failed | p50 (ms) | p95 (ms) | p99 (ms) |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {row['Name']} | {int(row['Request Count']):,} | {row['Failure Count']} | {row['50%']} | {row['95%']} | {row['99%']} |"
            for row in web.stats
            if row["Name"] != "Aggregated"
        ),
    ]
    if heard.seconds:
        p50, p95 = _quantiles(heard.seconds)
        lines += [f"| WeChat: answer | {len(heard.seconds):,} | {len(heard.faults)} | {p50:.0f} | {p95:.0f} | |"]
    lines += ["", f"Messages by direction and state: {', '.join(f'{state} {count:,}' for state, count in sorted(states.items()))}."]
    lines += [f"Lost: {lost}; wrong, empty or refused: {wrong}. `followup reconcile`: {_said(found)}."]
    lines += [f"What was wrong: {dict(Counter(heard.faults))} {[row['Error'] for row in web.failures][:5]} {fake.rules_broken[:3]}."] if wrong else []
    lines += ["", watch.table()]
    return "\n".join(lines), not (wrong or lost or not found.sound)


def _said(found: Any) -> str:
    if found.sound:
        return f"{found.held} checks, all held"
    return ", ".join(f"{one.key} {one.count}" for one in found.findings)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    """p50 and p95 in milliseconds."""
    many = [*seconds, *seconds]
    return 1000 * statistics.median(many), 1000 * statistics.quantiles(many, n=20, method="inclusive")[-1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--rate", type=float, default=20, help="turns a second")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--talks", type=int, default=500, help="open at a time")
    parser.add_argument("--wechat", type=float, default=0.2, help="share of the talks that come through the fake WeChat")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    parser.add_argument("--write", action="store_true", help="keep the report in docs/performance.md")
    options = vars(parser.parse_args())
    write = options.pop("write")
    text, good = asyncio.run(run(Extent(**options)))
    print(f"\n{text}\n\nseed {options['seed']}: {'as it should be' if good else 'WRONG'}")
    if write:
        write_part(PAGE, "load", text)
    sys.exit(not good)


if __name__ == "__main__":
    main()
