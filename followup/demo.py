"""Demo customers: one for each script, so that a fresh installation has a talk to open. Marked as demo in the records."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.scripts import load
from followup.scripts.model import Script
from followup.store import records
from followup.store.database import Database
from followup.store.models import Case, Contact
from followup.store.published import refresh
from followup.talk.links import create_link

_LINK_DAYS = 30
# Surnames and titles only: nobody real is meant.
_CUSTOMERS = (("王", "女士"), ("李", "先生"), ("张", "女士"), ("刘", "先生"), ("陈", "女士"), ("赵", "先生"))


@dataclass(frozen=True, slots=True)
class DemoTalk:
    """A talk that waits for its customer; `token` opens it."""

    script_name: str
    customer: str
    token: str


async def prepare_demo(database_url: str) -> list[DemoTalk]:
    """An open demo case for every script, and a new link to each (only hashes are stored, so old ones cannot be shown).

    A case that came to its end, or whose script was rewritten before anybody opened it, gets a successor.
    """
    database = Database(database_url, pool_size=1)
    try:
        async with database.session() as session:
            await refresh(session)
            return [
                await _talk(session, script, _CUSTOMERS[number % len(_CUSTOMERS)])
                for number, script in enumerate(script for script in load.load_all() if not script.customer_led)
            ]
    finally:
        await database.close()


async def _talk(session: AsyncSession, script: Script, customer: tuple[str, str]) -> DemoTalk:
    revision_id = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
    case_id = await _open_case(session, script.id, revision_id)
    if case_id is None:
        contact_id = await _contact(session, script.id, customer)
        case_id = await records.create_case(
            session, contact_id, revision_id, script.demo_variables(), is_demo=True
        )
    token = await create_link(session, case_id, valid_for=timedelta(days=_LINK_DAYS))
    return DemoTalk(script.name, "".join(customer), token)


async def _open_case(session: AsyncSession, script_id: str, revision_id: int) -> str | None:
    case = await session.scalar(
        select(Case).where(Case.is_demo, Case.script_id == script_id).order_by(Case.created_at.desc()).limit(1)
    )
    if case is None or case.status == "closed" or await records.is_blocked(session, case.contact_id):
        return None
    return case.id if case.status != "new" or case.revision_id == revision_id else None


async def _contact(session: AsyncSession, script_id: str, customer: tuple[str, str]) -> int:
    """The script's demo customer; a new one when the old one asked not to be contacted any more."""
    known = await session.scalars(
        select(Contact)
        .where(Contact.is_demo, Contact.fields["script"].astext == script_id)
        .order_by(Contact.id.desc())
    )
    for contact in known:
        if not await records.is_blocked(session, contact.id):
            return contact.id
    name, title = customer
    return await records.create_contact(
        session, name=name, title=title, fields={"script": script_id, "备注": "演示客户"}, is_demo=True
    )
