"""Talks written straight into the tables, as turns leave them, for the console to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from followup.scripts import load
from followup.settings import SHANGHAI
from followup.store import records
from followup.store.database import Database
from followup.store.models import Answer, Attempt, Case, Message, Ticket

LOAN = "auto_loan_satisfaction"


@dataclass(frozen=True)
class Said:
    """What the customer said and how it was read; `answers` are (question, value)."""

    text: str
    intent: str = "inform"
    confidence: float = 0.95
    answers: Sequence[tuple[str, Any]] = ()
    reply: str = "好的，已经记下了。"
    acts: Sequence[dict[str, Any]] = ()


@dataclass
class Written:
    case_id: str
    contact_id: int
    messages: list[int] = field(default_factory=list)
    """Ids of the customer's messages."""
    answers: dict[str, int] = field(default_factory=dict)


async def write_talk(
    database: Database,
    said: Sequence[Said] = (Said("方便", "consent"),),
    *,
    name: str = "王强",
    phone: str | None = "13812345678",
    script: str = LOAN,
    variables: dict[str, Any] | None = None,
    at: datetime = datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI),
    outcome: str | None = "completed",
    status: str = "closed",
    channel: str = "web",
    is_demo: bool = False,
    is_anonymous: bool = False,
    claimed: Written | None = None,
    ticket: str = "",
    reason: str = "",
) -> Written:
    """One talk of the real script; the opening, then each line with a reply; a minute between two messages."""
    async with database.session() as session:
        contact = await records.create_contact(
            session, name=name, title="先生", phone=phone, is_demo=is_demo, is_anonymous=is_anonymous
        )
        content = load.content(script)
        revision = await records.save_revision(session, script, "1", content)
        case_id = await records.create_case(session, contact, revision, variables or {"company": "演示公司"}, is_demo=is_demo)
        written = Written(case_id, contact)
        case = await session.get_one(Case, case_id)
        case.created_at, case.status, case.outcome, case.outcome_reason = at, status, outcome, reason
        if claimed is not None:
            case.claimed_contact_id, case.claimed_case_id = claimed.contact_id, claimed.case_id
        session.add(Attempt(case_id=case_id, number=1, channel=channel, reason="first", started_at=at, outcome=outcome))
        lines = [Message(direction="out", text=f"{name}先生，您好！请问您现在方便吗？", status="sent")]
        for one in said:
            acts = list(one.acts) or [{"intent": one.intent, "confidence": one.confidence, "text": one.text}]
            lines.append(Message(direction="in", text=one.text, status="handled", intent=one.intent, confidence=one.confidence, acts=acts))
            lines.append(Message(direction="out", text=one.reply, status="sent"))
        for number, line in enumerate(lines):
            line.case_id, line.channel, line.channel_message_id = case_id, channel, f"m{number}"
            line.created_at = at + timedelta(minutes=number)
            session.add(line)
            await session.flush()
        case.last_message_at = lines[-1].created_at if said else None
        case.ended_at = case.last_message_at if status == "closed" else None
        written.messages = [line.id for line in lines if line.direction == "in"]
        for one, message_id in zip(said, written.messages, strict=True):
            for question, value in one.answers:
                answer = Answer(
                    case_id=case_id, question_id=question, value=value, words=one.text, message_id=message_id, how="scale3:words"
                )
                session.add(answer)
                await session.flush()
                written.answers[question] = answer.id
        if ticket:
            session.add(
                Ticket(
                    case_id=case_id, topic=ticket, kind=ticket, severity=2, department="客户服务部", reason="太慢了",
                    words=[{"message_id": None, "text": "太慢了"}], due_at=at + timedelta(days=1),
                )  # fmt: skip
            )
    return written
