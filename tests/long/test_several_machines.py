"""Two machines before one PostgreSQL, talks held all the time, while every process of each is killed and each cable drawn: nothing is lost.

A report at the end says how long customers waited. Nothing here is about how fast a machine is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

import pytest
import pytest_asyncio
from sqlalchemy import text

from followup import clock
from followup.reconcile.run import reconcile
from followup.store.database import Database
from followup.talk.turn import lock_key
from tests.integration.faults.page import Page
from tests.integration.faults.talk import REPLIES, Left, as_it_should_be, look_back, new_talk, shown_once
from tests.long.balancer import Balancer
from tests.long.machines import PORT, Computer, Machine, computer, why_not

LANES = 4
"""Customers at a time."""
PARTS = ("web", "worker", "actions", "rasa")

pytestmark = [pytest.mark.timeout(3600), pytest.mark.skipif(bool(why_not()), reason=why_not())]


@pytest.fixture(scope="module")
def both() -> Iterator[Computer]:
    with computer("one", "two") as found:
        yield found


@pytest_asyncio.fixture
async def database(both: Computer) -> AsyncIterator[Database]:
    database = Database(both.database_url)
    yield database
    await database.close()


@dataclass
class Crowd:
    """Customers who talk without a pause, until they are told to come to an end."""

    database: Database
    base: str
    left: list[Left] = field(default_factory=list)
    held: list[int] = field(default_factory=lambda: [0] * LANES)
    """Talks of each customer's lane."""
    waits: list[tuple[float, float]] = field(default_factory=list)
    """(moment, seconds) of each reply, by the monotonic clock."""
    enough: bool = False

    async def hold_talk(self) -> Left:
        case_id, token = await new_talk(self.database)
        async with Page(self.base, token) as page:
            for words in (None, *REPLIES):
                began = time.monotonic()
                message_id = 0
                if words is None:
                    await page.click()
                else:
                    message_id = await page.send(words)
                await page.reply_to(message_id)
                self.waits.append((began, time.monotonic() - began))
            await shown_once(self.database, case_id, page)
        return await look_back(self.database, case_id)

    async def lane(self, number: int) -> None:
        while not self.enough:
            self.left.append(await self.hold_talk())
            self.held[number] += 1

    def waited(self, since: float) -> str:
        found = [seconds for began, seconds in self.waits if began + seconds >= since] or [0.0]
        return f"{len(found)} replies, median {median(found):.1f} s, worst {max(found):.1f} s"


async def _everyone_went_on(crowd: Crowd) -> None:
    """Until the talks that are under way now came to their end, and everyone held another one."""
    before = list(crowd.held)
    while min(now - then for now, then in zip(crowd.held, before)) < 2:
        await asyncio.sleep(0.2)


async def _in_a_turn(database: Database, machine: Machine) -> None:
    """Until the machine's worker holds a conversation."""
    holds = text(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) JOIN cases ON (classid::bigint << 32 | objid::bigint)"
        " = hashtextextended(:key || cases.id, 0) WHERE locktype = 'advisory' AND granted AND client_addr = CAST(:address AS inet)"
    )
    async with database.session() as session:
        while not await session.scalar(holds, {"key": lock_key(""), "address": machine.address}):
            await asyncio.sleep(0.01)


async def _killed(machine: Machine, part: str) -> None:
    gone = await asyncio.to_thread(machine.kill, part)
    while not machine.is_back(part, gone):
        await asyncio.sleep(0.1)


async def _disturb(both: Computer, crowd: Crowd, balancer: Balancer, report: list[str]) -> None:
    for part in PARTS:
        for machine in both.machines:
            began = time.monotonic()
            await _killed(machine, part)
            await _everyone_went_on(crowd)
            report.append(f"{part} of {machine.name} killed: {crowd.waited(began)}")
    for machine in both.machines:
        began = time.monotonic()
        await _in_a_turn(crowd.database, machine)
        await asyncio.to_thread(machine.cut_off)
        await _everyone_went_on(crowd)  # by the other one, also where this one was in the middle of a turn
        await asyncio.to_thread(machine.mend)
        while (machine.address, PORT) not in balancer.well:
            await asyncio.sleep(0.5)
        await _everyone_went_on(crowd)
        report.append(f"{machine.name} cut off: {crowd.waited(began)}")


async def test_machines_are_killed_and_cut_off_and_no_talk_notices(both: Computer, database: Database, report: list[str]) -> None:
    balancer = Balancer([(machine.address, PORT) for machine in both.machines])
    async with balancer.running():
        undisturbed = await Crowd(database, balancer.url).hold_talk()
        as_it_should_be(undisturbed)
        crowd = Crowd(database, balancer.url)
        async with asyncio.TaskGroup() as group:
            for number in range(LANES):
                group.create_task(crowd.lane(number))
            await _disturb(both, crowd, balancer, report)
            crowd.enough = True
    for left in crowd.left:
        assert left == undisturbed
    found = await reconcile(database, clock.now(), grace=timedelta(0))
    assert found.sound, found.findings
    report.append(f"{len(crowd.left)} talks, {len(crowd.waits)} replies, every one as undisturbed; {found.held} checks of the records hold")


async def test_a_backup_taken_under_load_is_whole_and_its_talks_can_go_on(both: Computer, database: Database, report: list[str]) -> None:
    balancer = Balancer([(machine.address, PORT) for machine in both.machines])
    async with balancer.running():
        crowd = Crowd(database, balancer.url)
        async with asyncio.TaskGroup() as group:
            for number in range(LANES):
                group.create_task(crowd.lane(number))
            await _everyone_went_on(crowd)
            before = await reconcile(database, clock.now())
            restored = Database(await asyncio.to_thread(both.restored, "restored"))
            await _everyone_went_on(crowd)
            crowd.enough = True
    try:
        # What waits in it has its job: whoever starts on it answers. The workers lived when the backup was made; a slow restore makes them no dead ones.
        async with restored.session() as session:
            await session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now()"))
        found = await reconcile(restored, clock.now(), grace=timedelta(0))
    finally:
        await restored.close()
    after = await reconcile(database, clock.now(), grace=timedelta(0))
    assert found.sound and after.sound, (found.findings, after.findings)
    for table, count in found.counts.items():
        assert before.counts[table] <= count <= after.counts[table], table
    report.append(f"backup under load: {found.counts['messages']} messages restored, {after.counts['messages']} at the end, {found.held} checks hold in both")
