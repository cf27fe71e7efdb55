"""Customers' lines by their time, with what the figures of understanding count

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "messages_heard_idx", "messages", ["created_at"],
        postgresql_include=["case_id", "id", "intent", "confidence"], postgresql_where=sa.text("direction = 'in' AND intent IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("messages_heard_idx", "messages")
