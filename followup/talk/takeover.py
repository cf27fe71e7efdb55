"""A colleague speaks instead of the bot: beginning, writing, handing back, closing, running out.

The bot and a colleague never speak at once. Beginning and ending take the conversation's advisory lock, the one a turn
holds (followup.talk.turn), for the length of one transaction: a turn under way is waited for, and the next one sees who
speaks. While a colleague does, a customer's message is stored as ever, and its turn only marks it handled.

Ending tells Rasa by a RESUME trigger in the same transaction, whose key says how it ended: the bot goes on at the open
question, or knows that the talk is over. What the customer wrote to the colleague never reaches Rasa.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.dialogue.effects import BookCallback, Effect, Outcome, RaiseTicket, SetOutcome, StopContact
from followup.dialogue.handed_back import How, next_hour_of_staff
from followup.scripts import load
from followup.scripts.model import DEPARTMENT
from followup.settings import SHANGHAI
from followup.store import messages, records
from followup.store.database import Database
from followup.store.effects import reopen
from followup.store.messages import OUT_NOTIFICATION, TO_A_COLLEAGUE
from followup.store.models import Case, Message, ScriptRevision
from followup.store.staff_models import StaffMessage, TakeOver
from followup.store.takeovers import NOTICE, Standing, said_by, standing
from followup.talk.inbox import TURN_QUEUE, TURN_TASK, Trigger, accept_trigger
from followup.talk.turn import lock_key
from followup.talk.wording import clean_text

_log = logging.getLogger(__name__)

WAIT_FOR_TURN = 8.0
"""Seconds. A turn takes far less; what takes longer fails, and lets go between its tries."""
_LOOK_EVERY = 0.1
HEARD_LATELY = timedelta(hours=24)
"""A talk that is over is taken over only while the customer may still be looking at it."""
LONGEST_NAME = 12
LONGEST_LINE = 2000
IDLE_TIMES = 6
"""A colleague who says nothing though nobody waits is away after so many times the patience of a waiting customer."""


class NotPossible(Exception):
    """Nothing was changed. `key`: which sentence of the console's `live_errors` says why; `who`: the colleague it names."""

    def __init__(self, key: str, who: str = "") -> None:
        super().__init__(key)
        self.key = key
        self.who = who


@dataclass(frozen=True, slots=True)
class Written:
    message_id: int
    duplicate: bool


@asynccontextmanager
async def quiet(database: Database, case_id: str, *, wait: float = WAIT_FOR_TURN) -> AsyncIterator[AsyncSession]:
    """A transaction in which no turn of the talk runs. Raises NotPossible("turn_runs") when one does for too long.

    A turn's job that came meanwhile went away without a word, so afterwards somebody has to look again.
    """
    deadline = asyncio.get_running_loop().time() + wait
    while True:
        async with database.session() as session:
            if await session.scalar(_TRY_LOCK, {"key": lock_key(case_id)}):
                yield session
                break
        if asyncio.get_running_loop().time() >= deadline:
            raise NotPossible("turn_runs")
        await asyncio.sleep(_LOOK_EVERY)
    async with database.session() as session:
        if await messages.has_received(session, case_id):
            await session.execute(_DEFER, {"queue": TURN_QUEUE, "task": TURN_TASK, "case_id": case_id})


_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
_DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(:queue, :task, 0, NULL, NULL, jsonb_build_object('case_id', CAST(:case_id AS text)), NULL)
        ::procrastinate_job_to_defer_v1
    ])
    """
)


async def begin(session: AsyncSession, case_id: str, user_id: int, name: str) -> Standing:
    """Speak instead of the bot, in a session of `quiet`. The customer reads who it is.

    Taking what one already has changes nothing. Raises NotPossible, also when a colleague has it.
    """
    case = await _case(session, case_id)
    name = clean_text(name)[:LONGEST_NAME]
    if not name:
        raise NotPossible("no_name")
    if (now := await standing(session, case_id)) is not None:
        if now.user_id == user_id:
            return now
        raise NotPossible("taken", now.account)
    await _check(session, case)
    at = clock.now()
    channel = await messages.customers_channel(session, case_id)
    if case.status != "open":
        await reopen(session, case, at, reason="colleague", channel=channel)
    case.nudged_at = None
    take_over_id = await session.scalar(
        insert(TakeOver)
        .values(case_id=case_id, user_id=user_id, begun_at=at)
        .on_conflict_do_nothing(index_elements=["case_id"], index_where=TakeOver.ended_at.is_(None))
        .returning(TakeOver.id)
    )
    if take_over_id is None:  # cannot be, under the lock and the row's
        raise NotPossible("taken")
    words = await _handover_words(session, case)
    session.add(
        Message(
            case_id=case_id,
            direction="out",
            channel=channel,
            channel_message_id=f"{NOTICE}{take_over_id}",
            text=words["joined"].replace("{colleague}", name),
            status="queued",
            acts=[{"joined": name}],
            in_reply_to=await _last_heard(session, case_id),
            created_at=at,
        )
    )
    case.last_message_at = at
    await _tell(session, case_id)
    now = await standing(session, case_id)
    assert now is not None
    return now


async def say(
    session: AsyncSession, case_id: str, user_id: int, said: str, key: str, forbidden: Sequence[str] = ()
) -> Written:
    """A colleague's line. `key`, unique to it, makes sending it twice harmless. Raises NotPossible."""
    case = await _case(session, case_id)
    said = clean_text(said)
    if not said:
        raise NotPossible("nothing_said")
    if len(said) > LONGEST_LINE:
        raise NotPossible("too_long")
    channel_key = f"staff-{user_id}-{key}"
    known = await session.scalar(
        select(Message.id).where(
            Message.case_id == case_id, Message.direction == "out", Message.channel_message_id == channel_key
        )
    )
    if known is not None:
        return Written(known, duplicate=True)
    now = await _own(session, case_id, user_id)
    at = clock.now()
    line = Message(
        case_id=case_id,
        direction="out",
        channel=await messages.customers_channel(session, case_id),
        channel_message_id=channel_key,
        text=said,
        status="queued",
        acts=said_by(now.shown),
        in_reply_to=await _last_heard(session, case_id),
        created_at=at,
    )
    session.add(line)
    await session.flush()
    session.add(StaffMessage(message_id=line.id, user_id=user_id, forbidden=list(forbidden)))
    case.last_message_at, case.nudged_at = at, None
    await _tell(session, case_id)
    return Written(line.id, duplicate=False)


async def hand_back(session: AsyncSession, case_id: str, user_id: int | None) -> Standing:
    """The bot goes on; in a session of `quiet`. `user_id` None: somebody who may end anybody's. Raises NotPossible."""
    await _case(session, case_id)
    now = await _own(session, case_id, user_id)
    await _end(session, now, How.HANDED_BACK)
    return now


async def close(
    session: AsyncSession, case_id: str, user_id: int, outcome: Outcome, reason: str, at_time: datetime | None = None
) -> Standing:
    """The talk is over, with what it came to; in a session of `quiet`. `at_time`: when an appointment is. Raises NotPossible."""
    await _case(session, case_id)
    now = await _own(session, case_id, user_id)
    at = clock.now()
    if outcome is Outcome.APPOINTED and (at_time is None or at_time <= at):
        raise NotPossible("no_time")
    trigger = await _end(session, now, How.CLOSED)
    await records.apply(session, case_id, trigger, _effects_of(outcome, reason, at_time), at)
    return now


def _effects_of(outcome: Outcome, reason: str, at_time: datetime | None) -> list[Effect]:
    ended = SetOutcome(outcome, reason)
    match outcome:
        case Outcome.DO_NOT_CONTACT:
            return [StopContact(reason), ended]
        case Outcome.COMPLAINED:
            return [RaiseTicket("complaint", "complaint", 2, DEPARTMENT, reason), ended]
        case Outcome.APPOINTED:
            # A colleague keeps it, so the talk must not wait for the bot to go on with it.
            return [BookCallback(at_time, "request_human", reason, confirmed=True), SetOutcome(Outcome.HANDED_OVER, reason)]
    return [ended]


async def expire(database: Database, at: datetime, patience: timedelta) -> int:
    """End the take-overs whose colleague is away: `patience` without a line while the customer waits. Returns how many.

    The bot says so, a colleague's call is booked, and the bot goes on where it can.
    """
    async with database.session() as session:
        away = [row.case_id for row in await session.execute(_AWAY, _away_terms(at, patience))]
    ended = 0
    for case_id in away:
        try:
            async with quiet(database, case_id, wait=0) as session:
                ended += await _expire_one(session, case_id, at, patience)
        except NotPossible:
            continue  # a turn runs: the next minute is early enough
        except Exception:  # one that fails must not keep the others waiting
            _log.exception("a take-over could not be ended")
    return ended


async def _expire_one(session: AsyncSession, case_id: str, at: datetime, patience: timedelta) -> bool:
    case = await _case(session, case_id)
    row = (await session.execute(_AWAY_ONE, {**_away_terms(at, patience), "case_id": case_id})).first()
    now = await standing(session, case_id)
    if row is None or now is None:
        return False  # the colleague wrote, or left, a moment ago
    trigger = await _end(session, now, How.EXPIRED if row.waiting_since else How.LEFT)
    if row.waiting_since:
        words = await _handover_words(session, case)
        booked = next_hour_of_staff(words["hours"], at.astimezone(SHANGHAI))
        heard = await _last_heard(session, case_id)
        said = await session.scalar(select(Message.text).where(Message.id == heard)) or ""
        when = None if booked <= at else booked
        await records.apply(session, case_id, trigger, [BookCallback(when, "request_human", said[:200])], at)
    return True


async def _end(session: AsyncSession, now: Standing, how: How) -> int:
    """End it and tell Rasa; returns the trigger's id, under which the end's effects are written."""
    at = clock.now()
    # The trigger opens the case, so it comes before whatever outcome the case gets; and what the customer wrote until
    # this moment was written to the colleague, though its turn may not have come yet.
    await session.execute(
        update(Message)
        .where(Message.case_id == now.case_id, Message.direction == "in", Message.status == "received")
        .values(status="handled", error=TO_A_COLLEAGUE, handled_at=at)
    )
    await session.execute(
        update(TakeOver).where(TakeOver.id == now.id).values(ended_at=at, how_ended=_HOW_ENDED[how])
    )
    trigger = await accept_trigger(session, now.case_id, Trigger.RESUME, how.key(now.id))
    await _tell(session, now.case_id)
    return trigger.message_id


_HOW_ENDED = {How.HANDED_BACK: "handed_back", How.CLOSED: "closed", How.EXPIRED: "expired", How.LEFT: "expired"}


async def _case(session: AsyncSession, case_id: str) -> Case:
    """The case, locked as the inbox locks it. Raises UnknownCase."""
    case = await session.scalar(
        select(Case).where(Case.id == case_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if case is None:
        raise records.UnknownCase(case_id)
    return case


async def _own(session: AsyncSession, case_id: str, user_id: int | None) -> Standing:
    now = await standing(session, case_id)
    if now is None:
        raise NotPossible("not_taken")
    if user_id is not None and now.user_id != user_id:
        raise NotPossible("taken", now.account)
    return now


async def _check(session: AsyncSession, case: Case) -> None:
    """Whether the customer is there to be spoken to. Raises NotPossible."""
    if case.status == "new":
        raise NotPossible("not_begun")
    if case.status == "open":
        return
    if await records.is_blocked(session, case.contact_id):
        raise NotPossible("do_not_contact")
    heard_at = await session.scalar(
        select(func.max(Message.created_at)).where(Message.case_id == case.id, Message.direction == "in")
    )
    if heard_at is None or clock.now() - heard_at > HEARD_LATELY:
        raise NotPossible("gone")


async def _last_heard(session: AsyncSession, case_id: str) -> int | None:
    """The customer's last message: what a colleague's line answers."""
    return await session.scalar(
        select(Message.id)
        .where(Message.case_id == case_id, Message.direction == "in")
        .order_by(Message.id.desc())
        .limit(1)
    )


async def _tell(session: AsyncSession, case_id: str) -> None:
    await session.flush()
    await session.execute(select(func.pg_notify(OUT_NOTIFICATION, case_id)))


async def _handover_words(session: AsyncSession, case: Case) -> dict[str, Any]:
    """The sentences about colleagues as the talk's script has them; what an older revision lacks, as they are today."""
    content = await session.scalar(select(ScriptRevision.content["wording"]["handover"]).where(ScriptRevision.id == case.revision_id))
    return {**load.shared_wording()["handover"], **(content if isinstance(content, dict) else {})}


def _away_terms(at: datetime, patience: timedelta) -> dict[str, Any]:
    return {"waited": at - patience, "idle": at - IDLE_TIMES * patience}


# A row for each standing take-over that has run out. `waiting_since`: the customer's first message that nobody answered.
_AWAY_SQL = """
    SELECT case_id, waiting_since FROM (
        SELECT t.case_id, spoke.at AS spoke_at,
               (SELECT min(m.created_at) FROM messages m
                WHERE m.case_id = t.case_id AND m.direction = 'in' AND m.id > spoke.id) AS waiting_since,
               (SELECT max(m.created_at) FROM messages m
                WHERE m.case_id = t.case_id AND m.direction <> 'system') AS last_at
        FROM take_overs t
        CROSS JOIN LATERAL (
            SELECT m.id, m.created_at AS at FROM messages m
            WHERE m.case_id = t.case_id AND m.direction = 'out' AND m.created_at >= t.begun_at
            ORDER BY m.id DESC LIMIT 1
        ) spoke
        WHERE t.ended_at IS NULL
    ) open_ones
    WHERE (waiting_since <= :waited OR last_at <= :idle)
"""
_AWAY = text(_AWAY_SQL)
_AWAY_ONE = text(f"{_AWAY_SQL} AND case_id = :case_id")
