"""Customers' rights: a do-not-contact list with its history, and what is left of a customer who was erased

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# An erased customer stays on the do-not-contact list without the number: by a digest with a key that every database makes
# for itself, so that a table of all digests made elsewhere finds nobody (docs/decisions/0009).
_DIGEST = """
CREATE TABLE digest_key (one boolean PRIMARY KEY DEFAULT true CHECK (one), key bytea NOT NULL);
INSERT INTO digest_key (key)
SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));
CREATE FUNCTION phone_digest(phone text) RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT encode(sha256(key || convert_to(phone, 'UTF8')), 'hex') FROM digest_key
$$;
"""

# The log only grows, with one exception that the log itself records: what an entry says about an erased customer gives way
# to the number of the entry that tells of the erasure, written in the same transaction.
_GROWS_AND_FORGETS = """
CREATE OR REPLACE FUNCTION audit_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.at, NEW.user_id, NEW.user_name, NEW.role, NEW.action, NEW.object_type, NEW.object_id)
               IS NOT DISTINCT FROM
           (OLD.id, OLD.at, OLD.user_id, OLD.user_name, OLD.role, OLD.action, OLD.object_type, OLD.object_id)
           AND EXISTS (
               SELECT 1 FROM audit_log AS erasure
               WHERE erasure.action IN ('customer.erase', 'retention.erase') AND erasure.id <> OLD.id
                 AND NEW.detail = jsonb_build_object('erased', erasure.id)
                 AND erasure.xmin = pg_current_xact_id()::xid
           )
        THEN RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit_log only grows: % refused', TG_OP;
END
$$
"""
_ONLY_GROWS = """
CREATE OR REPLACE FUNCTION audit_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log only grows: % refused', TG_OP;
END
$$
"""


def upgrade() -> None:
    op.add_column("contacts", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cases", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint("do_not_contact_contact_id_key", "do_not_contact", type_="unique")
    op.add_column("do_not_contact", sa.Column("phone_digest", sa.String(length=64), nullable=True))
    op.add_column("do_not_contact", sa.Column("source", sa.Text(), server_default="customer", nullable=False))
    op.add_column("do_not_contact", sa.Column("user_id", sa.BigInteger(), nullable=True))
    op.add_column("do_not_contact", sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("do_not_contact", sa.Column("lifted_by", sa.BigInteger(), nullable=True))
    op.add_column("do_not_contact", sa.Column("lift_reason", sa.Text(), server_default="", nullable=False))
    for column in ("user_id", "lifted_by"):
        op.create_foreign_key(op.f(f"do_not_contact_{column}_fkey"), "do_not_contact", "users", [column], ["id"])
    op.execute("CREATE UNIQUE INDEX do_not_contact_standing_idx ON do_not_contact (contact_id) WHERE lifted_at IS NULL")
    op.execute("CREATE INDEX do_not_contact_contact_id_idx ON do_not_contact (contact_id)")
    op.execute("CREATE INDEX do_not_contact_phone_digest_idx ON do_not_contact (phone_digest)")
    op.execute(
        "CREATE INDEX cases_content_idx ON cases (coalesce(ended_at, last_message_at, created_at)) WHERE erased_at IS NULL"
    )
    op.execute(_DIGEST)
    op.execute(_GROWS_AND_FORGETS)


def downgrade() -> None:
    op.execute(_ONLY_GROWS)
    op.execute("DROP FUNCTION phone_digest(text)")
    op.execute("DROP TABLE digest_key")
    op.execute("DROP INDEX cases_content_idx")
    # Before, nothing could be lifted, a customer stood on the list once, and only by the number itself.
    op.execute("DELETE FROM do_not_contact WHERE lifted_at IS NOT NULL OR (contact_id IS NULL AND phone IS NULL)")
    for name in ("phone_digest", "contact_id", "standing"):
        op.execute(f"DROP INDEX do_not_contact_{name}_idx")
    for column in ("lift_reason", "lifted_by", "lifted_at", "user_id", "source", "phone_digest"):
        op.drop_column("do_not_contact", column)
    op.create_unique_constraint("do_not_contact_contact_id_key", "do_not_contact", ["contact_id"])
    op.drop_column("cases", "erased_at")
    op.drop_column("contacts", "erased_at")
