"""What an import of customers costs, as the worker does it: `python -m bench.contacts_import ROWS [ROWS ...]`.

A file of every size is written as CSV and as XLSX, kept as an upload, and handed to `importing.run`, which starts the process
that the worker starts for a large file. Told are the seconds until it was read and checked, until it was taken, the same file
taken a second time, and the most memory that process ever held; in brackets its seconds of the processor, which do not depend on
what else the machine does. `470000:csv`: only as CSV. On TEST_DATABASE_URL, else on a PostgreSQL of its own. The figures in
docs/performance-campaigns.md come from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import psycopg
from sqlalchemy import func, select

from followup import clock
from followup.contacts import importing, uploads
from followup.contacts.xlsx import write_sheet
from followup.settings import PROJECT_DIR
from followup.store.campaign_models import Upload
from followup.store.database import Database, libpq_url
from followup.store.migrate import upgrade
from followup.store.models import Contact, User
from followup.supervise import postgres

HEADER = ("客户编号", "姓名", "性别", "手机号", "邮箱", "客户分组", "购车日期", "车型", "备注", "同意方式", "同意来源")
_SURNAMES, _NAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"


def rows(count: int) -> Iterator[tuple[str, ...]]:
    """A customer list as firms have them: dates in three formats, here and there a fault, a double, a 勿扰. The same each time."""
    chance = random.Random(6)
    for number in range(count):
        phone = f"13{number:09d}" if chance.random() > 0.002 else f"13{number:08d}"
        if number and chance.random() < 0.003:
            phone = f"13{number - 1:09d}"
        day = date(2024, 1, 1) + timedelta(days=chance.randrange(700))
        written = (f"{day:%Y-%m-%d}", f"{day:%Y/%m/%d}", f"{day.year}年{day.month}月{day.day}日")[number % 3]
        name = chance.choice(_SURNAMES) + chance.choice(_NAMES) + chance.choice(_NAMES)
        remark = "客户勿扰" if chance.random() < 0.002 else chance.choice(("", "老客户介绍", "周末联系", "喜欢白色，看过两次车"))
        yield (
            f"C{number:07d}", name, chance.choice("男女"), phone, f"c{number}@example.com", chance.choice(("重点客户", "普通", "车队")), written,
            chance.choice(("轿车 A", "越野 B", "电动 C")), remark, chance.choice(("短信", "短信、邮件", "不同意")), "购车合同",
        )  # fmt: skip


def as_csv(count: int) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([HEADER, *rows(count)])
    return out.getvalue().encode("gb18030")


def as_xlsx(count: int) -> bytes:
    return write_sheet(HEADER, rows(count))


class Watch:
    """The most memory (MB) that a process of the import held, while the block lasts."""

    def __init__(self) -> None:
        self.peak = 0.0

    async def __aenter__(self) -> Watch:
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _look(self) -> None:
        while True:
            for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                with contextlib.suppress(OSError, StopIteration):
                    if b"followup.contacts.importing" in Path(f"/proc/{child}/cmdline").read_bytes():
                        lines = Path(f"/proc/{child}/status").read_text().splitlines()
                        self.peak = max(self.peak, int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024)
            await asyncio.sleep(0.02)


def _cpu() -> float:
    """Seconds of the processor that processes of this one took which have ended: the import's, not the server's."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def measure(database: Database, data: bytes, kind: str, count: int) -> str:
    """One file, sent twice: a line of the table."""
    seconds: list[tuple[float, float]] = []
    async with Watch() as watch:
        for _ in range(2):
            async with database.session() as session:
                user = await session.scalar(select(User)) or User(name="王主管", password_hash="", role="supervisor")
                session.add(user)
                await session.flush()
                kept = await uploads.keep(session, data, f"客户.{kind}", sha256(data).hexdigest(), user.id, clock.now())
                await importing.ask(session, kept, "read", clock.now())
            for todo in ("", "take"):
                if todo:
                    async with database.session() as session:
                        found = await session.get_one(Upload, kept.id)
                        assert found.checked and not found.checked["error"], (found.error, found.checked)
                        found.skip_bad = True
                        await importing.ask(session, found, todo, clock.now())
                began, cpu = time.perf_counter(), _cpu()
                await importing.run(database, kept.id)
                seconds.append((time.perf_counter() - began, _cpu() - cpu))
    async with database.session() as session:
        written = await session.scalar(select(func.count()).select_from(Contact))
    told = " | ".join(f"{wall:.0f} s ({cpu:.0f} s)" for wall, cpu in seconds)
    return f"| {kind}, {len(data) / 1e6:.1f} MB | {count:,} | {told} | {watch.peak:.0f} MB | {written:,} | {os.getloadavg()[0]:.1f} |"


def main(sizes: list[str]) -> None:
    given, process = os.environ.get("TEST_DATABASE_URL"), None
    home = Path(tempfile.mkdtemp(prefix="fu-pg-"))
    os.chdir(PROJECT_DIR)
    if given is None:
        given, process = postgres.start(home, durable=True)
    given = libpq_url(given)
    print("| file | rows | read and checked | taken | again: checked | again: taken | most memory | customers | load |\n|---|---|---|---|---|---|---|---|---|")
    try:
        for size in sizes:
            count, only = int(size.partition(":")[0]), size.partition(":")[2]
            for kind, make in (("csv", as_csv), ("xlsx", as_xlsx)):
                if only not in ("", kind):
                    continue
                name = f"imports_{uuid.uuid4().hex[:8]}"
                with psycopg.connect(given, autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {name}")
                base, question, options = given.partition("?")
                url = base.rpartition("/")[0] + f"/{name}{question}{options}"
                upgrade(url)
                print(asyncio.run(_measured(url, make(count), kind, count)), flush=True)
                with psycopg.connect(given, autocommit=True) as connection:
                    connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        if process is not None:
            postgres.stop(process)
        shutil.rmtree(home, ignore_errors=True)


async def _measured(url: str, data: bytes, kind: str, count: int) -> str:
    database = Database(url, pool_size=3)
    try:
        return await measure(database, data, kind, count)
    finally:
        await database.close()


if __name__ == "__main__":
    main(sys.argv[1:] or ["100000", "200000"])
