"""A trainer's work at the inbox: taking a group, deciding about its lines. For the console:

    desk = await take(session, staff, message_id | None, now)   # None: the first group that is free; it is the trainer's for 10 minutes
    await decide(session, staff, ids, Decision(...), now)       # Refused when a colleague has or had one of them
    await undo(session, staff, change_id)

Both happen under one advisory lock, so that two trainers never have the same line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.audit import audit
from followup.console.permissions import Staff
from followup.store.inbox_models import DECISIONS, InboxClaim, TrainingDecision
from followup.store.models import User
from followup.store.staff_models import Annotation
from followup.store.training_models import ExampleChange
from followup.training.inbox_groups import Group

CLAIMED_FOR = timedelta(minutes=10)
MOST_LINES = 40
"""Of a group that one decision is about; the rest comes afterwards."""
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('trainers_inbox', 0))")


class Taken(Exception):
    """A colleague has the group, or it was decided about. `who` is empty when it was decided."""

    def __init__(self, who: str = "", until: datetime | None = None) -> None:
        super().__init__(who)
        self.who, self.until = who, until


@dataclass(frozen=True, slots=True)
class Decision:
    """`texts`: message id -> the wording that becomes an example, for an `intent` decision."""

    kind: str
    intent: str = ""
    comment: str = ""
    texts: Mapping[int, str] = field(default_factory=dict)


async def held_by_others(session: AsyncSession, staff: Staff, now: datetime) -> dict[int, tuple[str, datetime]]:
    """Message id -> (colleague, until)."""
    rows = await session.execute(
        select(InboxClaim.message_id, User.name, InboxClaim.until)
        .join(User, User.id == InboxClaim.user_id)
        .where(InboxClaim.until > now, InboxClaim.user_id != staff.id)
    )
    return {number: (name, until) for number, name, until in rows}


async def take(session: AsyncSession, staff: Staff, found: Sequence[Group], message_id: int | None, now: datetime) -> tuple[int, ...]:
    """The lines of the group of `message_id` (None: of the first that nobody has), which are the trainer's from now on.

    What the trainer had before is given back. Raises Taken; an empty result: there is no free group.
    """
    await session.execute(_LOCK)
    held = await held_by_others(session, staff, now)
    decided = set(await session.scalars(select(TrainingDecision.message_id).where(TrainingDecision.message_id.in_([n for g in found for n in g.ids]))))
    for group in found:
        if message_id is not None and message_id not in group.ids:
            continue
        other = next((held[number] for number in group.ids if number in held), None)
        ids = tuple(number for number in group.ids if number not in decided)[:MOST_LINES]
        if other is not None or not ids:
            if message_id is not None:
                raise Taken(*(other or ()))
            continue
        await session.execute(delete(InboxClaim).where((InboxClaim.user_id == staff.id) | (InboxClaim.until <= now)))
        # The whole group, not only what is shown of it: nobody else shall have its rest meanwhile.
        rows = [{"message_id": number, "user_id": staff.id, "until": now + CLAIMED_FOR} for number in group.ids if number not in decided]
        await session.execute(insert(InboxClaim), rows)
        return ids
    if message_id is not None:
        raise Taken
    return ()


async def decide(session: AsyncSession, staff: Staff, ids: Sequence[int], decision: Decision, now: datetime) -> list[int]:
    """Write what was decided about the lines; returns the numbers of the changes that came of it. Raises Taken."""
    if decision.kind not in DECISIONS:
        raise ValueError(decision.kind)
    await session.execute(_LOCK)
    held = await held_by_others(session, staff, now)
    if other := next((held[number] for number in ids if number in held), None):
        raise Taken(*other)
    if await session.scalar(select(func.count()).select_from(TrainingDecision).where(TrainingDecision.message_id.in_(ids))):
        raise Taken
    changes: dict[str, int] = {}
    for number in ids:
        wording = decision.texts.get(number, "")
        if decision.kind == "intent" and wording and wording not in changes:
            change = ExampleChange(at=now, by_user_id=staff.id, kind="add", text=wording, intent=decision.intent, message_id=number)
            session.add(change)
            await session.flush()
            changes[wording] = change.id
        session.add(
            TrainingDecision(
                message_id=number, decision=decision.kind, intent=decision.intent, comment=decision.comment,
                change_id=changes.get(wording), by_user_id=staff.id, at=now,
            )  # fmt: skip
        )
    await session.execute(delete(InboxClaim).where(InboxClaim.user_id == staff.id))
    status = "ignored" if decision.kind == "ignored" else "taken"
    await session.execute(update(Annotation).where(Annotation.message_id.in_(ids), Annotation.status == "new").values(status=status))
    await audit(session, staff, "training.decide", "message", ids[0], result=decision.kind, after=decision.intent, rows=len(ids), reason=decision.comment)
    return list(changes.values())


async def back_to_the_inbox(session: AsyncSession, change_id: int) -> None:
    """The lines that a withdrawn change came from are to be decided about again."""
    numbers = list(await session.scalars(delete(TrainingDecision).where(TrainingDecision.change_id == change_id).returning(TrainingDecision.message_id)))
    if numbers:
        await session.execute(update(Annotation).where(Annotation.message_id.in_(numbers), Annotation.status == "taken").values(status="new"))


async def undo_decision(session: AsyncSession, staff: Staff, message_id: int) -> bool:
    """Take a decision without an example (not covered, wrong step, ignored) back; False when there is none."""
    row = await session.get(TrainingDecision, message_id, with_for_update=True)
    if row is None or row.change_id is not None:
        return False
    await session.delete(row)
    await session.execute(update(Annotation).where(Annotation.message_id == message_id, Annotation.status != "new").values(status="new"))
    await audit(session, staff, "training.undo", "message", message_id, before=row.decision)
    return True
