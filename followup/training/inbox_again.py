"""Customers' lines after which the bot asked once more, told by how its next message begins.

There is no index for that, because the wording is the script authors' own. So a process looks at every message once and remembers the
lines: the first call reads the talks of the last days, later ones what came since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

_OVERLAP = 5_000
"""Numbers of messages looked at again: one that was given a number earlier may have been committed later."""
_BEFORE = """
    SELECT (
        SELECT p.id FROM messages p WHERE p.case_id = n.case_id AND p.id < n.id AND p.direction <> 'system' ORDER BY p.id DESC LIMIT 1
    ) AS id
"""
_SPOKEN = "n.direction = 'out' AND n.text LIKE ANY (:words)"
_FIRST = text(f"""{_BEFORE}
    FROM cases t JOIN messages n ON n.case_id = t.id WHERE coalesce(t.last_message_at, t.created_at) >= :since AND {_SPOKEN}
""").bindparams(bindparam("words", type_=ARRAY(Text)))
_LATER = text(f"{_BEFORE} FROM messages n WHERE n.id > :seen AND {_SPOKEN}").bindparams(bindparam("words", type_=ARRAY(Text)))
_NEWEST = text("SELECT coalesce(max(id), 0) FROM messages")


@dataclass
class _Known:
    words: Sequence[str]
    since: datetime
    seen: int = 0
    ids: set[int] = field(default_factory=set)


_known: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()
_looking: WeakKeyDictionary[Any, asyncio.Lock] = WeakKeyDictionary()


async def asked_again(session: AsyncSession, words: Sequence[str], since: datetime) -> list[int]:
    """Numbers of such lines, at least those of talks since then; `words`: LIKE patterns of how the bot asks once more."""
    database = session.get_bind()
    async with _looking.setdefault(database, asyncio.Lock()):
        known = _known.get(database)
        newest = int(await session.scalar(_NEWEST) or 0)
        if known is None or tuple(known.words) != tuple(words) or since < known.since:
            known = _Known(words, since)
            found = await session.scalars(_FIRST, {"words": list(words), "since": since})
        else:
            found = await session.scalars(_LATER, {"words": list(words), "seen": max(0, known.seen - _OVERLAP)})
        known.ids.update(number for number in found if number is not None)
        known.seen = newest
        _known[database] = known
    return sorted(known.ids)
