"""Customers' lines that a trainer should look at, and why: one query over the talks of the last days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

from followup.nlu import LEADING_MIN, NOT_UNDERSTOOD_BELOW
from followup.scripts.load import shared_wording
from followup.store.messages import TO_A_COLLEAGUE
from followup.training.inbox_again import asked_again

REASONS = ("not_understood", "asked_again", "corrected", "broke_off", "unsure")
"""The most telling first."""
MOST = 1500
"""Lines looked at, the newest; what is older waits until these are done."""
_LONGEST_DAYS = 90
"""That anybody looks back: what was asked again is read for all of them at once."""
_BROKEN_OFF_AFTER = timedelta(hours=2)
assert LEADING_MIN <= 0.7, "the index of unsure lines is for less than 0.7"
_HELD = ("completed", "appointed", "refused", "do_not_contact", "wrong_person", "handed_over", "complained")
"""Outcomes of talks that came to an end of their own."""


@dataclass(frozen=True, slots=True)
class Line:
    """A customer's line; `text` as it was written, not masked."""

    id: int
    case_id: str
    text: str
    intent: str
    confidence: float | None
    acts: Sequence[dict[str, Any]]
    at: datetime
    reasons: tuple[str, ...]
    said_by_staff: str
    """The intent that a colleague gave it; a base name."""


# Each reason is looked for where it is rare, over the talks of the days; only what was found is looked at closely.
_WANTED = text(
    """
    WITH talks AS MATERIALIZED (
        SELECT id, outcome, last_message_at FROM cases
        WHERE coalesce(last_message_at, created_at) >= :since AND erased_at IS NULL AND (:demo OR NOT is_demo)
    ), corrected AS (
        SELECT a.message_id AS id FROM answer_corrections k JOIN answers a ON a.id = k.answer_id WHERE a.message_id IS NOT NULL
        UNION SELECT s.message_id FROM annotations s WHERE s.status = 'new'
    ), broke AS (
        SELECT (
            SELECT m.id FROM messages m WHERE m.case_id = t.id AND m.direction = 'in' ORDER BY m.id DESC LIMIT 1
        ) AS id
        FROM talks t WHERE t.last_message_at < :quiet_since AND coalesce(t.outcome, '') <> ALL (:held)
    ), candidates AS MATERIALIZED (
        SELECT unnest(CAST(:again AS bigint[])) AS id UNION SELECT id FROM corrected UNION SELECT id FROM broke
        UNION SELECT m.id FROM talks t JOIN messages m ON m.case_id = t.id WHERE m.direction = 'in' AND m.confidence < 0.7
    )
    SELECT m.id, m.case_id, m.text, m.intent, m.confidence, m.acts, m.created_at,
      coalesce(m.confidence < :not_understood, false) AS not_understood,
      coalesce(m.confidence >= :not_understood AND m.confidence < :unsure, false) AS unsure,
      m.id = ANY (:again) AS asked_again,
      m.id IN (SELECT id FROM corrected) AS corrected,
      m.id IN (SELECT id FROM broke) AS broke_off,
      coalesce((SELECT s.intent FROM annotations s WHERE s.message_id = m.id AND s.status = 'new' ORDER BY s.id DESC LIMIT 1), '') AS said_by_staff
    FROM candidates CROSS JOIN LATERAL (SELECT * FROM messages WHERE messages.id = candidates.id OFFSET 0) m
    WHERE m.case_id IN (SELECT id FROM talks) AND m.direction = 'in' AND m.status = 'handled' AND m.text <> '' AND m.created_at >= :since AND m.error IS DISTINCT FROM :colleague
      AND NOT EXISTS (SELECT FROM training_decisions d WHERE d.message_id = m.id)
    ORDER BY m.id DESC LIMIT :most
    """
).bindparams(bindparam("again", type_=ARRAY(BigInteger)), bindparam("held", type_=ARRAY(Text)))


async def undecided(session: AsyncSession, now: datetime, *, days: int, demo: bool = False, reason: str = "") -> list[Line]:
    """Lines of the last `days` that nobody has decided about, the newest first; `reason`: only those with it."""
    again = await asked_again(session, asked_again_words(), now - timedelta(days=max(days, _LONGEST_DAYS)))
    values = {
        "since": now - timedelta(days=days), "demo": demo, "colleague": TO_A_COLLEAGUE, "not_understood": NOT_UNDERSTOOD_BELOW,
        "unsure": LEADING_MIN, "again": again, "quiet_since": now - _BROKEN_OFF_AFTER, "held": list(_HELD), "most": MOST,
    }  # fmt: skip
    found = []
    for row in await session.execute(_WANTED, values):
        reasons = tuple(one for one in REASONS if getattr(row, one))
        if not reason or reason in reasons:
            found.append(
                Line(row.id, row.case_id, row.text, row.intent or "", row.confidence, row.acts or (), row.created_at, reasons, row.said_by_staff)
            )
    return found


@cache
def asked_again_words() -> tuple[str, ...]:
    """LIKE patterns of how the bot begins when it asks once more, as the shared wording has it."""
    unclear = shared_wording().get("unclear", {})
    found = []
    for name in ("first", "second", "no_text"):
        variants = unclear.get(name, [])
        for words in [variants] if isinstance(variants, str) else variants:
            begin = str(words).partition("{")[0].strip()
            if len(begin) >= 4:
                found.append(begin.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%")
    return tuple(dict.fromkeys(found))
