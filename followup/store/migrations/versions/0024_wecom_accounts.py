"""Accounts 微信客服 of the console, with sealed secrets

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "wecom_accounts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("corp_id", sa.Text(), nullable=False),
        sa.Column("kfids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("handover", sa.Text(), server_default="console", nullable=False),
        sa.Column("servicer", sa.Text(), server_default="", nullable=False),
        sa.Column("api", sa.Text(), server_default="", nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", time, server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", time, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("handover IN ('console', 'wecom')", name=op.f("wecom_accounts_handover_check")),
        sa.PrimaryKeyConstraint("name", name=op.f("wecom_accounts_pkey")),
    )


def downgrade() -> None:
    op.drop_table("wecom_accounts")
