"""A scripted stand-in for the bot: real database, real gateway, only the understanding is missing.

It does to the tables what a turn does: takes a received row, writes the replies and "handled" in one transaction under
the case's lock, and notifies the gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select, text

from followup import clock
from followup.store import records
from followup.store.database import Database
from followup.store.models import Case, Message
from followup.talk import links

OPENING = "王强先生，您好！我是演示金融的智能助手小悦，想就您办理的业务做个简短回访，请问您现在方便吗？"


@dataclass(frozen=True)
class Reply:
    text: str
    quick_replies: tuple[str, ...] = ()


@dataclass
class Bot:
    """Says `opening` to the trigger, then `script` line by line, then repeats what it heard."""

    database: Database
    opening: Sequence[Reply] = (Reply(OPENING, ("方便", "现在不方便")),)
    script: list[Sequence[Reply]] = field(default_factory=list)
    thinking: float = 0.0
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: messages are accepted and wait, as when the worker is away."""

    async def run(self) -> None:
        self.awake.set()
        while True:
            await self.awake.wait()
            if not await self._turn():
                await asyncio.sleep(0.02)

    async def _turn(self) -> bool:
        async with self.database.session() as session:
            message = await session.scalar(
                select(Message).where(Message.status == "received").order_by(Message.id).limit(1)
            )
        if message is None:
            return False
        await asyncio.sleep(self.thinking)
        await self.say(message.case_id, self._replies(message), answering=message)
        return True

    async def say(self, case_id: str, replies: Sequence[Reply], *, answering: Message | None = None) -> None:
        """Write replies and tell the gateway."""
        async with self.database.session() as session:
            await session.execute(select(Case.id).where(Case.id == case_id).with_for_update(key_share=True))
            key = answering.id if answering else f"alone{clock.now().timestamp()}"
            for number, reply in enumerate(replies):
                session.add(
                    Message(
                        case_id=case_id,
                        direction="out",
                        channel="web",
                        channel_message_id=f"{key}-{number}",
                        text=reply.text,
                        status="sent",
                        in_reply_to=answering.id if answering else None,
                        quick_replies=list(reply.quick_replies) or None,
                        created_at=clock.now(),
                    )
                )
                await session.flush()
            if answering:
                (await session.get_one(Message, answering.id)).status = "handled"
            await session.execute(text("SELECT pg_notify('followup_out', :case)"), {"case": case_id})

    def _replies(self, message: Message) -> Sequence[Reply]:
        if message.direction == "system":
            return self.opening
        if self.script:
            return self.script.pop(0)
        return [Reply(f"收到：{message.text}")]


@dataclass(frozen=True)
class Talk:
    case_id: str
    token: str


async def make_talk(database: Database, *, company: str = "演示金融", valid_for: timedelta = timedelta(days=7)) -> Talk:
    async with database.session() as session:
        contact = await records.create_contact(session, name="王强", title="先生", is_demo=True)
        revision = await records.save_revision(session, "demo", "1", {"id": "demo", "variables": {}, "questions": []})
        case_id = await records.create_case(session, contact, revision, {"company": company}, is_demo=True)
        return Talk(case_id, await links.create_link(session, case_id, valid_for=valid_for))


@contextlib.asynccontextmanager
async def running(bot: Bot) -> AsyncIterator[Bot]:
    task = asyncio.create_task(bot.run())
    try:
        yield bot
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
