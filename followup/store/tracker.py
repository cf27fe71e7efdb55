"""Rasa's tracker store in our PostgreSQL: `type: followup.store.tracker.TrackerStore` in endpoints.yml.

Differences from Rasa's SQL store, which keeps the same events in the same shape:

- it fails closed: what cannot be loaded, saved or finished abandons the turn (fail_closed.py);
- a turn is stored whole or not at all, and once: `events` holds each message id once for a conversation, and a tracker
  that was overtaken since it was loaded is refused;
- it works beside the event loop, so that one slow query holds up one conversation only;
- a turn loads the last messages and the state before them, not the whole conversation: its cost does not grow with it.

DATABASE_URL comes from the environment.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from typing import Any

import psycopg
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore as RasaTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import Connection, create_engine, select

from followup.store import fail_closed, stored_tracker
from followup.store.database import sqlalchemy_url
from followup.store.models import RasaEvent
from followup.store.straight import look_before_asking
from followup.store.stored_tracker import Loaded
from followup.store.stored_turn import fault_of, message_id_of

# (number of the tracker's events that are stored, id of the last of them)
_Stored = tuple[int, int | None]
_STORED = "_followup_stored"
RECENT = 2
"""Messages whose events a turn loads. Rules look at the turn that is held; the state comes from slots and the form."""


class TrackerConflict(Exception):
    """The conversation went on since this tracker was loaded."""

    def __init__(self) -> None:
        super().__init__("the conversation went on since it was loaded")


class UnfinishedTurn(Exception):
    """The turn must not count. The text is `stored_turn.fault_of`'s, without customers' words."""


class TrackerStore(RasaTrackerStore):
    """Conversations, whole; one is bounded by the length of its script."""

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        **kwargs: Any,
    ) -> None:
        url = host or os.environ.get("DATABASE_URL")
        if not url:
            # Neither ImportError nor AttributeError: Rasa would take those for "use the in-memory store".
            raise RuntimeError("DATABASE_URL is not set")
        # Connects at the first use, by whichever thread uses it. What it stores is durable with the turn's end (Database).
        self.engine = create_engine(
            sqlalchemy_url(url, awaits_disk=False),
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=5,
            hide_parameters=True,
        )
        look_before_asking(self.engine.dialect)
        fail_closed.install()
        super().__init__(domain, event_broker, **kwargs)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The conversation as far as a turn needs it, or None when it has no event yet.

        Raises TurnAbandoned when that cannot be told.
        """
        return await self._retrieve(sender_id, self._load_recent)

    async def retrieve_full_tracker(self, sender_id: str) -> DialogueStateTracker | None:
        """The conversation from its beginning."""
        return await self._retrieve(sender_id, self._load_all)

    async def _retrieve(self, sender_id: str, load: Callable[[str], Loaded]) -> DialogueStateTracker | None:
        try:
            loaded = await asyncio.to_thread(load, sender_id)
            if loaded.last_id is None:
                return None
            tracker = DialogueStateTracker.from_dict(sender_id, loaded.events, self.domain.slots)
        except Exception as error:
            raise fail_closed.abandon("the tracker could not be loaded", error) from error
        _remember(tracker, (len(tracker.events), loaded.last_id))
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store the new events. Raises TurnAbandoned, having stored none, when anything is wrong with them."""
        count, last_id = _recall(tracker)
        try:
            await self.stream_events(tracker)
            new = list(islice(tracker.events, count, None))
            rows = _rows(tracker.sender_id, new)
            if rows:
                last_id = await asyncio.to_thread(self._append, tracker.sender_id, last_id, rows)
        except (UnfinishedTurn, TrackerConflict) as error:
            raise fail_closed.abandon(f"the tracker was not saved: {error}", error) from error
        except Exception as error:
            raise fail_closed.abandon("the tracker could not be saved", error) from error
        _remember(tracker, (count + len(rows), last_id))

    async def keys(self) -> Iterable[str]:
        def load() -> list[str]:
            with self.engine.connect() as connection:
                return list(connection.scalars(select(RasaEvent.sender_id).distinct()))

        return await asyncio.to_thread(load)

    def _load_all(self, sender_id: str) -> Loaded:
        with self._reading() as connection:
            return stored_tracker.load_all(connection, sender_id)

    def _load_recent(self, sender_id: str) -> Loaded:
        with self._reading() as connection:
            return stored_tracker.load_recent(_psycopgs(connection), sender_id, RECENT, [slot.name for slot in self.domain.slots])

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        # Each statement for itself: a transaction's end would cost its round trips, and a rollback the prepared statements.
        with self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def _append(self, sender_id: str, last_id: int | None, rows: list[dict[str, Any]]) -> int:
        columns = {name: [row[name] for row in rows] for name in rows[0] if name != "sender_id"}
        with self.engine.begin() as connection:
            driver = _psycopgs(connection)
            # First the lock, then, by a statement that sees all that was stored before it, the look and the writing.
            driver.execute(_LOCK, {"sender": sender_id})
            stored = driver.execute(_STORE, {**columns, "sender": sender_id, "last_id": last_id}).fetchall()
            if len(stored) != len(rows):
                raise TrackerConflict
        return max(row[0] for row in stored)


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('tracker:' || %(sender)s, 0))"
# The customer was erased: what a turn under way would still write must not come back.
_STORE = """
    INSERT INTO events (sender_id, type_name, timestamp, intent_name, action_name, message_id, data)
    SELECT %(sender)s::text, new.type_name, new.timestamp, new.intent_name, new.action_name, new.message_id, new.data
    FROM unnest(
        %(type_name)s::text[], %(timestamp)s::float8[], %(intent_name)s::text[], %(action_name)s::text[], %(message_id)s::bigint[],
        %(data)s::text[]
    ) WITH ORDINALITY AS new (type_name, timestamp, intent_name, action_name, message_id, data, number)
    WHERE (SELECT max(id) FROM events WHERE sender_id = %(sender)s) IS NOT DISTINCT FROM %(last_id)s::bigint
    AND NOT EXISTS (SELECT FROM cases WHERE id = %(sender)s AND erased_at IS NOT NULL)
    ORDER BY new.number
    RETURNING id
"""


def _psycopgs(connection: Connection) -> psycopg.Connection:
    """The driver's connection: what every turn asks goes by it, at a fraction of SQLAlchemy's cost."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _rows(sender_id: str, events: list[Event]) -> list[dict[str, Any]]:
    """Database rows for the events. Raises UnfinishedTurn when a message's turn among them is not a whole one."""
    dicts = [event.as_dict() for event in events]
    starts = [number for number, data in enumerate(dicts) if message_id_of(data) is not None]
    for start, end in pairwise([*starts, len(dicts)]):
        if fault := fault_of(dicts[start:end]):
            raise UnfinishedTurn(fault)
    return [
        {
            "sender_id": sender_id,
            "type_name": event.type_name,
            "timestamp": data.get("timestamp"),
            "intent_name": ((data.get("parse_data") or {}).get("intent") or {}).get("name"),
            "action_name": data.get("name"),
            "message_id": message_id_of(data),
            "data": json.dumps(data),
        }
        for event, data in zip(events, dicts, strict=True)
    ]


def _remember(tracker: DialogueStateTracker, stored: _Stored) -> None:
    setattr(tracker, _STORED, stored)


def _recall(tracker: DialogueStateTracker) -> _Stored:
    # A tracker that never came from here has nothing stored; if its conversation has, saving it is a conflict.
    return getattr(tracker, _STORED, (0, None))
