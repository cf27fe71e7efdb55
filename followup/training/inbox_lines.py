"""Customers' lines that a trainer should look at, and why: one query over the talks of the last days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

from followup.nlu import NOT_UNDERSTOOD_BELOW
from followup.nlu.acts import LEADING_MIN
from followup.scripts.load import shared_wording
from followup.store.messages import TO_A_COLLEAGUE

REASONS = ("not_understood", "asked_again", "corrected", "broke_off", "unsure")
"""The most telling first."""
MOST = 1500
"""Lines looked at, the newest; what is older waits until these are done."""
_BROKEN_OFF_AFTER = timedelta(hours=2)
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


_WANTED = text(
    """
    WITH lines AS (
        SELECT m.id, m.case_id, m.text, m.intent, m.confidence, m.acts, m.created_at, c.outcome, c.last_message_at
        FROM cases c JOIN messages m ON m.case_id = c.id
        WHERE coalesce(c.last_message_at, c.created_at) >= :since AND c.erased_at IS NULL AND (:demo OR NOT c.is_demo)
          AND m.direction = 'in' AND m.status = 'handled' AND m.text <> '' AND m.created_at >= :since
          AND m.error IS DISTINCT FROM :colleague
          AND NOT EXISTS (SELECT FROM training_decisions d WHERE d.message_id = m.id)
    ), found AS (
        SELECT l.*,
          coalesce(l.confidence < :not_understood, false) AS not_understood,
          coalesce(l.confidence >= :not_understood AND l.confidence < :unsure, false) AS unsure,
          coalesce((
              SELECT n.direction = 'out' AND n.text LIKE ANY (:again) FROM messages n
              WHERE n.case_id = l.case_id AND n.id > l.id AND n.direction <> 'system' ORDER BY n.id LIMIT 1
          ), false) AS asked_again,
          (
              EXISTS (SELECT FROM answers a JOIN answer_corrections k ON k.answer_id = a.id WHERE a.case_id = l.case_id AND a.message_id = l.id)
              OR EXISTS (SELECT FROM annotations s WHERE s.message_id = l.id AND s.status = 'new')
          ) AS corrected,
          (
              l.last_message_at < :quiet_since AND coalesce(l.outcome, '') <> ALL (:held)
              AND NOT EXISTS (SELECT FROM messages n WHERE n.case_id = l.case_id AND n.id > l.id AND n.direction = 'in')
          ) AS broke_off
        FROM lines l
    )
    SELECT found.*, coalesce((
        SELECT s.intent FROM annotations s WHERE s.message_id = found.id AND s.status = 'new' ORDER BY s.id DESC LIMIT 1
    ), '') AS said_by_staff
    FROM found WHERE not_understood OR unsure OR asked_again OR corrected OR broke_off
    ORDER BY id DESC LIMIT :most
    """
).bindparams(bindparam("again", type_=ARRAY(Text)), bindparam("held", type_=ARRAY(Text)))


async def undecided(session: AsyncSession, now: datetime, *, days: int, demo: bool = False, reason: str = "") -> list[Line]:
    """Lines of the last `days` that nobody has decided about, the newest first; `reason`: only those with it."""
    values = {
        "since": now - timedelta(days=days), "demo": demo, "colleague": TO_A_COLLEAGUE, "not_understood": NOT_UNDERSTOOD_BELOW,
        "unsure": LEADING_MIN, "again": list(asked_again_words()), "quiet_since": now - _BROKEN_OFF_AFTER, "held": list(_HELD), "most": MOST,
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
