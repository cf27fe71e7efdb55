"""A conversation's stored events, from the beginning or as far back as a turn looks. Knows no Rasa.

What lies further back comes down to its state: the last value of each slot, the form that is active, and that Rasa listens.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text

from followup.store.models import RasaEvent


@dataclass(frozen=True)
class Loaded:
    """Events in order, as Rasa's JSON objects; `last_id` None: there is none."""

    events: list[dict[str, Any]]
    last_id: int | None


_RECENT = text(
    """
    WITH since AS MATERIALIZED (
        SELECT id FROM events WHERE sender_id = :sender AND message_id IS NOT NULL
        ORDER BY message_id DESC OFFSET :before LIMIT 1
    )
    SELECT id, data, EXISTS (SELECT FROM since) AS is_cut FROM events
    WHERE sender_id = :sender AND id >= COALESCE((SELECT id FROM since), 0)
    ORDER BY id
    """
)

# Each by the index events_state_idx: as quick in a conversation of two thousand messages as in a new one.
_STATE = text(
    """
    SELECT found.id, found.data
    FROM unnest(CAST(:slots AS text[])) AS slot (name)
    CROSS JOIN LATERAL (
        SELECT id, data FROM events
        WHERE sender_id = :sender AND type_name = 'slot' AND action_name = slot.name AND id < :before
        ORDER BY id DESC LIMIT 1
    ) AS found
    UNION ALL (
        SELECT id, data FROM events
        WHERE sender_id = :sender AND type_name = 'active_loop' AND id < :before
        ORDER BY id DESC LIMIT 1
    )
    ORDER BY id
    """
)


def load_all(connection: Connection, sender_id: str) -> Loaded:
    """Everything."""
    rows = connection.execute(
        select(RasaEvent.id, RasaEvent.data).where(RasaEvent.sender_id == sender_id).order_by(RasaEvent.id)
    ).all()
    return Loaded([json.loads(row.data) for row in rows], rows[-1].id if rows else None)


def load_recent(connection: Connection, sender_id: str, messages: int, slots: Sequence[str]) -> Loaded:
    """The events of the last `messages` messages, and before them the state of what came earlier."""
    rows = connection.execute(_RECENT, {"sender": sender_id, "before": messages - 1}).all()
    events: list[dict[str, Any]] = [json.loads(row.data) for row in rows]
    if not rows or not rows[0].is_cut:
        return Loaded(events, rows[-1].id if rows else None)
    asked = {"sender": sender_id, "slots": list(slots), "before": rows[0].id}
    state = [json.loads(row.data) for row in connection.execute(_STATE, asked)]
    listening = {"event": "action", "name": "action_listen", "timestamp": events[0].get("timestamp")}
    return Loaded([*state, listening, *events], rows[-1].id)
