"""Where every message enters: stored and scheduled in one transaction, or not accepted at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from psycopg import AsyncConnection
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.store.effects import reopen
from followup.store.messages import OUT_NOTIFICATION
from followup.store.models import Case
from followup.store.records import UnknownCase, is_blocked
from followup.talk.wording import clean_text

TURN_QUEUE = "turns"
TURN_TASK = "run_turn"
UNFINISHED = "unfinished"
"""How the keys of triggers begin that take up a talk whose customer went away before the end (campaigns.unfinished)."""
SYSTEM_CHANNEL = "system"
"""The channel of what we begin ourselves; the replies go to the customer's own."""


class Trigger(StrEnum):
    """What a system row may hold; Rasa reads each as an intent."""

    START = "/start_followup"
    RESUME = "/resume_followup"
    SILENCE = "/silence"


class EmptyMessage(ValueError):
    """Nothing is left of the text once control characters and white space are gone."""


@dataclass(frozen=True)
class Accepted:
    message_id: int
    duplicate: bool
    """The channel delivered this message before; nothing was changed."""


# One statement, one round trip. The case's row is locked first, so that ids rise in the order of the commits and the turn
# never overtakes a message.
#
# Each accepted message defers its own job, with neither `lock` nor `queueing_lock`. A queueing lock would save jobs but
# lose a wake-up: the pending job that makes a second one unnecessary may start, and read the inbox, before this
# transaction commits. A job that finds the case being worked on ends at once (see turn.py), so a spare one costs 1 ms.
_ACCEPT = """
    WITH the_case AS MATERIALIZED (
        SELECT id FROM cases WHERE id = :case_id AND erased_at IS NULL AND {condition} FOR NO KEY UPDATE
    ), message AS (
        INSERT INTO messages (case_id, direction, channel, channel_message_id, text, status, created_at)
        SELECT id, :direction, :channel, :channel_message_id, :text, 'received', :at FROM the_case
        ON CONFLICT (case_id, direction, channel, channel_message_id) DO NOTHING
        RETURNING id
    ), job AS (
        SELECT message.id, procrastinate_defer_jobs_v1(ARRAY[
            ROW(:queue, :task, 0, NULL, NULL, jsonb_build_object('case_id', CAST(:case_id AS text)), NULL)
            ::procrastinate_job_to_defer_v1
        ]) AS job_ids
        FROM message
    ), touched AS (
        UPDATE cases
        SET last_message_at = CASE WHEN :direction = 'in' THEN :at ELSE last_message_at END,
            nudged_at = CASE WHEN :direction = 'in' THEN NULL ELSE nudged_at END
        FROM message
        WHERE cases.id = :case_id
        RETURNING cases.id
    )
    SELECT job.id, FALSE AS duplicate, job.job_ids{more} FROM job
"""
_FIND = """
    SELECT id FROM messages
    WHERE case_id = :case_id AND direction = :direction AND channel = :channel
      AND channel_message_id = :channel_message_id AND {condition}
"""
_ACCEPT_ANY = sql(_ACCEPT.format(condition="TRUE", more=""))
_FIND_ANY = sql(_FIND.format(condition="TRUE"))


@cache
def _said(condition: str) -> bytes:
    """For psycopg, which names parameters in another way than SQLAlchemy."""
    more = f", pg_notify('{OUT_NOTIFICATION}', :case_id)"
    return _NAMED.sub(r"%(\1)s", _ACCEPT.format(condition=condition, more=more)).encode()


@cache
def _said_before(condition: str) -> bytes:
    return _NAMED.sub(r"%(\1)s", _FIND.format(condition=condition)).encode()


_NAMED = re.compile(r"(?<!:):(\w+)")


async def accept(
    session: AsyncSession,
    case_id: str,
    channel: str,
    channel_message_id: str,
    text: str,
    direction: str = "in",
) -> Accepted:
    """Store a message and schedule its turn, in the session's transaction.

    `direction` is `in` for what a customer wrote, `system` for a Trigger. START and RESUME open the case and begin an
    attempt. Acknowledge to the channel only after the transaction is committed. Raises EmptyMessage and UnknownCase.
    """
    if direction == "system":
        text = Trigger(text).value
    elif direction == "in":
        text = clean_text(text)
    else:
        raise ValueError(f"direction {direction!r} is not accepted")
    if not text:
        raise EmptyMessage
    key = {
        "case_id": case_id,
        "direction": direction,
        "channel": channel,
        "channel_message_id": channel_message_id,
    }
    row = (
        await session.execute(_ACCEPT_ANY, {**key, "text": text, "at": clock.now(), "queue": TURN_QUEUE, "task": TURN_TASK})
    ).one_or_none()
    if row is not None:
        if text in (Trigger.START, Trigger.RESUME) and direction == "system":
            await _open(session, case_id, channel, channel_message_id)
        return Accepted(row.id, duplicate=False)
    known = await session.scalar(_FIND_ANY, key)
    if known is None:
        raise UnknownCase(case_id)
    return Accepted(known, duplicate=True)


async def accept_said(
    connection: AsyncConnection, case_id: str, channel: str, channel_message_id: str, text: str, *, if_true: str = "TRUE", **given: object
) -> Accepted:
    """What `accept` does with a customer's line, in one round trip, and tell the pages that show the talk.

    `connection` is in autocommit: the line is stored when this returns. `if_true` is a condition in SQL, of `given` and
    `case_id`, under which the line is taken. Raises EmptyMessage, and UnknownCase also where the condition does not hold.
    """
    text = clean_text(text)
    if not text:
        raise EmptyMessage
    key = {"case_id": case_id, "direction": "in", "channel": channel, "channel_message_id": channel_message_id, **given}
    said = {**key, "text": text, "at": clock.now(), "queue": TURN_QUEUE, "task": TURN_TASK}
    row = await (await connection.execute(_said(if_true), said)).fetchone()
    if row is not None:
        return Accepted(row[0], duplicate=False)
    row = await (await connection.execute(_said_before(if_true), key)).fetchone()
    if row is None:
        raise UnknownCase(case_id)
    return Accepted(row[0], duplicate=True)


async def accept_trigger(session: AsyncSession, case_id: str, trigger: Trigger, key: str) -> Accepted:
    """Begin something ourselves; `key` makes asking for it twice harmless (`callback-7`, `silence-81`).

    Unlike a trigger that a customer sets off through a channel (by opening the link), its turn is not held any more once
    the customer is on the do-not-contact list.
    """
    return await accept(session, case_id, SYSTEM_CHANNEL, key, trigger.value, direction="system")


async def _open(session: AsyncSession, case_id: str, channel: str, key: str) -> None:
    """Open the case and begin an attempt; nothing of it for a customer on the do-not-contact list."""
    case = await session.get_one(Case, case_id, populate_existing=True)
    if await is_blocked(session, case.contact_id):
        return
    reason = "return"
    if channel == SYSTEM_CHANNEL:
        reason = UNFINISHED if key.startswith(UNFINISHED) else "callback"
    await reopen(session, case, clock.now(), reason=reason, channel="web" if channel == SYSTEM_CHANNEL else channel)
    await session.flush()
