"""WeChat in the console: accounts with sealed secrets, drafts of menus, messages that a colleague has seen to

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _time(name: str, *, now: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()") if now else None, nullable=not now)


def upgrade() -> None:
    op.create_table(
        "wechat_accounts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("certified", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("api", sa.Text(), server_default="", nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("options", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        _time("created_at"),
        _time("changed_at"),
        sa.CheckConstraint("kind IN ('service', 'subscription')", name=op.f("wechat_accounts_kind_check")),
        sa.CheckConstraint("mode IN ('plain', 'compatible', 'aes')", name=op.f("wechat_accounts_mode_check")),
        sa.PrimaryKeyConstraint("name", name=op.f("wechat_accounts_pkey")),
    )
    op.create_table(
        "wechat_menus",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("draft", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("published", postgresql.JSONB(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        _time("saved_at"),
        _time("published_at", now=False),
        sa.PrimaryKeyConstraint("account", name=op.f("wechat_menus_pkey")),
    )
    op.create_table(
        "delivery_checks",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        _time("at"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("delivery_checks_message_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("delivery_checks_user_id_fkey")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("delivery_checks_pkey")),
    )
    op.create_index(op.f("delivery_checks_user_id_idx"), "delivery_checks", ["user_id"])
    # What staff look at: a handful of all messages.
    op.create_index(
        "messages_undelivered_idx", "messages", ["id"],
        postgresql_where=sa.text("direction = 'out' AND (status IN ('failed', 'unknown') OR status = 'queued' AND error IS NOT NULL)"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("messages_undelivered_idx", "messages")
    op.drop_table("delivery_checks")
    op.drop_table("wechat_menus")
    op.drop_table("wechat_accounts")
