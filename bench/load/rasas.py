"""`python -m bench.load.rasas [--machines 1,2,3] [--share 0.08]`: turns a second with more and more machines, each with a Rasa of its own.

On one computer the machines share its cores, so each Rasa is held to a share of one (a control group's quota): what is measured is
whether Rasas beside each other add up, until something else is busy. Machines are network namespaces before Debian's PostgreSQL
(tests/long/machines.py); customers hold whole talks as fast as they are answered. Needs root and control groups.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psutil

from bench.customer import Customer
from bench.followup_stack import REPLIES
from bench.load.talks import make_cases
from bench.load.watch import turns_of
from bench.page import write_part
from followup import clock
from followup.reconcile.run import reconcile
from followup.store.database import Database
from tests.long.machines import PORT, Machine, computer, why_not

_GROUPS = Path("/sys/fs/cgroup/cpu")
_PERIOD = 50_000
"""Microseconds for which a share is given."""
_WARM_SECONDS = 15.0


@dataclass(frozen=True)
class Measured:
    machines: int
    share: float | None
    """Of a core for each Rasa; None: as much as it likes."""
    turns_a_second: float
    busy: float
    """Share of all cores that were busy."""
    sound: bool

    @property
    def row(self) -> str:
        share = "–" if self.share is None else f"{100 * self.share:.0f} %"
        return f"| {self.machines} | {share} | {self.turns_a_second:.1f} | {100 * self.busy:.0f} % | {'all hold' if self.sound else 'BROKEN'} |"


async def measure(machines: int, share: float | None, customers: int, seconds: float) -> Measured:
    """Turns a second while `customers` at each machine are answered as fast as it goes."""
    with computer(*(f"m{number}" for number in range(machines))) as one, _held_to(one.machines, share):
        database = Database(one.database_url)
        try:
            crowd = [asyncio.create_task(_talks(machine, database)) for machine in one.machines for _ in range(customers)]
            await asyncio.sleep(_WARM_SECONDS)
            psutil.cpu_percent()
            began, before = time.monotonic(), await turns_of(database)
            await asyncio.sleep(seconds)
            busy = psutil.cpu_percent() / 100
            rate = (await turns_of(database) - before) / (time.monotonic() - began)
            for task in crowd:
                task.cancel()
            failed = [done for done in await asyncio.gather(*crowd, return_exceptions=True) if not isinstance(done, asyncio.CancelledError)]
            sound = not failed and await _fits(database)
        finally:
            await database.close()
    return Measured(machines, share, rate, busy, sound)


async def _talks(machine: Machine, database: Database) -> None:
    while True:
        [(_, token)] = await make_cases(database, 1)
        async with Customer.opening(f"http://{machine.address}:{PORT}", token) as customer:
            for reply in REPLIES:
                await customer.say(reply)


async def _fits(database: Database) -> bool:
    """Whether every record agrees, once what was under way is answered."""
    for _ in range(120):
        if (await reconcile(database, clock.now() + timedelta(seconds=1), grace=timedelta(0))).sound:
            return True
        await asyncio.sleep(1)
    return False


@contextlib.contextmanager
def _held_to(machines: list[Machine], share: float | None) -> Iterator[None]:
    """Each machine's Rasa gets so much of a core and no more."""
    if share is None:
        yield
        return
    made = []
    try:
        for machine in machines:
            group = _GROUPS / f"fu{os.getpid()}-{machine.name}"
            group.mkdir()
            made.append(group)
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(int(share * _PERIOD)))
            (group / "cgroup.procs").write_text(str(machine.pids()["rasa"]))
        yield
    finally:
        for machine, group in zip(machines, made, strict=False):
            for pid in (group / "cgroup.procs").read_text().split():
                (_GROUPS / "cgroup.procs").write_text(pid)
            group.rmdir()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.load.rasas", description=__doc__)
    parser.add_argument("--machines", default="1,2,3", help="how many, one measurement each")
    parser.add_argument("--share", type=float, default=0.08, help="of a core, for each Rasa")
    parser.add_argument("--customers", type=int, default=4, help="at each machine, at a time")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--write", action="store_true", help="keep the report in docs/performance.md")
    options = parser.parse_args()
    if why := why_not():
        sys.exit(why)
    load = os.getloadavg()[0]
    counts = [int(number) for number in options.machines.split(",")]
    plans = [(count, options.share) for count in counts] + [(count, None) for count in (counts[0], counts[1] if len(counts) > 1 else counts[0])]
    rows = []
    for count, share in plans:
        rows.append(asyncio.run(measure(count, share, options.customers, options.seconds)))
        print(rows[-1].row, flush=True)
    text = "\n".join((
        f"{date.today().isoformat()}, {os.cpu_count()} cores, load {load:.1f} before (the customers and PostgreSQL on the same cores); "
        f"{options.customers} customers at each machine, {options.seconds:g} s each.",
        "",
        "| machines | of a core for each Rasa | turns a second | cores busy | records |",
        "|---:|---:|---:|---:|---|",
        *(row.row for row in rows),
    ))  # fmt: skip
    if options.write:
        from bench.load.__main__ import PAGE

        write_part(PAGE, "rasas", text)
    sys.exit(not all(row.sound for row in rows))


if __name__ == "__main__":
    main()
