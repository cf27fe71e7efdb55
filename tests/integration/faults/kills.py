"""Talks through the real gateway, and kill -9 in the middle of them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from followup.store.database import Database
from followup.supervise.stack import Stack

from .moments import HELD_BEFORE_SENDING, STEPS, Moment, asked_again, held, reached
from .page import PATIENCE_SECONDS, Page
from .talk import REPLIES, Left, look_back, new_talk, shown_once, tries_of


@dataclass
class Turn:
    """One thing the customer does, and how long they wait; by the monotonic clock."""

    began: float = field(default_factory=time.monotonic)
    replied: asyncio.Future[float] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def ended(self) -> float:
        return self.replied.result() if self.replied.done() else float("inf")

    def waits_at(self, moment: float) -> bool:
        return self.began <= moment < self.ended


@dataclass
class Killing:
    """Kills of one process, one for each of `moments`, spread over the turns of the talks that `hold_talks` holds.

    The next kill waits until the process is back and everyone who waited for it has their reply, so that the figures
    are those of one kill each.
    """

    stack: Stack
    database: Database
    part: str
    moments: Sequence[Moment] = ()
    talks: int = 0
    retried: int = 0
    """Messages whose turn did not succeed at once."""
    posted_again: int = 0
    missed: int = 0
    """Steps that were over before they could be held up; the kill came right after them."""
    turns: list[Turn] = field(default_factory=list)
    killed_at: list[float] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)
    """For each kill, the seconds until the process answered again."""
    _aimed: int = 0
    _back: asyncio.Event = field(default_factory=asyncio.Event)
    _recovered: asyncio.Event = field(default_factory=asyncio.Event)
    _recovery: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._recovered.set()

    @property
    def over(self) -> bool:
        return self._aimed == len(self.moments)

    @property
    def recoveries(self) -> list[float]:
        """For each kill, the seconds until everyone who waited at that moment had their reply; 0 when nobody did."""
        return [
            max((turn.ended - at for turn in self.turns if turn.waits_at(at)), default=0.0) for at in self.killed_at
        ]

    @property
    def interrupted(self) -> int:
        """How many kills hit somebody who was waiting for a reply."""
        return sum(1 for seconds in self.recoveries if seconds)

    async def hold_talks(self, lanes: int) -> list[Left]:
        """`lanes` customers at a time, talk after talk, until every kill is done and every talk is over."""

        async def lane() -> list[Left]:
            left = [await self.hold_talk()]
            while not self.over:
                left.append(await self.hold_talk())
            return left

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(lane()) for _ in range(lanes)]
        await self._recovered.wait()
        return [left for task in tasks for left in task.result()]

    async def hold_talk(self) -> Left:
        """One talk, from the click on the link to the bot's good-bye. Returns what it left behind."""
        case_id, token = await new_talk(self.database)
        assert self.stack.web_url is not None
        async with Page(self.stack.web_url, token) as page:
            for words in (None, *REPLIES):
                await self._turn(case_id, page, words)
            await shown_once(self.database, case_id, page)
        self.talks += 1
        self.posted_again += page.posted_again
        self.retried += await tries_of(self.database, case_id)
        return await look_back(self.database, case_id)

    async def _turn(self, case_id: str, page: Page, words: str | None) -> None:
        moment = self._aim()
        turn = Turn()
        self.turns.append(turn)
        message_id = await self._disturbed(moment, case_id, page, words)
        await page.reply_to(message_id)
        turn.replied.set_result(time.monotonic())

    async def _disturbed(self, moment: Moment | None, case_id: str, page: Page, words: str | None) -> int:
        """Let the customer act, and kill at the moment. Returns the message's id."""
        if moment is None:
            return await _act(page, words)
        if moment in HELD_BEFORE_SENDING:
            async with held(self.database, moment, case_id) as holder:
                message_id = await _act(page, words)
                await self._kill_at_step(holder, case_id)
                if moment is Moment.STORING_LONG:
                    await self._back.wait()
                    await asked_again(self.database, case_id)
                return message_id
        if moment is Moment.BEFORE_SENDING:
            self._kill()
        if moment is Moment.ANSWER_LOST:
            page.when_answered = self._kill
        message_id = await _act(page, words)
        if moment in STEPS:
            async with held(self.database, moment, case_id) as holder:
                await self._kill_at_step(holder, case_id)
        elif isinstance(moment.value, float):
            await asyncio.sleep(moment.value)
            self._kill()
        return message_id

    def _aim(self) -> Moment | None:
        """What is to happen in this turn; None while the last kill is being recovered from, and after the last."""
        if self.over or not self._recovered.is_set():
            return None
        self._recovered.clear()
        self._aimed += 1
        return self.moments[self._aimed - 1]

    async def _kill_at_step(self, holder: int, case_id: str) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            self.missed += not await reached(self.database, holder, case_id)
        self._kill()

    def _kill(self) -> None:
        starts = self.stack.starts(self.part)
        os.kill(self.stack.pids()[self.part], signal.SIGKILL)
        self.killed_at.append(time.monotonic())
        self._back.clear()
        self._recovery = asyncio.create_task(self._recover(starts))

    async def _recover(self, starts: int) -> None:
        while self.stack.starts(self.part) == starts:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(self.stack.wait_ready, self.part)
        self.restarts.append(time.monotonic() - self.killed_at[-1])
        self._back.set()
        await asyncio.gather(*(turn.replied for turn in self.turns if not turn.replied.done()))
        self._recovered.set()

    def summary(self) -> str:
        """One line of the table under HEADING."""
        seconds = self.recoveries
        return (
            f"{self.part:<8}{len(self.killed_at):>6}{self.interrupted:>9}{self.talks:>7}{len(self.turns):>7}"
            f"{self.retried:>9}{self.posted_again:>8}"
            f"{median(self.restarts):>10.1f}{max(self.restarts):>7.1f}{median(seconds):>11.1f}{max(seconds):>7.1f}"
        )


HEADING = """\
                                                        back (s)         replied (s)
killed   kills  in turn  talks  turns  retried  resent  median  worst     median  worst"""


async def _act(page: Page, words: str | None) -> int:
    """The customer opens the link, or writes; the message's id (0 for the link)."""
    if words is not None:
        return await page.send(words)
    await page.click()
    return 0
