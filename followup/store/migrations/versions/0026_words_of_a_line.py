"""What a few words of a customer's line mean, as trainers marked them

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "word_marks",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("by_user_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("script_id", sa.Text(), server_default="", nullable=False),
        sa.Column("draft_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("commit", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('open', 'drafted', 'handed_in', 'withdrawn')", name=op.f("word_marks_state_check")),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("word_marks_by_user_id_fkey")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("word_marks_message_id_fkey"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["draft_id"], ["script_drafts.id"], name=op.f("word_marks_draft_id_fkey"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("word_marks_pkey")),
    )
    for column in ("by_user_id", "message_id", "draft_id"):
        op.create_index(op.f(f"word_marks_{column}_idx"), "word_marks", [column])


def downgrade() -> None:
    op.drop_table("word_marks")
