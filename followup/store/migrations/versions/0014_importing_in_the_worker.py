"""Files are read and taken by the worker; who must not be contacted is known by mailbox too, and who was erased by digests

Revision ID: 0014
Revises: 0013
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _uploads() -> list[sa.Column[Any]]:
    return [
        sa.Column("todo", sa.Text(), server_default="", nullable=False),
        sa.Column("skip_bad", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("stage", sa.Text(), server_default="", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    ]


def upgrade() -> None:
    for column in _uploads():
        op.add_column("uploads", column)
    op.create_index("uploads_todo_idx", "uploads", ["id"], postgresql_where=sa.text("todo <> ''"))
    # Both a spreadsheet and a packed table are compressed already.
    op.execute("ALTER TABLE uploads ALTER COLUMN content SET STORAGE EXTERNAL")
    op.add_column("do_not_contact", sa.Column("email", sa.Text(), nullable=True))
    op.add_column("do_not_contact", sa.Column("email_digest", sa.String(length=64), nullable=True))
    digests = sa.Column("other_digests", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False)
    op.add_column("do_not_contact", digests)
    op.create_index(op.f("do_not_contact_email_idx"), "do_not_contact", ["email"])
    op.create_index(op.f("do_not_contact_email_digest_idx"), "do_not_contact", ["email_digest"])
    op.execute("UPDATE do_not_contact SET email = contacts.email FROM contacts WHERE contacts.id = contact_id AND contacts.erased_at IS NULL")
    op.create_table(
        "rate_buckets",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("rate_buckets_pkey")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("rate_buckets_at_idx"), "rate_buckets", ["at"])


def downgrade() -> None:
    op.drop_table("rate_buckets")
    op.execute("DELETE FROM do_not_contact WHERE source = 'erased' AND phone_digest IS NULL AND contact_id IS NULL")
    op.execute("UPDATE do_not_contact SET source = CASE source WHEN 'api' THEN 'import' ELSE 'customer' END WHERE source IN ('api', 'erased')")
    for column in ("email_digest", "email"):
        op.drop_index(op.f(f"do_not_contact_{column}_idx"), table_name="do_not_contact")
        op.drop_column("do_not_contact", column)
    op.drop_column("do_not_contact", "other_digests")
    op.execute("DELETE FROM uploads WHERE choices = '{}'::jsonb AND import_id IS NULL")
    op.drop_index("uploads_todo_idx", table_name="uploads")
    for column in reversed(_uploads()):
        op.drop_column("uploads", column.name)
