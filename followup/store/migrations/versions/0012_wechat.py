"""WeChat: who is behind an OpenID, what was received, the accounts' tokens; a job for each line that is to go there

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_TIMES = postgresql.ARRAY(_TIME)

# Turns, colleagues and the clock all write lines; here none of them can forget to have one sent.
_FUNCTION = """
CREATE FUNCTION send_wechat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[
        ROW('wechat', 'send_wechat', 0, 'wechat:' || NEW.case_id, NULL, jsonb_build_object('case_id', NEW.case_id), NULL)
        ::procrastinate_job_to_defer_v1
    ]);
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER messages_wechat AFTER INSERT ON messages FOR EACH ROW
WHEN (NEW.direction = 'out' AND NEW.status = 'queued' AND NEW.channel LIKE 'wechat:%') EXECUTE FUNCTION send_wechat()
"""


def upgrade() -> None:
    op.create_table(
        "wechat_users",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("unionid", sa.Text(), server_default="", nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("case_id", sa.String(32), nullable=True),
        sa.Column("follows", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("message_at", _TIME, nullable=True),
        sa.Column("click_at", _TIME, nullable=True),
        sa.Column("sent", _TIMES, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("answering_until", _TIME, nullable=True),
        sa.Column("tries", _TIMES, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("wechat_users_contact_id_fkey"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("wechat_users_case_id_fkey"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("wechat_users_pkey")),
        sa.UniqueConstraint("account", "openid", name=op.f("wechat_users_account_openid_key")),
    )
    op.create_index(op.f("wechat_users_contact_id_idx"), "wechat_users", ["contact_id"])
    op.create_index(
        "wechat_users_case_idx", "wechat_users", ["account", "case_id"], unique=True, postgresql_where=sa.text("case_id IS NOT NULL")
    )
    op.create_table(
        "wechat_received",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["wechat_users.id"], name=op.f("wechat_received_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", "key", name=op.f("wechat_received_pkey")),
    )
    op.create_index(op.f("wechat_received_user_id_idx"), "wechat_received", ["user_id"])
    op.create_index(op.f("wechat_received_at_idx"), "wechat_received", ["at"])
    op.create_table(
        "wechat_tokens",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", _TIME, nullable=True),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("wechat_tokens_pkey")),
    )
    op.execute(_FUNCTION)
    op.execute(_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER messages_wechat ON messages")
    op.execute("DROP FUNCTION send_wechat()")
    op.drop_table("wechat_tokens")
    op.drop_table("wechat_received")
    op.drop_table("wechat_users")
