"""The tables of the trainers' inbox: what was decided about a customer's line, and who is at it now (decisions/0014)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _now

DECISIONS = ("intent", "not_covered", "wrong_step", "ignored")


class TrainingDecision(Base):
    """What a trainer decided about a customer's line; a line with a row does not come to the inbox again."""

    __tablename__ = "training_decisions"

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    decision: Mapped[str]
    intent: Mapped[str] = mapped_column(server_default="")
    """Of an `intent` decision; full name, `faq/eat_pear`."""
    comment: Mapped[str] = mapped_column(server_default="")
    """For the author of scripts and answers; personal data masked."""
    change_id: Mapped[int | None] = mapped_column(ForeignKey("example_changes.id", ondelete="SET NULL"), index=True)
    """The example that came of it; several lines may share one."""
    by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    at: Mapped[datetime] = _now()

    __table_args__ = (
        CheckConstraint(f"decision IN ({', '.join(map(repr, DECISIONS))})", name="training_decisions_decision_check"),
    )


class InboxClaim(Base):
    """Who has a line on the desk, and until when; nobody else gets it meanwhile."""

    __tablename__ = "inbox_claims"

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    until: Mapped[datetime]
