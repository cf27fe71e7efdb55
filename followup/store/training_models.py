"""The tables of training: what trainers changed, the models, which one is wanted, and what runs where (decisions/0014)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from followup.store.models import Base, _id, _now

CHANGE_KINDS = ("add", "move", "delete", "edit")
CHANGE_STATES = ("open", "handed_in", "withdrawn")
VERSION_STATES = ("queued", "running", "ready", "blocked", "failed", "cancelled")
DEPLOYMENT_KINDS = ("baseline", "promote", "rollback")
SERVER_STATES = ("starting", "live", "failed", "outdated")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class ExampleChange(Base):
    """A trainer's decision about one example. Personal data is masked before a text comes here."""

    __tablename__ = "example_changes"

    id: Mapped[int] = _id()
    at: Mapped[datetime] = _now()
    by_user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[str]
    """add: text, intent; delete: text, intent; move: text, intent -> new_intent; edit: text, intent -> new_text (and new_intent)."""
    text: Mapped[str]
    intent: Mapped[str]
    """Full name, `faq/eat_pear`."""
    new_text: Mapped[str] = mapped_column(server_default="")
    new_intent: Mapped[str] = mapped_column(server_default="")
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    """The customer's message that led to it."""
    state: Mapped[str] = mapped_column(server_default="open")
    commit: Mapped[str] = mapped_column(server_default="")
    """Where it was handed in."""

    __table_args__ = (
        CheckConstraint(_one_of("kind", CHANGE_KINDS), name="example_changes_kind_check"),
        CheckConstraint(_one_of("state", CHANGE_STATES), name="example_changes_state_check"),
        Index("example_changes_open_idx", "id", postgresql_where=text("state = 'open'")),
    )


class ModelVersion(Base):
    """One training, from the wish to the report; with the model's bytes as long as they are kept."""

    __tablename__ = "model_versions"

    id: Mapped[int] = _id()
    created_at: Mapped[datetime] = _now()
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Empty: from the command line, or the model of the files."""
    state: Mapped[str] = mapped_column(server_default="queued")
    phase: Mapped[str] = mapped_column(server_default="")
    """workspace | reading | training | comparing | replaying | done"""
    done: Mapped[int] = mapped_column(server_default=text("0"))
    total: Mapped[int] = mapped_column(server_default=text("0"))
    """Of the phase: steps, lines, talks."""
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    cancelled_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    cancel_asked_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(server_default="")
    """Why it failed, in Chinese."""
    content_hash: Mapped[str] = mapped_column(String(12), server_default="")
    code_hash: Mapped[str] = mapped_column(String(12), server_default="")
    """Of the product's own code: another version of it cannot load the model."""
    digest: Mapped[str] = mapped_column(String(64), server_default="")
    """SHA-256 of the bytes."""
    size: Mapped[int] = mapped_column(server_default=text("0"))
    archive: Mapped[bytes | None] = mapped_column("bytes", LargeBinary, deferred=True)
    trained_on: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """`{"source", "examples", "intents", "by_intent", "files", "changes": [ids], "commit"}`"""
    report: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """followup.training.report; of customers' lines it holds the message's number, not the words."""

    __table_args__ = (
        CheckConstraint(_one_of("state", VERSION_STATES), name="model_versions_state_check"),
        # One training at a time, whoever asks from wherever.
        Index("model_versions_under_way_idx", text("(true)"), unique=True, postgresql_where=text("state IN ('queued', 'running')")),
    )


class ModelDeployment(Base):
    """Which version is wanted: the newest row's. Rows are only added."""

    __tablename__ = "model_deployments"

    id: Mapped[int] = _id()
    at: Mapped[datetime] = _now()
    version_id: Mapped[int] = mapped_column(ForeignKey("model_versions.id"), index=True)
    kind: Mapped[str]
    by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(server_default="")
    overridden: Mapped[bool] = mapped_column(server_default=text("false"))
    """A supervisor promoted it though the comparison had blocked it."""

    __table_args__ = (CheckConstraint(_one_of("kind", DEPLOYMENT_KINDS), name="model_deployments_kind_check"),)


class ModelServer(Base):
    """What one installation (data directory) serves. Written by its `followup up`, read by the console."""

    __tablename__ = "model_servers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str]
    """The machine's."""
    version_id: Mapped[int | None] = mapped_column(ForeignKey("model_versions.id"))
    """Live there; empty: the model of the files."""
    model: Mapped[str] = mapped_column(server_default="")
    """The file's name."""
    deployment_id: Mapped[int | None] = mapped_column(ForeignKey("model_deployments.id"))
    """The last one that was dealt with."""
    state: Mapped[str]
    error: Mapped[str] = mapped_column(server_default="")
    """Why the wanted version does not run there, in Chinese."""
    seconds: Mapped[float | None]
    """How long the last switch took, from the promotion to the switched address."""
    changed_at: Mapped[datetime] = _now()
    seen_at: Mapped[datetime] = _now()

    __table_args__ = (CheckConstraint(_one_of("state", SERVER_STATES), name="model_servers_state_check"),)
