"""What trainers change, the models with their reports, which one is wanted, and what runs where

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _text(name: str, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, _TIME, server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "model_versions",
        _id(),
        _now("created_at"),
        sa.Column("by_user_id", sa.BigInteger(), nullable=True),
        _text("state", "queued"),
        _text("phase"),
        _number("done"),
        _number("total"),
        _number("tries"),
        sa.Column("cancelled_by", sa.BigInteger(), nullable=True),
        sa.Column("cancel_asked_at", _TIME, nullable=True),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("finished_at", _TIME, nullable=True),
        _text("error"),
        sa.Column("content_hash", sa.String(12), server_default="", nullable=False),
        sa.Column("code_hash", sa.String(12), server_default="", nullable=False),
        sa.Column("digest", sa.String(64), server_default="", nullable=False),
        _number("size"),
        sa.Column("bytes", sa.LargeBinary(), nullable=True),
        sa.Column("trained_on", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'running', 'ready', 'blocked', 'failed', 'cancelled')", name="model_versions_state_check"),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("model_versions_by_user_id_fkey")),
        sa.ForeignKeyConstraint(["cancelled_by"], ["users.id"], name=op.f("model_versions_cancelled_by_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("model_versions_pkey")),
    )
    op.create_index(
        "model_versions_under_way_idx", "model_versions", [sa.text("(true)")], unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )  # fmt: skip
    # Compressed already: PostgreSQL would only try again.
    op.execute("ALTER TABLE model_versions ALTER COLUMN bytes SET STORAGE EXTERNAL")
    op.create_table(
        "model_deployments",
        _id(),
        _now("at"),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        _text("kind", None),
        sa.Column("by_user_id", sa.BigInteger(), nullable=True),
        _text("reason"),
        sa.Column("overridden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("kind IN ('baseline', 'promote', 'rollback')", name="model_deployments_kind_check"),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("model_deployments_by_user_id_fkey")),
        sa.ForeignKeyConstraint(["version_id"], ["model_versions.id"], name=op.f("model_deployments_version_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("model_deployments_pkey")),
    )
    op.create_index(op.f("model_deployments_version_id_idx"), "model_deployments", ["version_id"])
    _servers()
    _changes()


def _servers() -> None:
    op.create_table(
        "model_servers",
        sa.Column("id", sa.String(32), nullable=False),
        _text("name", None),
        sa.Column("version_id", sa.BigInteger(), nullable=True),
        _text("model"),
        sa.Column("deployment_id", sa.BigInteger(), nullable=True),
        _text("state", None),
        _text("error"),
        sa.Column("seconds", sa.Float(), nullable=True),
        _now("changed_at"),
        _now("seen_at"),
        sa.CheckConstraint("state IN ('starting', 'live', 'failed', 'outdated')", name="model_servers_state_check"),
        sa.ForeignKeyConstraint(["deployment_id"], ["model_deployments.id"], name=op.f("model_servers_deployment_id_fkey")),
        sa.ForeignKeyConstraint(["version_id"], ["model_versions.id"], name=op.f("model_servers_version_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("model_servers_pkey")),
    )


def _changes() -> None:
    op.create_table(
        "example_changes",
        _id(),
        _now("at"),
        sa.Column("by_user_id", sa.BigInteger(), nullable=False),
        _text("kind", None),
        _text("text", None),
        _text("intent", None),
        _text("new_text"),
        _text("new_intent"),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        _text("state", "open"),
        _text("commit"),
        sa.CheckConstraint("kind IN ('add', 'move', 'delete', 'edit')", name="example_changes_kind_check"),
        sa.CheckConstraint("state IN ('open', 'handed_in', 'withdrawn')", name="example_changes_state_check"),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("example_changes_by_user_id_fkey")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("example_changes_message_id_fkey"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("example_changes_pkey")),
    )
    op.create_index(op.f("example_changes_by_user_id_idx"), "example_changes", ["by_user_id"])
    op.create_index(op.f("example_changes_message_id_idx"), "example_changes", ["message_id"])
    op.create_index("example_changes_open_idx", "example_changes", ["id"], postgresql_where=sa.text("state = 'open'"))


def downgrade() -> None:
    for table in ("example_changes", "model_servers", "model_deployments", "model_versions"):
        op.drop_table(table)
