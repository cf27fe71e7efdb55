"""`make bench-console`: every page of the console over 100,000 talks and 2 million messages, 200 requests each.

The database is made once (`--home`, kept for the next run with `--keep`), the web process is the product's own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import quantiles

import aiohttp
import psutil
import psycopg

from bench.console_data import RARE, Size, fill
from followup import clock
from followup.console import accounts
from followup.console.figures import table as facts_table
from followup.settings import PROJECT_DIR
from followup.store.database import Database
from followup.store.migrate import upgrade
from followup.supervise import postgres
from followup.training.inbox_groups import groups
from followup.training.inbox_lines import undecided

_PAGE = PROJECT_DIR / "docs" / "performance-console.md"
_PASSWORD = "a password of the bench"
_FREQUENT = ("满意", "可以", "服务", "价格", "没有", "谢谢", "快递", "方便", "您好", "建议")
LIMIT_MS = 500
_INTRODUCTION = """# Performance of the console

Written by `make bench-console BENCH=--write`. Every page, 200 requests one after the other, measured by the client on the same
machine; PostgreSQL is the embedded one with its default settings. "Processor time" is what the web process and PostgreSQL used for a request:
unlike the times it does not depend on what else the machine does. The goal is a p95 below 500 ms on two cores at 100,000 talks and
2 million messages. The data: `bench/console_data.py` (lines from the talk files, dates over a year, a fixed seed).
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page: its name, and the address of the n-th request."""

    name: str
    path: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    p50: float
    p95: float
    cpu: float
    """Milliseconds of processor time for a request, of the web process and of PostgreSQL; independent of what else runs."""
    kilobytes: float
    status: int
    requests: int


def pages(cases: list[str], talks: int, tickets: int, script: str, leaders: list[int]) -> list[Wanted]:
    """What staff open; `leaders`: lines of the trainers' inbox. Ids and words differ from request to request where they do in life."""
    rng = random.Random(1)
    some, last = [rng.choice(cases) for _ in range(500)], -(-talks // 50)
    word = lambda n: _FREQUENT[n % len(_FREQUENT)]  # noqa: E731 - a line each, to be read beside the names
    month = "first=2026-10-01&last=2026-10-31"
    return [
        Wanted("talks", lambda n: "/console/talks"),
        Wanted("talks, a page in the middle", lambda n: f"/console/talks?page={rng.randint(2, last - 1)}"),
        Wanted("talks, last page", lambda n: f"/console/talks?page={last}"),
        Wanted("talks of a script and month", lambda n: f"/console/talks?script={script}&{month}"),
        Wanted("talks by outcome", lambda n: f"/console/talks?outcome={('completed', 'refused', 'complained', 'appointed')[n % 4]}"),
        Wanted("talks by intent", lambda n: f"/console/talks?intent={('satisfied', 'suggest', 'faq')[n % 3]}"),
        Wanted("talks with a low confidence", lambda n: "/console/talks?unsure=1"),
        Wanted("talks with a complaint", lambda n: "/console/talks?complaint=1"),
        Wanted("talks with a ticket", lambda n: "/console/talks?ticket=1"),
        Wanted("talks by channel", lambda n: "/console/talks?channel=wechat"),
        Wanted("talks of a customer's name", lambda n: f"/console/talks?customer={('王伟', '李芳', '张敏')[n % 3]}"),
        Wanted("talks sorted by customer", lambda n: "/console/talks?sort=customer"),
        Wanted("text search, frequent", lambda n: f"/console/talks?q={word(n)}"),
        Wanted("text search, two frequent words", lambda n: f"/console/talks?q={word(n)}+{word(n + 3)}"),
        Wanted("text search, one character", lambda n: f"/console/talks?q={'好不的了'[n % 4]}"),
        Wanted("text search, rare", lambda n: f"/console/talks?q={RARE}"),
        Wanted("text search, nothing", lambda n: "/console/talks?q=紫水晶球体"),
        Wanted("text search, frequent, last page", lambda n: f"/console/talks?q={word(n)}&page=900"),
        Wanted("one talk", lambda n: f"/console/talks/{some[n % 500]}"),
        Wanted("one talk in a filtered list", lambda n: f"/console/talks/{some[n % 500]}?outcome=completed"),
        Wanted("one talk in a text search", lambda n: f"/console/talks/{some[n % 500]}?q={word(n)}"),
        Wanted("tickets", lambda n: "/console/tickets"),
        Wanted("tickets, all", lambda n: "/console/tickets?status=all"),
        Wanted("tickets, text", lambda n: f"/console/tickets?status=all&q={word(n)}"),
        Wanted("ticket board", lambda n: "/console/tickets/board"),
        Wanted("one ticket", lambda n: f"/console/tickets/{1 + rng.randrange(tickets)}"),
        Wanted("customers", lambda n: "/console/customers"),
        Wanted("customers, last page", lambda n: "/console/customers?page=200"),
        Wanted("customers by name", lambda n: f"/console/customers?q={('王伟', '李芳', '张敏')[n % 3]}"),
        Wanted("customers by number", lambda n: f"/console/customers?q={13000000000 + rng.randrange(talks)}"),
        Wanted("customers who must not be contacted", lambda n: "/console/customers?state=blocked"),
        Wanted("one customer", lambda n: f"/console/customers/{1 + rng.randrange(talks)}"),
        Wanted("do-not-contact list", lambda n: "/console/customers/blocks"),
        Wanted("audit log", lambda n: "/console/audit"),
        Wanted("audit log, one action, a late page", lambda n: "/console/audit?action=note.add&page=300"),
        Wanted("live talks", lambda n: "/console/live"),
        Wanted("quality inspection", lambda n: "/console/quality"),
        Wanted("figures of a month", lambda n: f"/console/figures?{month}"),
        Wanted("figures of a script and year", lambda n: f"/console/figures?script={script}&first=2025-11-22&last=2026-11-22"),
        Wanted("figures of everything", lambda n: "/console/figures?first=2025-11-22&last=2026-11-22"),
        Wanted("trainers' inbox", lambda n: "/console/training"),
        Wanted("trainers' inbox, 90 days", lambda n: "/console/training?days=90"),
        Wanted("trainers' inbox, one reason", lambda n: "/console/training?reason=asked_again"),
        Wanted("trainers' inbox, a group", lambda n: f"/console/training/groups/{leaders[n % len(leaders)]}"),
        Wanted("trainers' examples of an intent", lambda n: "/console/training/examples?intent=satisfied"),
        Wanted("trainers' own changes", lambda n: "/console/training/changes"),
        Wanted("trainers' word to the authors", lambda n: "/console/training/authors"),
        Wanted("models", lambda n: "/console/models"),
        Wanted("how well customers are understood", lambda n: "/console/models/figures"),
    ]


async def measure(base: str, wanted: list[Wanted], requests: int, seconds_each: float, processes: list[int]) -> list[Measured]:
    """Each page `requests` times, after two that warm up. A page that is not there (404) is left out."""
    found = []
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(base, timeout=timeout, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        async with client.post("/console/login", data={"name": "bench", "password": _PASSWORD}, allow_redirects=False) as answer:
            assert answer.status == 303, answer.status
        for page in wanted:
            seconds, size, status = [], 0, 200
            used = _cpu(processes)
            for number in range(-2, requests):
                begun = time.perf_counter()
                async with client.get(page.path(max(number, 0)), allow_redirects=False) as answer:
                    size, status = len(await answer.read()), answer.status
                if number >= 0:
                    seconds.append(time.perf_counter() - begun)
                if number == -1:
                    used = _cpu(processes)
                if status != 200 or sum(seconds) > seconds_each:
                    break
            if status == 404:
                continue
            cuts = quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else seconds * 19 or [0.0] * 19
            spent = (_cpu(processes) - used) / max(1, len(seconds))
            one = Measured(page.name, cuts[9] * 1000, cuts[18] * 1000, spent * 1000, size / 1024, status, len(seconds))
            print(f"{one.p50:7.0f} {one.p95:7.0f} ms, cpu {one.cpu:6.0f} ms  {one.name} ({one.requests})" + (f"  HTTP {status}" if status != 200 else ""), flush=True)
            found.append(one)
    return found


def _cpu(processes: list[int]) -> float:
    """Seconds of processor time that the processes and their children have used."""
    total = 0.0
    for pid in processes:
        process = psutil.Process(pid)
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                times = child.cpu_times()
                total += times.user + times.system
    return total


def table(found: list[Measured]) -> str:
    lines = ["| page | p50 | p95 | processor time | size | requests |", "|---|---:|---:|---:|---:|---:|"]
    for one in found:
        mark = "**" if one.p95 > LIMIT_MS else ""
        note = f" (HTTP {one.status})" if one.status != 200 else ""
        lines.append(f"| {one.name}{note} | {one.p50:.0f} ms | {mark}{one.p95:.0f} ms{mark} | {one.cpu:.0f} ms | {one.kilobytes:.0f} KB | {one.requests} |")
    return "\n".join(lines)


async def _prepare(url: str, size: Size) -> None:
    """Accounts first: tickets have owners."""
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT count(*) FROM cases").fetchone()[0]:
            return
    database = Database(url, pool_size=1)
    try:
        async with database.session() as session:
            users = [(await accounts.create(session, "bench", "admin", _PASSWORD))[0].id]
            users += [(await accounts.create(session, f"坐席{n}", "agent", _PASSWORD))[0].id for n in range(5)]
    finally:
        await database.close()
    begun = time.monotonic()
    print("filling the database", flush=True)
    await asyncio.to_thread(fill, url, size, users)
    print(f"filled in {time.monotonic() - begun:.0f} s", flush=True)


async def _count(url: str) -> None:
    """What the worker does each minute."""
    database = Database(url, pool_size=1)
    try:
        begun = time.monotonic()
        if talks := await facts_table.refresh_all(database):
            print(f"{talks:,} talks counted in {time.monotonic() - begun:.0f} s", flush=True)
    finally:
        await database.close()


async def _leaders(url: str) -> list[int]:
    """A line of each of the inbox's first groups."""
    database = Database(url, pool_size=1)
    try:
        async with database.session() as session:
            lines = await undecided(session, clock.now(), days=30)
        return [group.leader for group in groups((line.id, line.text) for line in lines)][:25]
    finally:
        await database.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _serve(url: str, home: Path, port: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DATABASE_URL": url, "FOLLOWUP_HOME": str(home), "FOLLOWUP_PORT": str(port)}
    with (home / "web.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "followup.web"], env=environment, stdout=log, stderr=log, cwd=PROJECT_DIR)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    process.terminate()
    raise SystemExit(f"the web process did not start: {home / 'web.log'}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-console")
    parser.add_argument("--talks", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120, help="no further requests to a page after so many seconds of answers")
    parser.add_argument("--only", default="", help="pages whose name holds this")
    parser.add_argument("--home", type=Path, help="keep the database here for the next run")
    parser.add_argument("--write", action="store_true", help="keep the table in docs/performance-console.md")
    options = parser.parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="fu-cb-", dir="/tmp"))
    home.mkdir(parents=True, exist_ok=True)
    url, server = postgres.start(home, durable=False)
    web = None
    try:
        upgrade(url)
        asyncio.run(_prepare(url, Size(options.talks)))
        asyncio.run(_count(url))
        with psycopg.connect(url) as connection:
            cases = [row[0] for row in connection.execute("SELECT id FROM cases ORDER BY id")]
            tickets = connection.execute("SELECT count(*) FROM tickets").fetchone()[0]
            script = connection.execute("SELECT min(script_id) FROM cases").fetchone()[0]
            messages = connection.execute("SELECT count(*) FROM messages").fetchone()[0]
        leaders = asyncio.run(_leaders(url))
        server_pid = postgres.Postgres.at(home).running_pid()
        assert server_pid is not None
        port = _free_port()
        web = _serve(url, home, port)
        wanted = [page for page in pages(cases, len(cases), tickets, script, leaders) if options.only in page.name]
        found = asyncio.run(measure(f"http://127.0.0.1:{port}", wanted, options.requests, options.seconds, [web.pid, server_pid]))
        figures = f"{len(cases):,} talks, {messages:,} messages, {tickets:,} tickets.\n\n{table(found)}"
        print(f"\n{figures}")
        if options.write:
            machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
            _PAGE.write_text(f"{_INTRODUCTION}\n{date.today().isoformat()}, {machine}. {figures}\n", encoding="utf-8")
    finally:
        if web is not None:
            web.terminate()
            web.wait(20)
        if server is not None:
            postgres.stop(server)
        if options.home is None:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
