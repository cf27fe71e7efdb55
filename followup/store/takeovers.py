"""A colleague speaks instead of the bot 人工接管: the only SQL for it that others need.

What a colleague writes is an `out` row of `messages` with a row in `staff_messages`. The name the customer reads stands
with the message itself, in `acts`: `[{"speaker": name}]`, because a person may choose another name the next time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Exists, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup.store.models import Message, User
from followup.store.staff_models import TakeOver

NOTICE = "take-over-"
"""`channel_message_id` of the line that tells the customer who speaks now: this and the take-over's id."""


SHOWN_NAME = f"""(
    SELECT coalesce((
        SELECT nullif(acts -> 0 ->> 'joined', '') FROM messages
        WHERE case_id = %(case_id)s AND direction = 'out' AND channel_message_id = concat('{NOTICE}', take_overs.id)
        LIMIT 1
    ), users.name)
    FROM take_overs JOIN users ON users.id = take_overs.user_id
    WHERE take_overs.case_id = %(case_id)s AND take_overs.ended_at IS NULL
    LIMIT 1
)"""
"""`Standing.shown` as a part of a statement of psycopg's; NULL when the bot speaks."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A take-over that has not ended."""

    id: int
    case_id: str
    user_id: int
    account: str
    shown: str
    """The name the customer reads."""
    begun_at: datetime


def is_taken(case_id: ColumnElement[str] | Any) -> Exists:
    """SQL: a colleague speaks in this case now."""
    return exists().where(TakeOver.case_id == case_id, TakeOver.ended_at.is_(None))


def said_by(name: str) -> list[dict[str, str]]:
    """What stands in `acts` of an outgoing line under a person's name."""
    return [{"speaker": name}]


def speaker_of(direction: str, acts: Sequence[Any] | None) -> str | None:
    """Under which name the line was said; None for the assistant's and the customer's."""
    if direction != "out" or not acts or not isinstance(acts[0], dict):
        return None
    name = acts[0].get("speaker")
    return name if isinstance(name, str) else None


async def standing(session: AsyncSession, case_id: str) -> Standing | None:
    """Who speaks in this talk instead of the bot; None when the bot does."""
    is_notice = Message.channel_message_id == func.concat(NOTICE, TakeOver.id)
    notice = select(Message.acts).where(Message.case_id == case_id, Message.direction == "out", is_notice).limit(1).scalar_subquery()
    row = (
        await session.execute(
            select(TakeOver, User.name, notice.label("notice"))
            .join(User, User.id == TakeOver.user_id)
            .where(TakeOver.case_id == case_id, TakeOver.ended_at.is_(None))
        )
    ).first()
    if row is None:
        return None
    take_over, account, acts = row
    shown = str(acts[0].get("joined") or account) if acts else account
    return Standing(take_over.id, case_id, take_over.user_id, account, shown, take_over.begun_at)


async def name_shown_before(session: AsyncSession, user_id: int) -> str | None:
    """The name this person chose the last time."""
    acts = await session.scalar(
        select(Message.acts)
        .join(TakeOver, Message.channel_message_id == func.concat(NOTICE, TakeOver.id))
        .where(Message.case_id == TakeOver.case_id, Message.direction == "out", TakeOver.user_id == user_id)
        .order_by(TakeOver.id.desc())
        .limit(1)
    )
    return str(acts[0]["joined"]) if acts and acts[0].get("joined") else None
