"""Customers who come to us without a link: anonymous contacts, and whose number they say they have

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("contacts", sa.Column("is_anonymous", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("cases", sa.Column("claimed_contact_id", sa.BigInteger(), nullable=True))
    op.add_column("cases", sa.Column("claimed_case_id", sa.String(length=32), nullable=True))
    op.create_foreign_key(
        op.f("cases_claimed_contact_id_fkey"), "cases", "contacts", ["claimed_contact_id"], ["id"], ondelete="SET NULL"
    )
    op.create_foreign_key(
        op.f("cases_claimed_case_id_fkey"), "cases", "cases", ["claimed_case_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index(op.f("cases_claimed_contact_id_idx"), "cases", ["claimed_contact_id"], unique=False)
    op.create_index(op.f("cases_claimed_case_id_idx"), "cases", ["claimed_case_id"], unique=False)


def downgrade() -> None:
    op.drop_column("cases", "claimed_case_id")
    op.drop_column("cases", "claimed_contact_id")
    op.drop_column("contacts", "is_anonymous")
