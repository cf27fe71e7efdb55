"""Write the customers of a file down: all of them in the caller's transaction, or none."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from followup.contacts.parse import BadRow, NewContact
from followup.store.records import create_contact, find_contact_by_phone


@dataclass(frozen=True, slots=True)
class Saved:
    """How many were new, and known already; and which contradict what is known."""

    created: int
    updated: int
    bad: tuple[BadRow, ...]


async def save_contacts(session: AsyncSession, contacts: Iterable[NewContact]) -> Saved:
    """Create, or complete the one of the same phone. The file's columns win over older values of the same column."""
    created = updated = 0
    bad: list[BadRow] = []
    for new in contacts:
        known = await find_contact_by_phone(session, new.phone)
        if known is None:
            await create_contact(
                session, name=new.name, title=new.title, phone=new.phone, fields=new.fields
            )
            created += 1
        elif known.name != new.name:
            bad.append(BadRow(new.line, f"电话已登记在“{known.name}”名下，与姓名“{new.name}”不符，请核对。"))
        else:
            known.title = new.title or known.title
            known.fields = {**known.fields, **new.fields}
            updated += 1
    await session.flush()
    return Saved(created, updated, tuple(bad))
