"""What a plan has seen of campaign and customer, so that only what changed is planned anew; tries of a call-back

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_LOST = (
    "draw_id IS NOT NULL AND state IN ('suppressed', 'closed') AND reason IN "
    "('do_not_contact', 'no_consent', 'no_address', 'cannot_send', 'missing_data', 'unreachable')"
)


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("planned_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("campaigns", sa.Column("repeats_planned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("campaign_entries", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("campaign_entries_lost_idx", "campaign_entries", ["campaign_id", "stratum"], postgresql_where=sa.text(_LOST))
    op.create_index("contacts_updated_at_idx", "contacts", ["updated_at"])
    op.create_index("deliveries_queued_at_idx", "deliveries", ["queued_at"])
    op.add_column("callbacks", sa.Column("tries", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("callbacks", sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("callbacks_due_idx", "callbacks", ["tried_at"], postgresql_where=sa.text("status = 'due'"))


def downgrade() -> None:
    op.drop_index("callbacks_due_idx", table_name="callbacks")
    op.drop_column("callbacks", "tried_at")
    op.drop_column("callbacks", "tries")
    op.drop_index("deliveries_queued_at_idx", table_name="deliveries")
    op.drop_index("contacts_updated_at_idx", table_name="contacts")
    op.drop_index("campaign_entries_lost_idx", table_name="campaign_entries")
    op.drop_column("campaign_entries", "seen_at")
    op.drop_column("campaigns", "repeats_planned_at")
    op.drop_column("campaigns", "planned_version")
