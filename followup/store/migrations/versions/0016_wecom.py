"""微信客服: who writes to a service account, what was read and sent, how far; WeChat's web authorisations under way

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_TIMES = postgresql.ARRAY(_TIME)
_NOW = sa.text("now()")
_EMPTY = sa.text("'{}'")

# As for 公众号: whoever writes a line, it is sent.
_FUNCTION = """
CREATE FUNCTION send_wecom() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[
        ROW('wecom', 'send_wecom', 0, 'wecom:' || NEW.case_id, NULL, jsonb_build_object('case_id', NEW.case_id), NULL)
        ::procrastinate_job_to_defer_v1
    ]);
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER messages_wecom AFTER INSERT ON messages FOR EACH ROW
WHEN (NEW.direction = 'out' AND NEW.status = 'queued' AND NEW.channel LIKE 'wecom:%') EXECUTE FUNCTION send_wecom()
"""


def upgrade() -> None:
    _people()
    _reading()
    op.execute(_FUNCTION)
    op.execute(_TRIGGER)


def _people() -> None:
    op.create_table(
        "wecom_users",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("open_kfid", sa.Text(), nullable=False),
        sa.Column("external_userid", sa.Text(), nullable=False),
        sa.Column("unionid", sa.Text(), server_default="", nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("case_id", sa.String(32), nullable=True),
        sa.Column("message_at", _TIME, nullable=True),
        sa.Column("sent", _TIMES, server_default=_EMPTY, nullable=False),
        sa.Column("state", sa.BigInteger(), nullable=True),
        sa.Column("handed_at", _TIME, nullable=True),
        sa.Column("welcome_code", sa.Text(), server_default="", nullable=False),
        sa.Column("welcome_until", _TIME, nullable=True),
        sa.Column("tries", _TIMES, server_default=_EMPTY, nullable=False),
        sa.Column("created_at", _TIME, server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("wecom_users_contact_id_fkey"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("wecom_users_case_id_fkey"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("wecom_users_pkey")),
        sa.UniqueConstraint("account", "open_kfid", "external_userid", name=op.f("wecom_users_account_open_kfid_external_userid_key")),
    )
    op.create_index(op.f("wecom_users_contact_id_idx"), "wecom_users", ["contact_id"])
    op.create_index(
        "wecom_users_case_idx", "wecom_users", ["account", "case_id"], unique=True, postgresql_where=sa.text("case_id IS NOT NULL")
    )
    op.create_index("wecom_users_unionid_idx", "wecom_users", ["unionid"], postgresql_where=sa.text("unionid <> ''"))
    op.create_index("wechat_users_unionid_idx", "wechat_users", ["unionid"], postgresql_where=sa.text("unionid <> ''"))
    op.create_table(
        "wechat_logins",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("wechat_logins_case_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("nonce", name=op.f("wechat_logins_pkey")),
    )
    op.create_index(op.f("wechat_logins_case_id_idx"), "wechat_logins", ["case_id"])
    op.create_index(op.f("wechat_logins_expires_at_idx"), "wechat_logins", ["expires_at"])


def _reading() -> None:
    op.create_table(
        "wecom_cursors",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("open_kfid", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), server_default="", nullable=False),
        sa.Column("token", sa.Text(), server_default="", nullable=False),
        sa.Column("token_at", _TIME, nullable=True),
        sa.Column("wanted", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("read_at", _TIME, nullable=True),
        sa.Column("link", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", _TIME, server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("account", "open_kfid", name=op.f("wecom_cursors_pkey")),
    )
    op.create_table(
        "wecom_received",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("at", _TIME, server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["wecom_users.id"], name=op.f("wecom_received_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", "key", name=op.f("wecom_received_pkey")),
    )
    op.create_index(op.f("wecom_received_user_id_idx"), "wecom_received", ["user_id"])
    op.create_index(op.f("wecom_received_at_idx"), "wecom_received", ["at"])
    op.create_table(
        "wecom_sent",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("msgid", sa.Text(), nullable=False),
        sa.Column("rows", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("at", _TIME, server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["wecom_users.id"], name=op.f("wecom_sent_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", "msgid", name=op.f("wecom_sent_pkey")),
    )
    op.create_index(op.f("wecom_sent_user_id_idx"), "wecom_sent", ["user_id"])
    op.create_index(op.f("wecom_sent_at_idx"), "wecom_sent", ["at"])


def downgrade() -> None:
    op.execute("DROP TRIGGER messages_wecom ON messages")
    op.execute("DROP FUNCTION send_wecom()")
    op.drop_index("wechat_users_unionid_idx", "wechat_users")
    for table in ("wecom_sent", "wecom_received", "wecom_cursors", "wechat_logins", "wecom_users"):
        op.drop_table(table)
