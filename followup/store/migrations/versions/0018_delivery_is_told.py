"""Open pages hear at once what became of a line that went to somebody's phone

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Sender, job of the clock, passive reply and delivery report all change it; here none of them can forget to tell.
_FUNCTION = """
CREATE FUNCTION tell_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('followup_out', NEW.case_id);
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER messages_delivery AFTER UPDATE OF status, error ON messages FOR EACH ROW
WHEN (NEW.direction = 'out' AND NEW.channel ~ '^(wechat|wecom):' AND (NEW.status, NEW.error) IS DISTINCT FROM (OLD.status, OLD.error))
EXECUTE FUNCTION tell_delivery()
"""


def upgrade() -> None:
    op.execute(_FUNCTION)
    op.execute(_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER messages_delivery ON messages")
    op.execute("DROP FUNCTION tell_delivery()")
