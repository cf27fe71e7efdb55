"""What the live pages read: talks under way, talks that wait for a person, appointments, the lines of one talk."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.labels import label
from followup.console.transcripts.questions import Questions
from followup.console.wechat.delivery import Delivery, delivery_of
from followup.dialogue import state as st
from followup.nlu.optout import is_opt_out
from followup.store.messages import TO_A_COLLEAGUE
from followup.store.models import Callback, Case, Contact, Message, ScriptRevision, User
from followup.store.staff_models import StaffMessage
from followup.store.takeovers import speaker_of

LATELY = timedelta(minutes=30)
"""A talk in which nobody has said anything for so long is not under way, though it may be taken up again."""
RINGS_FOR = timedelta(hours=24)
"""Then the customer has long left; the ticket of the hand-over is what is worked on."""
MOST = 200
_UNHAPPY = ("complain", "abuse", "dissatisfied")
_LOOK_BACK = 20
_questions: dict[str, Questions] = {}
"""Digest of a revision's content -> its questions."""


@dataclass(frozen=True, slots=True)
class LiveTalk:
    """A talk of the live list."""

    case_id: str
    customer: str
    script: str
    reached: str
    """The open question, or what else the bot waits for."""
    words: str
    """What the customer said last."""
    last: str
    last_by: str
    """客户, 助手, or a colleague's name."""
    last_at: datetime
    waiting_since: datetime | None
    """Since when the customer waits for a word."""
    rings: bool
    """The customer asked for a person, and nobody has come."""
    taken_by: str
    """A colleague's account; empty while the bot speaks."""
    mine: bool
    complaint: bool
    unhappy: bool
    is_demo: bool


@dataclass(frozen=True, slots=True)
class LiveLine:
    id: int
    mine: bool
    speaker: str
    account: str
    text: str
    at: datetime
    intent: str | None
    unsure: bool
    failed: bool
    to_colleague: bool
    opt_out: bool
    """Said to a colleague, whom the bot does not help to notice it."""
    delivery: Delivery | None
    """What became of a line that went to somebody's phone; None for others."""


@dataclass(frozen=True, slots=True)
class Appointment:
    id: int
    case_id: str
    customer: str
    phone: str
    at: datetime | None
    words: str
    due: bool


# Candidates first, each found by an index; then for each one its last line, its open item and what is known of its mood.
_LIVE = text(
    """
    WITH candidates AS (
        SELECT case_id AS id, FALSE AS rings FROM take_overs WHERE ended_at IS NULL
        UNION
        (SELECT id, FALSE FROM cases WHERE status = 'open' AND last_message_at >= :lately
         ORDER BY last_message_at DESC LIMIT :most)
        UNION
        SELECT c.id, TRUE FROM cases c
        WHERE c.status = 'closed' AND c.outcome = 'handed_over' AND c.outcome_reason <> 'landline'
          AND coalesce(c.ended_at, c.last_message_at, c.created_at) >= :rings_since
          AND NOT EXISTS (SELECT 1 FROM callbacks b
                          WHERE b.case_id = c.id AND (b.at IS NOT NULL OR b.status NOT IN ('booked', 'due'))
                            AND b.created_at >= c.ended_at - interval '1 hour')
          AND NOT EXISTS (SELECT 1 FROM tickets t
                          WHERE t.case_id = c.id AND t.topic = 'handover' AND t.status IN ('solved', 'closed'))
    )
    SELECT c.id, c.script_id, r.digest, c.variables, c.is_demo, c.ended_at, c.last_message_at, c.created_at,
           p.name, p.title, n.rings, l.text AS last, l.direction, l.acts, l.created_at AS said_at,
           w.since, t.user_id, u.name AS taken_by, s.value AS state, m.intent, h.text AS words,
           EXISTS (SELECT 1 FROM tickets k
                   WHERE k.case_id = c.id AND k.kind = 'complaint' AND k.status IN ('open', 'working')) AS complaint
    FROM (SELECT id, bool_or(rings) AS rings FROM candidates GROUP BY id) n
    JOIN cases c ON c.id = n.id
    JOIN contacts p ON p.id = c.contact_id
    JOIN script_revisions r ON r.id = c.revision_id
    LEFT JOIN take_overs t ON t.case_id = c.id AND t.ended_at IS NULL
    LEFT JOIN users u ON u.id = t.user_id
    LEFT JOIN LATERAL (
        SELECT id, text, direction, acts, created_at FROM messages
        WHERE case_id = c.id AND direction <> 'system' ORDER BY id DESC LIMIT 1
    ) l ON TRUE
    LEFT JOIN LATERAL (
        SELECT intent FROM messages
        WHERE case_id = c.id AND direction = 'in' AND intent IS NOT NULL ORDER BY id DESC LIMIT 1
    ) m ON TRUE
    LEFT JOIN LATERAL (
        SELECT text FROM messages WHERE case_id = c.id AND direction = 'in' ORDER BY id DESC LIMIT 1
    ) h ON TRUE
    LEFT JOIN LATERAL (
        SELECT min(i.created_at) AS since FROM messages i
        WHERE i.case_id = c.id AND i.direction = 'in' AND i.id > coalesce(
            (SELECT max(o.id) FROM messages o WHERE o.case_id = c.id AND o.direction = 'out'), 0)
    ) w ON TRUE
    LEFT JOIN LATERAL (
        SELECT data::jsonb -> 'value' AS value FROM events
        WHERE sender_id = c.id AND type_name = 'slot' AND data::jsonb ->> 'name' = 'talk' ORDER BY id DESC LIMIT 1
    ) s ON TRUE
    """
)


async def live_talks(session: AsyncSession, user_id: int, at: datetime) -> list[LiveTalk]:
    """Those who wait for a person first, the longest wait on top; then one's own; then the newest word first."""
    rows = (
        await session.execute(_LIVE, {"lately": at - LATELY, "rings_since": at - RINGS_FOR, "most": MOST})
    ).all()
    await _load(session, {row.digest for row in rows})
    talks = [_talk(row, user_id) for row in rows]
    long_ago = datetime.min.replace(tzinfo=at.tzinfo)
    talks.sort(key=lambda one: one.last_at or long_ago, reverse=True)
    talks.sort(key=lambda one: (not one.rings, one.waiting_since or at if one.rings else at, not one.mine))
    return talks


def _talk(row: Any, user_id: int) -> LiveTalk:
    questions = questions_of(row.digest, row.variables)
    rings = row.rings and row.taken_by is None
    return LiveTalk(
        case_id=row.id,
        customer=f"{row.name}{row.title}" or "没有留下姓名",
        script=questions.script.name if questions.script else row.script_id,
        reached=reached(row.state, questions),
        words=row.words or "",
        last=row.last or "",
        last_by="客户" if row.direction == "in" else speaker_of(row.direction or "", row.acts) or "助手",
        last_at=row.said_at or row.last_message_at or row.created_at,
        waiting_since=row.ended_at if rings else row.since,
        rings=rings,
        taken_by=row.taken_by or "",
        mine=row.user_id == user_id,
        complaint=row.complaint,
        unhappy=(row.intent or "").partition("/")[0] in _UNHAPPY,
        is_demo=row.is_demo,
    )


def reached(state: Any, questions: Questions) -> str:
    """The open item of the bot's own state in Chinese; empty before the opening."""
    if not isinstance(state, dict):
        return ""
    item = str(state.get("open") or "")
    if item == st.END and state.get("outcome") == "handed_over":
        item = str(state.get("resume_at") or item)
    prefix, separator, question = item.partition(":")
    if not separator:
        return label(item, "live_items")
    return questions.label(question if prefix == "question" else f"{question}.{prefix}")


def questions_of(digest: str, variables: dict[str, Any]) -> Questions:
    """The questions of a revision that `_load` has read, filled in for one talk."""
    mine = copy.copy(_questions[digest])
    mine.variables = {**mine.variables, **variables}
    return mine


async def _load(session: AsyncSession, wanted: set[str]) -> None:
    if missing := wanted - _questions.keys():
        if len(_questions) > 500:
            _questions.clear()
            missing = wanted
        rows = await session.execute(
            select(ScriptRevision.digest, ScriptRevision.content).where(ScriptRevision.digest.in_(missing))
        )
        for digest, content in rows:
            _questions[digest] = Questions(content, {})


@dataclass(frozen=True, slots=True)
class OneTalk:
    """What stands around the lines of one talk."""

    case: Case
    contact: Contact
    questions: Questions
    reached: str

    @property
    def customer(self) -> str:
        return f"{self.contact.name}{self.contact.title}" or "没有留下姓名"


async def one_talk(session: AsyncSession, case_id: str) -> OneTalk | None:
    row = (
        await session.execute(
            select(Case, Contact, ScriptRevision.digest)
            .join(Contact, Contact.id == Case.contact_id)
            .join(ScriptRevision, ScriptRevision.id == Case.revision_id)
            .where(Case.id == case_id)
        )
    ).first()
    if row is None:
        return None
    case, contact, digest = row
    await _load(session, {digest})
    questions = questions_of(digest, case.variables)
    state = await session.scalar(_STATE, {"case_id": case_id})
    return OneTalk(case, contact, questions, reached(state, questions))


_STATE = text(
    """
    SELECT data::jsonb -> 'value' FROM events
    WHERE sender_id = :case_id AND type_name = 'slot' AND data::jsonb ->> 'name' = 'talk' ORDER BY id DESC LIMIT 1
    """
)


async def lines_after(session: AsyncSession, case_id: str, after: int = 0) -> list[LiveLine]:
    """The lines with ids above `after`, in order."""
    rows = await session.execute(
        select(Message, User.name)
        .outerjoin(StaffMessage, StaffMessage.message_id == Message.id)
        .outerjoin(User, User.id == StaffMessage.user_id)
        .where(Message.case_id == case_id, Message.direction != "system", Message.id > after)
        .order_by(Message.id)
    )
    return [_line(message, account) for message, account in rows]


def _line(message: Message, account: str | None) -> LiveLine:
    heard = message.direction == "in"
    to_colleague = heard and message.error == TO_A_COLLEAGUE
    return LiveLine(
        id=message.id,
        mine=not heard,
        speaker=speaker_of(message.direction, message.acts) or "",
        account=account or "",
        text=message.text,
        at=message.created_at,
        intent=message.intent,
        unsure=heard and message.confidence is not None and message.confidence < 0.7,
        failed=message.status == "failed",
        to_colleague=to_colleague,
        opt_out=to_colleague and is_opt_out(message.text),
        delivery=delivery_of(message.direction, message.channel, message.status, message.error),
    )


async def appointments(session: AsyncSession, at: datetime) -> list[Appointment]:
    """The calls that customers wait for from a colleague, the most urgent first; those without a time stand on top."""
    rows = await session.execute(
        select(Callback, Case, Contact)
        .join(Case, Case.id == Callback.case_id)
        .join(Contact, Contact.id == Case.contact_id)
        .where(Callback.reason == "request_human", Callback.status.in_(("booked", "due")))
        .order_by(Callback.at.nulls_first(), Callback.id)
        .limit(MOST)
    )
    return [
        Appointment(
            id=callback.id,
            case_id=case.id,
            customer=f"{contact.name}{contact.title}" or "没有留下姓名",
            phone=contact.phone or "",
            at=callback.at,
            words=callback.words,
            due=callback.at is None or callback.at <= at,
        )
        for callback, case, contact in rows
    ]


def look_back(ids: Sequence[int]) -> int:
    """From where to read again: ids are given before a transaction commits, so a line may appear below a newer one."""
    newest = sorted(ids)[-_LOOK_BACK:]
    return 0 if len(newest) < _LOOK_BACK else newest[0] - 1
