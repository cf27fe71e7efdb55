"""Dry runs of campaigns are found by every web process, whichever of them reckoned

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("dry_runs",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("percent", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("dry_runs_campaign_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("dry_runs_pkey")),
        prefixes=["UNLOGGED"],
    )


def downgrade() -> None:
    op.drop_table("dry_runs")
