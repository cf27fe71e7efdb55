"""A conversation's stored events, from the beginning or as far back as a turn looks. Knows no Rasa.

What lies further back comes down to its state: the last value of each slot, the form that is active, and that Rasa listens.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Connection, select

from followup.store.models import RasaEvent


@dataclass(frozen=True)
class Loaded:
    """Events in order, as Rasa's JSON objects; `last_id` None: there is none."""

    events: list[dict[str, Any]]
    last_id: int | None


_RECENT = """
    WITH since AS MATERIALIZED (
        SELECT id FROM events WHERE sender_id = %(sender)s AND message_id IS NOT NULL
        ORDER BY message_id DESC OFFSET %(before)s LIMIT 1
    )
    SELECT id, data, EXISTS (SELECT FROM since) AS is_cut FROM events
    WHERE sender_id = %(sender)s AND id >= COALESCE((SELECT id FROM since), 0)
    ORDER BY id
"""

# Each by the index events_state_idx: as quick in a conversation of two thousand messages as in a new one.
_STATE = """
    SELECT found.id, found.data
    FROM unnest(%(slots)s::text[]) AS slot (name)
    CROSS JOIN LATERAL (
        SELECT id, data FROM events
        WHERE sender_id = %(sender)s AND type_name = 'slot' AND action_name = slot.name AND id < %(before)s
        ORDER BY id DESC LIMIT 1
    ) AS found
    UNION ALL (
        SELECT id, data FROM events
        WHERE sender_id = %(sender)s AND type_name = 'active_loop' AND id < %(before)s
        ORDER BY id DESC LIMIT 1
    )
    ORDER BY id
"""


def load_all(connection: Connection, sender_id: str) -> Loaded:
    """Everything."""
    rows = connection.execute(
        select(RasaEvent.id, RasaEvent.data).where(RasaEvent.sender_id == sender_id).order_by(RasaEvent.id)
    ).all()
    return Loaded([json.loads(row.data) for row in rows], rows[-1].id if rows else None)


def load_recent(connection: psycopg.Connection, sender_id: str, messages: int, slots: Sequence[str]) -> Loaded:
    """The events of the last `messages` messages, and before them the state of what came earlier."""
    rows = connection.execute(_RECENT, {"sender": sender_id, "before": messages - 1}).fetchall()
    events: list[dict[str, Any]] = [json.loads(data) for _, data, _ in rows]
    last_id = rows[-1][0] if rows else None
    if not rows or not rows[0][2]:
        return Loaded(events, last_id)
    asked = {"sender": sender_id, "slots": list(slots), "before": rows[0][0]}
    state = [json.loads(data) for _, data in connection.execute(_STATE, asked)]
    listening = {"event": "action", "name": "action_listen", "timestamp": events[0].get("timestamp")}
    return Loaded([*state, listening, *events], last_id)
