"""The tables of scripts written in the console: drafts, and what was published (decisions/0014)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from followup.scripts.published import Kind
from followup.store.models import Base, _id, _now

DRAFT_STATES = ("draft", "review", "rejected", "published", "withdrawn")
OPEN_STATES = DRAFT_STATES[:3]
"""Its author may still go on with it."""


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
