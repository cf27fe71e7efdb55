"""Quality inspection keeps its sheet and what was corrected; reminders by mail; finding tickets by their words

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What staff search in a ticket: the customer's words and the solution, as one text.
_TICKET_TEXT = """
CREATE FUNCTION ticket_text(words jsonb, solution text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(string_agg(word ->> 'text', E'\\n' ORDER BY place), '') || E'\\n' || coalesce(solution, '')
    FROM jsonb_array_elements(words) WITH ORDINALITY AS said (word, place)
$$
"""


def upgrade() -> None:
    op.add_column("users", sa.Column("email", sa.Text(), server_default="", nullable=False))
    op.add_column("tickets", sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("inspections", sa.Column("sheet", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_table(
        "inspection_corrections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("inspection_id", sa.BigInteger(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspections.id"], name=op.f("inspection_corrections_inspection_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("inspection_corrections_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("inspection_corrections_pkey")),
    )
    op.create_index(op.f("inspection_corrections_inspection_id_idx"), "inspection_corrections", ["inspection_id"])
    op.execute("CREATE INDEX inspections_case_id_idx ON inspections (case_id)")
    op.execute("CREATE INDEX inspections_inspected_at_idx ON inspections (inspected_at) WHERE total IS NOT NULL")
    op.execute(_TICKET_TEXT)
    op.execute("CREATE INDEX tickets_grams_idx ON tickets USING gin (text_grams(ticket_text(words, solution)))")


def downgrade() -> None:
    op.execute("DROP INDEX tickets_grams_idx")
    op.execute("DROP FUNCTION ticket_text(jsonb, text)")
    op.execute("DROP INDEX inspections_inspected_at_idx")
    op.execute("DROP INDEX inspections_case_id_idx")
    op.drop_table("inspection_corrections")
    op.drop_column("inspections", "sheet")
    op.drop_column("tickets", "mailed_at")
    op.drop_column("users", "email")
