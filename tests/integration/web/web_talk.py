"""A talk to hold through the web application, and what a turn would do to its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text

from followup import clock
from followup.store import records
from followup.store.database import Database
from followup.store.models import Case, Message
from followup.talk import links


@dataclass
class Talk:
    """A case with a link, and what a turn would do to its rows."""

    database: Database
    case_id: str
    token: str

    async def rows(self, direction: str) -> list[Message]:
        async with self.database.session() as session:
            return list(
                await session.scalars(
                    select(Message)
                    .where(Message.case_id == self.case_id, Message.direction == direction)
                    .order_by(Message.id)
                )
            )

    async def say(self, words: str, *quick_replies: str) -> int:
        """A line of the bot's, as a turn writes it."""
        async with self.database.session() as session:
            row = Message(
                case_id=self.case_id,
                direction="out",
                channel="web",
                channel_message_id=f"out-{words}",
                text=words,
                status="queued",
                quick_replies=list(quick_replies) or None,
                created_at=clock.now(),
            )
            session.add(row)
            await session.flush()
            await session.execute(text("SELECT pg_notify('followup_out', :case)"), {"case": self.case_id})
            return row.id

    async def set_case(self, **values) -> None:
        async with self.database.session() as session:
            case = await session.get_one(Case, self.case_id)
            for name, value in values.items():
                setattr(case, name, value)

    async def revoke(self) -> None:
        async with self.database.session() as session:
            await links.revoke_links(session, self.case_id)


async def make_talk(database: Database, valid_for: timedelta = timedelta(days=7)) -> Talk:
    async with database.session() as session:
        contact = await records.create_contact(session, name="王强", title="先生", phone="13800000001")
        revision = await records.save_revision(session, "demo", "1", {"id": "demo", "variables": {}})
        case_id = await records.create_case(session, contact, revision, {"company": "演示金融", "product": "车贷"})
        return Talk(database, case_id, await links.create_link(session, case_id, valid_for=valid_for))
