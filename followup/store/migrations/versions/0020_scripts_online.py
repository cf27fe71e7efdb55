"""Scripts, shared wording and answers that are written and published in the console

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('script', 'shared', 'knowledge')"
_STATES = "state IN ('draft', 'review', 'rejected', 'published', 'withdrawn')"
_OPEN = "state IN ('draft', 'review', 'rejected')"
_ONLY_GROWS = """
CREATE FUNCTION published_scripts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'published_scripts only grows: % refused', TG_OP;
END
$$;
CREATE TRIGGER published_scripts_rows BEFORE UPDATE OR DELETE ON published_scripts
FOR EACH ROW EXECUTE FUNCTION published_scripts_only_grow();
"""


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _points_to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"{table}_{column}_fkey"))


def upgrade() -> None:
    op.create_table(
        "script_drafts",
        _id(),
        _text("kind"),
        sa.Column("script_id", sa.String(100), nullable=False),
        _text("text"),
        _text("base_text"),
        sa.Column("based_on", sa.String(64), nullable=False),
        sa.Column("by_user_id", sa.BigInteger(), nullable=False),
        _text("state", "draft"),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _text("note", ""),
        sa.Column("reviewer_id", sa.BigInteger(), nullable=True),
        _text("reason", ""),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(_KINDS, name="script_drafts_kind_check"),
        sa.CheckConstraint(_STATES, name="script_drafts_state_check"),
        _points_to("script_drafts", "by_user_id", "users"),
        _points_to("script_drafts", "reviewer_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("script_drafts_pkey")),
    )
    op.create_index(op.f("script_drafts_by_user_id_idx"), "script_drafts", ["by_user_id"])
    op.create_index("script_drafts_open_idx", "script_drafts", ["kind", "script_id", "by_user_id"], unique=True, postgresql_where=sa.text(_OPEN))
    op.create_table(
        "published_scripts",
        _id(),
        _text("kind"),
        sa.Column("script_id", sa.String(100), nullable=False),
        _text("text"),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("file_digest", sa.String(64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("by_user_id", sa.BigInteger(), nullable=False),
        sa.Column("reviewer_id", sa.BigInteger(), nullable=True),
        sa.Column("draft_id", sa.BigInteger(), nullable=True),
        sa.Column("again", sa.BigInteger(), nullable=True),
        _text("reason", ""),
        sa.CheckConstraint(_KINDS, name="published_scripts_kind_check"),
        _points_to("published_scripts", "by_user_id", "users"),
        _points_to("published_scripts", "reviewer_id", "users"),
        _points_to("published_scripts", "draft_id", "script_drafts"),
        _points_to("published_scripts", "again", "published_scripts"),
        sa.PrimaryKeyConstraint("id", name=op.f("published_scripts_pkey")),
    )
    op.create_index("published_scripts_newest_idx", "published_scripts", ["kind", "script_id", "id"])
    op.execute(_ONLY_GROWS)


def downgrade() -> None:
    op.drop_table("published_scripts")
    op.drop_table("script_drafts")
    op.execute("DROP FUNCTION published_scripts_only_grow()")
