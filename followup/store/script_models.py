"""The tables of scripts written in the console: drafts, what was published, two versions compared (decisions/0014)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from followup.scripts.published import Kind
from followup.store.models import Base, _id, _now

DRAFT_STATES = ("draft", "review", "rejected", "approved", "published", "withdrawn")
"""approved: looked over by a second person and not in force; campaigns may compare it with what is."""
OPEN_STATES = DRAFT_STATES[:4]
"""Its author may still go on with it."""
SIDES = ("first", "second")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class ScriptDraft(Base):
    """Somebody's wish how a script, the shared wording or an answer should read."""

    __tablename__ = "script_drafts"

    id: Mapped[int] = _id()
    kind: Mapped[str]
    script_id: Mapped[str] = mapped_column(String(100))
    """The file's name without its ending."""
    text: Mapped[str]
    base_text: Mapped[str]
    """What was in force when it was begun, or when its author last took over what others had published."""
    based_on: Mapped[str] = mapped_column(String(64))
    """Digest of `base_text`."""
    by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    state: Mapped[str] = mapped_column(server_default="draft")
    version: Mapped[int] = mapped_column(server_default=text("0"))
    """Grows with every change, so that nobody saves over what somebody else just saved."""
    note: Mapped[str] = mapped_column(server_default="")
    """What was changed and why, told to the reviewer."""
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(server_default="")
    """The reviewer's."""
    created_at: Mapped[datetime] = _now()
    changed_at: Mapped[datetime] = _now()
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(_one_of("kind", tuple(Kind)), name="script_drafts_kind_check"),
        CheckConstraint(_one_of("state", DRAFT_STATES), name="script_drafts_state_check"),
        # One draft of a text at a time for each author.
        Index(
            "script_drafts_open_idx", "kind", "script_id", "by_user_id", unique=True, postgresql_where=text(_one_of("state", OPEN_STATES))
        ),
    )


class PublishedScript(Base):
    """A text that was in force from then on. The newest of its kind and name is; rows are only added."""

    __tablename__ = "published_scripts"

    id: Mapped[int] = _id()
    kind: Mapped[str]
    script_id: Mapped[str] = mapped_column(String(100))
    text: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    file_digest: Mapped[str] = mapped_column(String(64))
    """Of the file it was laid over: when the file is another now, an upgrade changed it."""
    published_at: Mapped[datetime] = _now()
    by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    """Who wrote it; of an older text published again, who did that."""
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("script_drafts.id"))
    again: Mapped[int | None] = mapped_column(ForeignKey("published_scripts.id"))
    """The older publication it repeats."""
    reason: Mapped[str] = mapped_column(server_default="")

    __table_args__ = (
        CheckConstraint(_one_of("kind", tuple(Kind)), name="published_scripts_kind_check"),
        Index("published_scripts_newest_idx", "kind", "script_id", "id"),
    )


class ScriptComparison(Base):
    """Two versions of a script in one campaign 话术对比: who of its customers talks by which, and which one was chosen."""

    __tablename__ = "script_comparisons"

    id: Mapped[int] = _id()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    number: Mapped[int]
    """Counted from 1 within the campaign; part of the draw, so that each comparison draws anew."""
    script_id: Mapped[str]
    first_revision_id: Mapped[int | None] = mapped_column(ForeignKey("script_revisions.id"))
    """What was in force when the first customer of the comparison was contacted; empty before."""
    second_revision_id: Mapped[int] = mapped_column(ForeignKey("script_revisions.id"))
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("published_scripts.id"))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("script_drafts.id"))
    """Where the second one comes from; neither: from the installed file."""
    share: Mapped[float] = mapped_column(Float)
    """Of customers who talk by the second, above 0 and below 1."""
    reason: Mapped[str] = mapped_column(server_default="")
    """What is to be found out."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    chosen: Mapped[str | None]
    """first | second: what the rest of the campaign talks by."""
    why_chosen: Mapped[str] = mapped_column(server_default="")

    __table_args__ = (
        CheckConstraint(_one_of("chosen", SIDES), name="script_comparisons_chosen_check"),
        CheckConstraint("(ended_at IS NULL) = (chosen IS NULL)", name="script_comparisons_ended_check"),
        Index("script_comparisons_number_idx", "campaign_id", "number", unique=True),
        Index("script_comparisons_running_idx", "campaign_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )
