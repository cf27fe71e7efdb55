"""Deliveries are a queue of their own: their order, when they are tried again, how many went on a channel lately

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("priority", sa.BigInteger(), server_default=sa.text("5"), nullable=False))
    op.add_column("deliveries", sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("deliveries", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.drop_index("deliveries_open_idx", table_name="deliveries")
    op.create_index("deliveries_queue_idx", "deliveries", ["priority", "id"], postgresql_where=sa.text("status = 'queued'"))
    op.create_index("deliveries_sending_idx", "deliveries", ["sending_at"], postgresql_where=sa.text("status = 'sending'"))
    op.create_index("deliveries_channel_idx", "deliveries", ["channel", "sending_at"])
    # One job for each delivery is not needed any more.
    op.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'send_delivery' AND status = 'todo'")


def downgrade() -> None:
    for name in ("channel", "sending", "queue"):
        op.drop_index(f"deliveries_{name}_idx", table_name="deliveries")
    op.create_index(
        "deliveries_open_idx", "deliveries", ["status", "queued_at"], postgresql_where=sa.text("status IN ('queued', 'sending')")
    )
    for name in ("not_before", "attempts", "priority"):
        op.drop_column("deliveries", name)
