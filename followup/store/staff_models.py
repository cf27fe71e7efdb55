"""The tables of the console: who may come in, what they did, and what they write beside a customer's talk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _case, _id, _now


def _user() -> Mapped[int]:
    return mapped_column(ForeignKey("users.id"))


def _some_user() -> Mapped[int | None]:
    return mapped_column(ForeignKey("users.id"))


class StaffSession(Base):
    """Somebody is logged in. The cookie's token itself is nowhere stored."""

    __tablename__ = "staff_sessions"

    id: Mapped[int] = _id()
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = _now()
    last_seen_at: Mapped[datetime] = _now()
    ended_at: Mapped[datetime | None]


class LoginAttempt(Base):
    """A try to log in that failed; what throttles the next ones, over all processes."""

    __tablename__ = "login_attempts"

    id: Mapped[int] = _id()
    name: Mapped[str]
    address_hash: Mapped[str] = mapped_column(String(64))
    """Keyed hash of the address: enough to count, not enough to know."""
    at: Mapped[datetime] = _now()

    __table_args__ = (Index(None, "name", "at"), Index(None, "address_hash", "at"))


class AuditEntry(Base):
    """What a member of staff did. The table only grows: a trigger refuses changing and deleting."""

    __tablename__ = "audit_log"

    id: Mapped[int] = _id()
    at: Mapped[datetime] = _now()
    user_id: Mapped[int | None]
    """No foreign key: the entry outlives the account."""
    user_name: Mapped[str]
    role: Mapped[str]
    action: Mapped[str]
    """`<area>.<verb>`, e.g. `answer.correct`; its Chinese name is in the console's wording."""
    object_type: Mapped[str] = mapped_column(server_default="")
    object_id: Mapped[str] = mapped_column(server_default="")
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))

    __table_args__ = (Index(None, "at"), Index(None, "object_type", "object_id"))


class StaffNote(Base):
    """A colleague's remark on a talk."""

    __tablename__ = "staff_notes"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = _case()
    user_id: Mapped[int] = _user()
    text: Mapped[str]
    created_at: Mapped[datetime] = _now()

    __table_args__ = (Index(None, "case_id"),)


class AnswerCorrection(Base):
    """A wrongly read answer put right: what it was, what it is, who says so and why. The answer's row keeps its words."""

    __tablename__ = "answer_corrections"

    id: Mapped[int] = _id()
    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id", ondelete="CASCADE"), index=True)
    before: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    after: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    reason: Mapped[str]
    user_id: Mapped[int] = _user()
    at: Mapped[datetime] = _now()


class Annotation(Base):
    """What a customer's message really meant 标注, said by a person; the trainer's workbench takes it from here."""

    __tablename__ = "annotations"

    id: Mapped[int] = _id()
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    intent: Mapped[str]
    comment: Mapped[str] = mapped_column(server_default="")
    status: Mapped[str] = mapped_column(server_default="new")
    """new | taken | ignored"""
    user_id: Mapped[int] = _user()
    at: Mapped[datetime] = _now()


class TakeOver(Base):
    """A colleague speaks instead of the bot 人工接管; at most one at a time in a talk."""

    __tablename__ = "take_overs"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = _case()
    user_id: Mapped[int] = _user()
    begun_at: Mapped[datetime] = _now()
    ended_at: Mapped[datetime | None]
    how_ended: Mapped[str] = mapped_column(server_default="")
    """handed_back | closed | expired"""

    __table_args__ = (
        Index("take_overs_open_idx", "case_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index(None, "user_id"),
    )


class StaffMessage(Base):
    """Which colleague wrote an outgoing message, and which forbidden phrases it held when it was sent."""

    __tablename__ = "staff_messages"

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    forbidden: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))


class TicketEvent(Base):
    """The history of a ticket: opened, assigned, noted, solved, closed, reminded, revisited."""

    __tablename__ = "ticket_events"

    id: Mapped[int] = _id()
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = _some_user()
    """Empty for what the system did."""
    kind: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    at: Mapped[datetime] = _now()


class InspectionSample(Base):
    """A draw of talks for inspection; the same seed and filter draw the same talks."""

    __tablename__ = "inspection_samples"

    id: Mapped[int] = _id()
    seed: Mapped[int]
    wanted: Mapped[int]
    filters: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    user_id: Mapped[int] = _user()
    created_at: Mapped[datetime] = _now()


class Inspection(Base):
    """One talk of a sample and its score sheet 质检, empty until somebody has filled it in."""

    __tablename__ = "inspections"

    id: Mapped[int] = _id()
    sample_id: Mapped[int] = mapped_column(ForeignKey("inspection_samples.id", ondelete="CASCADE"), index=True)
    case_id: Mapped[str] = _case()
    agent_id: Mapped[int | None] = _some_user()
    """Whose work is inspected; empty: the bot's."""
    scores: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """criterion -> points; the criteria stand in the console's score sheet file."""
    sheet: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The criteria as they stood when it was filled in: `[{"id", "name", "points"}]`."""
    total: Mapped[int | None]
    """0 to 100."""
    comment: Mapped[str] = mapped_column(server_default="")
    inspector_id: Mapped[int | None] = _some_user()
    inspected_at: Mapped[datetime | None]

    __table_args__ = (
        Index("inspections_case_idx", "sample_id", "case_id", unique=True),
        Index(None, "case_id"),
        Index("inspections_inspected_at_idx", "inspected_at", postgresql_where=text("total IS NOT NULL")),
        CheckConstraint("total BETWEEN 0 AND 100", name="inspections_total_check"),
    )


class InspectionCorrection(Base):
    """A filled sheet that was changed afterwards: what it said, what it says now, who changed it and why."""

    __tablename__ = "inspection_corrections"

    id: Mapped[int] = _id()
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspections.id", ondelete="CASCADE"), index=True)
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    """Both: `{"scores", "comment", "agent_id"}`."""
    reason: Mapped[str]
    user_id: Mapped[int] = _user()
    at: Mapped[datetime] = _now()
