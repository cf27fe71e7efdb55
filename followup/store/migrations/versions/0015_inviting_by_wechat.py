"""Inviting by WeChat: the talk somebody was invited to, what WeChat reported, which notices they subscribed to

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_NOW = sa.text("now()")


def _user(table: str) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return (
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["wechat_users.id"], name=op.f(f"{table}_user_id_fkey"), ondelete="CASCADE"),
    )


def upgrade() -> None:
    op.create_table(
        "wechat_invitations",
        *_user("wechat_invitations"),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("at", _TIME, server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("wechat_invitations_case_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("wechat_invitations_pkey")),
    )
    op.create_index(op.f("wechat_invitations_case_id_idx"), "wechat_invitations", ["case_id"])
    op.create_table(
        "wechat_reports",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        *_user("wechat_reports"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), server_default="", nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("account", "number", name=op.f("wechat_reports_pkey")),
    )
    op.create_index(op.f("wechat_reports_user_id_idx"), "wechat_reports", ["user_id"])
    op.create_index("wechat_reports_open_idx", "wechat_reports", ["at"], postgresql_where=sa.text("settled_at IS NULL"))
    op.create_table(
        "wechat_subscriptions",
        *_user("wechat_subscriptions"),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("allowed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refused_at", _TIME, nullable=True),
        sa.Column("changed_at", _TIME, server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "template", name=op.f("wechat_subscriptions_pkey")),
    )


def downgrade() -> None:
    for table in ("wechat_subscriptions", "wechat_reports", "wechat_invitations"):
        op.drop_table(table)
