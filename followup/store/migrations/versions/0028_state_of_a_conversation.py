"""The state of a conversation before its last messages is found without reading it from its beginning

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "events_state_idx", "events", ["sender_id", "type_name", "action_name", "id"],
        postgresql_where=sa.text("type_name IN ('slot', 'active_loop')"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("events_state_idx", "events")
