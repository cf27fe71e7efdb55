"""Customers of the fake WeChat: they arrive at a rate, and what their screens show is checked."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bench.load.talks import Said
from followup.channels.wechat.fake import FakeWechat
from followup.channels.wechat.scene import create_scene
from followup.store.database import Database

_LOOK_EVERY = 0.02


@dataclass
class Heard:
    """Seconds of answers, and what was wrong."""

    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    talks: int = 0


async def arrive(
    database: Database, fake: FakeWechat, talks: Sequence[tuple[str, list[Said]]], *, seconds: float, pause: float, patience: float, seed: int
) -> Heard:
    """Hold the talks; each begins when its time has come, however slow the answers are."""
    dice = random.Random(seed)
    heard = Heard()
    at = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, (case_id, said) in enumerate(talks):
            at += dice.expovariate(len(talks) / seconds)
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            phone = _Phone(fake, f"oLoad{number:06}", patience, heard, random.Random(seed + number))
            group.create_task(phone.hold(database, case_id, said, pause))
    return heard


class _Phone:
    def __init__(self, fake: FakeWechat, openid: str, patience: float, heard: Heard, dice: random.Random) -> None:
        self._fake, self._openid, self._patience, self._heard, self._dice = fake, openid, patience, heard, dice

    async def hold(self, database: Database, case_id: str, said: list[Said], pause: float) -> None:
        async with database.session() as session:
            scene = await create_scene(session, case_id, valid_for=timedelta(days=1))
        self._heard.talks += 1
        before = self._shown()
        await self._fake.event(self._openid, "SCAN", scene)
        if await self._answer(before) is None:
            return
        for one in said:
            await asyncio.sleep(self._dice.uniform(0.5, 1.5) * pause)
            before, began = self._shown(), time.perf_counter()
            await self._fake.says(self._openid, one.text)
            answer = await self._answer(before)
            if answer is None:
                return
            shown, at = answer
            self._heard.seconds.append(at - began)
            if fault := one.fault(shown):
                self._heard.faults.append(fault)
                return

    def _shown(self) -> int:
        return len(self._fake.phone(self._openid).texts())

    async def _answer(self, before: int) -> tuple[str, float] | None:
        """What the screen shows beyond the lines it had, and when it showed the first of it (perf_counter)."""
        try:
            async with asyncio.timeout(self._patience):
                while self._shown() == before:
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError:
            self._heard.faults.append("no answer")
            return None
        at = time.perf_counter()
        await asyncio.sleep(0.2)  # an answer may have two messages
        return "\n".join(self._fake.phone(self._openid).texts()[before:]), at
