"""One turn at a time: take what a customer wrote to Rasa, and what Rasa said to the outbox.

Whatever is killed whenever, a message is answered once:

- before Rasa stored its turn: the turn is asked again, from the state before it. What its actions wrote the first time
  is written again under the same keys (followup.store.effects);
- after Rasa stored it: the replies are read from Rasa's events, and Rasa is not asked again;
- after the replies were written: the row is no longer `received`, and nobody looks at it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import sqlalchemy.exc
from psycopg import AsyncConnection, InterfaceError, OperationalError

from followup import clock
from followup.dialogue.handed_back import How
from followup.store import messages
from followup.store.database import Database, psycopgs
from followup.store.messages import Waiting
from followup.store.records import load_case
from followup.store.stored_turn import Reply, fault_of, replies_of, understanding_of
from followup.supervise.discreet_logging import about
from followup.talk.inbox import SYSTEM_CHANNEL, Trigger
from followup.talk.rasa_client import RasaUnavailable
from followup.talk.wording import for_rasa

_log = logging.getLogger(__name__)
_ZONE = ZoneInfo("Asia/Shanghai")


class Rasa(Protocol):
    """What a turn needs of Rasa."""

    async def post(self, sender: str, text: str, metadata: dict[str, object]) -> None: ...


class TurnFailed(Exception):
    """The turn was not held; the message still waits and the job is to be tried again. Holds no customer's words."""


@dataclass(frozen=True)
class Patience:
    """When a message is given up: visibly, with an apology and a note for a colleague."""

    tries: int = 5
    time: timedelta = timedelta(minutes=10)


async def drain(database: Database, rasa: Rasa, case_id: str, *, apology: str, patience: Patience = Patience()) -> int:
    """Hold a turn for every message that waits, in order. Returns how many were handled or given up here.

    When another process is at this conversation, returns 0 at once: that process looks again after it has let go of
    the conversation, so a message that was committed before this call is never left behind.
    Raises TurnFailed when a turn did not succeed and is worth another try.
    """
    with about(talk=case_id):
        return await _drained(database, rasa, case_id, apology, patience)


async def _drained(database: Database, rasa: Rasa, case_id: str, apology: str, patience: Patience) -> int:
    done = 0
    # For the conversation's lock, and for the statements of a turn: each is a transaction by itself.
    async with database.straight() as connection:
        while True:
            async with _conversation(connection, case_id) as ours:
                if not ours:
                    return done
                waiting = await messages.next_received(connection, case_id)
                while waiting is not None:
                    with about(message=waiting.id):
                        waiting = await _hold(database, connection, rasa, waiting, apology, patience)
                    done += 1
            if not await messages.still_received(connection, case_id):
                return done


async def _hold(
    database: Database, connection: AsyncConnection, rasa: Rasa, waiting: Waiting, apology: str, patience: Patience
) -> Waiting | None:
    """Hold the turn or give it up; returns what waits after it, read where its end is written."""
    if reason := _to_a_colleague(waiting) or await _needless(database, waiting):
        return (await messages.finish(connection, waiting, [], clock.now(), error=reason)).next
    try:
        trouble = None if waiting.stored else await _asked(rasa, waiting)
        events = await messages.stored_turn(connection, waiting.case_id, waiting.id)
        if not events:
            raise TurnFailed(trouble or "the turn was not stored")
        if fault := fault_of(events):
            raise TurnFailed(fault)
        read = understanding_of(events)
        return (await messages.finish(connection, waiting, replies_of(events), clock.now(), understanding=read)).next
    except (OperationalError, InterfaceError, sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError):
        raise  # the database is away: there is nothing to count it in
    except Exception as error:
        # Whatever it is, also what nobody thought of: it must not hold the conversation up for ever.
        failure = error if isinstance(error, TurnFailed) else TurnFailed(type(error).__name__)
        if not await _given_up(database, waiting, failure, apology, patience):
            raise failure from error
        return await messages.next_received(connection, waiting.case_id)


async def _asked(rasa: Rasa, waiting: Waiting) -> str | None:
    """Rasa holds the turn; why it did not, if it says so. Whether it did is for the store to say."""
    try:
        await rasa.post(waiting.case_id, _text_of(waiting), _metadata(waiting))
    except RasaUnavailable as error:
        return f"Rasa: {error}"
    return None


async def _given_up(
    database: Database, waiting: Waiting, failure: TurnFailed, apology: str, patience: Patience
) -> bool:
    async with database.session() as session:
        tries, failing_for = await messages.count_failure(session, waiting.id, str(failure))
        if tries < patience.tries or failing_for < patience.time:
            _log.warning("the turn failed, try %s: %s", tries, failure)
            return False
        _log.error("given up after %s tries: %s", tries, failure)
        at = clock.now()
        said = [Reply(apology)] if waiting.direction == "in" else []
        await messages.finish(await psycopgs(session), waiting, said, at, status="failed", error=str(failure))
        await messages.note_failure(session, waiting, at)
        return True


def _to_a_colleague(waiting: Waiting) -> str | None:
    """Why the bot does not hear this: a colleague speaks. The opening is held whoever speaks, or no turn could follow it;
    and what Rasa had heard before the colleague came is still answered."""
    if not waiting.taken or waiting.direction == "system" and waiting.text == Trigger.START:
        return None
    return None if waiting.stored else messages.TO_A_COLLEAGUE


async def _needless(database: Database, waiting: Waiting) -> str | None:
    """Why what we began must not, or need not, run any more. What a customer wrote or opened is always answered."""
    if waiting.channel != SYSTEM_CHANNEL:
        return None
    async with database.session() as session:
        case = await load_case(session, waiting.case_id)
        if case.do_not_contact and How.of_key(waiting.key) is None:  # Rasa must know that a colleague ended the talk
            return "suppressed: do not contact"
        if waiting.text == Trigger.SILENCE:
            if case.status != "open":
                # Unless it is this very turn that ended it, and a kill came before Rasa stored it: the good-bye is still to be said.
                return None if case.ended_at == waiting.created_at else "suppressed: the talk has ended"
            if await messages.has_received(session, waiting.case_id, after=waiting.id, direction="in"):
                return "suppressed: the customer is speaking"
    return None


def _text_of(waiting: Waiting) -> str:
    return waiting.text if waiting.direction == "system" else for_rasa(waiting.text)


def _metadata(waiting: Waiting) -> dict[str, object]:
    how = How.of_key(waiting.key) if waiting.channel == SYSTEM_CHANNEL else None
    return {
        **({"colleague": how.value} if how else {}),
        "case_id": waiting.case_id,
        "message_id": waiting.id,
        "received_at": waiting.created_at.astimezone(_ZONE).isoformat(),
        "direction": waiting.direction,
    }


def lock_key(case_id: str) -> str:
    """The name of a conversation's advisory lock, for hashtextextended."""
    return f"turn:{case_id}"


_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%(key)s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%(key)s, 0))"


@asynccontextmanager
async def _conversation(connection: AsyncConnection, case_id: str) -> AsyncIterator[bool]:
    """The conversation's advisory lock; yields False when another connection has it.

    It belongs to the connection: PostgreSQL lets go of it when the process is killed.
    """
    key = {"key": lock_key(case_id)}
    row = await (await connection.execute(_TRY_LOCK, key)).fetchone()
    ours = bool(row and row[0])
    try:
        yield ours
    finally:
        if ours:
            await _let_go(connection, key)


async def _let_go(connection: AsyncConnection, key: dict[str, str]) -> None:
    try:
        await connection.execute(_UNLOCK, key)
    except BaseException:
        # Cancelled or cut off half-way: close the connection, or it would be handed on with the lock.
        await connection.close()
        raise
