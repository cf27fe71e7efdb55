"""Messages that were not delivered for the moment are told from those that never will be; the ledger says that they wait

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_VIEW = """
CREATE OR REPLACE VIEW campaign_ledger AS
SELECT entry.id, entry.campaign_id, entry.contact_id, entry.rule, entry.occurrence, entry.stratum, entry.draw_id, entry.reason,
    entry.due_at, entry.next_at, entry.not_after, entry.channel, entry.sent_at, entry.delivered_at, entry.case_id,
    talk.opened_at, talk.ended_at, talk.outcome, talk.outcome_reason,
    CASE
        WHEN entry.state = 'reserve' THEN 'not_drawn'
        WHEN entry.state IN ('suppressed', 'late', 'cancelled') THEN entry.state
        WHEN talk.outcome IS NOT NULL THEN talk.outcome
        WHEN talk.opened_at IS NOT NULL AND EXISTS (
            SELECT FROM messages WHERE messages.case_id = talk.id AND messages.direction = 'in'
        ) THEN 'answered'
        WHEN talk.opened_at IS NOT NULL THEN 'opened'
        {waiting}WHEN entry.state IN ('waiting', 'queued') AND entry.sent_at IS NULL THEN entry.state
        WHEN entry.reason = 'unknown' THEN 'unknown'
        WHEN entry.delivered_at IS NOT NULL THEN 'delivered'
        WHEN entry.sent_at IS NOT NULL THEN 'sent'
        ELSE 'failed'
    END AS stage
FROM campaign_entries AS entry LEFT JOIN cases AS talk ON talk.id = entry.case_id
"""
_WAITING = "WHEN entry.state = 'waiting' AND entry.reason = 'not_delivered' THEN 'waiting'\n        "


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("lasting", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(_VIEW.format(waiting=_WAITING))


def downgrade() -> None:
    op.execute(_VIEW.format(waiting=""))
    op.drop_column("deliveries", "lasting")
