"""Customers' lines in a comparison, as whoever reads it may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.models.report import Flip
from followup.console.transcripts.masking import Mask, is_personal
from followup.store.models import Case, Contact, Message


@dataclass(frozen=True, slots=True)
class Shown:
    """A line that flips, with the talk it was said in; no talk: it is a frozen sentence, or was erased."""

    flip: Flip
    case_id: str


async def shown(session: AsyncSession, flips: Sequence[Flip], *, personal: bool) -> list[Shown]:
    """The lines of one page; `personal` False: names, numbers and addresses masked."""
    ids = [one.message_id for one in flips if one.message_id is not None]
    rows = (
        select(Message.id, Message.case_id, Contact.name, Contact.phone, Contact.fields, Case.variables)
        .join(Case, Case.id == Message.case_id)
        .join(Contact, Contact.id == Case.contact_id)
        .where(Message.id.in_(ids))
    )
    talks = {row.id: row for row in await session.execute(rows)} if ids else {}
    found = []
    for one in flips:
        talk = talks.get(one.message_id)
        if talk is not None and not personal:
            own = [value for part in (talk.fields, talk.variables) for key, value in part.items() if is_personal(key)]
            one = replace(one, text=Mask([word for word in (talk.name, talk.phone, *own) if isinstance(word, str)])(one.text))
        found.append(Shown(one, talk.case_id if talk is not None else ""))
    return found
