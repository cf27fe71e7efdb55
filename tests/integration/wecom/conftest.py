"""The fake 微信客服, our web application before it, and our two jobs, which a test runs when it wants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest_asyncio
from aiohttp.test_utils import TestServer
from sqlalchemy import select, text

from followup.channels.wecom.account import Account
from followup.channels.wecom.read import Reader, Wecom
from followup.channels.wecom.receive import PURPOSE, SCENE
from followup.channels.wecom.send import Sender
from followup.settings import Settings
from followup.store import records
from followup.store.database import Database
from followup.store.models import Message
from followup.store.wecom_models import WecomUser
from followup.talk import links
from followup.talk.inbox import Trigger, accept
from followup.web.app import make_app
from tests.fakes.wecom import FakeWecom
from tests.integration.web.web_talk import Talk, make_talk

ACCOUNT = Account("main", "ww0123456789abcdef", "s" * 43, "AAAAA", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", ("wkMain", "wkOther"))
SECRET = "t" * 40


@dataclass
class Firm:
    """Us, the platform, and a customer's phone."""

    database: Database
    account: Account
    fake: FakeWecom
    sender: Sender
    reader: Reader
    server: TestServer
    handed: list[str] = field(default_factory=list)

    async def jobs(self, task: str) -> list[dict[str, str]]:
        async with self.database.session() as session:
            found = await session.scalars(
                text("SELECT args FROM procrastinate_jobs WHERE task_name = :task AND status = 'todo' ORDER BY id"), {"task": task}
            )
            return [dict(args) for args in found]

    async def work(self) -> None:
        """Run the jobs that wait, those for later as well, until there are none."""
        for _ in range(20):
            async with self.database.session() as session:
                jobs = (
                    await session.execute(
                        text("DELETE FROM procrastinate_jobs WHERE task_name IN ('read_wecom', 'send_wecom') AND status = 'todo' RETURNING task_name, args")
                    )
                ).all()
            for task, args in jobs:
                await (self.reader.read(**args) if task == "read_wecom" else self.sender.send(**args))
            if not jobs:
                return
        raise AssertionError("jobs without end")

    async def talk_link(self, talk: Talk, **valid: int) -> str:
        async with self.database.session() as session:
            token = await links.create_link(session, talk.case_id, valid_for=timedelta(**(valid or {"days": 7})), purpose=PURPOSE)
        return SCENE + token

    async def rows(self, **where: object) -> list[Message]:
        async with self.database.session() as session:
            return list(await session.scalars(select(Message).filter_by(**where).order_by(Message.id)))

    async def heard(self) -> list[str]:
        return [row.text for row in await self.rows(direction="in")]

    async def user(self, who: str = "wmOne") -> WecomUser:
        async with self.database.session() as session:
            return (await session.scalars(select(WecomUser).filter_by(external_userid=who))).one()

    async def answer(self, *texts: str, choices: tuple[str, ...] = (), who: str = "wmOne") -> None:
        """What a turn does: the lines of the talk's customer."""
        case_id = (await self.user(who)).case_id
        async with self.database.session() as session:
            last = max((row.id for row in await self.rows(case_id=case_id)), default=0)
            for number, said in enumerate(texts, 1):
                session.add(
                    Message(
                        case_id=case_id, direction="out", channel=self.account.channel, channel_message_id=f"{last}-{number}",
                        text=said, status="queued", quick_replies=list(choices) or None,
                    )
                )  # fmt: skip
                await session.flush()

    async def states(self) -> list[tuple[str, str | None]]:
        return [(row.status, row.error) for row in await self.rows(direction="out")]

    def screen(self, who: str = "wmOne") -> list[str]:
        return self.fake.phone(who).texts()


def begin_with(database: Database) -> Callable[..., Awaitable[str]]:
    async def begin(session, contact_id, channel):
        if contact_id is None:
            contact_id = await records.create_contact(session, name="访客", is_anonymous=True)
        revision = await records.save_revision(session, "ask", "1", {"id": "ask", "variables": {}})
        case_id = await records.create_case(session, contact_id, revision, {})
        await accept(session, case_id, channel, "start", Trigger.START.value, direction="system")
        return case_id

    return begin


@pytest_asyncio.fixture
async def firm(database: Database, tmp_path: Path) -> AsyncIterator[Firm]:
    fake = FakeWecom(ACCOUNT)
    async with TestServer(fake.app()) as platform:
        account = replace(ACCOUNT, api=str(platform.make_url("")).rstrip("/"))
        app = make_app(Settings(home=tmp_path, database_url=database.url, secret=SECRET, wecom=(account,)))
        async with TestServer(app) as server:
            fake.callback = str(server.make_url("/wecom/main"))
            sender = Sender(database, (account,))
            reader = Reader(Wecom((account,), begin_with(database), SECRET), sender)
            yield Firm(database, account, fake, sender, reader, server)
            await sender.close()
            await fake.close()


@pytest_asyncio.fixture
async def talk(database: Database) -> Talk:
    return await make_talk(database)
