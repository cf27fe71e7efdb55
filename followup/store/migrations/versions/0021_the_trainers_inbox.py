"""What trainers decided about customers' lines, and who has which on the desk

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def _message(table: str) -> list[sa.Column[int] | sa.ForeignKeyConstraint]:
    return [
        sa.Column("message_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=f"{table}_message_id_fkey", ondelete="CASCADE"),
    ]


def upgrade() -> None:
    op.create_table(
        "training_decisions",
        *_message("training_decisions"),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("intent", sa.Text(), server_default="", nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=True),
        sa.Column("by_user_id", sa.BigInteger(), nullable=False),
        sa.Column("at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("decision IN ('intent', 'not_covered', 'wrong_step', 'ignored')", name="training_decisions_decision_check"),
        sa.ForeignKeyConstraint(["change_id"], ["example_changes.id"], name="training_decisions_change_id_fkey", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name="training_decisions_by_user_id_fkey"),
        sa.PrimaryKeyConstraint("message_id", name="training_decisions_pkey"),
    )
    op.create_index("training_decisions_change_id_idx", "training_decisions", ["change_id"])
    op.create_index("training_decisions_by_user_id_idx", "training_decisions", ["by_user_id"])
    op.create_table(
        "inbox_claims",
        *_message("inbox_claims"),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="inbox_claims_user_id_fkey"),
        sa.PrimaryKeyConstraint("message_id", name="inbox_claims_pkey"),
    )
    op.create_index("inbox_claims_user_id_idx", "inbox_claims", ["user_id"])


def downgrade() -> None:
    op.drop_table("inbox_claims")
    op.drop_table("training_decisions")
