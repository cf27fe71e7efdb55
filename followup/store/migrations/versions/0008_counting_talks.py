"""Figures: what customers said, and what they were dissatisfied with, is counted from indexes alone

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX messages_said_idx ON messages (case_id, created_at) WHERE direction = 'in'")
    # The conditions of console.figures.facts.is_low and is_probe, without those that an index cannot know.
    op.execute(
        """
        CREATE INDEX answers_low_idx ON answers (case_id) WHERE NOT superseded AND (
            value IN ('"不满意"', '"非常不满意"')
            OR (jsonb_typeof(value) = 'number' AND value < '5')
            OR question_id LIKE '%.reason' OR question_id LIKE '%.improve'
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP INDEX answers_low_idx")
    op.execute("DROP INDEX messages_said_idx")
