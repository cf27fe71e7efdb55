"""What is known of every talk, ready to be counted: written by `followup.console.figures.table`, read by the figures."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Float, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from followup.store.models import CASE_ID_LENGTH, Base, _id


class TalkFact(Base):
    """One row for each talk; what the columns mean: `followup.console.figures.facts`.

    No foreign key to `cases`: writing a row would wait for whoever holds the case locked.
    """

    __tablename__ = "talk_facts"

    case_id: Mapped[str] = mapped_column(String(CASE_ID_LENGTH), primary_key=True)
    contact_id: Mapped[int]
    day: Mapped[date]
    """In Shanghai; see `store.figures.held_at`."""
    is_demo: Mapped[bool]
    by_customer: Mapped[bool]
    """The customer came to us."""
    opened: Mapped[bool]
    replied: Mapped[bool]
    low: Mapped[bool]
    complained: Mapped[bool]
    length: Mapped[float | None] = mapped_column(Float)
    wait: Mapped[float | None] = mapped_column(Float)
    reply: Mapped[float | None] = mapped_column(Float)
    """Seconds."""
    said: Mapped[int]
    """Messages of the customer."""
    script_id: Mapped[str]
    outcome: Mapped[str | None]
    why: Mapped[str | None]
    stopped: Mapped[str | None]
    length_step: Mapped[str | None]
    wait_step: Mapped[str | None]
    reply_step: Mapped[str | None]
    said_step: Mapped[str]
    """Keys of the ranges that the measures fall into."""
    aspects: Mapped[list[Any]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))

    answers: Mapped[list[Any]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    """`question=value as JSON` of every valid answer; what is long or of several parts as `{}`."""

    __table_args__ = (
        Index("talk_facts_day_idx", "day"),
        Index("talk_facts_script_idx", "script_id", "day"),
        Index("talk_facts_aspects_idx", "day", postgresql_where=text("aspects <> '{}'::text[]")),
    )


class DirtyTalk(Base):
    """A talk whose row in `talk_facts` is no longer true. Written by triggers (migration 0011).

    One row for every change, and no key: an INSERT … ON CONFLICT DO NOTHING would find the row of an earlier change, write
    nothing, and that row may be taken away, and the talk counted, before the change itself is committed.
    """

    __tablename__ = "dirty_talks"

    id: Mapped[int] = _id()
    case_id: Mapped[str] = mapped_column(String(CASE_ID_LENGTH))


class FactState(Base):
    """The one row that says by which definitions `talk_facts` was written."""

    __tablename__ = "fact_state"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    digest: Mapped[str] = mapped_column(server_default="")

    __table_args__ = (CheckConstraint("one", name="fact_state_one_check"),)
