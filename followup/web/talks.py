"""What the chat reads of a talk. The rows are the records' own; here they get the form a browser needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, String, bindparam, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from followup import clock
from followup.store.models import AccessToken, Case, Message, ScriptRevision
from followup.store.takeovers import shown_name, speaker_of
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


async def stands(session: AsyncSession, who: Session) -> bool:
    """Whether the session may still be used: a link that existed when it began has not been taken back."""
    return bool(
        await session.scalar(
            select(
                exists().where(
                    AccessToken.case_id == who.case_id,
                    AccessToken.revoked_at.is_(None),
                    AccessToken.created_at <= who.since,
                )
            )
        )
    )


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


async def lines_after(session: AsyncSession, case_id: str, after: int, limit: int = LONGEST_HISTORY) -> list[Line]:
    """The lines with ids above `after`, oldest first; of more than `limit` the newest."""
    rows = await session.execute(
        select(
            Message.id,
            Message.direction,
            Message.text,
            Message.quick_replies,
            Message.created_at,
            Message.channel_message_id,
            Message.status,
            Message.channel,
            Message.acts,
        )
        .where(Message.case_id == case_id, Message.direction != "system", Message.id > after)
        .order_by(Message.id.desc())
        .limit(limit)
    )
    return [
        Line(
            id=row.id,
            direction=row.direction,
            text=row.text,
            quick_replies=[str(label) for label in row.quick_replies or []],
            time=row.created_at,
            client_msg_id=row.channel_message_id if row.direction == "in" else None,
            queued=row.status == "queued" and not row.channel.startswith(("wechat:", "wecom:")),
            speaker=speaker_of(row.direction, row.acts),
        )
        for row in reversed(rows.all())
    ]


async def delivered(session: AsyncSession, lines: Sequence[Line]) -> None:
    """The lines have reached a page: they leave the outbox."""
    if ids := [line.id for line in lines if line.queued]:
        await session.execute(
            update(Message).where(Message.id.in_(ids), Message.status == "queued").values(status="sent")
        )


_CASE = bindparam("case_id", type_=String)
_waits = exists().where(Message.case_id == _CASE, Message.direction.in_(("in", "system")), Message.status == "received")
_failed = select(Message.id).where(Message.case_id == _CASE, Message.direction == "in", Message.status == "failed").order_by(Message.id)
_LOOK = select(
    exists().where(AccessToken.case_id == _CASE, AccessToken.revoked_at.is_(None), AccessToken.created_at <= bindparam("since", type_=DateTime(timezone=True))),
    _waits,
    func.array(_failed.scalar_subquery()),
    shown_name(_CASE),
)


async def turn_state(session: AsyncSession, who: Session) -> TurnState | None:
    """None when the session may not be used any more (`stands`). One statement: it is asked whenever something happens."""
    valid, waits, failed, colleague = (await session.execute(_LOOK, {"case_id": who.case_id, "since": who.since})).one()
    if not valid:
        return None
    # What a colleague is told waits for nobody but the colleague.
    return TurnState(typing=waits and colleague is None, failed=tuple(failed), colleague=colleague)


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
