"""What the chat reads of a talk. The rows are the records' own; here they get the form a browser needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.store.models import AccessToken, Case, Message, ScriptRevision
from followup.store.takeovers import SHOWN_NAME, speaker_of
from followup.web.session import Session

INACTIVE_AFTER = timedelta(minutes=30)
"""A customer who opens the link again after this long is welcomed back."""
LONGEST_HISTORY = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript, as the browser sees it."""

    id: int
    direction: str
    text: str
    quick_replies: list[str]
    time: datetime
    client_msg_id: str | None
    """The browser's own id of a customer's line."""
    queued: bool = False
    """It waits in the outbox for a page; what is to go to WeChat leaves it by WeChat only."""
    speaker: str | None = None
    """The name of the colleague who wrote it."""

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "direction": self.direction,
            "text": self.text,
            "quick_replies": self.quick_replies,
            "time": self.time.isoformat(),
            "client_msg_id": self.client_msg_id,
            "speaker": self.speaker,
        }


@dataclass(frozen=True, slots=True)
class TurnState:
    """`typing`: a turn is being worked on. `failed`: the customer's lines that could not be answered.

    `colleague`: the name of who speaks instead of the bot; None when the bot does.
    """

    typing: bool
    failed: tuple[int, ...]
    colleague: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"typing": self.typing, "failed": list(self.failed), "colleague": self.colleague}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a talk stands when its link is opened."""

    company: str
    started: bool
    ended: bool
    waits: bool
    """It has begun, is not over, and nobody has said anything for a while."""
    last_message_id: int
    enquiry: bool = False
    """The customer began it; no link was sent."""


VALID = """EXISTS (
    SELECT FROM access_tokens
    WHERE case_id = %(case_id)s AND revoked_at IS NULL AND created_at <= %(since)s
)"""
"""SQL: whether the session may still be used: a link that existed when it began has not been taken back."""


async def stands(connection: AsyncConnection, who: Session) -> bool:
    """Whether the session may still be used (`VALID`)."""
    row = await (await connection.execute(f"SELECT {VALID}", {"case_id": who.case_id, "since": who.since})).fetchone()
    return bool(row and row[0])


async def begin(session: AsyncSession, case_id: str) -> Session:
    """A session for who has just used a link of the case.

    It begins now, or when the newest link was made if that is later by another machine's clock.
    """
    newest = await session.scalar(
        select(func.max(AccessToken.created_at)).where(
            AccessToken.case_id == case_id, AccessToken.revoked_at.is_(None)
        )
    )
    return Session(case_id, max(clock.now(), newest) if newest else clock.now())


async def standing(session: AsyncSession, case_id: str) -> Standing:
    """The firm's name and how far the talk is. Shows nothing that concerns the customer."""
    case, declared, starts = (
        await session.execute(
            select(Case, ScriptRevision.content["variables"], ScriptRevision.content[("script", "starts")].astext)
            .join(ScriptRevision, ScriptRevision.id == Case.revision_id)
            .where(Case.id == case_id)
        )
    ).one()
    last = await session.scalar(
        select(Message.id).where(Message.case_id == case_id).order_by(Message.id.desc()).limit(1)
    )
    return Standing(
        company=_company(case.variables, declared),
        started=last is not None,
        ended=case.status == "closed",
        waits=case.status == "waiting" or (case.status == "open" and _is_long_ago(case.last_message_at)),
        last_message_id=last or 0,
        enquiry=starts == "customer",
    )


# One statement and one snapshot: it is asked whenever something happens. A row without a line is the state alone.
_LOOK = f"""
    WITH state AS MATERIALIZED (
        SELECT
            {VALID} AS valid,
            EXISTS (
                SELECT FROM messages WHERE case_id = %(case_id)s AND direction IN ('in', 'system') AND status = 'received'
            ) AS waits,
            ARRAY(
                SELECT id FROM messages WHERE case_id = %(case_id)s AND direction = 'in' AND status = 'failed' ORDER BY id
            ) AS failed,
            {SHOWN_NAME} AS colleague
    )
    SELECT
        state.valid, state.waits, state.failed, state.colleague, line.id, line.direction, line.text, line.quick_replies,
        line.created_at, line.channel_message_id, line.status, line.channel, line.speaker
    FROM state LEFT JOIN LATERAL (
        SELECT id, direction, text, quick_replies, created_at, channel_message_id, status, channel,
               CASE WHEN direction = 'out' THEN acts END AS speaker
        FROM messages
        WHERE state.valid AND case_id = %(case_id)s AND direction <> 'system' AND id > %(after)s AND id <> ALL (%(without)s::bigint[])
        ORDER BY id DESC LIMIT %(limit)s
    ) AS line ON TRUE
    ORDER BY line.id
"""
_DELIVERED = "UPDATE messages SET status = 'sent' WHERE id = ANY (%(ids)s) AND status = 'queued'"


async def look(
    connection: AsyncConnection, who: Session, after: int, *, without: Collection[int] = (), limit: int = LONGEST_HISTORY
) -> tuple[TurnState, list[Line]] | None:
    """Where the turn stands, and the lines with ids above `after`, oldest first; of more than `limit` the newest.

    None when the session may not be used any more (`VALID`).
    """
    asked = {"case_id": who.case_id, "since": who.since, "after": after, "without": list(without), "limit": limit}
    rows = await (await connection.execute(_LOOK, asked)).fetchall()
    valid, waits, failed, colleague, *_ = rows[0]
    if not valid:
        return None
    # What a colleague is told waits for nobody but the colleague.
    state = TurnState(typing=waits and colleague is None, failed=tuple(failed), colleague=colleague)
    return state, [_line(*row[4:]) for row in rows if row[4] is not None]


def _line(
    id: int, direction: str, text: str, quick_replies: list[Any] | None, time: datetime, key: str, status: str, channel: str, acts: Any
) -> Line:
    return Line(
        id=id,
        direction=direction,
        text=text,
        quick_replies=[str(label) for label in quick_replies or []],
        time=time,
        client_msg_id=key if direction == "in" else None,
        queued=status == "queued" and not channel.startswith(("wechat:", "wecom:")),
        speaker=speaker_of(direction, acts),
    )


async def delivered(connection: AsyncConnection, lines: Sequence[Line]) -> None:
    """The lines have reached a page: they leave the outbox."""
    if ids := [line.id for line in lines if line.queued]:
        await connection.execute(_DELIVERED, {"ids": ids})


def _company(variables: dict[str, Any], declared: Any) -> str:
    """The firm's name: the case's own, else the script's demo value, else empty."""
    if name := str(variables.get("company") or "").strip():
        return name
    declaration = declared.get("company") if isinstance(declared, dict) else None
    if isinstance(declaration, dict):
        return str(declaration.get("demo") or "").strip()
    return ""


def _is_long_ago(at: datetime | None) -> bool:
    return at is not None and clock.now() - at > INACTIVE_AFTER
