"""The tables of the trainers' inbox: what was decided about a customer's line and its words, and who is at it now (decisions/0014)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _id, _now

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


WORD_STATES = ("open", "drafted", "handed_in", "withdrawn")


class WordMark(Base):
    """What a few words of a customer's line mean. Personal data is refused before a word comes here."""

    __tablename__ = "word_marks"

    id: Mapped[int] = _id()
    at: Mapped[datetime] = _now()
    by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    words: Mapped[str]
    meaning: Mapped[str]
    """Code of a followup.training.word_meanings.Meaning, `aspect:price:negative`, `option:how_known:朋友介绍`."""
    script_id: Mapped[str] = mapped_column(server_default="")
    """The script whose question takes the word; empty: a word list of data/lexicon does."""
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("script_drafts.id", ondelete="SET NULL"), index=True)
    """Where it was written in."""
    state: Mapped[str] = mapped_column(server_default="open")
    """open: for the word lists, not handed in; drafted: in a draft of the script."""
    commit: Mapped[str] = mapped_column(server_default="")

    __table_args__ = (CheckConstraint(f"state IN ({', '.join(map(repr, WORD_STATES))})", name="word_marks_state_check"),)
